"""What a network was trained on: size, crop, channel order and normalisation of its input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

__all__ = ["BVLC", "TORCHVISION", "Preprocessing"]


@dataclass(frozen=True)
class Preprocessing:
    """How an RGB image becomes the input of a network, float32 of shape (3, crop, crop).

    Parameters
    ----------
    size : int
        Side in pixels to resize to, with antialiased bilinear interpolation.
    keep_aspect : bool
        True: the short side becomes `size`; False: the image is warped to `size` × `size`.
    crop : int
        Side of the centre crop, at most `size`.
    channels : {"RGB", "BGR"}
        Order of the input's channels.
    mean, std : (float, float, float)
        Per channel in that order, in grey levels of 0–255; the input is ``(pixel - mean) / std``.

    Examples
    --------
    >>> from PIL import Image
    >>> red = Image.new("RGB", (300, 200), "red")
    >>> BVLC(red)[:, 0, 0].tolist()
    [-104.0, -117.0, 132.0]
    """

    size: int = 256
    keep_aspect: bool = False
    crop: int = 224
    channels: Literal["RGB", "BGR"] = "RGB"
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def __post_init__(self) -> None:
        if not 0 < self.crop <= self.size:
            raise ValueError(f"crop must be from 1 to size = {self.size}, got {self.crop}")
        if self.channels not in ("RGB", "BGR"):
            raise ValueError(f"channels must be 'RGB' or 'BGR', got {self.channels!r}")
        if len(self.mean) != 3 or len(self.std) != 3 or 0 in self.std:
            raise ValueError(
                f"mean and std must be three numbers, std not 0, got {self.mean} and {self.std}"
            )

    @property
    def least_side(self) -> int:
        """The side in pixels below which no picture is reduced while it is decoded."""
        return 2 * self.size

    def __call__(
        self,
        image: Image.Image,
        out: npt.NDArray[np.float32] | None = None,
        box: tuple[float, float, float, float] | None = None,
    ) -> npt.NDArray[np.float32]:
        """Return the input for one image of mode RGB, written to `out` if given.

        With a box (left, top, right, bottom), which may lie between pixels, for that part of it.
        """
        if out is None:
            out = np.empty((3, self.crop, self.crop), np.float32)
        pixels = np.asarray(self._resized_crop(image, box or (0, 0, *image.size)))
        if self.channels == "BGR":
            pixels = pixels[:, :, ::-1]
        np.subtract(pixels.transpose(2, 0, 1), _column(self.mean), out=out)
        if self.std != (1.0, 1.0, 1.0):
            out /= _column(self.std)
        return out

    def _resized_crop(
        self, image: Image.Image, box: tuple[float, float, float, float]
    ) -> Image.Image:
        if not self.keep_aspect:
            warped = image.resize((self.size, self.size), Image.Resampling.BILINEAR, box=box)
            first = (self.size - self.crop) // 2
            return warped.crop((first, first, first + self.crop, first + self.crop))
        # Only the part that the crop keeps is resized: the whole of a 30,000×100 panorama would
        # become 76,800×256. It is the same up to one grey level of rounding.
        given = (box[2] - box[0], box[3] - box[1])
        # A box may be off by a rounding error, a side that is a whole number must not.
        sides = [int(self.size * side / min(given) + 1e-9) for side in given]
        firsts = [round((side - self.crop) / 2) for side in sides]
        scales = [old / new for old, new in zip(given, sides, strict=True)]
        left, top = (
            start + first * scale
            for start, first, scale in zip(box[:2], firsts, scales, strict=True)
        )
        width, height = (self.crop * scale for scale in scales)
        kept = (left, top, left + width, top + height)
        return image.resize((self.crop, self.crop), Image.Resampling.BILINEAR, box=kept)


def _column(values: tuple[float, float, float]) -> npt.NDArray[np.float32]:
    return np.array(values, np.float32).reshape(3, 1, 1)


BVLC = Preprocessing(channels="BGR", mean=(104.0, 117.0, 123.0))
"""BVLC GoogLeNet's, as in Caffe: warped to 256×256, centre crop 224×224, BGR minus the mean."""

TORCHVISION = Preprocessing(
    keep_aspect=True,
    mean=(0.485 * 255, 0.456 * 255, 0.406 * 255),
    std=(0.229 * 255, 0.224 * 255, 0.225 * 255),
)
"""What torchvision's classification models expect, its GoogLeNet among them."""
