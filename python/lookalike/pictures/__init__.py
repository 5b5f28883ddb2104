"""How a file becomes pixels, and what a picture is known by: its hash, its thumbnail, its facts."""

__all__ = ["DECODING"]

DECODING = "2"
"""The name of the rules by which a picture becomes pixels: features of pictures that became so by
other rules may not be compared with these."""
