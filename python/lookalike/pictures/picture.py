"""A decoded picture, and a way to look at it while it is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

__all__ = ["Noted", "Picture"]


@dataclass(frozen=True)
class Picture:
    """A picture as it was decoded.

    Attributes
    ----------
    image : PIL.Image.Image
        Its pixels: upright, 8-bit sRGB, perhaps reduced.
    width, height : int
        Its size as it is shown, in pixels, before any reduction.
    format : str or None
        Pillow's name of the file's format, None if it did not come from a file.
    taken : str or None
        When it was taken, as EXIF has it: ``YYYY-MM-DD HH:MM:SS``, with decimals and the offset
        from UTC if they are there.
    camera : str or None
        What took it, as EXIF has it: maker and model.
    box : (left, top, right, bottom) or None
        The part of `image` that the picture covers. Where it was reduced and its sides are no
        multiples of the factor, the pixels at an edge stand for fewer than the others. None: all.
    beyond : str
        Why the file holds more than these pixels show, as words that follow its name: "holds
        several pictures", "is transparent", "is a raw photo", "holds a film" ...; empty if it does
        not. Whoever keeps another file for this one would lose that.
    """

    image: Image.Image
    width: int
    height: int
    format: str | None = None
    taken: str | None = None
    camera: str | None = None
    box: tuple[float, float, float, float] | None = None
    beyond: str = ""


class Noted(bytes):
    """The content of an image file, whose picture is looked at when it is decoded.

    So whoever hands contents to a network learns more of the pictures than their features without
    decoding them again.

    Attributes
    ----------
    seen : object
        What the look returned; None as long as the content has not been decoded.

    Examples
    --------
    >>> from lookalike.pictures.images import open_picture
    >>> content = Noted(b"P5 3 2 255 ......").looked_at_by(lambda picture: picture.width)
    >>> open_picture(content).height, content.seen
    (2, 3)
    """

    seen: object = None
    _look: Callable[[Picture], object] | None = None

    def looked_at_by(self, look: Callable[[Picture], object]) -> Noted:
        """Set what looks at the picture, and return this content."""
        self._look = look
        return self

    def note(self, picture: Picture) -> None:
        """Let the look see the picture."""
        if self._look is not None:
            self.seen = self._look(picture)
