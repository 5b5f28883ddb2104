"""``lookalike info``: what a gallery holds."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

import click

from lookalike.cli import console
from lookalike.cli.galleries import known_galleries
from lookalike.cli.options import gallery_argument, json_option, open_gallery
from lookalike.embedding.spaces import is_untrained

__all__ = ["info"]

MOST_LABELS = 12


@click.command()
@gallery_argument
@click.option("--failed", is_flag=True, help="List the files that could not be used, and why.")
@click.option("--all", "everything", is_flag=True, help="List the galleries that you have used.")
@json_option
def info(gallery: str, failed: bool, everything: bool, as_json: bool) -> None:
    """Show what a gallery holds, or which galleries there are.

    \b
    Examples:
      lookalike info
      lookalike info photos.gallery --failed
      lookalike info --all
    """  # noqa: D301 - click reads the backspace as "keep these lines apart"
    if everything:
        if failed:
            raise click.UsageError("--all and --failed exclude each other")
        _list_all(gallery, as_json)
        return
    opened = open_gallery(gallery)
    known = opened.info()
    counts = Counter(label for label in opened.labels if label is not None)
    space = known["space"] or "not known"
    untrained = is_untrained(known["space"])
    if as_json:
        console.write_json(
            **{key: value for key, value in known.items() if key != "failed"},
            untrained=untrained,
            labels={str(label): count for label, count in sorted(counts.items(), key=str)},
            failed=[{"path": path, "reason": reason} for path, reason in opened.failed],
        )
        return
    if failed:
        console.table([("", "left"), ("", "left")], opened.failed)
        return
    common = [f"{label} {count:,}" for label, count in counts.most_common(MOST_LABELS)]
    if len(counts) > MOST_LABELS:
        common.append(f"and {len(counts) - MOST_LABELS:,} more")
    console.pairs(
        [
            ("gallery", known["path"]),
            ("images", f"{known['images']:,}"),
            ("failed", f"{known['failed']:,}" + " (--failed lists them)" * bool(known["failed"])),
            ("labels", ", ".join(common) or "none"),
            *(("folder", root) for root in known["roots"]),
            *((each["kind"], each["pattern"]) for each in known["patterns"]),
            ("features", f"{known['dim']:,} an image"),
            *_network(known["network"]),
            ("space", space + " (random weights)" * untrained),
            *[("decoding", "of an earlier version; `lookalike index` converts it")]
            * opened.is_of_earlier_decoding,
            *(("search index", _index(each)) for each in known["indexes"]),
            ("on disk", f"{known['bytes'] / 1e6:,.1f} MB"),
        ]
    )


def _index(kept: dict[str, Any]) -> str:
    """Return what there is to say of an index for searches."""
    if not kept["rows"]:
        return f"{kept['metric']}, not there yet: `lookalike index` makes it"
    return f"{kept['metric']}, {kept['bytes'] / 1e6:,.1f} MB"


def _network(network: dict[str, Any] | None) -> list[tuple[str, str]]:
    """Return what there is to say of a network that is not GoogLeNet."""
    if network is None:
        return []
    missing = "" if os.path.isfile(network["path"]) else " (not there)"
    fed = ", ".join(
        f"{key} {'/'.join(f'{each:g}' for each in value) if isinstance(value, list) else value}"
        for key, value in network["preprocessing"].items()
        if value is not None
    )
    lines = [("network", network["path"] + missing), ("fed with", fed)]
    if network["output"] is not None:
        lines.append(("output", network["output"]))
    return lines


def _list_all(here: str, as_json: bool) -> None:
    """List the galleries that this user has used; that which is found from here is marked."""
    from lookalike.gallery.gallery import Gallery
    from lookalike.gallery.storage.errors import GalleryError

    listed = []
    for path in known_galleries():
        found: dict[str, Any] = {"path": path, "found": os.path.realpath(here) == path}
        found |= {"images": None, "roots": [], "reason": None}
        try:
            with Gallery.open(path, mode="r") as opened:
                found |= {"images": len(opened), "roots": opened.roots}
        except (GalleryError, OSError) as error:
            found["reason"] = str(error) if os.path.isdir(path) else "not there now"
        listed.append(found)
    if as_json:
        console.write_json(galleries=listed)
        return
    console.table(
        [("bold", "left"), ("", "left"), ("", "right")],
        (
            (
                "*" if each["found"] else "-",
                each["path"],
                each["reason"] or console.plural(each["images"], "image"),
            )
            for each in listed
        ),
    )
    if not listed:
        console.remark("No gallery is known; `lookalike index FOLDER` makes one.")
