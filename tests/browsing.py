"""A gallery that is served to the tests: in this process, and as `lookalike browse` does it."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from starlette.testclient import TestClient

from command_line import MAIN, draw, environment
from lookalike import Gallery
from lookalike.browse.safety import TOKEN_HEADER, Access
from lookalike.browse.server import application
from lookalike.browse.state import State
from processes import HANGS

PORT = 8642
HOME = f"http://127.0.0.1:{PORT}"


def made(folder: Path, names=("a.jpg", "b.png", "c.jpg")) -> Path:
    """A gallery of drawn pictures with features of no network; returns its folder."""
    photos = folder / "photos"
    photos.mkdir(exist_ok=True)
    for number, name in enumerate(names):
        (photos / name).parent.mkdir(exist_ok=True)
        draw(("round", "square")[number % 2], number).save(photos / name)
    rows = np.random.default_rng(0).random((len(names), 8), np.float32)
    with Gallery.create(folder / "a.gallery", dim=8) as gallery:
        gallery.add(rows, paths=list(names), root=photos, labels=["x"] * len(names))
        gallery.update()  # looks at the pictures
    return folder / "a.gallery"


class Served:
    """A gallery that is served, and a client that has not entered."""

    def __init__(self, gallery: Path, read_only: bool = False) -> None:
        self.state = State(str(gallery), lambda: None, read_only)
        self.access = Access()
        self.app = application(self.state, self.access, PORT)
        self.client = self.another()

    def another(self) -> TestClient:
        return TestClient(self.app, base_url=HOME, follow_redirects=False)

    def enter(self) -> TestClient:
        self.client.get("/", params={"key": self.access.key})
        return self.client

    @property
    def token(self) -> dict[str, str]:
        """The header of a change."""
        return {TOKEN_HEADER: self.access.token}


@contextlib.contextmanager
def serving(command: Sequence[str], **variables: str) -> Iterator[tuple[str, subprocess.Popen]]:
    """Run a server until it is interrupted; yield the address that it prints, and the process."""
    process = subprocess.Popen(
        command,
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process.stdout.readline().rstrip("\n"), process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=HANGS)


def browsing(
    gallery: Path, *options: str, **variables: str
) -> contextlib.AbstractContextManager[tuple[str, subprocess.Popen]]:
    """Run ``lookalike browse``."""
    return serving([*MAIN, "browse", os.fspath(gallery), "--no-open", *options], **variables)
