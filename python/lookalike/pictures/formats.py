"""Which kinds of pictures there are by their file names: what is read, and what is known not to be.

A folder is searched by names alone; what a file is, its content says.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping

__all__ = [
    "HEIF_SUFFIXES",
    "IMAGE_SUFFIXES",
    "NO_HEIF_DECODER",
    "UNREAD_SUFFIXES",
    "unread_remarks",
]

NO_HEIF_DECODER = "HEIC needs a decoder of its own: pip install 'lookalike[heif]'"
"""The reason of such a file."""

HEIF_SUFFIXES = frozenset(b".heic .heif .hif".split())

IMAGE_SUFFIXES = HEIF_SUFFIXES | frozenset(
    b".jpg .jpeg .jpe .jfif .png .apng .webp .avif .gif .tif .tiff .bmp .dib .jp2 .j2k .jpx .ppm "
    b".pgm .pbm .pnm .pfm .nef .nrw .cr2 .dng .arw".split()
)

UNREAD_SUFFIXES = frozenset(
    # pictures, raw photos whose preview is kept in other ways, films
    b".jxl .psd .psb .xcf .svg .eps .ai .pdf .ico .tga .exr .hdr .jxr .wdp .webm "
    b".cr3 .crw .raf .rw2 .orf .pef .srw .x3f .3fr .iiq .rwl .mrw .dcr .kdc .erf .gpr "
    b".mov .mp4 .m4v .avi .mkv .mts .m2ts .3gp .wmv .mpg .mpeg .flv".split()
)
"""What people keep beside their photos and see as pictures, and what is not read here."""


def unread_remarks(counts: Mapping[bytes, int]) -> list[str]:
    """Return a line on the files that are not read, by kind, and one on HEIC without its decoder.

    Parameters
    ----------
    counts : mapping
        Number of files by suffix in lower case; of those that are read HEIC alone matters.

    Examples
    --------
    >>> unread_remarks({b".mov": 12, b".jxl": 1, b".jpg": 400})
    ['13 files of kinds that are not read: 12 .mov, 1 .jxl']
    """
    unread = {suffix: count for suffix, count in counts.items() if suffix in UNREAD_SUFFIXES}
    remarks = []
    if unread:
        most_first = sorted(unread.items(), key=lambda item: (-item[1], item[0]))
        kinds = ", ".join(f"{count:,} {suffix.decode()}" for suffix, count in most_first)
        remarks.append(f"{_files(sum(unread.values()))} of kinds that are not read: {kinds}")
    heif = sum(counts.get(suffix, 0) for suffix in HEIF_SUFFIXES)
    if heif and importlib.util.find_spec("pillow_heif") is None:
        verb = "needs" if heif == 1 else "need"
        remarks.append(f"{_files(heif)} of HEIC {verb} a decoder: pip install 'lookalike[heif]'")
    return remarks


def _files(count: int) -> str:
    return f"{count:,} file" if count == 1 else f"{count:,} files"
