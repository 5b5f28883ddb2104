"""The pages of ``duplicates --html``: what can be won first, with reasons, as many as it takes."""

from __future__ import annotations

import base64
import errno
import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from lookalike._core import __version__
from lookalike.embedding.spaces import untrained_remark
from lookalike.pages.html import MAX_THUMBNAILS, is_ours, link, render, shown_path, write_page
from lookalike.printable import size_shown

if TYPE_CHECKING:
    from lookalike.duplicates import Duplicates, Facts, Group, Member

__all__ = ["write_duplicates_pages"]

OnProgress = Callable[[int, "int | None"], object]
Thumbnail = Callable[[int], "bytes | None"]

LARGEST_GROUP = 60
"""Pictures that are shown of a group; the others are named."""

MARKS = {"keep": "✓ keep", "remove": "✕ remove", "look": "? look"}


def write_duplicates_pages(
    page: str,
    found: Duplicates,
    space: str | None,
    absolute: bool,
    thumbnail: Thumbnail,
    progress: OnProgress | None = None,
) -> list[str]:
    """Write groups of duplicates as one file, or as several that are linked.

    Parameters
    ----------
    page : path
        The first file; the others are called like it, with a number.
    found : Duplicates
        What is shown.
    space : str
        The space of the features.
    absolute : bool
        Whether whole paths are shown rather than those seen from the page.
    thumbnail : callable(row)
        Returns an image's thumbnail as a WebP file, or None.
    progress : callable(done, total), optional
        Counts the pictures.

    Returns
    -------
    list of str
        The files that were written.

    Raises
    ------
    FileExistsError
        One of the others would replace a file that is not a page from here; nothing is written.
    """
    parts = list(_parts(found.groups)) or [[]]
    stem, ending = os.path.splitext(page)
    names = [page, *(f"{stem}-{number}{ending}" for number in range(2, len(parts) + 1))]
    for name in names[1:]:  # nobody has asked for these names
        if os.path.lexists(name) and not is_ours(name):
            raise FileExistsError(
                errno.EEXIST, "there is a file that is no page of duplicates", name
            )
    total = sum(min(len(group.members), LARGEST_GROUP) for group in found.groups)
    done = 0
    first = 1
    for number, (name, groups) in enumerate(zip(names, parts, strict=True)):

        def report(made: int, before: int = done) -> None:
            if progress is not None:
                progress(before + made, total)

        shown = list(_groups(groups, first, page, absolute, thumbnail, report))
        done += sum(len(group["cards"]) for group in shown)
        first += len(groups)
        html = render(
            "duplicates.html",
            title="Duplicates" + (f", page {number + 1} of {len(names)}" if number else ""),
            found=found,
            groups=shown,
            removable=len(found.remove),
            bytes=size_shown(sum(group.winnable for group in found.groups)),
            look=len(found.look),
            remark=untrained_remark(space),
            pages=[os.path.basename(each) for each in names],
            here=number,
            version=__version__,
        )
        write_page(name, html)
    return names


def _parts(groups: Sequence[Group]) -> Iterator[list[Group]]:
    """Divide groups among pages of at most MAX_THUMBNAILS pictures."""
    part: list[Group] = []
    pictures = 0
    for group in groups:
        size = min(len(group.members), LARGEST_GROUP)
        if part and pictures + size > MAX_THUMBNAILS:
            yield part
            part, pictures = [], 0
        part.append(group)
        pictures += size
    if part:
        yield part


def _groups(
    groups: Sequence[Group],
    first: int,
    page: str,
    absolute: bool,
    thumbnail: Thumbnail,
    report: Callable[[int], object],
) -> Iterator[dict[str, Any]]:
    done = 0
    for number, group in enumerate(groups, first):
        cards = []
        for member in group.members[:LARGEST_GROUP]:
            cards.append(_card(member, group, thumbnail(member.row), page, absolute))
            done += 1
            report(done)
        more = group.members[LARGEST_GROUP:]
        yield {
            "heading": f"Group {number:,}",
            "won": size_shown(group.winnable) if group.winnable else "",
            "count": len(group.members),
            "cards": cards,
            "more": [
                (each.verdict, shown_path(each.path, page, absolute=absolute)) for each in more
            ],
        }


def _card(
    member: Member, group: Group, thumbnail: bytes | None, page: str, absolute: bool
) -> dict[str, Any]:
    path = shown_path(member.path, page, absolute=absolute)
    best = group.keeper
    reason = member.reason
    if member.keeper not in (member.row, best.row):
        other = next(each for each in group.members if each.row == member.keeper)
        reason = f"{reason} as {os.path.basename(other.path)}"
    here, there = _facts(member, path), _facts(best, shown_path(best.path, page, absolute=absolute))
    return {
        "picture": None
        if thumbnail is None
        else "data:image/webp;base64," + base64.b64encode(thumbnail).decode("ascii"),
        "path": path,
        "href": link(path),
        "verdict": member.verdict,
        "mark": MARKS[member.verdict],
        "reason": reason,
        "facts": [
            (name, value, member is not best and value != there.get(name))
            for name, value in here.items()
        ],
        "alt": f"{os.path.basename(member.path)}: {member.verdict}",
    }


def _facts(member: Member, path: str) -> dict[str, str]:
    """Return what a person compares, by its name."""
    known: Facts = member.facts
    made = {
        "size": f"{known.width:,} × {known.height:,}" if known.pixels else "",
        "file": " ".join(filter(None, [known.format, size_shown(known.bytes)])),
        "taken": known.taken or "",
        "camera": known.camera or "",
        "folder": os.path.dirname(path) or ".",
    }
    return {name: value for name, value in made.items() if value}
