"""``lookalike duplicates``: images of a gallery that are the same picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import click

from lookalike.cli import console
from lookalike.cli.options import (
    MetricName,
    absolute_option,
    gallery_argument,
    html_option,
    json_option,
    null_option,
    open_gallery,
    reading,
    require_images,
)
from lookalike.cli.output_files import require_folders
from lookalike.distance import METRICS

if TYPE_CHECKING:
    from lookalike.duplicates import Duplicates, Facts, Group, Member

__all__ = ["duplicates"]

CALIBRATED_SPACE = "f3063a17a95e94ec5453963f104e152d"
"""BVLC GoogLeNet, whatever converter wrote it."""


@click.command()
@gallery_argument
@click.option("--exact", is_flag=True, help="Only files with the same content.")
@click.option(
    "--threshold",
    type=click.FloatRange(min=0),
    metavar="NUMBER",
    help="Largest distance of duplicates; 0.2 by default.",
)
@click.option(
    "--metric",
    type=MetricName(METRICS),
    metavar="NAME",
    help=f"Which distance: {', '.join(METRICS)}. Others than braycurtis, the default, need a "
    "--threshold.",
)
@click.option(
    "--list",
    "listed",
    type=click.Choice(["keep", "remove"]),
    help="Print nothing but the paths that stay, or that may go.",
)
@null_option
@html_option
@absolute_option
@json_option
def duplicates(
    gallery: str,
    exact: bool,
    threshold: float | None,
    metric: str | None,
    listed: str | None,
    null: bool,
    html: str | None,
    absolute: bool,
    as_json: bool,
) -> None:
    """Find images that are the same picture.

    They may have been copied, re-encoded, resized, turned by EXIF or cropped a little. Each group
    names the image to keep (most pixels, then most bytes, then the first path) and the others with
    their distance to it. Nothing is ever removed. "look" marks what needs your eyes: an image
    linked to the group through another one only, or a file that has changed since.

    The threshold is for GoogLeNet's own weights. On photos, 0.2 finds 96 % of such copies, and
    takes one in three million pairs of different photos for the same; mind series of one scene.

    \b
    Examples:
      lookalike duplicates --html duplicates.html
      lookalike duplicates photos.gallery --exact
      lookalike duplicates --threshold 0.1 --json
      lookalike duplicates --list remove -0 | xargs -0 -r trash-put
    """  # noqa: D301 - click reads the backspace as "keep these lines apart"
    from lookalike.duplicates import METRIC, THRESHOLD, file_facts, find_duplicates

    if threshold is not None and not math.isfinite(threshold):
        raise click.UsageError(f"--threshold must be a number from 0, got {threshold}")
    if exact and (threshold is not None or metric is not None):
        raise click.UsageError(
            "--exact compares no distances: it goes without a threshold or metric"
        )
    if metric not in (None, METRIC) and threshold is None:
        raise click.UsageError(f"--metric {metric} needs a --threshold of its own")
    if null and listed is None:
        raise click.UsageError("-0 goes with --list keep or --list remove")
    require_folders(html)
    opened = open_gallery(gallery)
    require_images(opened, gallery)
    if not exact and threshold is None and opened.space != CALIBRATED_SPACE:
        console.remark(
            "The default threshold is for GoogLeNet's weights, which this gallery was not made "
            "with: look before you remove anything, or choose a --threshold."
        )
    paths, sizes, times = opened.paths, opened.sizes, opened.mtimes_ns

    def facts(row: int) -> Facts:
        return file_facts(paths[row], sizes[row], times[row])

    with reading(gallery), console.bar("images") as progress:
        found = find_duplicates(
            opened.features,
            paths,
            opened.hashes,
            facts=facts,
            threshold=None if exact else THRESHOLD if threshold is None else threshold,
            metric=metric or METRIC,
            progress=progress,
        )
    if listed is not None:
        chosen = found.keep if listed == "keep" else found.remove
        chosen = [console.shown(path, absolute=absolute) for path in chosen]
        console.write_paths(chosen, b"\0" if null else b"\n")
    elif as_json:
        _write_json(opened.path, found)
    else:
        _print(found, absolute)
    if html is not None:
        from lookalike.pages.cards import write_duplicates_page

        with console.bar("page") as progress:
            write_duplicates_page(html, found, opened.space, absolute, progress)
        console.remark(f"Page: {html}")


def _print(found: Duplicates, absolute: bool) -> None:
    for number, group in enumerate(found.groups, 1):
        console.heading(f"Group {number:,}: {len(group.others) + 1:,} images")
        console.table(
            [
                ("bold", "left"),
                ("cyan", "right"),
                ("dim", "right"),
                ("dim", "right"),
                ("green", "left"),
                ("", "left"),
            ],
            (
                (
                    _verdict(member, group),
                    f"{member.distance:.6f}",
                    f"{member.pixels / 1e6:.2f} MP",
                    f"{member.bytes:,} B",
                    _remarks(member, group),
                    console.shown(member.path, absolute=absolute),
                )
                for member in (group.keeper, *group.others)
            ),
        )
        console.say("")
    groups, removable = len(found.groups), len(found.remove)
    freed = sum(m.bytes for group in found.groups for m in group.others if m.removable)
    console.remark(
        f"{console.plural(found.images, 'image')}, {console.plural(groups, 'group')}: "
        f"{removable:,} can be removed ({freed / 1e6:,.1f} MB). Nothing has been removed."
    )


def _verdict(member: Member, group: Group) -> str:
    if member is group.keeper:
        return "keep"
    return "remove" if member.removable else "look"


def _remarks(member: Member, group: Group) -> str:
    same = "same content" if member.exact and member is not group.keeper else ""
    return ", ".join(filter(None, [same, member.note])) or "-"


def _write_json(gallery: str, found: Duplicates) -> None:
    console.write_json(
        gallery=gallery,
        images=found.images,
        metric=found.metric,
        threshold=found.threshold,
        groups=[
            {
                "keep": group.keeper.path,
                "members": [
                    {
                        "path": member.path,
                        "distance": member.distance,
                        "exact": member.exact,
                        "pixels": member.pixels,
                        "bytes": member.bytes,
                        "verdict": _verdict(member, group),
                        "note": member.note,
                    }
                    for member in (group.keeper, *group.others)
                ],
            }
            for group in found.groups
        ],
        keep=found.keep,
        remove=found.remove,
    )
