"""Images to features through ONNX Runtime.

Each worker thread takes a chunk of images, decodes them and runs the network on one core. ONNX
Runtime's own threads would split every layer and wait for one another at its end, and they would
compete with the decoders for the cores; this way no core ever waits and results come out in order.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import itertools
import numbers
import os
import threading
import warnings
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sized
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from lookalike.embedding.fit import check_fit, rows_of, width_of
from lookalike.embedding.model_cache import ModelFile, prepared_model, unchanged_model
from lookalike.embedding.prepared import PreparedModel
from lookalike.embedding.preprocessing import Preprocessing
from lookalike.embedding.session import onnx_runtime, open_session, opening
from lookalike.embedding.spaces import UNTRAINED
from lookalike.embedding.weights import ModelError
from lookalike.pictures import DECODING
from lookalike.pictures.images import ImageError, ImageSource, image_name, open_picture
from lookalike.progress import Progress, reporting
from lookalike.system import processors

if TYPE_CHECKING:
    import onnxruntime

__all__ = ["Embedder"]

CHUNK = 4
"""Images that a thread runs through the network at once: from 1 to 8 the speed is the same, with 16
a tenth is lost, as the activations leave the cache."""

Vector: TypeAlias = npt.NDArray[np.float32]
Results: TypeAlias = Generator[tuple[int, "Vector | ImageError"]]


class Embedder:
    """Features of images from any ONNX image model.

    Any number of threads may use it. A pickle names the file of the model, which must be there
    unchanged when it is loaded; only of a model given as bytes it holds the weights.

    Parameters
    ----------
    model : path or bytes
        An ONNX file with its weights inside, or its content; it takes float32, float16 or uint8
        of N×3×H×W or N×H×W×3. It is cut at `output`, its batch dimension freed, and the result
        kept in the user's cache (not for bytes).
    preprocessing : Preprocessing
        What the network was trained on.
    output : str, optional
        The tensor that holds the features; any shape, flattened to one row an image, but for
        tokens, of which the preprocessing says what is taken. Without it: what the last fully
        connected layer reads.
    threads : int, optional
        Number of images decoded and embedded at once; by default the cores this process may use.
    batch_size : int
        Number of images in work at a time, at least one a thread; it bounds the memory.

    Raises
    ------
    ModelError
        The file is missing or no model, has no such tensor, or an input or output that
        `preprocessing` does not fit.

    Examples
    --------
    >>> from lookalike.embedding.preprocessing import BVLC
    >>> from lookalike.embedding.untrained import untrained_googlenet
    >>> embedder = Embedder(untrained_googlenet(seed=0), BVLC, output="inception_3a/pool_proj")
    >>> embedder.width  # 32 channels of 28×28
    25088
    >>> embedder.embed([np.zeros((60, 80), np.uint8)]).shape
    (1, 25088)
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | bytes,
        preprocessing: Preprocessing,
        *,
        output: str | None = None,
        threads: int | None = None,
        batch_size: int = 32,
    ) -> None:
        for argument, value in (("threads", threads), ("batch_size", batch_size)):
            if value is not None and not isinstance(value, numbers.Integral):
                raise TypeError(f"{argument} must be an integer, got {value!r}")
            if value is not None and value < 1:
                raise ValueError(f"{argument} must be at least 1, got {value}")
        if not isinstance(preprocessing, Preprocessing):
            raise TypeError(f"preprocessing must be a Preprocessing, got {preprocessing!r}")
        self.preprocessing = preprocessing
        self.threads = threads or processors()
        self.batch_size = batch_size
        self._name = "<bytes>" if isinstance(model, bytes) else os.fsdecode(model)
        self._output = output
        self._model, self._file = prepared_model(model, output, preprocessing.crop)
        check_fit(self._model, preprocessing, self._name)
        self._session: tuple[int, onnxruntime.InferenceSession] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Return all but the session; of the weights, which file they lie in if they do in one."""
        state = {key: value for key, value in vars(self).items() if key != "_session"}
        if self._file is not None:
            state.pop("_model")
        else:
            content = self._model.to_bytes()
            state["_model"] = content, hashlib.sha256(content).hexdigest()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        file: ModelFile | None = state["_file"]
        if file is not None:
            state["_model"] = unchanged_model(file, state["_output"], state["preprocessing"].crop)
        else:
            content, checksum = state["_model"]
            if hashlib.sha256(content).hexdigest() != checksum:
                raise ModelError("the pickled model is not as it was written")
            state["_model"] = PreparedModel.from_bytes(content)
        self.__dict__.update(state, _session=None)
        check_fit(self._model, self.preprocessing, self._name)

    def __copy__(self) -> Self:
        copied = type(self).__new__(type(self))
        copied.__dict__.update(self.__dict__)
        return copied

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        copied = self.__copy__()
        shared = {"_model", "_file", "_session", "preprocessing"}  # never changed
        for key in vars(self).keys() - shared:
            setattr(copied, key, copy.deepcopy(getattr(self, key), memo))
        return copied

    @property
    def file(self) -> ModelFile | None:
        """The model's file, its size and SHA-256; None of a model given as bytes."""
        return self._file

    @property
    def output(self) -> str | None:
        """The tensor that holds the features, as it was given."""
        return self._output

    @property
    def width(self) -> int:
        """Number of features of an image."""
        return width_of(self._model, self.preprocessing)

    @property
    def space(self) -> str:
        """Identity of the feature space: a hash of network, weights, preprocessing and decoding.

        Features may be compared if, and only if, their spaces are equal. The name of the file, the
        converter that wrote it, batching and threads do not enter. It begins with ``untrained-``
        if the weights are random.
        """
        return self._space(f" decoding {DECODING}")

    @property
    def earlier_spaces(self) -> tuple[str, ...]:
        """The spaces that this network and preprocessing had with earlier rules of decoding."""
        return (self._space(""),)

    def _space(self, decoding: str) -> str:
        identity = f"{self._model.fingerprint} {self.preprocessing}{decoding}"
        mark = UNTRAINED if self._model.untrained else ""
        return mark + hashlib.sha256(identity.encode()).hexdigest()[:32]

    def __repr__(self) -> str:
        mark = f" untrained ({self._model.untrained})" if self._model.untrained else ""
        return f"<{type(self).__name__}{mark} {self._name}: {self.width} features>"

    def embed(
        self,
        images: Iterable[ImageSource],
        on_error: Literal["raise", "skip"] = "raise",
        errors: list[tuple[int, str, str]] | None = None,
        progress: Progress = None,
    ) -> npt.NDArray[np.float32]:
        """Return the features of images, one row each, in their order.

        Parameters
        ----------
        images : iterable
            Paths, contents of files (bytes), binary file objects, PIL images or uint8 arrays H×W,
            H×W×3 (RGB) or H×W×4 (RGBA).
        on_error : {"raise", "skip"}
            What to do about an image that cannot be used: raise its ImageError, or leave out
            its row.
        errors : list, optional
            With "skip", ``(position, name, reason)`` is appended for each image left out. Without
            a list there is a warning, since the rows no longer match `images`.
        progress : None, True or callable(done, total)
            True shows a bar on standard error; total is None if `images` has no length.

        Returns
        -------
        (n, width) float32 array

        Raises
        ------
        ImageError
            An image cannot be used, with "raise".
        TypeError
            `images` is one image rather than several.
        """
        if on_error not in ("raise", "skip"):
            raise ValueError(f"on_error must be 'raise' or 'skip', got {on_error!r}")
        total = len(images) if isinstance(images, Sized) else None
        failed = [] if errors is None else errors
        before = len(failed)

        def rows() -> Generator[Vector]:
            results = self.embed_iter(images)
            with contextlib.closing(results), reporting(progress, total, "images") as report:
                for position, result in results:
                    if not isinstance(result, ImageError):
                        yield result
                    elif on_error == "raise":
                        raise result
                    else:
                        failed.append((position, result.name, result.reason))
                    report(position + 1)

        with contextlib.closing(rows()) as made:
            row = np.dtype((np.float32, (self.width,)))
            features: Vector = np.fromiter(made, row)
        if errors is None and len(failed) > before:
            position, name, reason = failed[0]
            warnings.warn(
                f"{len(failed)} images were left out and rows do not match `images`; the first is "
                f"number {position}, {ImageError(name, reason)}. Pass errors=[] to collect them.",
                stacklevel=2,
            )
        return features

    def embed_iter(self, images: Iterable[ImageSource]) -> Results:
        """Yield ``(position, features or ImageError)`` for each image, in order.

        At most `batch_size` images are in work, however many there are. Closing the iterator ends
        its threads.

        Raises
        ------
        TypeError
            `images` is one image rather than several.
        """
        if isinstance(images, (str, bytes, os.PathLike, Image.Image)) or (
            # An H×W×3 array would pass for H gray images of W×3.
            isinstance(images, np.ndarray) and images.ndim < 4
        ):
            kind = type(images).__name__
            raise TypeError(f"images must be several images, got one {kind}; put it in a list")
        return self._embed_iter(images)

    def _embed_iter(self, images: Iterable[ImageSource]) -> Results:
        chunk = max(1, min(CHUNK, self.batch_size // self.threads))
        if isinstance(images, Sized):  # a few images are shared out among all threads
            chunk = max(1, min(chunk, -(-len(images) // self.threads)))
        most_running = max(self.threads, self.batch_size // chunk)
        source = iter(images)
        work = _Work(self._open_session(), self._model, self.preprocessing)
        running: deque[Future[list[Vector | ImageError]]] = deque()
        position = 0
        executor = ThreadPoolExecutor(self.threads, thread_name_prefix="lookalike-embed")
        try:
            while True:
                while len(running) < most_running and (
                    batch := list(itertools.islice(source, chunk))
                ):
                    running.append(executor.submit(work.embed_chunk, batch))
                if not running:
                    return
                for result in running.popleft().result():
                    yield position, result
                    position += 1
        finally:
            work.stop()
            executor.shutdown(cancel_futures=True)

    def _open_session(self) -> onnxruntime.InferenceSession:
        """Return a session of this process; the locks of one from before a fork may be held."""
        with opening():  # by one thread; the others wait for its session
            session = self._session
            if session is None or session[0] != os.getpid():
                session = self._session = os.getpid(), open_session(self._model.content)
        return session[1]


class _Work:
    """What the threads of one call share."""

    def __init__(
        self,
        session: onnxruntime.InferenceSession,
        model: PreparedModel,
        preprocessing: Preprocessing,
    ) -> None:
        self._session = session
        self._at_once = 1 if model.alone else CHUNK
        self._preprocessing = preprocessing
        self._input = session.get_inputs()[0].name
        self._options = onnx_runtime().RunOptions()
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Make running chunks end early; what they return no longer matters."""
        self._stopped.set()
        self._options.terminate = True

    def embed_chunk(self, sources: list[ImageSource]) -> list[Vector | ImageError]:
        crop = self._preprocessing.crop
        inputs = np.empty((len(sources), 3, crop, crop), np.float32)
        failed: dict[int, ImageError] = {}
        for index, source in enumerate(sources):
            if self._stopped.is_set():
                return []
            try:
                picture = open_picture(source, least=self._preprocessing.least_side)
                place = inputs[index - len(failed)]
                self._preprocessing(picture.image, out=place, box=picture.box)
            except ImageError as error:
                failed[index] = error
        used = len(sources) - len(failed)
        rows: Iterator[Vector] = iter(())
        if used:
            rows = itertools.chain.from_iterable(
                self._run(inputs[first : min(first + self._at_once, used)])
                for first in range(0, used, self._at_once)
            )
        return [
            failed[index] if index in failed else _finite(next(rows), source)
            for index, source in enumerate(sources)
        ]

    def _run(self, inputs: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        output = self._session.run(None, {self._input: inputs}, self._options)[0]
        # A copy: memory of ONNX Runtime's is freed under a lock of its own, which a child forked
        # meanwhile would wait for at its end.
        return rows_of(output, self._preprocessing).copy()


def _finite(row: Vector, source: ImageSource) -> Vector | ImageError:
    if np.isfinite(row).all():
        return row
    return ImageError(image_name(source), "the model gave a feature that is not finite")
