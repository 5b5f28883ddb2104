"""Files into the system's trash and back, each step written to a journal before it is taken.

``moves.py`` does the one, ``undo.py`` the other. Nothing here knows what a duplicate is, nor where
the journal is kept.
"""
