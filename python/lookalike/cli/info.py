"""``lookalike info``: what a gallery holds."""

from __future__ import annotations

from collections import Counter

import click

from lookalike.cli import console
from lookalike.cli.options import gallery_argument, json_option, open_gallery
from lookalike.embedding.spaces import is_untrained

__all__ = ["info"]

MOST_LABELS = 12


@click.command()
@gallery_argument
@click.option("--failed", is_flag=True, help="List the files that could not be used, and why.")
@json_option
def info(gallery: str, failed: bool, as_json: bool) -> None:
    """Show what a gallery holds.

    \b
    Examples:
      lookalike info
      lookalike info photos.gallery --failed
    """  # noqa: D301 - click reads the backspace as "keep these lines apart"
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
            ("features", f"{known['dim']:,} an image"),
            ("space", space + " (random weights)" * untrained),
            ("on disk", f"{known['bytes'] / 1e6:,.1f} MB"),
        ]
    )
