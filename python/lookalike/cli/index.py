"""``lookalike index``: photos into a gallery."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from lookalike.cli import console
from lookalike.cli.galleries import default_gallery, find_gallery, note_gallery
from lookalike.cli.network_options import choose_network, network_options
from lookalike.cli.options import (
    choose_embedder,
    fetch_weights,
    json_option,
    model_options,
    require_gallery,
)
from lookalike.embedding.spaces import is_untrained, untrained_remark
from lookalike.pictures.formats import NO_HEIF_DECODER

if TYPE_CHECKING:
    from lookalike.distance.metric_names import CanonicalName
    from lookalike.embedding.embedder import Embedder
    from lookalike.gallery.gallery import Gallery
    from lookalike.gallery.intake.report import Report

__all__ = ["index"]

MOST_REASONS = 20
"""Skipped files that are named on a terminal; a pipe gets all of them."""


@click.command()
@click.argument("folders", nargs=-1, type=click.Path(exists=True), metavar="[FOLDER]...")
@click.option(
    "-o",
    "-g",
    "--gallery",
    type=click.Path(),
    help="Folder of the gallery; made if there is none.  [default: the one that is found from "
    "here, or else lookalike.gallery]",
)
@click.option(
    "--default",
    "to_default",
    is_flag=True,
    help="The gallery of this user that is found from everywhere.",
)
@click.option(
    "--labels",
    metavar="folder|none|FILE.csv",
    help="Labels: the first folder below FOLDER, none, or a CSV file with columns path and label.  "
    "[default: as before; folder for a FOLDER that is new]",
)
@click.option(
    "--exclude",
    multiple=True,
    metavar="PATTERN",
    help="Leave out files and folders of this name, or this path below FOLDER, from now on; "
    "*, ? and ** as in .gitignore.",
)
@click.option(
    "--include",
    multiple=True,
    metavar="PATTERN",
    help="Take after all what is left out by default, or by an --exclude.",
)
@click.option(
    "--search-index",
    metavar="METRIC,...|none",
    help="The distances that a large gallery keeps an index for, so that searches by them are "
    "faster; from now on.  [default: as before, correlation at first]",
)
@network_options
@model_options
@json_option
def index(
    folders: tuple[str, ...],
    gallery: str | None,
    to_default: bool,
    labels: str | None,
    exclude: tuple[str, ...],
    include: tuple[str, ...],
    search_index: str | None,
    network: str | None,
    preprocessing: str | None,
    output: str | None,
    tokens: str | None,
    model: str | None,
    untrained: int | None,
    as_json: bool,
) -> None:
    """Put photos into a gallery, or bring it up to date.

    All images below each FOLDER are taken: files with the usual extensions that are not hidden, nor
    in folders where other programs keep thumbnails, snapshots or what was thrown away.
    What is there already is not embedded again: new, changed, renamed and deleted files are found
    out. It may be interrupted at any time; the same command goes on from there. Without a FOLDER,
    the folders of earlier times are looked at again.

    What cannot be read is listed at the end, and tried again once it has changed.

    Photos become features by GoogLeNet, or by the network that the gallery was made with: it is
    named once. If its file has moved, --network with its new place is all that is needed.

    From 16,384 images on an index beside the features makes searches by correlation faster, which
    find the same. --search-index asks for indexes of other distances, or for none.

    \b
    Examples:
      lookalike index ~/Pictures
      lookalike index holiday/ scans/ -o both.gallery
      lookalike index photos/ --labels labels.csv
      lookalike index --exclude '*.gif' --exclude raw/
      lookalike index ~/Pictures --default
      lookalike index ~/Pictures --network resnet50.onnx --preprocessing imagenet
      lookalike index --search-index correlation,cosine
      lookalike index
    """  # noqa: D301 - click reads the backspace as "keep these lines apart"
    from lookalike.gallery.gallery import Gallery
    from lookalike.gallery.intake.exclusions import checked_pattern

    if to_default and gallery is not None:
        raise click.UsageError("--default and -g exclude each other: both name a gallery")
    gallery = default_gallery() if to_default else find_gallery(named=gallery)
    if not folders:
        require_gallery(gallery)
    for pattern in (*exclude, *include):
        checked_pattern(pattern)
    if any(os.path.realpath(folder) == os.path.abspath(os.sep) for folder in folders):
        raise click.UsageError("/ holds the pictures of every program: name folders of photos")
    if labels not in (None, "folder", "none") and not os.path.isfile(labels):
        raise click.UsageError(f"--labels must be folder, none or a CSV file: no file {labels!r}")
    if network is not None and not (model is None and untrained is None):
        raise click.UsageError("--network excludes --model and --untrained, which are of GoogLeNet")
    kept = None if search_index is None else _search_indexes(search_index)
    started = time.monotonic()

    def choose(opened: Gallery | None) -> Embedder | None:
        remembered = None if opened is None else opened.network
        named = choose_network(network, preprocessing, output, tokens, remembered)
        if named is not None or (remembered is not None and model is None and untrained is None):
            return named
        with _ways_out():
            chosen = choose_embedder(model, untrained, None if opened is None else opened.space)
            if chosen is None and opened is None:
                fetch_weights()
                chosen = _googlenet()
        return chosen

    embedder = None
    if new := not os.path.exists(gallery) or not os.listdir(gallery):
        embedder = choose(None)  # weights before a gallery
    if new and network is not None:
        opening = Gallery.create(gallery, embedder=embedder)
    else:
        opening = Gallery.open(gallery, mode="a")
    with opening as opened:
        note_gallery(opened.path)
        before = len(opened)
        if not new:
            embedder = choose(opened)
        try:
            if opened.is_of_earlier_decoding and _gave_earlier(embedder, opened.space):
                console.remark(
                    "the gallery is of an earlier version, which decoded photos otherwise: its "
                    "photos are embedded anew, once"
                )
            with console.bar("images") as progress, _ways_out(opened):
                if folders:
                    report = opened.add(
                        folders,
                        labels="kept" if labels is None else labels,
                        exclude=exclude,
                        include=include,
                        embedder=embedder,
                        progress=progress,
                    )
                else:
                    report = opened.update(
                        exclude=exclude, include=include, embedder=embedder, progress=progress
                    )
            if kept is not None:
                opened.keep_indexes(kept)
        except KeyboardInterrupt:
            opened.refresh()
            added = console.plural(max(0, len(opened) - before), "image")
            raise KeyboardInterrupt(
                f"interrupted; {added} stored, the same command goes on from there"
            ) from None
        _say(opened, gallery, report, time.monotonic() - started, as_json)


def _googlenet() -> Embedder:
    from lookalike.embedding.googlenet import GoogLeNet

    return GoogLeNet()


def _search_indexes(text: str) -> list[CanonicalName]:
    """Return the distances that an option names."""
    from lookalike.gallery.upkeep.indexes import checked_metrics

    given = [] if text == "none" else [each.strip() for each in text.split(",")]
    try:
        return checked_metrics(given)
    except ValueError as error:
        raise click.UsageError(f"--search-index takes metrics or none: {error}") from None


def _gave_earlier(network: Embedder | None, space: str | None) -> bool:
    """Tell whether a space is that of the network, by an earlier decoding; None: of GoogLeNet."""
    from lookalike.embedding.weights import ModelError

    with contextlib.suppress(ModelError):  # said where the network is needed
        return space in (network or _googlenet()).earlier_spaces
    return False


@contextlib.contextmanager
def _ways_out(gallery: Gallery | None = None) -> Iterator[None]:
    """Say what can be done without GoogLeNet's weights, unless the gallery is of others."""
    from lookalike.embedding.weights import ModelError

    try:
        yield
    except ModelError as error:
        if gallery is not None and gallery.network is not None:
            raise
        told = ModelError(f"{error}\nWithout weights: lookalike index --untrained 0 FOLDER")
        for note in getattr(error, "__notes__", []):
            told.add_note(note)
        raise told from error


