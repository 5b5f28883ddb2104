"""Serve GALLERY as `lookalike browse` does, by a network that takes SECONDS for each photo."""

import sys

from lookalike.browse.server import serve
from tiny_embedder import TinyEmbedder

gallery, seconds = sys.argv[1:]
serve(
    gallery,
    lambda: TinyEmbedder(seconds=float(seconds)),
    lambda address: print(address, flush=True),
    open_browser=False,
)
