"""Indexes beside the features: what searches by one distance need, kept from process to process.

A file has codes, not rows: these stay in the features of its generation, and the file goes with
them. Only the gallery's writer writes it, whole, behind a change of rows. Rows that came after it
was written are searched beside it until they are many. It can be made again at any time, and no
answer depends on it: where it is missing, damaged or of other rows, all rows are searched.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
import warnings
import zlib
from collections.abc import Collection, Iterator
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.distance import ALL_METRICS, cpu_info, knn
from lookalike.distance.arguments import RowError
from lookalike.distance.index_file import (
    IndexFileError,
    OtherRowsError,
    OtherVersionError,
    Said,
    read,
    said_of_rows,
)
from lookalike.distance.metric_names import CanonicalName
from lookalike.distance.metrics import Metric
from lookalike.distance.results import Neighbors
from lookalike.files import reason
from lookalike.gallery.storage import features_file
from lookalike.gallery.storage.errors import GalleryError
from lookalike.gallery.storage.records import Header

if TYPE_CHECKING:
    from lookalike.distance.index import Index
    from lookalike.gallery.storage.catalogue import Catalogue

__all__ = ["DEFAULT", "Indexes", "KeptIndex", "kept", "problems", "renew"]

DEFAULT: Final[tuple[CanonicalName, ...]] = ("correlation",)
"""The metrics that an index is kept for unless a person has said otherwise: that of searches."""
LEAST_BYTES = 64 << 20
"""The first search of a process in features of fewer bytes is as fast without."""
MOST_BEHIND = 16
"""An index is written again when the rows behind it are more than one in so many of its own."""
NAME = re.compile(r"\.?features-\d+\.([a-z]+)\.index(?:\..*\.part)?")


class KeptIndex(NamedTuple):
    """An index that is kept, or wanted.

    Attributes
    ----------
    metric : str
        The distance that it is for.
    rows : int
        How many of the gallery's images are in it; later ones are searched beside it. 0: it is yet
        to be made.
    bytes : int
        Its size on disk.
    """

    metric: str
    rows: int
    bytes: int


class Indexes:
    """The indexes of one state of a gallery, each opened when it is first needed.

    Parameters
    ----------
    catalogue, header : Catalogue, Header
        Those of the state.
    features : (n, d) array
        Its rows, in a file; no row is dead.
    """

    def __init__(
        self, catalogue: Catalogue, header: Header, features: npt.NDArray[np.float32]
    ) -> None:
        self._catalogue = catalogue
        self._header = header
        self._features = features
        self._opened: dict[str, Index | None] = {}
        self._opening = threading.Lock()

    def knn(
        self,
        queries: npt.ArrayLike,
        k: int,
        metric: Metric,
        exclude: npt.ArrayLike | None,
    ) -> Neighbors:
        """Return the nearest of all rows, by an index if one is kept; the answers are the same."""
        # Without queries an index would find its rows among themselves.
        index = None if queries is None else self._find(metric)
        if index is not None:
            with self._giving_up(metric.name):
                return index.knn(queries, k, exclude=exclude)
        return knn(queries, self._features, k=k, metric=metric, exclude=exclude)

    def _find(self, metric: Metric) -> Index | None:
        if not pays(self._header) or metric.missing or metric != Metric(metric.name):
            return None
        name = metric.name
        if name not in self._opened:
            with self._opening:
                if name not in self._opened:
                    self._opened[name] = None  # for threads that search meanwhile
                    with self._giving_up(name):
                        self._opened[name] = self._open(name)
        return self._opened[name]

    def _open(self, metric: str) -> Index | None:
        from lookalike.distance.apart import open_apart

        path = file_path(os.path.dirname(self._catalogue.path), self._header.generation, metric)
        known = partial(_known, self._catalogue, self._header, metric)
        with contextlib.suppress(FileNotFoundError, OtherVersionError, OtherRowsError):
            return open_apart(path, self._features, known)
        return None

    @contextlib.contextmanager
    def _giving_up(self, metric: str) -> Iterator[None]:
        """Go on without an index that cannot be read or is damaged, with a word about it."""
        try:
            yield
        except (IndexFileError, OSError) as error:
            self._opened[metric] = None
            said = f"{error.filename}: {reason(error)}" if isinstance(error, OSError) else error
            warnings.warn(
                f"{said}; it is searched without this index: `lookalike check` says more",
                stacklevel=2,
            )


def file_path(folder: str, generation: int, metric: str) -> str:
    """Return the path of a metric's index of a generation."""
    return os.path.join(folder, f"features-{generation}.{metric}.index")


def pays(header: Header) -> bool:
    """Tell whether a gallery is so large that an index is kept of it."""
    return header.rows * header.dim * features_file.FLOAT.itemsize >= LEAST_BYTES


