"""What happens to pictures on their way through cameras, chats and web sites."""

import io
from collections.abc import Callable

from PIL import Image

from lookalike.pictures.images import EXIF_ORIENTATION

__all__ = ["OF_DOCUMENTS", "OF_PHOTOS", "TREATMENTS"]

UNDONE = {  # the transposition after which the EXIF orientation makes the picture upright again
    3: Image.Transpose.ROTATE_180,
    6: Image.Transpose.ROTATE_90,
    8: Image.Transpose.ROTATE_270,
}


def saved(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def resized(image: Image.Image, percent: int, way=Image.Resampling.LANCZOS) -> Image.Image:
    size = tuple(max(1, round(side * percent / 100)) for side in image.size)
    return image.resize(size, way)


def turned(image: Image.Image, orientation: int) -> bytes:
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = orientation
    return saved(image.transpose(UNDONE[orientation]), quality=95, exif=exif)


def cropped(image: Image.Image, percent: int) -> Image.Image:
    """Cut `percent` of the side off every edge."""
    x, y = (round(side * percent / 100) for side in image.size)
    return image.crop((x, y, image.width - x, image.height - y))


def cut_unevenly(image: Image.Image) -> Image.Image:
    """Cut 2 % off the left and 1 % off the bottom."""
    return image.crop((round(image.width * 0.02), 0, image.width, round(image.height * 0.99)))


def brighter(image: Image.Image, factor: float) -> Image.Image:
    return image.point(lambda value: min(255, round(value * factor)))


def marked(image: Image.Image) -> Image.Image:
    """Write a faint word into the lower right corner."""
    from PIL import ImageDraw

    from document_kinds import font

    mark = Image.new("L", image.size, 0)
    size = max(10, min(image.size) // 14)
    place = (image.width - size * 5, image.height - size * 2)
    ImageDraw.Draw(mark).text(place, "example", 70, font(size))
    return Image.composite(Image.new("RGB", image.size, "white"), image, mark)


def warmer(image: Image.Image) -> Image.Image:
    red, green, blue = image.split()
    return Image.merge(
        "RGB", (red.point(lambda v: min(255, v * 1.1)), green, blue.point(lambda v: v * 0.9))
    )


Treatment = Callable[[Image.Image], bytes]

OF_PHOTOS: dict[str, Treatment] = {
    **{f"JPEG {q}": lambda i, q=q: saved(i, quality=q) for q in (95, 90, 80, 70, 60, 50)},
    "PNG": lambda i: saved(i, "PNG", compress_level=1),
    "WebP 80": lambda i: saved(i, "WEBP", quality=80),
    **{
        f"{p} % size": lambda i, p=p: saved(resized(i, p), quality=90) for p in (90, 80, 70, 60, 50)
    },
    "70 %, JPEG 60": lambda i: saved(resized(i, 70), quality=60),
    "50 %, JPEG 75": lambda i: saved(resized(i, 50), quality=75),
    "70 %, bilinear": lambda i: saved(resized(i, 70, Image.Resampling.BILINEAR), quality=85),
    "70 %, box": lambda i: saved(resized(i, 70, Image.Resampling.BOX), quality=85),
    **{f"EXIF {o}": lambda i, o=o: turned(i, o) for o in UNDONE},
    "black and white": lambda i: saved(i.convert("L"), quality=90),
    "crop 1 %": lambda i: saved(cropped(i, 1), quality=95),
    "crop 2 %": lambda i: saved(cropped(i, 2), quality=95),
    "crop 2 %, 1 %": lambda i: saved(cut_unevenly(i), quality=95),
}
"""What leaves a photo the same."""

EDITS: dict[str, Treatment] = {
    "crop 3 %": lambda i: saved(cropped(i, 3), quality=95),
    "crop 5 %": lambda i: saved(cropped(i, 5), quality=95),
    "mirrored": lambda i: saved(i.transpose(Image.Transpose.FLIP_LEFT_RIGHT), quality=95),
    "10 % brighter": lambda i: saved(brighter(i, 1.1), quality=95),
    "marked": lambda i: saved(marked(i), quality=95),
    "warmer": lambda i: saved(warmer(i), quality=95),
}
"""What makes another picture of it, to be looked at by a person."""

OF_DOCUMENTS: dict[str, Treatment] = {
    "PNG": OF_PHOTOS["PNG"],
    "JPEG 75": lambda i: saved(i, quality=75),
    "70 % size": OF_PHOTOS["70 % size"],
}
"""What a document goes through before it is compared with another one."""

TREATMENTS = OF_PHOTOS | EDITS
