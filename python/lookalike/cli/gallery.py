"""``lookalike info``, ``check``, ``export`` and ``relocate``: the gallery itself."""

from __future__ import annotations

import os
from collections import Counter

import click

from lookalike.cli import console
from lookalike.cli.options import (
    UNTRAINED,
    gallery_argument,
    gallery_option,
    json_option,
    open_gallery,
    require_gallery,
)
from lookalike.cli.output_files import require_folders

__all__ = ["check", "export", "info", "relocate"]

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
    untrained = space.startswith(UNTRAINED)
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
    console.facts(
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


@click.command()
@gallery_argument
@click.option("--repair", is_flag=True, help="Drop what is damaged, save what is readable.")
@json_option
def check(gallery: str, repair: bool, as_json: bool) -> None:
    """Verify a gallery, or repair it.

    Looks at every row's checksum, the counts and the photos' files. Exit code 1 says that damage
    was found and is not repaired. Photos that have changed or gone since are listed but are no
    damage: `lookalike index` brings the gallery up to date.

    \b
    Examples:
      lookalike check
      lookalike check photos.gallery --repair && lookalike index -o photos.gallery
    """  # noqa: D301
    from lookalike.gallery.upkeep.check import check_gallery

    require_gallery(gallery)
    with console.bar("rows") as progress:
        report = check_gallery(gallery, repair=repair, progress=progress)
    if as_json:
        console.write_json(
            gallery=os.path.abspath(gallery),
            ok=report.ok,
            images=report.images,
            damage=[
                {"path": each.path, "reason": each.reason, "repaired": each.repaired}
                for each in report.damage
            ],
            outdated=[{"path": each.path, "reason": each.reason} for each in report.outdated],
        )
    else:
        for each in report.outdated:
            console.say(f"outdated: {console.line(str(each))}")
        for each in report.damage:
            console.say(f"damage: {console.line(str(each))}")
        verdict = "intact" if not report.damage else "repaired" if report.ok else "damaged"
        console.heading(f"{gallery}: {console.plural(report.images, 'image')}, {verdict}")
        if not report.ok and not repair:
            console.remark("lookalike check --repair saves what can be saved.")
        if report.outdated:
            console.remark(
                f"{console.plural(len(report.outdated), 'photo')} changed or gone: lookalike index"
            )
    if not report.ok:
        click.get_current_context().exit(1)


@click.command()
@gallery_argument
@click.option(
    "-o",
    "--output",
    type=click.Path(),
    default="features",
    show_default=True,
    metavar="NAME",
    help="Name of the files without its ending.",
)
@click.option("--parquet", is_flag=True, help="Also write NAME.parquet of both.")
@json_option
def export(gallery: str, output: str, parquet: bool, as_json: bool) -> None:
    """Write features to NAME.npy, their files to NAME.csv.

    \b
    Examples:
      lookalike export
      lookalike export photos.gallery -o photos --parquet
    """  # noqa: D301
    require_folders(output)
    opened = open_gallery(gallery)
    for suffix in (".npy", ".csv", ".parquet"):
        output = output.removesuffix(suffix)
    written = opened.export(output, parquet=parquet)
    if as_json:
        console.write_json(
            gallery=opened.path, images=len(opened), dim=opened.dim, files=list(written)
        )
    else:
        for file in written:
            console.say(console.line(file))


@click.command()
@click.argument("old", type=click.Path())
@click.argument("new", type=click.Path())
@gallery_option
@json_option
def relocate(old: str, new: str, gallery: str, as_json: bool) -> None:
    """Tell a gallery where its photos are now.

    What lay below folder OLD now lies below folder NEW. The photos are not touched, and nothing is
    embedded again.

    \b
    Examples:
      lookalike relocate /media/old-disk/photos ~/Pictures
      lookalike relocate photos holiday -g photos.gallery
    """  # noqa: D301
    with open_gallery(gallery) as opened:
        moved = opened.relocate(old, new)
    if as_json:
        console.write_json(gallery=opened.path, old=old, new=new, images=moved)
    else:
        console.say(f"{console.plural(moved, 'image')} now below {console.line(new)}")
    if not os.path.isdir(new):
        console.remark(f"{new} is not a folder now; the gallery expects the photos there.")
