"""File names, labels and sizes as text that can be shown."""

from __future__ import annotations

import re

__all__ = ["printable", "size_shown"]

# Control characters would move the cursor or end a line, lone surrogates (a file name that is not
# UTF-8) cannot be encoded, and the marks for writing direction can make "gpj.exe" look like an
# image.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    r"""Return `text` with what cannot be shown on one line written as escapes.

    Examples
    --------
    >>> print(printable("a\nb\x1b[31m"))
    a\nb\x1b[31m
    >>> print(printable("Ärger 猫.jpg"), printable(b"\xff.jpg".decode("utf-8", "surrogateescape")))
    Ärger 猫.jpg \xff.jpg
    """
    return _UNPRINTABLE.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    code = ord(found.group())
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a file name that is not UTF-8, see os.fsdecode
        return f"\\x{code - 0xDC00:02x}"
    return found.group().encode("unicode_escape").decode("ascii")


def size_shown(size: int) -> str:
    """Return a number of bytes as people read it.

    Examples
    --------
    >>> size_shown(999), size_shown(2_500_000)
    ('999 bytes', '2.5 MB')
    """
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if size >= unit:
            return f"{size / unit:,.1f} {name}"
    return f"{size} bytes"
