"""Duplicates of a gallery into the trash and back, in Python and on the command line."""

import os
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import click
import pytest

import lookalike as la
from command_line import call
from lookalike import GalleryError
from lookalike.duplicates import Rules
from lookalike.gallery.storage.catalogue_file import FILE_NAME
from lookalike.trash import moves
from tiny_embedder import WIDTH, TinyEmbedder, write_image
from trashing import in_trash

pytestmark = pytest.mark.usefixtures("own_trash")


@pytest.fixture
def photos(tmp_path):
    """Three pictures in an album, and copies of two of them elsewhere."""
    for i in range(3):
        write_image(tmp_path / "photos/album" / f"{i}.png", i)
    for i in range(2):
        copied = shutil.copy2(tmp_path / f"photos/album/{i}.png", tmp_path / f"copy-{i}")
        (tmp_path / "photos/more").mkdir(exist_ok=True)
        shutil.move(copied, tmp_path / f"photos/more/a copy of {i}, with a long name.png")
    return tmp_path / "photos"


@pytest.fixture
def gallery(photos, tmp_path):
    with la.Gallery.create(tmp_path / "gallery", dim=WIDTH) as made:
        made.add(photos, embedder=TinyEmbedder())
        yield made


def trash(gallery, **options):
    return gallery.trash(gallery.find_duplicates(exact=True), **options)


def names(gallery):
    return sorted(os.path.basename(path) for path in gallery.paths)


def states(gallery):
    path = os.path.join(gallery.path, FILE_NAME)
    with closing(sqlite3.connect(path)) as catalogue:
        return [state for (state,) in catalogue.execute("SELECT state FROM decisions")]


def test_copies_go_and_come_back(gallery, photos):
    before = sorted(photos.rglob("*.png"))
    outcome = trash(gallery)
    assert len(outcome.moved) == 2
    assert outcome.left == []
    assert len(in_trash()) == 2
    assert names(gallery) == ["0.png", "1.png", "2.png"]
    assert gallery.roots == [str(photos)]
    assert gallery.search(row=0, k=3).paths
    assert gallery.update().unchanged == 3
    assert sorted(gallery.undo().moved) == sorted(outcome.moved)
    assert sorted(photos.rglob("*.png")) == before
    assert gallery.update(embedder=TinyEmbedder()).added == 2
    assert states(gallery) == ["undone", "undone"]
    assert (gallery.undo().moved, gallery.undo().left) == ([], [])
    assert la.check_gallery(gallery.path).ok


def test_ctrl_c_falls_between_two_files(gallery):
    outcome = moves.Outcome()

    def interrupt(done, total):
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trash(gallery, outcome=outcome, progress=interrupt)
    assert len(outcome.moved) == len(in_trash()) == 1
    assert len(gallery.paths) == 4
    assert states(gallery) == ["done"]
    assert len(trash(gallery).moved) == 1
    assert len(gallery.undo().moved) == len(gallery.undo().moved) == 1


def test_what_changed_since_it_was_indexed_stays(gallery, photos):
    for path in (photos / "more").iterdir():
        os.utime(path, ns=(1, 1))
    found = gallery.find_duplicates(exact=True)
    assert found.remove == []
    gallery.update(embedder=TinyEmbedder())
    found = gallery.find_duplicates(exact=True)
    for path in found.remove:
        os.utime(path, ns=(2, 2))
    outcome = gallery.trash(found)
    assert [why for _, why in outcome.left] == ["has changed since it was indexed"] * 2
    assert in_trash() == []
    assert len(gallery) == 5


def test_duplicates_of_another_state_are_refused(gallery, photos):
    found = gallery.find_duplicates(exact=True)
    gallery.remove(found.keep[0])
    with pytest.raises(GalleryError, match="has changed since its duplicates were found"):
        gallery.trash(found)
    assert in_trash() == []
    with la.Gallery.open(gallery.path, mode="r") as reader:
        again = reader.find_duplicates(exact=True)
        with pytest.raises(GalleryError, match="to read only"):
            reader.trash(again)


@pytest.mark.parametrize("which", ["goer", "keeper"])
def test_duplicates_of_other_contents_are_refused(gallery, photos, which):
    rules = Rules(prefer=[photos / "more"]) if which == "keeper" else None
    found = gallery.find_duplicates(exact=True, rules=rules)
    assert len(found.remove) == 2
    last = gallery.paths[-1]  # what is updated goes to the end, where this is already
    assert last in (found.keep if which == "keeper" else found.remove)
    write_image(Path(last), 77)  # a picture of its own now
    gallery.update(embedder=TinyEmbedder())
    assert gallery.paths[-1] == last
    with pytest.raises(GalleryError, match="has changed since its duplicates were found"):
        gallery.trash(found)
    assert in_trash() == []


