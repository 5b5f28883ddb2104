"""``lookalike search``: the images of a gallery that look like a given one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from lookalike.cli import console
from lookalike.cli.contents import Contents
from lookalike.cli.options import (
    absolute_option,
    choose_embedder,
    gallery_option,
    gave,
    html_option,
    json_option,
    metric_option,
    model_options,
    null_option,
    open_gallery,
    reading,
    require_images,
)
from lookalike.cli.output_files import require_page

if TYPE_CHECKING:
    from lookalike.distance.metrics import AnyMetric
    from lookalike.embedding.embedder import Embedder
    from lookalike.gallery.hits import Hits

__all__ = ["search"]

BATCH = 64
"""Queries that share one pass over the features."""


@click.command()
@click.argument("images", nargs=-1, required=True, type=click.Path(), metavar="IMAGE...")
@gallery_option
@click.option(
    "-k", type=click.IntRange(min=1), default=10, show_default=True, help="How many to find."
)
@metric_option("correlation")
@click.option(
    "--include-self/--exclude-self",
    default=None,
    help="Show, or leave out, files with the image's own content.  [default: left out; with --json "
    "shown and marked]",
)
@click.option("--no-fold", is_flag=True, help="A line for each of several files of one content.")
@click.option("--paths-only", is_flag=True, help="Print nothing but paths, for other programs.")
@null_option
@html_option
@absolute_option
@model_options
@json_option
def search(
    images: tuple[str, ...],
    gallery: str,
    k: int,
    metric: AnyMetric,
    include_self: bool | None,
    no_fold: bool,
    paths_only: bool,
    null: bool,
    html: str | None,
    absolute: bool,
    model: str | None,
    untrained: int | None,
    as_json: bool,
) -> None:
    """Find the images that look most like each IMAGE.

    Prints rank, distance, label and path. IMAGE need not be in the gallery; its own file and copies
    of it are left out. Several files of one content make one line, "+3 copies"; --json lists all.
    The smaller the distance, the more alike. An IMAGE that cannot be read is named on standard
    error, the others are searched, and the exit code is 1.

    \b
    Examples:
      lookalike search cat.jpg
      lookalike search cat.jpg dog.jpg -k 20 --html alike.html
      lookalike search cat.jpg --paths-only -0 | xargs -0 cp -t alike/
      lookalike search cat.jpg --include-self --no-fold --metric cosine
      lookalike search cat.jpg --metric minkowski:p=3
    """  # noqa: D301 - click reads the backspace as "keep these lines apart"
    from lookalike.distance.metrics import metric_label

    require_page(html)
    opened = open_gallery(gallery)
    require_images(opened, gallery)
    remembered = opened.network is not None
    network = choose_embedder(model, untrained, None if remembered else opened.space)
    if opened.space is None and network is None and not remembered:
        raise click.ClickException(
            f"{gallery} does not say which network its features are from: --model or --untrained "
            "names it"
        )
    if network is not None and not (opened.space is None or gave(network, opened.space)):
        raise click.ClickException(
            f"{gallery} holds features of the space {opened.space}, this network gives "
            f"{network.space}: --model or --untrained names the right one"
        )
    failed: list[tuple[str, str]] = []
    found = []
    exclude_self = include_self is False or (include_self is None and not as_json)
    contents = Contents(opened, fold=not (no_fold or as_json))
    for name, hits in _search(contents, images, k, metric, exclude_self, network, failed):
        found.append((name, hits))
        if as_json:
            continue
        if paths_only or null:
            paths = (console.shown(path, absolute=absolute) for path in hits.paths)
            console.write_paths(paths, b"\0" if null else b"\n")
        else:
            _print(name, hits, contents, absolute, first=len(found) == 1)
            if exclude_self:
                contents.say_own(name)
    if as_json:
        console.write_json(
            gallery=opened.path,
            metric=metric_label(metric),
            space=opened.space,
            results=[
                {"query": name, "hits": _records(name, hits, contents)} for name, hits in found
            ],
            failed=[{"query": name, "reason": reason} for name, reason in failed],
        )
    if html is not None:
        from lookalike.pages.cards import write_search_page

        with console.bar("page") as progress:
            write_search_page(
                html, found, metric_label(metric), opened.space, absolute, progress, contents.copies
            )
        console.remark(f"Page: {html}")
    contents.say_missing([hits for _, hits in found])
    for name, reason in failed:
        console.remark(f"lookalike search: {name}: {reason}")
    if failed:
        click.get_current_context().exit(1)


def _search(
    contents: Contents,
    images: Sequence[str],
    k: int,
    metric: AnyMetric,
    exclude_self: bool,
    network: Embedder | None,
    failed: list[tuple[str, str]],
) -> Iterator[tuple[str, Hits]]:
    """Yield each image with what looks like it; those that cannot be read go to `failed`."""
    from lookalike.pictures.images import ImageError, open_image

    for start in range(0, len(images), BATCH):
        usable = []
        for image in images[start : start + BATCH]:
            try:
                open_image(image)  # decoded twice, so that one bad image fails alone
            except ImageError as error:
                failed.append((image, error.reason))
            else:
                usable.append(image)
        if not usable:
            continue
        with console.told_warnings(), reading(console.shown(contents.gallery.path)):
            found = contents.search(usable, k, metric, exclude_self, network)
        yield from zip(usable, found, strict=True)


def _print(name: str, hits: Hits, contents: Contents, absolute: bool, first: bool) -> None:
    if not first:
        console.say("")
    console.heading(name)
    rows = zip(hits.distances.tolist(), hits.labels, hits.paths, contents.copies(hits), strict=True)
    console.table(
        [("dim", "right"), ("cyan", "right"), ("green", "left"), ("", "left"), ("dim", "left")],
        (
            (
                rank,
                f"{distance:.6f}",
                _label(label),
                console.shown(path, absolute=absolute),
                *filter(None, [copies]),
            )
            for rank, (distance, label, path, copies) in enumerate(rows, 1)
        ),
    )


def _label(label: object) -> str:
    return "-" if label is None else str(label)


def _records(name: str, hits: Hits, contents: Contents) -> list[dict[str, object]]:
    rows = zip(hits.paths, hits.labels, hits.distances.tolist(), hits.indices.tolist(), strict=True)
    own = contents.digest(name)
    return [
        {
            "rank": rank,
            "distance": distance,
            "label": label,
            "path": path,
            "self": own is not None and contents.hashes[index] == own,
            "missing": contents.is_missing(path, index),
        }
        for rank, (path, label, distance, index) in enumerate(rows, 1)
    ]
