"""How a file becomes pixels, and what a picture is known by: its hash, its thumbnail, its facts."""