def test_protected_folders(gallery, photos, tmp_path):
    (tmp_path / "link").symlink_to(photos)
    outcome = trash(gallery, protect=[tmp_path / "link"])
    assert [why for _, why in outcome.left] == ["is protected"] * 2


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("{}.xmp", ".xmp beside it, not beside the one to keep"),
        ("{}.png.json", ".json beside it, not beside the one to keep"),
        ("{}.mov", "no QuickTime file, or one cut short"),
        (None, "in a photo library"),
    ],
)
def test_what_lies_beside_a_copy_asks_for_a_look(gallery, photos, name, why):
    copied = sorted((photos / "more").iterdir())
    if name is None:
        (photos / "more").rename(photos / "A.photoslibrary")
        (photos / "A.photoslibrary" / "originals").mkdir()
        for path in (photos / "A.photoslibrary").glob("*.png"):
            path.rename(path.parent / "originals" / path.name)
        gallery.update(embedder=TinyEmbedder())
    else:
        for path in copied:
            path.with_name(name.format(path.stem)).write_text("edits")
    found = gallery.find_duplicates(exact=True)
    assert (found.remove, len(found.look)) == ([], 2)
    for group in found.groups:
        assert group.others[0].reason.endswith(why)
        assert group.winnable == 0


def test_a_journal_that_is_damaged_is_named(gallery):
    trash(gallery)
    path = os.path.join(gallery.path, FILE_NAME)
    with closing(sqlite3.connect(path)) as catalogue, catalogue:
        catalogue.execute("UPDATE decisions SET detail = '{' WHERE id = 1")
    with pytest.raises(GalleryError, match="is damaged: entry 1"):
        gallery.undo()


def test_different_pictures_are_remembered_by_content(gallery, photos, tmp_path):
    one, other = photos / "album/0.png", photos / "album/1.png"
    assert gallery.note_different(one, other)
    assert not gallery.note_different(other, one)
    shutil.copy(one, tmp_path / "elsewhere.png")
    assert not gallery.note_different(other, tmp_path / "elsewhere.png")
    with pytest.raises(ValueError, match="have the same content"):
        gallery.note_different(one, tmp_path / "elsewhere.png")
    with pytest.raises(FileNotFoundError):
        gallery.note_different(one, tmp_path / "none.png")


