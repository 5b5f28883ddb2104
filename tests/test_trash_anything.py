"""Whatever happens between list and trash, and between trash and undo: nothing is lost."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.trash.files import Removal
from lookalike.trash.moves import NoTrashError, move_to_trash
from lookalike.trash.undo import bring_back
from trashing import FileJournal, contents_below, facts, write

pytestmark = pytest.mark.usefixtures("own_trash")

CHANGES = st.sampled_from(["none", "none", "write", "touch", "delete", "link", "hard", "swap"])
NAMES = ["a.jpg", "a.xmp", "a.jpg.json", "b.jpg", "b.mov", "c.jpg", "c.xmp", "d/a.jpg", "d/c.jpg"]


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from("xyz")), unique_by=lambda x: x[0]),
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=12),
    st.lists(st.tuples(st.integers(0, 8), CHANGES), max_size=4),
    st.lists(st.tuples(st.sampled_from(NAMES), CHANGES), max_size=3),
)
def test_every_content_is_somewhere_whatever_happens(files, pairs, changes, later):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(os.path.realpath(name))
        trash = Path(os.environ["XDG_DATA_HOME"], "Trash")
        shutil.rmtree(trash, ignore_errors=True)
        there = [write(folder / "photos" / name, content) for name, content in files]
        removals = [
            Removal(facts(there[i % len(there)]), facts(there[j % len(there)]))
            for i, j in pairs
            if there
        ]
        for i, change in changes:
            if there:
                happen(there[i % len(there)], change)
        before = contents_below(folder / "photos")
        links = {path: os.readlink(path) for path in folder.rglob("*") if path.is_symlink()}
        journal = FileJournal(folder / "journal")
        try:
            outcome = move_to_trash(removals, journal)
        except NoTrashError:
            raise AssertionError("there is a trash") from None
        after = contents_below(folder / "photos")
        assert after | contents_below(trash / "files") >= before
        for path in outcome.moved:
            keepers = [keeper for keeper, goer in removals if goer.path == path]
            # What stays in its place is there, with the content it was chosen for.
            assert not keepers or any(is_as_it_was(keeper) for keeper in keepers)
        assert links == {path: os.readlink(path) for path in folder.rglob("*") if path.is_symlink()}
        assert not journal.entries("intended")
        for path, change in later:
            happen(folder / "photos" / path, change)
        kept = contents_below(folder / "photos")
        in_it = contents_below(trash / "files")
        back = bring_back(journal)
        assert contents_below(folder / "photos") >= kept
        assert contents_below(folder / "photos") | contents_below(trash / "files") >= kept | in_it
        assert len(back.moved) + len(back.left) == len(outcome.moved)


def is_as_it_was(keeper):
    return os.path.isfile(keeper.path) and facts(keeper.path) == keeper


def happen(path, change):
    """Let something happen to a file, by another program."""
    if change == "write":
        if path.is_dir():
            return
        write(path, f"new {path.name}")
    elif not path.is_file():
        return
    elif change == "touch":
        os.utime(path, ns=(5, 5))
    elif change == "delete":
        path.unlink()
    elif change == "link":
        path.rename(path.with_name(f"{path.name}.real"))
        path.symlink_to(f"{path.name}.real")
    elif change == "hard":
        path.with_name(f"{path.name}.hard").unlink(missing_ok=True)
        os.link(path, path.with_name(f"{path.name}.hard"))
    elif change == "swap":
        write(path.with_name("new"), path.read_bytes()).rename(path)
