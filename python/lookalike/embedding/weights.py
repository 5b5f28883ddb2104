"""Where the network's weights come from.

The weights are 28 MB of other people's work and are not part of the package. :func:`find_model`
looks at an explicit path, at ``LOOKALIKE_MODEL`` and in the user's cache, and downloads last.
"""

from __future__ import annotations

import os
import re
import time
import urllib.parse
from pathlib import Path

import platformdirs

from lookalike.files import reason, replacing
from lookalike.progress import ByteBar

__all__ = [
    "ModelError",
    "cache_folder",
    "cached_model",
    "download_model",
    "find_model",
    "install_model",
    "read_file",
    "write_file",
]

MODEL_SHA256 = "c99c507058eaf41de8723408fdda7db8325cb57f0a89f2ee07a716d6e963e14e"
"""googlenet-12.onnx of the ONNX model zoo, as its own git-lfs pointer states it."""

_IN_ZOO = (
    "validated/vision/classification/inception_and_googlenet/googlenet/model/googlenet-12.onnx"
)
MIRRORS = (
    f"https://media.githubusercontent.com/media/onnx/models/main/{_IN_ZOO}",
    f"https://huggingface.co/onnxmodelzoo/legacy_models/resolve/main/{_IN_ZOO}",
    f"https://github.com/onnx/models/raw/main/{_IN_ZOO}",
)
LFS_POINTER = b"version https://git-lfs"
TIMEOUT_S = 30
"""Longest wait for a connection, or for the next bytes; a slow download as such may take hours."""
RETRIES = 2

WAYS_OUT = """Ways out: fetch googlenet-12.onnx of the ONNX model zoo on another machine and run
  lookalike model import googlenet-12.onnx
or set LOOKALIKE_MODEL to its path, LOOKALIKE_MODEL_URL to a mirror, XDG_CACHE_HOME to a folder."""


class ModelError(ValueError):
    """A model that is missing, damaged or not what was asked for. The message names the file."""


def cache_folder() -> Path:
    """Return the folder of the user's cache that holds models; it need not exist."""
    return Path(platformdirs.user_cache_dir("lookalike")) / "models"


def cached_model() -> Path:
    """Return where the downloaded or imported model lies, or would lie."""
    return cache_folder() / "googlenet.onnx"


def find_model(model: str | os.PathLike[str] | None = None, *, download: bool = True) -> Path:
    """Return the model file to use.

    Parameters
    ----------
    model : path, optional
        A file that is taken as it is; without it ``LOOKALIKE_MODEL``, the user's cache and a
        download are tried, in this order.
    download : bool
        Whether a download is tried.

    Raises
    ------
    ModelError
        There is no such file, or nothing could be downloaded; the message then lists all that
        was tried and what can be done.

    Examples
    --------
    >>> find_model("nowhere.onnx")
    Traceback (most recent call last):
    lookalike.embedding.weights.ModelError: model: no such file: nowhere.onnx
    """
    if model is not None:
        return _existing(Path(model), "model")
    if chosen := os.environ.get("LOOKALIKE_MODEL"):
        return _existing(Path(chosen), "LOOKALIKE_MODEL")
    if cached_model().is_file():
        return cached_model()
    missing = f"no GoogLeNet model: LOOKALIKE_MODEL is not set, {cached_model()} does not exist"
    if not download:
        raise ModelError(f"{missing}; `lookalike model download` fetches it")
    try:
        return download_model()
    except ModelError as error:
        whole = ModelError(f"{missing} and {error}")
        for note in error.__notes__:
            whole.add_note(note)
        raise whole from error


def download_model() -> Path:
    """Fetch the public GoogLeNet into the user's cache and return its path.

    The addresses are those of the ONNX model zoo, or only ``LOOKALIKE_MODEL_URL`` if that is set.
    The file must have the SHA-256 that the zoo states; to use another file, append ``#sha256=…`` to
    ``LOOKALIKE_MODEL_URL``. A model already there is replaced only by a complete and verified one.
    Proxies are taken from the environment (``HTTPS_PROXY``).

    Raises
    ------
    ModelError
        No address gave the file; the message says why for each, and what can be done.
    """
    override = os.environ.get("LOOKALIKE_MODEL_URL")
    failures = []
    for address in (override,) if override else MIRRORS:
        url, _, fragment = address.partition("#")
        sha256 = urllib.parse.parse_qs(fragment).get("sha256", [MODEL_SHA256])[0]
        try:
            _download(url, sha256)
        # requests' errors are OSErrors; a wrong hash is a ValueError.
        except (OSError, ValueError) as error:
            failures.append(f"\n  {url}: {' '.join(str(error).split())}")
        else:
            return cached_model()
    last = failures[-1].split(": ", 1)[1]
    tried = f"{len(failures)} address{'es' * (len(failures) > 1)} tried"
    failed = ModelError(f"the download failed ({tried}): {_brief(last)}\n{WAYS_OUT}")
    failed.add_note(f"Addresses tried:{''.join(failures)}")  # a traceback shows it
    raise failed


def _brief(reason: str) -> str:
    """Return the end of what requests says, which is the cause, without its layers of wrapping."""
    found = re.search(r"(\[Errno -?\d+\] [^\"')(\]]+|Read timed out|IncompleteRead)", reason)
    return found[1].rstrip(": ") if found else reason[:200]


def install_model(model: str | os.PathLike[str]) -> Path:
    """Copy a model file into the user's cache, where :func:`find_model` finds it.

    Raises
    ------
    ModelError
        The file cannot be read or the cache not written.
    """
    content = read_file(_existing(Path(model), "model"))
    try:
        write_file(cached_model(), content)
    except OSError as error:
        raise ModelError(f"cannot write {cached_model()}: {reason(error)}") from error
    return cached_model()


def _existing(path: Path, argument: str) -> Path:
    if not path.is_file():
        raise ModelError(f"{argument}: no such file: {path}")
    return path


def read_file(path: Path) -> bytes:
    """Read a model file.

    Raises
    ------
    ModelError
        It cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"cannot read {path}: {reason(error)}") from error


def write_file(path: Path, content: bytes) -> None:
    """Write a file of the cache, whole or not at all, and the folders that it lies in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        file.write_bytes(content)


def _download(url: str, sha256: str) -> None:
    import pooch
    import requests

    def fetch(url: str, file: str, _: object) -> None:
        with ByteBar("GoogLeNet weights") as bar:
            pooch.HTTPDownloader(progressbar=bar, timeout=TIMEOUT_S)(url, file, None)
        with open(file, "rb") as download:
            if download.read(len(LFS_POINTER)) == LFS_POINTER:
                raise ModelError("gave a git-lfs pointer in place of the file itself")

    cut_short = requests.exceptions.ChunkedEncodingError
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel("ERROR")  # it would announce each attempt; the outcome is ours to report
    try:
        for attempt in range(RETRIES + 1):
            try:
                pooch.retrieve(
                    url,
                    known_hash=f"sha256:{sha256}",
                    fname=cached_model().name,
                    path=cache_folder(),
                    downloader=fetch,
                )
            except (requests.ConnectionError, requests.Timeout, cut_short):
                if attempt == RETRIES:
                    raise
                time.sleep(1 + attempt)
            else:
                return
    finally:
        logger.setLevel(level)
