"""Where the network's weights come from, and what is kept of them on disk.

The weights are 28 MB of other people's work and are not part of the package. :func:`find_model`
looks at an explicit path, at ``LOOKALIKE_MODEL`` and in the user's cache, and downloads last. What
has been cut and optimised is kept beside it (:func:`prepared_model`), so that a start needs neither
the ``onnx`` package nor the second that the work takes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
import urllib.parse
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import platformdirs

from lookalike.files import replacing

__all__ = [
    "ModelError",
    "PreparedModel",
    "cache_folder",
    "cached_model",
    "download_model",
    "find_model",
    "install_model",
    "prepared_model",
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

UNTRAINED = "lookalike.untrained"
"""Metadata of a model with random weights; the value says which."""

PREPARATION = 1
"""Part of a prepared model's key: to be raised when ``onnx_graph.prepare`` changes its result."""

WAYS_OUT = """Ways out: fetch googlenet-12.onnx of the ONNX model zoo on another machine and run
  lookalike model import googlenet-12.onnx
or set LOOKALIKE_MODEL to its path; set LOOKALIKE_MODEL_URL to a mirror that you can reach, and
XDG_CACHE_HOME to a folder that you can write to. For a try without weights there is
GoogLeNet.untrained(0)."""


@dataclass(frozen=True)
class PreparedModel:
    """A network cut at its feature layer, and what has to be known of it before it is run.

    Attributes
    ----------
    content : bytes
        The ONNX file: one input (N, *input_shape), one output (N, width).
    input_shape : list
        Channels, height and width of an image; None where any will do.
    width : int
        Number of features.
    fingerprint : str
        Hash of the network's operations and weights, independent of names and converters.
    untrained : str or None
        Where the random weights come from, if they are random.
    """

    content: bytes
    input_shape: list[int | None]
    width: int
    fingerprint: str
    untrained: str | None

    def to_bytes(self) -> bytes:
        """Return one file of it: a line of JSON, then the ONNX file."""
        facts = {key: value for key, value in vars(self).items() if key != "content"}
        return json.dumps(facts).encode() + b"\n" + self.content

    @classmethod
    def from_bytes(cls, file: bytes) -> Self:
        """Read what :meth:`to_bytes` wrote."""
        facts, _, content = file.partition(b"\n")
        return cls(content=content, **json.loads(facts))


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
        Taken as it is; without it ``LOOKALIKE_MODEL``, the user's cache and a download are
        tried, in this order.
    download : bool
        False: leave out the download.

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
        raise ModelError(f"{missing} and {error}") from error


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
    raise ModelError(f"the download failed:{''.join(failures)}\n{WAYS_OUT}")


def install_model(model: str | os.PathLike[str]) -> Path:
    """Copy a model file into the user's cache, where :func:`find_model` finds it.

    Raises
    ------
    ModelError
        The file cannot be read or the cache not written.
    """
    content = _read(_existing(Path(model), "model"))
    try:
        _write_atomically(cached_model(), content)
    except OSError as error:
        raise ModelError(f"cannot write {cached_model()}: {error.strerror}") from error
    return cached_model()


def prepared_model(model: str | os.PathLike[str], output: str | None) -> PreparedModel:
    """Return a model cut at `output`, from the user's cache or prepared now.

    A cache that cannot be written costs a second at each start and is no error.

    Raises
    ------
    ModelError
        The file is not a model or has no such tensor.
    """
    path = Path(model)
    content = _read(path)
    key = hashlib.sha256(f"{PREPARATION} {output} ".encode() + content).hexdigest()[:32]
    file = cache_folder() / f"prepared-{key}"
    with contextlib.suppress(OSError, ValueError, TypeError):  # missing or damaged: made anew
        return PreparedModel.from_bytes(file.read_bytes())
    from lookalike.embedding import onnx_graph

    prepared = onnx_graph.prepare(content, output=output, name=str(path))
    with contextlib.suppress(OSError):
        _write_atomically(file, prepared.to_bytes())
    return prepared


def _existing(path: Path, argument: str) -> Path:
    if not path.is_file():
        raise ModelError(f"{argument}: no such file: {path}")
    return path


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}") from error


def _write_atomically(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        file.write_bytes(content)


def _download(url: str, sha256: str) -> None:
    import pooch
    import requests

    def fetch(url: str, file: str, _: object) -> None:
        with _Bar("GoogLeNet weights") as bar:
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


class _Bar:
    """A rich progress bar with the methods that pooch calls; silent unless stderr is a terminal."""

    def __init__(self, label: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

        console = Console(stderr=True)
        columns = (TextColumn(label), BarColumn(), DownloadColumn())
        self._progress = Progress(*columns, console=console, disable=not console.is_terminal)
        self._task = self._progress.add_task(label, total=None)
        self.total = 0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def update(self, size: int) -> None:
        self._progress.update(self._task, advance=size, total=self.total or None)

    def reset(self) -> None:
        self._progress.reset(self._task)

    def close(self) -> None:
        pass
