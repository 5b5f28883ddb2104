"""Galleries of rows without photos, for the tests of several files."""

import lookalike as la

DIM = 6


def names(n, first=0):
    return [f"photo {i}" for i in range(first, first + n)]


def filled(folder, rows, **options):
    gallery = la.Gallery.create(folder, dim=rows.shape[1], space="s")
    gallery.add(rows, paths=names(len(rows)), **options)
    return gallery
