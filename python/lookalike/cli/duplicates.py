"""``lookalike duplicates``: images of a gallery that are the same picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import click

from lookalike.cli import console
from lookalike.cli.options import (
    PARAMETERS_HELP,
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
from lookalike.cli.output_files import require_page
from lookalike.cli.trash import move_to_trash, note_different, note_same, require_consent
from lookalike.distance import ALL_METRICS
from lookalike.embedding.spaces import is_untrained
from lookalike.printable import size_shown

if TYPE_CHECKING:
    from lookalike.distance.metrics import AnyMetric
    from lookalike.duplicates import Duplicates, Group, Member

__all__ = ["duplicates"]

folder = click.Path(exists=True, file_okay=False)


@click.command()
@gallery_argument
@click.option("--exact", is_flag=True, help="Only files with the same content.")
@click.option(
    "--prefer",
    type=folder,
    multiple=True,
    metavar="FOLDER",
    help="Keep the files below this folder rather than others; may be given several times.",
)
@click.option(
    "--protect",
    type=folder,
    multiple=True,
    metavar="FOLDER",
    help="Never list a file below this folder as one to remove; may be given several times.",
)
@click.option(
    "--keep",
    type=click.Choice(["oldest", "newest", "largest"]),
    help="What decides between copies: when they were taken or changed, or their size.",
)
@click.option(
    "--threshold",
    type=click.FloatRange(min=0),
    metavar="NUMBER",
    help="Largest distance of features of one picture; 0.2 by default.",
)
@click.option(
    "--metric",
    type=MetricName(ALL_METRICS),
    metavar="NAME",
    help=f"Which distance: {', '.join(ALL_METRICS)}. Others than braycurtis, the default, need a "
    f"--threshold. {PARAMETERS_HELP}",
)
@click.option(
    "--list",
    "listed",
    type=click.Choice(["keep", "remove", "look"]),
    help="Print nothing but the paths that stay, that may go, or that you have to look at.",
)
@click.option(
    "--trash",
    is_flag=True,
    help="Move what may go to the system's trash, after showing it and asking.",
)
@click.option("--yes", is_flag=True, help="With --trash: do not ask.")
@click.option(
    "--different",
    nargs=2,
    type=click.Path(exists=True, dir_okay=False),
    metavar="A B",
    help="Remember, by content, that these two are not the same picture; nothing else is done.",
)
@click.option(
    "--same",
    nargs=2,
    type=click.Path(exists=True, dir_okay=False),
    metavar="A B",
    help="Take back what --different remembers of these two; nothing else is done.",
)
@null_option
@html_option
@absolute_option
@json_option
def duplicates(
    gallery: str,
    exact: bool,
    prefer: tuple[str, ...],
    protect: tuple[str, ...],
    keep: str | None,
    threshold: float | None,
    metric: AnyMetric | None,
    listed: str | None,
    trash: bool,
    yes: bool,
    different: tuple[str, str] | None,
    same: tuple[str, str] | None,
    null: bool,
    html: str | None,
    absolute: bool,
    as_json: bool,
) -> None:
    """Find images that are the same picture.

    They may have been copied, re-encoded, resized, turned by EXIF, cropped a little or made grey.
    Each group names the image to keep and says of every other: "remove", a file with the same
    content, or a copy that was compared with the one to keep, block by block, and is certainly not
    the better one; or "look", what only seems to be the same picture, or may be the better copy.

    The original stays rather than an edit, the camera's file rather than an export, more pixels
    rather than fewer, and of equal files the one that lies in an album rather than in a bin.

    \b
    Examples:
      lookalike duplicates --html duplicates.html
      lookalike duplicates photos.gallery --exact
      lookalike duplicates --prefer ~/Photos/Albums --protect ~/Photos/Family
      lookalike duplicates --trash
      lookalike duplicates --different two/eggs.jpg three/eggs.jpg
    """  # noqa: D301 - click reads the backspace as "keep these lines apart"
    from lookalike.distance.metrics import metric_label
    from lookalike.duplicates import METRIC, Rules
    from lookalike.duplicates.find import CALIBRATED_SPACE

    if threshold is not None and not math.isfinite(threshold):
        raise click.UsageError(f"--threshold must be a number from 0, got {threshold}")
    if exact and (threshold is not None or metric is not None):
        raise click.UsageError(
            "--exact compares no distances: it goes without a threshold or metric"
        )
    if metric is not None and metric != METRIC and threshold is None:
        raise click.UsageError(f"--metric {metric_label(metric)} needs a --threshold of its own")
    if null and listed is None:
        raise click.UsageError("-0 goes with --list keep, remove or look")
    if as_json and listed is not None:
        raise click.UsageError("--json and --list exclude each other: the JSON has all lists")
    if different is not None and (trash or listed is not None or html is not None):
        raise click.UsageError("--different goes alone: it remembers a pair and lists nothing")
    if trash and listed is not None:
        raise click.UsageError("--trash and --list exclude each other: --trash shows what would go")
    if yes and not trash:
        raise click.UsageError("--yes goes with --trash")
    if different is not None and same is not None:
        raise click.UsageError("--different and --same exclude each other")
    if trash:
        require_consent(yes)
    require_page(html)
    opened = open_gallery(gallery)
    if different is not None:
        note_different(opened, *different)
        return
    if same is not None:
        note_same(opened, *same)
        return
    require_images(opened, gallery)
    if not exact and is_untrained(opened.space):
        exact = True
        console.remark(
            "The network is untrained, so only files with the same content are listed. For all "
            "copies: `lookalike model download`, then `lookalike index` again."
        )
    elif opened.is_of_earlier_decoding and not exact:
        console.remark(
            "This gallery is of an earlier version, and nothing but equal contents can be removed: "
            "`lookalike index` brings it up to date."
        )
    elif not exact and threshold is None and opened.space != CALIBRATED_SPACE:
        console.remark(
            "The default threshold is for GoogLeNet's weights, which this gallery was not made "
            "with; copies may be missed. --threshold sets another."
        )
    with (
        reading(gallery),
        console.bar("images") as progress,
        console.bar("pairs compared") as comparing,
    ):
        found = opened.find_duplicates(
            exact=exact,
            threshold=threshold,
            metric=metric,
            rules=Rules(prefer, protect, keep),  # type: ignore[arg-type]  # click has checked it
            progress=progress,
            comparing=comparing,
        )
    if trash:
        pass  # below, once there is a page of all that was found
    elif listed is not None:
        chosen = {"keep": found.keep, "remove": found.remove, "look": found.look}[listed]
        chosen = [console.shown(path, absolute=absolute) for path in chosen]
        console.write_paths(chosen, b"\0" if null else b"\n")
    elif as_json:
        _write_json(opened.path, found)
    else:
        _print(found, absolute)
    if html is not None:
        from lookalike.pages.duplicates import write_duplicates_pages

        with console.bar("page") as progress:
            pages = write_duplicates_pages(
                html, found, opened.space, absolute, opened.thumbnail, progress
            )
        more = f" and {len(pages) - 1:,} more, linked from it" if len(pages) > 1 else ""
        console.remark(f"Page: {html}{more}")
    if trash:
        move_to_trash(opened, found, protect=protect, yes=yes, absolute=absolute, as_json=as_json)


def _print(found: Duplicates, absolute: bool) -> None:
    for number, group in enumerate(found.groups, 1):
        won = f", {size_shown(group.winnable)} to win" if group.winnable else ""
        console.heading(f"Group {number:,}: {len(group.members):,} images{won}")
        styles = ["bold", "dim", "dim", "green", ""]
        justified = ["left", "right", "right", "left", "left"]
        console.table(
            list(zip(styles, justified, strict=True)),
            (
                (
                    member.verdict,
                    _size(member),
                    f"{member.facts.bytes:,} B",
                    _reason(member, group),
                    console.shown(member.path, absolute=absolute),
                )
                for member in group.members
            ),
        )
        console.say("")
    freed = sum(group.winnable for group in found.groups)
    console.remark(
        f"{console.plural(found.images, 'image')}, {console.plural(len(found.groups), 'group')}: "
        f"{len(found.remove):,} can be removed ({size_shown(freed)}), {len(found.look):,} to look "
        "at. Nothing has been removed."
    )


def _size(member: Member) -> str:
    facts = member.facts
    return f"{facts.width}×{facts.height}" if facts.pixels else "-"


def _reason(member: Member, group: Group) -> str:
    """Return why, and for whose sake if that is not the group's best."""
    if member.keeper in (member.row, group.keeper.row):
        return member.reason or "-"
    other = next(each for each in group.members if each.row == member.keeper)
    return f"{member.reason} as {console.shown(other.path)}"


def _write_json(gallery: str, found: Duplicates) -> None:
    from lookalike.distance.metrics import metric_label

    console.write_json(
        gallery=gallery,
        images=found.images,
        metric=metric_label(found.metric),
        threshold=found.threshold,
        groups=[
            {
                "keep": group.keeper.path,
                "bytes": group.winnable,
                "members": [_member(member, group) for member in group.members],
            }
            for group in found.groups
        ],
        keep=found.keep,
        remove=found.remove,
        look=found.look,
    )


def _member(member: Member, group: Group) -> dict[str, object]:
    facts = member.facts
    keeper = next(each for each in group.members if each.row == member.keeper)
    return {
        "path": member.path,
        "verdict": member.verdict,
        "reason": member.reason,
        "keeper": keeper.path,
        "distance": member.distance,
        "exact": member.exact,
        "width": facts.width,
        "height": facts.height,
        "pixels": facts.pixels,
        "bytes": facts.bytes,
        "format": facts.format,
        "taken": facts.taken,
        "camera": facts.camera,
    }