class TestCommandLine:
    """``duplicates --trash``, ``undo`` and ``duplicates --different``."""

    @pytest.fixture
    def lookalike(self, gallery, tmp_path, monkeypatch, capfdbinary):
        gallery.close()
        monkeypatch.chdir(tmp_path)
        return lambda *arguments: call(arguments, monkeypatch, capfdbinary)

    def answer(self, monkeypatch, text):
        """Let there be a terminal on which a person answers."""

        class Terminal:
            def isatty(self):
                return True

            def readline(self, *_):
                return f"{text}\n"

        monkeypatch.setattr(sys, "stdin", Terminal())

    def test_nobody_is_asked_without_a_terminal(self, lookalike):
        refused = lookalike("duplicates", "gallery", "--exact", "--trash")
        assert refused.code == 2
        assert "--yes goes ahead without asking" in refused.err
        assert in_trash() == []

    @pytest.mark.parametrize(("text", "moved"), [("", 0), ("n", 0), ("y", 2)])
    def test_a_person_is_asked(self, lookalike, monkeypatch, text, moved):
        self.answer(monkeypatch, text)
        monkeypatch.setattr("click.termui.visible_prompt_func", lambda prompt="": text)
        done = lookalike("duplicates", "gallery", "--exact", "--trash")
        assert done.code == 0
        rows = [line.split("\t") for line in done.out.splitlines()]
        assert [row[0] for row in rows] == ["trash", "trash"]
        assert all(row[-1].startswith("stays: photos/album/") for row in rows)
        assert len(in_trash()) == moved
        assert ("Nothing has been moved." in done.err) == (moved == 0)

    @pytest.mark.parametrize(("text", "moved"), [("n", 0), ("y", 2)])
    def test_with_json_a_person_sees_the_list_on_standard_error(
        self, lookalike, monkeypatch, text, moved
    ):
        self.answer(monkeypatch, text)

        def asked(prompt=""):
            click.echo("asked", file=sys.stderr)
            return text

        monkeypatch.setattr("click.termui.visible_prompt_func", asked)
        done = lookalike("duplicates", "gallery", "--exact", "--trash", "--json")
        rows = [line.split("\t") for line in done.err.splitlines() if line.startswith("trash\t")]
        assert len(rows) == 2
        assert all(row[-1].startswith("stays: photos/album/") for row in rows)
        assert done.err.rindex("trash\t") < done.err.index("asked")
        assert len(in_trash()) == moved
        assert (len(done.json["trashed"]) if done.out else 0) == moved

    def test_there_and_back(self, lookalike, photos):
        done = lookalike("duplicates", "gallery", "--exact", "--trash", "--yes")
        assert (done.code, len(in_trash())) == (0, 2)
        assert "2 files moved to the trash (364 bytes); `lookalike undo` takes" in done.err
        again = lookalike("duplicates", "gallery", "--exact", "--trash", "--yes")
        assert (again.code, again.out) == (0, "")
        assert "There is nothing to move." in again.err
        back = lookalike("undo", "gallery")
        assert (back.code, len(back.out.splitlines())) == (0, 2)
        assert in_trash() == []
        nothing = lookalike("undo", "gallery")
        assert (nothing.code, nothing.out) == (0, "")
        assert "Nothing is in the trash" in nothing.err

    def test_json_and_what_is_left(self, lookalike, photos, own_trash):
        done = lookalike("duplicates", "gallery", "--exact", "--trash", "--yes", "--json")
        assert len(done.json["trashed"]) == 2
        assert done.json["bytes"] > 0
        occupied, emptied = done.json["trashed"]
        write_image(photos.parent / os.path.relpath(occupied, photos.parent), 9)
        for info in (own_trash / "info").iterdir():
            if os.path.basename(emptied) == info.name.removesuffix(".trashinfo"):
                (own_trash / "files" / info.name.removesuffix(".trashinfo")).unlink()
        back = lookalike("undo", "gallery", "--json")
        assert back.code == 1
        assert back.json["restored"] == []
        assert sorted((each["path"], each["reason"]) for each in back.json["left"]) == sorted(
            [
                (occupied, "something lies there now; it stays in the trash"),
                (emptied, "is no longer in the trash"),
            ]
        )
        assert "2 files left alone:" in lookalike("undo", "gallery").err

    def test_ctrl_c(self, lookalike, monkeypatch):
        inner, calls = moves._move, []

        def interrupted(*arguments):
            inner(*arguments)
            calls.append(1)
            raise KeyboardInterrupt

        monkeypatch.setattr(moves, "_move", interrupted)
        done = lookalike("duplicates", "gallery", "--exact", "--trash", "--yes")
        assert (done.code, len(in_trash())) == (130, 1)
        assert "interrupted; 1 file moved to the trash" in done.err

    def test_no_trash_is_one_line(self, lookalike, monkeypatch, tmp_path):
        monkeypatch.setenv("XDG_DATA_HOME", "relative")
        done = lookalike("duplicates", "gallery", "--exact", "--trash", "--yes")
        assert done.code == 1
        assert done.err == "lookalike: XDG_DATA_HOME must be an absolute path, got 'relative'\n"

    @pytest.mark.parametrize(
        "options",
        [["--yes"], ["--trash", "--yes", "--list", "remove"], ["--different", "a", "b"]],
    )
    def test_wrong_usage(self, lookalike, options):
        assert lookalike("duplicates", "gallery", *options).code == 2

    def test_different(self, lookalike):
        pair = ["photos/album/0.png", "photos/album/1.png"]
        assert (
            "are different pictures" in lookalike("duplicates", "gallery", "--different", *pair).err
        )
        assert "noted already" in lookalike("duplicates", "gallery", "--different", *pair).err
        assert "compared again" in lookalike("duplicates", "gallery", "--same", *pair).err
        assert "Nothing was noted" in lookalike("duplicates", "gallery", "--same", *pair).err
        both = lookalike("duplicates", "gallery", "--same", *pair, "--different", *pair)
        assert (both.code, both.err.count("\n")) == (2, 1)


def test_killed_before_the_outcome_is_known_undo_finds_it(gallery, monkeypatch):
    """The rows that a killed process leaves behind: two intents, one move."""
    from lookalike.gallery.upkeep.trash import CatalogueJournal

    def dies(*_):
        raise SystemExit  # nothing catches it on the way

    with monkeypatch.context() as patch:
        patch.setattr(CatalogueJournal, "settle", dies)
        with pytest.raises(SystemExit):
            trash(gallery)
    assert states(gallery) == ["intended"]
    assert len(in_trash()) == 1
    assert len(trash(gallery).moved) == 1
    assert states(gallery) == ["done", "done"]
    assert len(gallery) == 3
    batches = [gallery.undo().moved for _ in range(3)]
    assert [len(moved) for moved in batches] == [1, 1, 0]
