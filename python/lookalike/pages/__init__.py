"""HTML pages: one file each, with all that it needs inside."""
