"""The server: its routes, and one run of it on 127.0.0.1."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from lookalike.browse import (
    alike,
    duplicates,
    duplicates_moves,
    evaluation,
    files,
    index_page,
    photos,
    search,
)
from lookalike.browse.answers import threaded
from lookalike.browse.duplicates import posted
from lookalike.browse.duplicates_found import Worklist
from lookalike.browse.indexing import Indexing
from lookalike.browse.opening import opened
from lookalike.browse.safety import Access, Safety
from lookalike.browse.state import State

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from lookalike.embedding.embedder import Embedder

__all__ = ["application", "serve"]

HOST = "127.0.0.1"
STATIC = Path(__file__).with_name("static")


def application(state: State, access: Access, port: int) -> ASGIApp:
    """Return what answers requests.

    Parameters
    ----------
    state : State
        The gallery.
    access : Access
        The secrets of this run.
    port : int
        Where it is asked.
    """
    app = Starlette(
        routes=[
            Route("/", threaded(photos.photos)),
            Route("/photo/{row:int}", threaded(alike.photo)),
            Route("/together", threaded(alike.several)),
            Route("/found/{name}", threaded(search.found)),
            Route("/found/{name}/picture", threaded(search.found_picture)),
            Route("/duplicates", threaded(duplicates.duplicates)),
            Route("/distances", threaded(evaluation.distances)),
            Route("/distances/photos", threaded(evaluation.found_by)),
            Route("/index", threaded(index_page.index)),
            Route("/index/failures", threaded(index_page.failures)),
            Route("/thumb/{row:int}", threaded(files.thumb)),
            Route("/file/{row:int}", threaded(files.file)),
            Route("/api/order", threaded(photos.order)),
            Route("/api/choices", threaded(photos.choices)),
            Route("/api/facts", threaded(photos.facts)),
            Route("/api/alike", threaded(alike.alike)),
            Route("/api/duplicates", threaded(duplicates.worklist)),
            Route("/api/duplicates/group", threaded(duplicates.group)),
            Route("/api/duplicates/mark", posted(duplicates.mark), methods=["POST"]),
            Route("/api/duplicates/different", posted(duplicates.different), methods=["POST"]),
            Route("/api/duplicates/rules", posted(duplicates.rules), methods=["POST"]),
            Route("/api/duplicates/review", threaded(duplicates_moves.review)),
            Route("/api/duplicates/moves", threaded(duplicates_moves.moves)),
            Route("/api/duplicates/trash", posted(duplicates_moves.trash), methods=["POST"]),
            Route("/api/duplicates/undo", posted(duplicates_moves.undo), methods=["POST"]),
            Route("/api/evaluation", threaded(evaluation.judged)),
            Route("/api/evaluation/photos", threaded(evaluation.found_rows)),
            Route("/api/search", search.search, methods=["POST"]),
            Route("/api/index", threaded(index_page.contents)),
            Route("/api/index/events", index_page.events),
            Route("/api/index/start", index_page.start, methods=["POST"]),
            Route("/api/index/stop", index_page.stop, methods=["POST"]),
            Route("/api/index/patterns", index_page.patterns, methods=["POST"]),
            Mount("/static", StaticFiles(directory=STATIC)),
        ]
    )
    app.state.browse = state
    app.state.indexing = Indexing(state)
    app.state.access = access
    app.state.duplicates = Worklist(state)
    return Safety(app, access, port, state.read_only)


def serve(
    gallery: str,
    network: Callable[[], Embedder | None],
    say: Callable[[str], object],
    *,
    port: int = 0,
    open_browser: bool = True,
    read_only: bool = False,
) -> None:
    """Serve a gallery until Ctrl-C.

    Parameters
    ----------
    gallery : str
        Its folder.
    network : callable
        Returns the network to search pictures with, None for the gallery's own.
    say : callable
        Is told the address, once it is answered.
    port : int
        0 takes a free one.
    open_browser : bool
    read_only : bool
        Whether nothing may be changed.

    Raises
    ------
    OSError
        The port is taken.
    GalleryError
        The gallery cannot be opened.
    """
    state = State(gallery, network, read_only)
    # Without the protocol asyncio would leave Nagle's algorithm on: 40 ms more for every answer.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, port))
            listening.listen(128)
        except OSError as error:
            raise OSError(error.errno, f"port {port}: {error.strerror}") from error
        port = listening.getsockname()[1]
        access = Access()
        config = uvicorn.Config(
            application(state, access, port),
            http="h11",
            loop="asyncio",
            ws="none",
            lifespan="off",
            log_level="critical",
            access_log=False,
            server_header=False,
            proxy_headers=False,
        )
        address = f"http://{HOST}:{port}/?key={access.key}"
        opening = opened(address, lambda: access.entered)
        with opening if open_browser else contextlib.nullcontext():
            say(address)
            Server(config).run([listening])
    state.close()
    others = [each for each in threading.enumerate() if each is not threading.current_thread()]
    for each in others:
        each.join(0.3)
    if any(each.is_alive() for each in others):
        sys.stdout.flush()
        os._exit(0)  # one that is deep in something would be waited for, or end in a crash


class Server(uvicorn.Server):
    """One that ends at once, without waiting for browsers, and in peace."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Have Ctrl-C and a request to end the process end the server alone."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        kinds = (signal.SIGINT, signal.SIGTERM)
        before = {kind: signal.signal(kind, self.handle_exit) for kind in kinds}
        try:
            yield
        finally:
            for kind, handler in before.items():
                signal.signal(kind, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End now."""
        self.should_exit = self.force_exit = True
