"""``lookalike check``: whether a gallery is intact."""

from __future__ import annotations

import os

import click

from lookalike.cli import console
from lookalike.cli.options import gallery_argument, json_option, require_gallery

__all__ = ["check"]


@click.command()
@gallery_argument
@click.option("--repair", is_flag=True, help="Drop what is damaged, save what is readable.")
@json_option
def check(gallery: str, repair: bool, as_json: bool) -> None:
    """Verify a gallery, or repair it.

    Looks at every row's checksum, the counts, the indexes for searches and the photos' files. Exit
    code 1 says that damage was found and is not repaired. Photos that have changed or gone since
    are listed but are no damage: `lookalike index` brings the gallery up to date. So is a network
    of the gallery's own that is missing or another file now.

    \b
    Examples:
      lookalike check
      lookalike check photos.gallery --repair && lookalike index -o photos.gallery
    """  # noqa: D301 - click reads the backspace as "keep these lines apart"
    from lookalike.gallery.upkeep.check import check_gallery

    require_gallery(gallery)
    with console.bar("rows") as progress:
        report = check_gallery(gallery, repair=repair, progress=progress)
    network = _network_state(gallery)
    if as_json:
        console.write_json(
            gallery=os.path.abspath(gallery),
            network=network,
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
            for folder in _missing_folders(gallery):
                console.remark(
                    f"{console.shown(folder)} is missing: `lookalike relocate` if it has moved, "
                    "`lookalike forget` if it is gone for good"
                )
        if network is not None:
            console.remark(network)
    if not report.ok:
        click.get_current_context().exit(1)


def _network_state(path: str) -> str | None:
    """Return what is wrong with the network that the gallery remembers, None if nothing is."""
    from lookalike.embedding.networks import state_of
    from lookalike.embedding.weights import ModelError
    from lookalike.gallery.gallery import Gallery
    from lookalike.gallery.storage.errors import GalleryError

    try:
        with Gallery.open(path, mode="r") as opened:
            network = opened.network
            return None if network is None else state_of(network)
    except ModelError as error:
        return str(error)
    except GalleryError:  # damaged, as the report says
        return None


def _missing_folders(path: str) -> list[str]:
    from lookalike.gallery.gallery import Gallery
    from lookalike.gallery.storage.errors import GalleryError

    try:
        with Gallery.open(path, mode="r") as opened:
            return [folder for folder in opened.roots if not os.path.isdir(folder)]
    except GalleryError:  # damaged, as the report says
        return []
