"""Where the network's weights come from.

The weights are 28 MB of other people's work and are not part of the package. :func:`find_model`
looks at an explicit path, at ``LOOKALIKE_MODEL`` and in the user's cache, and downloads last.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import platformdirs

from lookalike.embedding.download import SOURCES, Say, Source, brief, fetch, source_from
from lookalike.files import reason, replacing

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

WAYS_OUT = f"""Ways out: fetch {SOURCES[0].url} elsewhere and run
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


def find_model(
    model: str | os.PathLike[str] | None = None,
    *,
    download: bool = True,
    say: Say = lambda line: None,
) -> Path:
    """Return the model file to use.

    Parameters
    ----------
    model : path, optional
        A file that is taken as it is; without it ``LOOKALIKE_MODEL``, the user's cache and a
        download are tried, in this order.
    download : bool
        Whether a download is tried.
    say : callable(line)
        Is told how a download goes.

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
        return download_model(say)
    except ModelError as error:
        whole = ModelError(f"{missing} and {error}")
        for note in error.__notes__:
            whole.add_note(note)
        raise whole from error


def download_model(say: Say = lambda line: None) -> Path:
    """Fetch the public GoogLeNet into the user's cache and return its path.

    The addresses are those of the ONNX model zoo, or only ``LOOKALIKE_MODEL_URL`` if that is set.
    Each file must have the SHA-256 that the zoo states; to use another file, append ``#sha256=…``
    to ``LOOKALIKE_MODEL_URL``. A model already there is replaced only by a complete and verified
    one. Proxies are taken from the environment (``HTTPS_PROXY``).

    Parameters
    ----------
    say : callable(line)
        Is told what is fetched, from where, and why before the next address is tried.

    Raises
    ------
    ModelError
        No address gave the file; the message says why for each, and what can be done.
    """
    import requests

    sources = _sources()
    here = _sha256(cached_model())
    for source in sources:
        if source.sha256 == here:
            say(f"{cached_model()} is {source.file} already")
            return cached_model()
    failures: list[str] = []
    last = ""
    for source in sources:
        try:
            fetch(source, cached_model(), say)
        except (OSError, ValueError) as error:
            last = brief(error)
            say(f"  failed: {last}")
            failures.append(f"\n  {source.url}: {' '.join(str(error).split())}")
            if isinstance(error, OSError) and not isinstance(error, requests.RequestException):
                break  # the disk's, which no other address mends
        else:
            return cached_model()
    tried = f"{len(failures)} address{'es' * (len(failures) > 1)} tried"
    failed = ModelError(f"the download failed ({tried}): {last}\n{WAYS_OUT}")
    failed.add_note(f"Addresses tried:{''.join(failures)}")  # a traceback shows it
    raise failed


def _sources() -> tuple[Source, ...]:
    override = os.environ.get("LOOKALIKE_MODEL_URL")
    if not override:
        return SOURCES
    try:
        return (source_from(override),)
    except ValueError as error:
        raise ModelError(f"LOOKALIKE_MODEL_URL: {error}") from None


def _sha256(file: Path) -> str | None:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return None


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
        what = "not a file but a folder" if path.is_dir() else "no such file"
        raise ModelError(f"{argument}: {what}: {path}")
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
