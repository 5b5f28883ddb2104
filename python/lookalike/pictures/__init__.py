"""How a file becomes pixels, and what a picture is known by: its hash, its thumbnail, its facts."""

__all__ = ["DECODING"]

DECODING = "2"
"""Which rules make a picture of a file: what is computed from pixels by other rules differs."""