def _say(gallery: Gallery, name: str, report: Report, seconds: float, as_json: bool) -> None:
    if as_json:
        console.write_json(
            gallery=gallery.path,
            images=len(gallery),
            added=report.added,
            updated=report.updated,
            moved=report.moved,
            removed=report.removed,
            unchanged=report.unchanged,
            failed=[{"path": path, "reason": reason} for path, reason in report.failed],
            left_out=dict(report.left_out),
            notes=report.notes,
            space=gallery.space,
            untrained=is_untrained(gallery.space),
            seconds=round(seconds, 3),
        )
    else:
        counts = ("added", "updated", "moved", "removed", "unchanged")
        done = ", ".join(
            f"{number:,} {count}" for count in counts if (number := getattr(report, count))
        )
        embedded = report.added + report.updated
        rate = f", {embedded / seconds:,.0f} images/s" if embedded else ""
        images = console.plural(len(gallery), "image")
        console.heading(f"{images} in {name}: {done or 'nothing to do'} ({seconds:.1f} s{rate})")
    # HEIC without its decoder is a note, one line for all.
    failed = [(path, reason) for path, reason in report.failed if reason != NO_HEIF_DECODER]
    console.failures("skipped", failed, most=MOST_REASONS)
    if report.left_out:
        counted = ", ".join(f"{pattern} {n:,}" for pattern, n in report.left_out.most_common())
        console.remark(f"Left out: {counted}. --include takes back what you want.")
    for note in report.notes:
        console.remark(note)
    if remark := untrained_remark(gallery.space):
        console.remark(remark)
