"""How photos and arrays come into a gallery."""
