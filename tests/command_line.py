"""Running the command line, and photos to run it on."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image, ImageDraw

from lookalike.cli import main
from processes import HANGS

HOSTILE = "a <b>\"q\" & 'x' 猫 Ä\udcff\n.png"
"""A file name with all that HTML, terminals and encodings stumble over."""

MAIN = [sys.executable, "-m", "lookalike"]


def environment(**variables: str) -> dict[str, str]:
    """This process's environment, with nothing that would make a bar or colours appear."""
    kept = {k: v for k, v in os.environ.items() if k not in ("FORCE_COLOR", "TTY_COMPATIBLE")}
    return kept | variables


def run(
    *arguments: object, cwd: Path, text: bool = True, **variables: str
) -> subprocess.CompletedProcess:
    """Run ``lookalike`` as a process of its own."""
    return subprocess.run(
        [*MAIN, *map(os.fspath, arguments)],
        cwd=cwd,
        env=environment(**variables),
        capture_output=True,
        text=text,
        timeout=HANGS,
    )


class Done(NamedTuple):
    """How a call ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict:
        """What was printed, which must be one JSON document of schema 1 and nothing else."""
        document = json.loads(self.out)
        assert document["schema"] == 1
        return document


def call(
    arguments: Sequence[object],
    monkeypatch: pytest.MonkeyPatch,
    capture: pytest.CaptureFixture[bytes],
) -> Done:
    """Run ``lookalike`` in this process: quicker than `run`, and as good unless it is killed."""
    monkeypatch.setattr(sys, "argv", ["lookalike", *map(os.fspath, arguments)])
    capture.readouterr()
    handler = signal.getsignal(signal.SIGINT)
    try:
        with pytest.raises(SystemExit) as ended:
            main()
    finally:
        signal.signal(signal.SIGINT, handler)  # once interrupted, main ignores it
    out, err = (text.decode("utf-8", "surrogateescape") for text in capture.readouterr())
    return Done(ended.value.code, out, err)


def draw(kind: str, seed: int) -> Image.Image:
    """Draw a small picture of one of two kinds."""
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 60, (24, 32, 3)).astype(np.uint8)
    image = Image.fromarray(noise).resize((160, 120), Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(image)
    for _ in range(8):
        x, y, size = rng.integers(0, 120), rng.integers(0, 90), rng.integers(15, 60)
        colour = tuple(rng.integers(90, 255, 3).tolist())
        box = (x, y, x + size, y + size)
        pen.ellipse(box, fill=colour) if kind == "round" else pen.rectangle(box, fill=colour)
    return image


def draw_photos(folder: Path) -> Path:
    """Draw four pictures of each of two kinds, one of a hostile name in the folder itself."""
    for kind in ("round", "square"):
        (folder / kind).mkdir(parents=True)
        for seed in range(4):
            draw(kind, seed).save(folder / kind / f"{seed}.png")
    draw("round", 9).save(folder / HOSTILE)
    return folder
