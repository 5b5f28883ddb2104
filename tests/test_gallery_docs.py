"""The examples of docs/gallery.md run and print what it says."""

import doctest
import re
from pathlib import Path

from tiny_embedder import write_image

DOCUMENT = Path(__file__).parents[1] / "docs" / "gallery.md"


def test_examples(tmp_path, monkeypatch):
    for i, name in enumerate(["cats/1.png", "cats/2.png", "dogs/1.png", "dogs/2.png"]):
        write_image(tmp_path / "photos" / name, i)
    (tmp_path / "photos" / "broken.jpg").write_bytes(b"broken")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```pycon\n(.*?)^```", DOCUMENT.read_text(), re.DOTALL | re.MULTILINE)
    examples = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, DOCUMENT.name, None, 0)
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    results = doctest.DocTestRunner(optionflags=options).run(examples)
    assert results.attempted > 10
    assert results.failed == 0
