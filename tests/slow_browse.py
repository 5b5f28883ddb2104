"""Serve GALLERY as `lookalike browse` does, by a network that reads photos as GATE lets them."""

import sys
from pathlib import Path

from lookalike.browse.server import serve
from tiny_embedder import Gate, TinyEmbedder

gallery, gate = sys.argv[1:]
serve(
    gallery,
    lambda: TinyEmbedder(seconds=0.02, gate=Gate(Path(gate))),
    lambda address: print(address, flush=True),
    open_browser=False,
)
