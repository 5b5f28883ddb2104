"""What is kept of a picture beside its features: hash, thumbnail and facts."""

from __future__ import annotations

from typing import NamedTuple

from lookalike.gallery.storage.records import ContentRecord
from lookalike.pictures.images import ImageError, open_picture
from lookalike.pictures.perceptual_hash import perceptual_hash
from lookalike.pictures.picture import Noted, Picture
from lookalike.pictures.thumbnail import thumbnail

__all__ = ["Look", "kept", "look", "look_at", "noted", "seen"]

LEAST_SIDE = 512
"""Below which no picture is reduced to be looked at: as for GoogLeNet, so that hashes agree."""


class Look(NamedTuple):
    """What a picture was seen to be."""

    phash: bytes
    width: int
    height: int
    format: str | None
    taken: str | None
    camera: str | None
    thumbnail: bytes


def kept(digest: bytes, look: Look | None) -> tuple[ContentRecord, bytes | None]:
    """Return what is kept of a content: facts and thumbnail, of one that is no picture neither."""
    if look is None:
        return ContentRecord(digest), None
    return ContentRecord(digest, *look[:-1]), look.thumbnail


def look(picture: Picture) -> Look:
    """Look at a picture, in whichever thread has decoded it."""
    return Look(
        perceptual_hash(picture.image),
        picture.width,
        picture.height,
        picture.format,
        picture.taken,
        picture.camera,
        thumbnail(picture.image),
    )


def look_at(content: bytes) -> Look | None:
    """Decode a file's content and look at it; None if it cannot be decoded."""
    try:
        return look(open_picture(content, least=LEAST_SIDE))
    except ImageError:
        return None


def noted(content: bytes) -> Noted:
    """Return a content that is looked at when it is decoded."""
    return Noted(content).looked_at_by(look)


def seen(content: Noted) -> Look | None:
    """Return what was seen of a content, which its model may have decoded by itself."""
    return content.seen if isinstance(content.seen, Look) else look_at(content)
