"""What a network was trained on: size, crop, channel order and normalisation of its input."""

from __future__ import annotations

import json
import math
import numbers
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
from PIL import Image

__all__ = ["BVLC", "CLIP", "IMAGENET", "TORCHVISION", "Preprocessing"]

LARGEST_SIDE = 16_384
RESAMPLING = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


@dataclass(frozen=True, repr=False)
class Preprocessing:
    """How an RGB image becomes the input of a network, and what is taken of its output.

    The input is float32 of shape (3, crop, crop); a network that takes N×H×W×3, float16 or uint8 is
    given the same values in its own form.

    Parameters
    ----------
    size : int
        Side in pixels to resize to.
    keep_aspect : bool
        True: the short side becomes `size`; False: the image is warped to `size` × `size`.
    crop : int
        Side of the centre crop, at most `size`.
    channels : {"RGB", "BGR"}
        Order of the input's channels.
    mean, std : (float, float, float)
        Per channel in that order, in grey levels of 0–255; the input is ``(pixel - mean) / std``.
    interpolation : {"bilinear", "bicubic", "lanczos"}
        How it is resized; each is antialiased.
    tokens : {"first", "mean"}, optional
        What is taken of a network that gives several tokens an image, (N, tokens, width): the
        first, which is the class token of most transformers, or the mean of all.

    Raises
    ------
    ValueError, TypeError
        A value is not one of these.

    Examples
    --------
    >>> from PIL import Image
    >>> red = Image.new("RGB", (300, 200), "red")
    >>> BVLC(red)[:, 0, 0].tolist()
    [-104.0, -117.0, 132.0]
    >>> Preprocessing(size=224, interpolation="bicubic").to_json()[:34]
    '{"size": 224, "keep_aspect": false'
    """

    size: int = 256
    keep_aspect: bool = False
    crop: int = 224
    channels: Literal["RGB", "BGR"] = "RGB"
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)

    interpolation: Literal["bilinear", "bicubic", "lanczos"] = "bilinear"
    tokens: Literal["first", "mean"] | None = None

    def __post_init__(self) -> None:
        for key in ("size", "crop"):
            self._become(key, _side(key, getattr(self, key)))
        if self.crop > self.size:
            raise ValueError(f"crop must be from 1 to size = {self.size}, got {self.crop}")
        if not isinstance(self.keep_aspect, bool):
            raise TypeError(f"keep_aspect must be true or false, got {self.keep_aspect!r}")
        for key, allowed in (
            ("channels", ("RGB", "BGR")),
            ("interpolation", tuple(RESAMPLING)),
            ("tokens", ("first", "mean", None)),
        ):
            if (value := getattr(self, key)) not in allowed:
                known = " or ".join(repr(each) for each in allowed if each is not None)
                raise ValueError(f"{key} must be {known}, got {value!r}")
        for key in ("mean", "std"):
            self._become(key, _three(key, getattr(self, key)))
        if 0 in self.std:
            raise ValueError(f"std must not be 0, got {self.std}")

    def _become(self, key: str, value: Any) -> None:
        object.__setattr__(self, key, value)  # frozen for everybody else

    def __repr__(self) -> str:
        """Return what the space is made of: fields newer than version 0.1 only if they differ."""
        newer = {"interpolation": "bilinear", "tokens": None}
        shown = [
            f"{key}={value!r}"
            for key, value in asdict(self).items()
            if key not in newer or value != newer[key]
        ]
        return f"{type(self).__name__}({', '.join(shown)})"

    def to_json(self) -> str:
        """Return it as JSON, all keys written out."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read JSON: an object of the parameters' names; those left out are as by default.

        Raises
        ------
        ValueError
            It is no such JSON; the message names the key, the rule and the value.

        Examples
        --------
        >>> Preprocessing.from_json('{"size": 256, "croop": 224}')
        Traceback (most recent call last):
        ValueError: no such key: 'croop'; there are size, keep_aspect, crop, channels, mean, std, \
interpolation, tokens
        """
        try:
            values = json.loads(text, object_pairs_hook=_once_each)
        except RecursionError:
            raise ValueError("it is nested too deeply") from None
        except json.JSONDecodeError as error:
            raise ValueError(f"it is not JSON: {error}") from None
        if not isinstance(values, dict):
            raise ValueError(f"it must be an object, {{…}}, got {str(values)[:40]}")
        known = [field.name for field in fields(cls)]
        for key in values:
            if key not in known:
                raise ValueError(f"no such key: {key!r}; there are {', '.join(known)}")
        try:
            made = cls(**values)
        except TypeError as error:
            raise ValueError(str(error)) from None
        if made.std != (1.0, 1.0, 1.0) and min(made.std) < 1 and min(made.std) > -1:
            raise ValueError(
                f"std must be in grey levels of 0–255 (what is in shares of 1, times 255), got "
                f"{list(made.std)}"
            )
        return made

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
        resampling = RESAMPLING[self.interpolation]
        if not self.keep_aspect:
            warped = image.resize((self.size, self.size), resampling, box=box)
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
        return image.resize((self.crop, self.crop), resampling, box=kept)


def _column(values: tuple[float, float, float]) -> npt.NDArray[np.float32]:
    return np.array(values, np.float32).reshape(3, 1, 1)


def _side(key: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{key} must be an integer, got {value!r}")
    side = int(value)
    if not 1 <= side <= LARGEST_SIDE:
        raise ValueError(f"{key} must be from 1 to {LARGEST_SIDE:,}, got {side}")
    return side


def _three(key: str, value: Any) -> tuple[float, ...]:
    if isinstance(value, str) or not hasattr(value, "__len__") or len(value) != 3:
        raise ValueError(f"{key} must be three numbers, got {value!r}")
    for each in value:
        if isinstance(each, bool) or not isinstance(each, numbers.Real) or not math.isfinite(each):
            raise ValueError(f"{key} must be three numbers, got {value!r}")
    return tuple(float(each) for each in value)


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(f"a key stands twice: {[key for key, _ in pairs]}")
    return found


BVLC = Preprocessing(channels="BGR", mean=(104.0, 117.0, 123.0))
"""BVLC GoogLeNet's: warped to 256×256, centre crop 224×224, BGR minus the mean.

Source: ``models/bvlc_googlenet/train_val.prototxt`` of Caffe (``crop_size`` and ``mean_value``)."""

TORCHVISION = Preprocessing(
    keep_aspect=True,
    mean=(0.485 * 255, 0.456 * 255, 0.406 * 255),
    std=(0.229 * 255, 0.224 * 255, 0.225 * 255),
)
"""What torchvision's classification models expect, its GoogLeNet among them.

Short side to 256, bilinear, centre crop 224×224. Source: ``ImageClassification`` in
``torchvision/transforms/_presets.py``."""

IMAGENET = TORCHVISION
"""The same by the name of the photos that this mean and deviation are of."""

CLIP = Preprocessing(
    size=224,
    keep_aspect=True,
    mean=(0.48145466 * 255, 0.4578275 * 255, 0.40821073 * 255),
    std=(0.26862954 * 255, 0.26130258 * 255, 0.27577711 * 255),
    interpolation="bicubic",
)
"""What OpenAI's CLIP expects with 224×224 pixels: short side to 224, bicubic, centre crop.

Source: ``_transform`` in ``clip/clip.py`` of ``openai/CLIP``."""