def renew(
    folder: str, catalogue: Catalogue, header: Header, metrics: Collection[CanonicalName]
) -> list[str]:
    """Bring the indexes of a gallery up to its rows, by its writer; return what went wrong.

    Those of other metrics are deleted, and so is what a killed writer has left.
    """
    wanted = metrics if pays(header) else ()
    for name, metric in _files(folder):
        if name.endswith(".part") or metric not in wanted:
            os.unlink(os.path.join(folder, name))
    wrong = []
    for metric in wanted if catalogue.size()[0] == header.rows else ():
        try:
            _renew(folder, catalogue, header, metric)
        except (GalleryError, OSError, MemoryError) as error:
            why = reason(error) if isinstance(error, OSError) else str(error) or "no memory"
            wrong.append(
                f"no index for {metric} could be written ({why}): searches are as exact without "
                "it, and slower"
            )
    return wrong


def _renew(folder: str, catalogue: Catalogue, header: Header, metric: CanonicalName) -> None:
    from lookalike.distance.apart import save_apart
    from lookalike.distance.index import Index

    path = file_path(folder, header.generation, metric)
    features = features_file.map_rows(folder, header.generation, header.rows, header.dim)
    with contextlib.suppress(IndexFileError):  # damaged: made again
        rows = _rows_in(path, catalogue, header, metric)
        if rows and header.rows - rows <= rows // MOST_BEHIND:
            read(path, lambda said: features[:rows])  # all but the codes
            return
    for row, crc in catalogue.checksums():
        if zlib.crc32(features[row]) != crc:  # codes of it would be of what nobody wrote
            raise GalleryError(f"row {row} is damaged, as `lookalike check` says")
    with contextlib.suppress(RowError):  # this metric cannot compare them
        save_apart(Index(features, metric), path, _said(catalogue, header, metric, header.rows))


def kept(
    folder: str, catalogue: Catalogue, header: Header, metrics: Collection[CanonicalName]
) -> list[KeptIndex]:
    """Return the indexes for these metrics, those among them that are yet to be made."""
    found = []
    for metric in metrics if pays(header) else ():
        rows = size = 0
        path = file_path(folder, header.generation, metric)
        with contextlib.suppress(IndexFileError, OSError):
            rows = _rows_in(path, catalogue, header, metric)
            size = os.stat(path).st_size
        found.append(KeptIndex(metric, rows, size))
    return found


def problems(folder: str, catalogue: Catalogue, header: Header) -> Iterator[tuple[str, str]]:
    """Read all indexes of a gallery; yield path and reason of those that are damaged."""
    from lookalike.distance.apart import damage_of, open_apart

    for name, metric in _files(folder):
        path = os.path.join(folder, name)
        if path != file_path(folder, header.generation, metric):
            continue
        try:
            if rows := _rows_in(path, catalogue, header, metric):
                features = features_file.map_rows(folder, header.generation, rows, header.dim)
                known = partial(_known, catalogue, header, metric)
                if found := damage_of(open_apart(path, features, known)):
                    yield path, found
        except (OtherRowsError, FileNotFoundError, GalleryError):
            continue  # a writer has gone on meanwhile, or the features themselves are damaged
        except IndexFileError as error:
            yield path, str(error).removeprefix(f"{path} is damaged: ")
        except OSError as error:
            yield path, reason(error)


def _rows_in(path: str, catalogue: Catalogue, header: Header, metric: str) -> int:
    """Return how many of the gallery's rows an index is of; 0 if there is none, or another."""
    try:
        return _known(catalogue, header, metric, said_of_rows(path))
    except (FileNotFoundError, OtherVersionError):
        return 0


def _known(catalogue: Catalogue, header: Header, metric: str, said: Said | None) -> int:
    """Return of how many of the gallery's rows, for a metric, something has been said, or 0."""
    rows = said.get("rows") if isinstance(said, dict) else None
    if not isinstance(rows, int) or not 0 < rows <= header.rows:
        return 0
    return rows if said == _said(catalogue, header, metric, rows) else 0


def _said(catalogue: Catalogue, header: Header, metric: str, rows: int) -> Said:
    """Return what tells the first rows from all others, and for which CPUs their codes are."""
    cpu = cpu_info()
    return {
        "metric": metric,
        "rows": rows,
        "dim": header.dim,
        "space": header.space,
        "generation": header.generation,
        "checksum": catalogue.features_checksum(rows),
        "simd": " ".join([cpu["simd"], *sorted(cpu["extensions"])]),
    }


def _files(folder: str) -> list[tuple[str, str]]:
    """Return the files that are indexes, or were to be, and their metrics."""
    found = [(name, NAME.fullmatch(name)) for name in sorted(os.listdir(folder))]
    return [(name, match[1]) for name, match in found if match and match[1] in ALL_METRICS]
