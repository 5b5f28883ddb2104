"""The page of ``search --html``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

from lookalike._core import __version__
from lookalike.embedding.spaces import untrained_remark
from lookalike.pages.html import MAX_THUMBNAILS, link, render, shown_path, thumbnails, write_page

if TYPE_CHECKING:
    from lookalike.gallery.hits import Hits

__all__ = ["write_search_page"]

OnProgress = Callable[[int, "int | None"], object]


class Card(NamedTuple):
    """A picture on a page and what is written below it."""

    path: str
    lines: Sequence[str]
    tag: str | None = None
    good: bool = False


def write_search_page(
    page: str,
    results: Sequence[tuple[str, Hits]],
    metric: str,
    space: str | None,
    absolute: bool,
    progress: OnProgress | None = None,
    copies: Callable[[Hits], Sequence[str]] | None = None,
) -> None:
    """Write queries and their hits as one file.

    Parameters
    ----------
    page : path
        The file to write.
    results : sequence of (path, Hits)
        Each query's path and what was found.
    metric, space : str
        The metric of the distances, and the space of the features.
    absolute : bool
        Whether whole paths are shown rather than those seen from the page.
    progress : callable(done, total), optional
        Counts the pictures.
    copies : callable(hits), optional
        Says of each hit what else it stands for; nothing where that is empty.
    """
    groups = []
    for query, hits in results:
        more = [""] * len(hits.paths) if copies is None else copies(hits)
        rows = zip(hits.paths, hits.distances.tolist(), hits.labels, more, strict=True)
        cards = [Card(query, [], "query")]
        for rank, (path, distance, label, others) in enumerate(rows, 1):
            lines = [f"{rank} · {distance:.6f}"]
            if label is not None:
                lines.append(str(label))
            if others:
                lines.append(others)
            cards.append(Card(path, lines))
        groups.append((f"Like {shown_path(query, page, absolute=absolute)}", "", cards))
    count = sum(len(hits.paths) for _, hits in results)
    title = f"{len(results):,} searches" if len(results) != 1 else "1 search"
    intro = f"{count:,} images, nearest first, by {metric} distance. The smaller, the more alike."
    _write(page, title, intro, groups, untrained_remark(space), absolute, progress)


def _write(
    page: str,
    title: str,
    intro: str,
    groups: Sequence[tuple[str, str, Sequence[Card]]],
    remark: str,
    absolute: bool,
    progress: OnProgress | None,
) -> None:
    total = sum(len(cards) for _, _, cards in groups)
    drawn = min(total, MAX_THUMBNAILS)
    paths = [card.path for _, _, cards in groups for card in cards][:drawn]

    def pictures() -> Iterator[str | None]:
        for done, picture in enumerate(made, 1):
            if progress is not None:
                progress(done, drawn)
            yield picture

    with closing(thumbnails(paths)) as made:
        picture = pictures()
        shown: list[dict[str, Any]] = []
        room = drawn
        for heading, remainder, cards in groups:
            some = cards[:room]
            room -= len(some)
            if not some:
                break
            shown.append(
                {
                    "heading": heading,
                    "note": remainder,
                    "left_out": len(cards) - len(some),
                    "cards": [
                        {
                            "picture": next(picture),
                            "path": (path := shown_path(card.path, page, absolute=absolute)),
                            "href": link(path),
                            "lines": card.lines,
                            "tag": card.tag,
                            "good": card.good,
                        }
                        for card in some
                    ],
                }
            )
    html = render(
        "cards.html",
        title=title,
        intro=intro,
        remark=remark,
        groups=shown,
        most=MAX_THUMBNAILS,
        groups_left_out=len(groups) - len(shown),
        pictures_left_out=total - drawn,
        version=__version__,
    )
    write_page(page, html)
