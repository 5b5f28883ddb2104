"""Opening the browser without telling the key to other users of the machine.

The arguments of a process can be read by everybody, so the browser is given the name of a file that
only its owner can read, and which leads on to the address.
"""

from __future__ import annotations

import contextlib
import html
import os
import shutil
import tempfile
import threading
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path

__all__ = ["opened"]

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>lookalike</title>
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0;url={address}"></head>
<body><p><a href="{address}">Open lookalike</a></p></body></html>
"""
PATIENCE = 60.0
"""Seconds after which the file goes, whether a browser has come or not."""


@contextlib.contextmanager
def opened(address: str, has_entered: Callable[[], bool]) -> Iterator[None]:
    """Open a browser at an address; the file that leads there goes as soon as one has come.

    Parameters
    ----------
    address : str
        With its key.
    has_entered : callable
        Tells whether the address has been used.
    """
    folder = tempfile.mkdtemp(prefix="lookalike-")  # of mode 0700
    done = threading.Event()
    try:
        file = Path(folder, "open.html")
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="utf-8") as out:
            out.write(PAGE.format(address=html.escape(address)))
        threading.Thread(
            target=_open, args=(file, has_entered, done), name="lookalike-browser", daemon=True
        ).start()
        yield
    finally:
        done.set()
        shutil.rmtree(folder, ignore_errors=True)


def _open(file: Path, has_entered: Callable[[], bool], done: threading.Event) -> None:
    with contextlib.suppress(webbrowser.Error, OSError):
        webbrowser.open(file.as_uri())
    for _ in range(int(PATIENCE / 0.25)):
        if done.wait(0.25) or has_entered():
            break
    shutil.rmtree(file.parent, ignore_errors=True)
