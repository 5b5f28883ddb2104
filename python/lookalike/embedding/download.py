"""The public addresses of the weights, and how a file is fetched from one.

A file is kept only if it is whole and has the SHA-256 that was stated beforehand.
"""

from __future__ import annotations

import hashlib
import re
import time
import urllib.parse
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from lookalike.files import reason, replacing
from lookalike.progress import ByteBar

__all__ = ["LFS_POINTER", "SOURCES", "Say", "Source", "fetch", "source_from"]

Say = Callable[[str], object]
"""What is told on the way, a line at a time."""


class Source(NamedTuple):
    """An address, and the file that has to be there."""

    url: str
    sha256: str

    @property
    def file(self) -> str:
        """Its name."""
        return Path(urllib.parse.urlsplit(self.url).path).name or self.url


GOOGLENET_12 = "c99c507058eaf41de8723408fdda7db8325cb57f0a89f2ee07a716d6e963e14e"
GOOGLENET_9 = "bd979d99d10d9acf84c5a67252bcae4992bf4e1afdab046cb0ea370e6f01ee38"
_IN_ZOO = (
    "validated/vision/classification/inception_and_googlenet/googlenet/model/googlenet-12.onnx"
)
_HUB = "https://huggingface.co/onnxmodelzoo"
SOURCES = (
    Source(f"{_HUB}/googlenet-12/resolve/main/googlenet-12.onnx", GOOGLENET_12),
    Source(f"{_HUB}/googlenet-9/resolve/main/googlenet-9.onnx", GOOGLENET_9),
    Source(f"https://media.githubusercontent.com/media/onnx/models/main/{_IN_ZOO}", GOOGLENET_12),
    Source(f"{_HUB}/legacy_models/resolve/main/{_IN_ZOO}", GOOGLENET_12),
    Source(f"https://github.com/onnx/models/raw/main/{_IN_ZOO}", GOOGLENET_12),
)
"""GoogLeNet of the ONNX model zoo, in the order in which the addresses are tried: the repositories
of their own to which the zoo has moved, then where it was before. The checksums are those of the
zoo's own git-lfs pointers."""

LFS_POINTER = b"version https://git-lfs"
CONNECTION_S = 10
TIMEOUT_S = 30
"""Longest wait for a connection, and for the next bytes; a slow download as such may take hours."""
RETRIES = 2
PIECE = 1 << 16


def source_from(address: str) -> Source:
    """Return the source that a person names: a URL, and ``#sha256=…`` behind it.

    Raises
    ------
    ValueError
        What stands there is no SHA-256.

    Examples
    --------
    >>> source_from("http://mirror/a.onnx#sha256=" + "ab" * 32).file
    'a.onnx'
    """
    url, _, fragment = address.partition("#")
    sha256 = urllib.parse.parse_qs(fragment).get("sha256", [GOOGLENET_12])[0].lower()
    if not re.fullmatch("[0-9a-f]{64}", sha256):
        raise ValueError(f"#sha256= must be 64 hexadecimal digits, got {sha256!r}")
    return Source(url, sha256)


def fetch(source: Source, target: Path, say: Say) -> None:
    """Fetch a file to `target`, whole and verified or not at all.

    What may pass is tried again, but not an address that cannot be reached at all. `say` is told
    where the file comes from, also if that is somewhere else than the address says, how far it
    came, and why an attempt failed that is not the last.

    Raises
    ------
    OSError
        The server, the network or the disk failed.
    ValueError
        What came is not the file that it has to be.
    """
    import requests

    say(f"Fetching {source.file} from {source.url}")
    target.parent.mkdir(parents=True, exist_ok=True)
    cut_short = requests.exceptions.ChunkedEncodingError
    for attempt in range(RETRIES + 1):
        try:
            with replacing(target) as file:
                _try(source, file, say)
        except (requests.ConnectionError, requests.Timeout, cut_short) as error:
            if attempt == RETRIES or _is_out_of_reach(error):
                raise
            say(f"  {brief(error)}; tried again")
            time.sleep(1 + attempt)
        else:
            return


def _try(source: Source, file: Path, say: Say) -> None:
    import requests

    digest, done = hashlib.sha256(), 0
    with requests.get(source.url, timeout=(CONNECTION_S, TIMEOUT_S), stream=True) as answer:
        if answer.history:  # what stands behind the question mark is a signature
            say(f"  which leads to {answer.url.partition('?')[0]}")
        answer.raise_for_status()
        promised = int(answer.headers.get("Content-Length", 0))
        try:
            with ByteBar("GoogLeNet weights", promised) as bar, open(file, "wb") as stream:
                for piece in answer.iter_content(PIECE):
                    if not done and piece.startswith(LFS_POINTER):
                        raise ValueError("gave a git-lfs pointer in place of the file itself")
                    stream.write(piece)
                    digest.update(piece)
                    done += len(piece)
                    bar.update(len(piece))
        except OSError as error:
            whole = f" of {promised / 1e6:.1f}" * bool(promised)
            error.add_note(f"after {done / 1e6:.1f}{whole} MB")
            raise
    if digest.hexdigest() != source.sha256:
        raise ValueError(
            f"what came ({done:,} bytes) does not match the known hash: expected "
            f"sha256:{source.sha256}, got {digest.hexdigest()}"
        )
    say(f"  {done / 1e6:.1f} MB, with the SHA-256 it has to have")


def _is_out_of_reach(error: Exception) -> bool:
    import urllib3

    cause = getattr(error.args[0] if error.args else None, "reason", None)
    never = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
    return isinstance(cause, never)


def brief(error: Exception) -> str:
    """Return why a download failed, without the layers that requests wraps it in."""
    text = " ".join((reason(error) if isinstance(error, OSError) else str(error)).split())
    found = re.search(r"(\[Errno -?\d+\] [^\"')(\]]+|Read timed out|IncompleteRead)", text)
    notes = getattr(error, "__notes__", [])
    return " ".join([found[1].rstrip(": ") if found else text[:300], *notes])
