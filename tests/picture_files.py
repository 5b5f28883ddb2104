"""Pictures that are drawn, and files of them that Pillow does not write."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

SAVED = {
    "JPEG": {"quality": 95},
    "PNG": {"compress_level": 1},
    "TIFF": {},
    "WEBP": {"lossless": True, "method": 0},
    "BMP": {},
}

SRGB = ((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7139))
PROPHOTO = ((0.7977, 0.2880, 0.0), (0.1352, 0.7119, 0.0), (0.0313, 0.0001, 0.8249))
WHITE = (0.9642, 1.0, 0.8249)


def drawn(width, height, seed=0):
    """A picture with edges and gradients at all scales, without symmetry."""
    random = np.random.default_rng(seed)
    whole = np.zeros((height, width, 3))
    for side in (2, 5, 12, 40):
        coarse = Image.fromarray(random.integers(0, 256, (side, side + 1, 3), np.uint8))
        whole += np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC)) / 4
    return Image.fromarray(whole.round().astype(np.uint8))


def encoded(image, file_format, **options):
    stream = io.BytesIO()
    image.save(stream, file_format, **{**SAVED.get(file_format, {}), **options})
    return stream.getvalue()


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def tiff(samples, *, tags=(), photometric=1, kind=None, bits=None, order="<"):
    """A TIFF file of one strip, written here: Pillow writes few of these."""
    samples = np.ascontiguousarray(samples)
    height, width, *several = samples.shape
    count = several[0] if several else 1
    kinds = {"u": 1, "i": 2, "f": 3}
    bits = bits or samples.dtype.itemsize * 8
    body = samples.astype(samples.dtype.newbyteorder(order)).tobytes()
    entries = {
        256: ("I", [width]),
        257: ("I", [height]),
        258: ("H", [bits] * count),
        259: ("H", [1]),
        262: ("H", [photometric]),
        273: ("I", [8]),
        277: ("H", [count]),
        278: ("I", [height]),
        279: ("I", [len(body)]),
        339: ("H", [kind or kinds[samples.dtype.kind]] * count),
        **dict(tags),
    }
    codes = {"H": 3, "I": 4, "f": 11, "i": 9, "d": 12}
    at = 8 + len(body)
    beyond = at + 2 + 12 * len(entries) + 4
    directory, rest = [], b""
    for tag, (code, values) in sorted(entries.items()):
        data = struct.pack(f"{order}{len(values)}{code}", *values)
        if len(data) > 4:
            place, rest = struct.pack(order + "I", beyond + len(rest)), rest + data
        else:
            place = data.ljust(4, b"\0")
        directory.append(struct.pack(order + "HHI", tag, codes[code], len(values)) + place)
    mark = b"II*\0" if order == "<" else b"MM\0*"
    header = mark + struct.pack(order + "I", at) + body
    return header + struct.pack(order + "H", len(entries)) + b"".join(directory) + bytes(4) + rest


def fixed(number):
    return struct.pack(">i", round(number * 65536))


def icc(gamma, primaries=SRGB, space=b"RGB "):
    """An ICC profile of version 2: a gamma, and for colours the place of red, green and blue."""
    curve = b"curv" + bytes(4) + struct.pack(">IHH", 1, round(gamma * 256), 0)
    tags = {b"wtpt": b"XYZ " + bytes(4) + b"".join(map(fixed, WHITE))}
    tags[b"desc"] = b"desc" + bytes(4) + struct.pack(">I", 2) + b"a\0" + bytes(78)
    tags[b"cprt"] = b"text" + bytes(4) + b"none\0"
    if space == b"GRAY":
        tags[b"kTRC"] = curve
    else:
        for name, place in zip(b"rgb", primaries, strict=True):
            tags[bytes([name]) + b"XYZ"] = b"XYZ " + bytes(4) + b"".join(map(fixed, place))
            tags[bytes([name]) + b"TRC"] = curve
    body, table = b"", b""
    start = 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data.ljust(-(-len(data) // 4) * 4, b"\0")
    header = struct.pack(">I4s4s4s", 0x02400000, b"mntr", space, b"XYZ ").rjust(24, b"\0")
    header = header.ljust(36, b"\0") + b"acsp"
    header = header.ljust(68, b"\0") + b"".join(map(fixed, WHITE))
    whole = header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body
    return struct.pack(">I", len(whole)) + whole[4:]


def without_profile(jpeg):
    """Return a JPEG file without its colour profile."""
    at = 2
    while jpeg[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(jpeg[at + 2 : at + 4])
        if jpeg[at + 1] == 0xE2 and jpeg[at + 4 :].startswith(b"ICC_PROFILE\0"):
            jpeg = jpeg[:at] + jpeg[end:]
        else:
            at = end
    return jpeg
