"""HTML pages: one file each, with everything in it.

A page may be mailed, moved or opened years later: its style and pictures are inside, it runs no
script, and its own content security policy forbids it to load anything. Every text is escaped:
file names and labels may hold quotes, angle brackets, control characters and bytes that are not
UTF-8.
"""

from __future__ import annotations

import base64
import functools
import io
import os
from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from lookalike.files import replacing
from lookalike.printable import printable
from lookalike.system import processors

if TYPE_CHECKING:
    import jinja2

    from lookalike.pictures.images import ImageSource

__all__ = [
    "MAX_THUMBNAILS",
    "THUMBNAIL_PX",
    "environment",
    "is_ours",
    "link",
    "render",
    "shown_path",
    "thumbnail",
    "thumbnails",
    "write_page",
]

MAX_THUMBNAILS = 1000
"""Pictures on a page at most; some 13 MB. What is left out is counted on the page."""

THUMBNAIL_PX = 200
"""Longer side of a thumbnail at most."""


def render(template_name: str, **context: Any) -> str:
    """Return the HTML of a template of ``lookalike/pages/templates``, filled in.

    Parameters
    ----------
    template_name : str
        For example ``"search.html"``. Templates extend ``base.html``, which holds the style and
        has the blocks ``title``, ``style`` (more rules) and ``content``.
    **context
        The template's variables. Strings are escaped; one that is missing is an error.

    Returns
    -------
    str
        Valid Unicode without lone surrogates, for :func:`write_page`.

    Examples
    --------
    >>> "<h1>" in render("base.html", title="A <b>")
    True
    >>> "A &lt;b&gt;" in render("base.html", title="A <b>")
    True
    """
    return _environment().get_template(template_name).render(context)


def environment(templates: Path) -> jinja2.Environment:
    """Return what fills in the templates of a folder: every text is escaped and can be shown."""
    import jinja2

    def shown(value: Any) -> Any:
        # Markup is a str as well, and is ours: only plain text may hold what cannot be shown.
        return printable(value) if type(value) is str else value

    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["link"] = link
    return made


def thumbnail(source: ImageSource) -> str:
    """Return a small JPEG of an image as a ``data:`` URI.

    Parameters
    ----------
    source : path, bytes, file object, PIL image or array
        Any image that :func:`lookalike.images.open_image` takes.

    Returns
    -------
    str
        At most 200 pixels on the longer side, upright, never enlarged, and nothing but the pixels:
        no EXIF, position, comment or colour profile.

    Raises
    ------
    ImageError
        The image cannot be read.

    Examples
    --------
    >>> import numpy as np
    >>> thumbnail(np.zeros((300, 400), np.uint8))[:23]
    'data:image/jpeg;base64,'
    """
    from lookalike.pictures.images import open_image

    image = open_image(source)
    image.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX), reducing_gap=2)
    image.info.clear()  # Pillow copies a comment from there into the file
    content = io.BytesIO()
    image.save(content, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(content.getvalue()).decode("ascii")


def thumbnails(sources: Iterable[ImageSource]) -> Generator[str | None]:
    """Yield the thumbnail of each image in order, made by all cores; None where there is no image.

    Closing the iterator leaves out what has not been begun.
    """
    from lookalike.pictures.images import ImageError

    def made(source: ImageSource) -> str | None:
        try:
            return thumbnail(source)
        except ImageError:
            return None

    executor = ThreadPoolExecutor(processors(), thread_name_prefix="thumbnail")
    try:
        yield from executor.map(made, sources)
    finally:
        executor.shutdown(cancel_futures=True)


def shown_path(
    path: str | os.PathLike[str], page: str | os.PathLike[str], *, absolute: bool = False
) -> str:
    """Return a file's path as a page shows it: as seen from the page's folder, or absolute.

    Relative paths keep a page working when it is moved together with the photos, and tell whoever
    receives it nothing about the rest of the disk.

    Examples
    --------
    >>> shown_path("/photos/a/1.jpg", "/photos/page.html")
    'a/1.jpg'
    """
    if absolute:
        return os.path.abspath(path)
    return os.path.relpath(path, os.path.dirname(os.path.abspath(page)))


def link(shown: str) -> str:
    """Return the address for ``href`` of a path from :func:`shown_path`.

    Examples
    --------
    >>> link("100% #1?.jpg"), link("/a b.jpg"), link("javascript:1.jpg")
    ('100%25%20%231%3F.jpg', 'file:///a%20b.jpg', 'javascript%3A1.jpg')
    """
    address = quote(os.fsencode(shown))
    return f"file://{address}" if address.startswith("/") else address


def is_ours(path: str | os.PathLike[str]) -> bool:
    """Tell whether a file is a page that was written here."""
    try:
        with open(path, "rb") as file:
            return b'<meta name="generator" content="lookalike">' in file.read(2048)
    except OSError:
        return False


def write_page(path: str | os.PathLike[str], html: str) -> None:
    """Write a page as UTF-8; the file appears whole or not at all.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    with replacing(path) as file:
        file.write_text(html, "utf-8", errors="backslashreplace", newline="\n")


@functools.cache
def _environment() -> jinja2.Environment:
    return environment(Path(__file__).with_name("templates"))
