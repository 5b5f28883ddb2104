"""From the colours that a file means to sRGB."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Literal

import numpy as np
from PIL import Image, ImageCms

__all__ = ["to_srgb"]

MOST_PROFILE = 4 << 20
"""Bytes of a profile; those of printing presses have up to 3 MiB."""

SAME = 2
"""Levels of 8 bits by which a profile may differ from sRGB and is taken for it: the many versions
of sRGB's own differ by rounding."""

SPACES = {"RGB": "RGB", "L": "GRAY", "CMYK": "CMYK"}
LEVELS = np.linspace(0, 255, 9).round().astype(np.uint8)


def to_srgb(
    image: Image.Image, profile: bytes | None = None, gamma: float | None = None
) -> Image.Image:
    """Return a picture in sRGB, as 8-bit RGB.

    Parameters
    ----------
    image : PIL.Image.Image
        Of mode L, RGB, CMYK or LAB; any other is converted as Pillow does.
    profile : bytes, optional
        The ICC profile of its colours; one that is damaged, for other colours or all but sRGB's is
        as if it were not there.
    gamma : float, optional
        The exponent that light was taken to, where there is no profile.

    Examples
    --------
    >>> to_srgb(Image.new("L", (1, 1), 55), gamma=1.0).getpixel((0, 0))
    (128, 128, 128)
    """
    if image.mode == "LAB":
        return _lab_transform().apply(image)
    if profile and len(profile) <= MOST_PROFILE:
        mode = image.mode if image.mode in SPACES else "RGB"
        space = _space(profile)
        if mode == "L" and space == "RGB":  # a grey picture saved as the colour ones
            mode = "RGB"
        if SPACES[mode] == space:
            transform = _transform(profile, mode)
            if transform is not None:
                return transform.apply(image if image.mode == mode else image.convert(mode))
            return _as_rgb(image)
    rgb = _as_rgb(image)
    if gamma is not None and 0.01 < gamma < 10 and abs(gamma - 1 / 2.2) > 0.02 and not profile:
        return rgb.point(_gamma_table(gamma) * 3)
    return rgb


def _as_rgb(image: Image.Image) -> Image.Image:
    return image if image.mode == "RGB" else image.convert("RGB")


@lru_cache(maxsize=16)
def _space(profile: bytes) -> str | None:
    """Return the colour space that a profile is for, None if it is damaged."""
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return opened.profile.xcolor_space.strip()
    except Exception:  # of lcms, all of them: a viewer shows the picture without
        return None


@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Return the way from a profile to sRGB, None if there is none or it changes nothing."""
    try:
        transform = ImageCms.ImageCmsTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            _built_in("sRGB"),
            mode,
            "RGB",
            ImageCms.Intent.PERCEPTUAL,
            flags=ImageCms.Flags.NOCACHE,  # threads share it
        )
        if mode == "CMYK":
            transform.apply(Image.new(mode, (1, 1)))
            return transform
        sample = (
            _lattice() if mode == "RGB" else Image.fromarray(np.arange(256, dtype=np.uint8)[None])
        )
        changed = np.asarray(transform.apply(sample)).astype(int)
    except Exception:  # see above
        return None
    difference = np.abs(changed - np.asarray(sample.convert("RGB"))).max()
    return transform if difference > SAME else None


def _lattice() -> Image.Image:
    """Return a picture of colours all over the cube."""
    cube = np.stack(np.meshgrid(LEVELS, LEVELS, LEVELS, indexing="ij"), axis=-1)
    return Image.fromarray(cube.reshape(1, -1, 3))


@lru_cache(maxsize=1)
def _lab_transform() -> ImageCms.ImageCmsTransform:
    lab, srgb = _built_in("LAB"), _built_in("sRGB")
    return ImageCms.ImageCmsTransform(lab, srgb, "LAB", "RGB", flags=ImageCms.Flags.NOCACHE)


def _built_in(name: Literal["LAB", "sRGB"]) -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(name))


def _gamma_table(gamma: float) -> list[int]:
    light = (np.arange(256) / 255) ** (1 / gamma)
    srgb = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    levels: list[int] = (srgb * 255).round().astype(int).tolist()
    return levels
