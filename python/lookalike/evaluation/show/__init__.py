"""An evaluation as tables, charts, a page and files."""
