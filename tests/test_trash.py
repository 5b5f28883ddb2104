"""Into the trash and back: what is moved, what is left alone and why, nothing ever lost."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

import lookalike.trash.moves as moves
import lookalike.trash.places as places
from lookalike.trash.moves import NoTrashError, move_to_trash, settle_interrupted
from lookalike.trash.undo import bring_back
from trashing import FileJournal, in_trash, removal, write

pytestmark = pytest.mark.usefixtures("own_trash")


@pytest.fixture
def pair(tmp_path):
    """Two photos of one content."""
    return [write(tmp_path / "photos" / name, "same") for name in ("kept.jpg", "goes.jpg")]


@pytest.fixture
def journal(tmp_path):
    return FileJournal(tmp_path / "journal")


def left(journal, *removals, **options):
    """Why each file was left; none was moved."""
    outcome = move_to_trash(removals, journal, **options)
    assert outcome.moved == []
    assert in_trash() == []
    assert not journal.entries("intended") + journal.entries("done")
    return [reason for _, reason in outcome.left]


def test_a_file_goes_and_comes_back_as_it_was(pair, journal, tmp_path):
    os.utime(pair[1], ns=(1, 1_234_567_890_123_456_789))
    counts = []
    outcome = move_to_trash(
        [removal(*pair)], journal, progress=lambda done, total: counts.append((done, total))
    )
    assert (outcome.moved, outcome.bytes, outcome.left) == ([str(pair[1])], 4, [])
    assert counts == [(0, 1), (1, 1)]
    assert not pair[1].exists()
    assert in_trash() == ["goes.jpg"]
    (entry,) = journal.entries("done")
    assert os.path.samefile(entry.detail["place"], Path(entry.detail["trash"], "files/goes.jpg"))
    shutil.rmtree(tmp_path / "photos")
    back = bring_back(journal)
    assert (back.moved, back.bytes, back.left) == ([str(pair[1])], 4, [])
    assert pair[1].read_text() == "same"
    assert pair[1].stat().st_mtime_ns == 1_234_567_890_123_456_789
    assert in_trash() == []
    assert bring_back(journal).moved == []


class TestLeftAlone:
    """What is not as it was, or could cost somebody the last copy."""

    @pytest.mark.parametrize("which", [0, 1])
    @pytest.mark.parametrize(
        ("change", "why"),
        [
            (lambda path: path.unlink(), "is gone"),
            (lambda path: shutil.rmtree(path.parent), "is gone"),
            (lambda path: path.write_text("more than that"), "has changed since it was indexed"),
            (lambda path: os.utime(path, ns=(1, 1)), "has changed since it was indexed"),
            (
                lambda path: (
                    (then := path.stat().st_mtime_ns),
                    path.write_text("SAME"),
                    os.utime(path, ns=(then, then)),
                ),
                "has other content than when it was indexed",
            ),
            (
                lambda path: (
                    path.rename(path.with_suffix(".x")),
                    path.symlink_to(path.with_suffix(".x")),
                ),
                "is a symbolic link",
            ),
            (lambda path: (path.unlink(), path.mkdir()), "is not a regular file"),
            (lambda path: (path.unlink(), os.mkfifo(path)), "is not a regular file"),
        ],
    )
    def test_what_has_changed(self, tmp_path, journal, which, change, why):
        files = [write(tmp_path / folder / "a.jpg", "same") for folder in ("kept", "goes")]
        listed = removal(*files)
        change(files[which])
        expected = why if which else f"its keeper {files[0]} {why}"
        assert left(journal, listed) == [expected]

    def test_what_lies_behind_a_link(self, pair, tmp_path, journal):
        (tmp_path / "link").symlink_to("photos")
        through = removal(pair[0], tmp_path / "link/goes.jpg")
        assert left(journal, through) == [
            f"lies behind a symbolic link: it is in {tmp_path / 'photos'}"
        ]
        assert "same file" in left(journal, removal(pair[0], pair[0]))[0]

    def test_hard_links(self, pair, tmp_path, journal):
        os.link(pair[0], tmp_path / "hard.jpg")
        assert "is the same file as" in left(journal, removal(pair[0], tmp_path / "hard.jpg"))[0]
        os.link(pair[1], tmp_path / "second.jpg")
        assert "second name" in left(journal, removal(*pair))[0]

    def test_keepers_and_what_is_protected(self, pair, tmp_path, journal):
        other = write(tmp_path / "photos/third.jpg", "same")
        circle = [removal(pair[0], pair[1]), removal(pair[1], pair[0]), removal(pair[1], other)]
        outcome = move_to_trash(circle, journal)
        assert outcome.moved == [str(other)]
        assert [why for _, why in outcome.left] == ["is the keeper of another file"] * 2
        journal = FileJournal(tmp_path / "other journal")
        shutil.rmtree(Path(os.environ["XDG_DATA_HOME"], "Trash"))
        assert left(journal, removal(*pair), protected=[str(tmp_path)]) == ["is protected"]
        beside = move_to_trash([removal(*pair)], journal, protected=[str(tmp_path / "pho")])
        assert beside.moved == [str(pair[1])]

    def test_a_library_of_apples(self, pair, tmp_path, journal):
        inside = write(tmp_path / "A.photoslibrary/originals/1/1.jpg", "same")
        assert "photo library" in left(journal, removal(pair[0], inside))[0]

    def test_a_file_that_is_written_while_it_is_moved_comes_back(self, pair, journal, monkeypatch):
        import send2trash

        inner = send2trash.send2trash

        def slow(path):
            inner(path)
            write(Path(os.environ["XDG_DATA_HOME"], "Trash/files/goes.jpg"), "half of more")

        monkeypatch.setattr(send2trash, "send2trash", slow)
        assert left(journal, removal(*pair)) == ["is being changed"]
        assert pair[1].read_text() == "half of more"

    def test_a_keeper_that_goes_along_brings_the_file_back(self, pair, journal, monkeypatch):
        import send2trash

        inner = send2trash.send2trash

        def both(path):  # as if the two were one file of a mount that hides it
            inner(path)
            pair[0].rename(pair[0].with_suffix(".away"))

        monkeypatch.setattr(send2trash, "send2trash", both)
        assert "by another name" in left(journal, removal(*pair))[0]
        assert pair[1].read_text() == "same"

    def test_a_move_that_fails(self, pair, journal, monkeypatch):
        for photo in pair:
            write(photo.with_suffix(".jpg.json"), "notes")
        import send2trash

        inner = send2trash.send2trash

        def fails(path):
            if path.endswith(".jpg"):
                raise OSError(30, "Read-only file system", path)
            inner(path)

        monkeypatch.setattr(send2trash, "send2trash", fails)
        assert left(journal, removal(*pair)) == [
            "cannot be moved to the trash: Read-only file system"
        ]
        assert len(list(pair[1].parent.iterdir())) == 4  # the note is back


class TestNoTrash:
    """Where there is none, nothing is begun."""

    def test_it_cannot_be_written(self, pair, journal, monkeypatch, tmp_path):
        data = write(tmp_path / "data", "a file where a folder should be")
        monkeypatch.setenv("XDG_DATA_HOME", str(data))
        with pytest.raises(NoTrashError, match="no trash to move it to"):
            move_to_trash([removal(*pair)], journal)
        assert pair[1].exists()
        assert not (tmp_path / "journal").exists()

    def test_an_empty_variable_is_as_good_as_none(self, monkeypatch, tmp_path):
        monkeypatch.setenv("XDG_DATA_HOME", "")  # as the specification has it
        monkeypatch.setenv("HOME", str(tmp_path))
        assert places.trash_for(str(tmp_path / "a.jpg")) == str(tmp_path / ".local/share/Trash")

    def test_it_is_on_another_mount(self, pair, journal, monkeypatch):
        monkeypatch.setattr(places, "_mount", lambda folder: folder)
        with pytest.raises(NoTrashError, match="the trash is on another disk or mount"):
            move_to_trash([removal(*pair)], journal)

    def test_the_one_that_is_looked_at_is_the_one_that_is_used(
        self, pair, journal, monkeypatch, tmp_path
    ):
        import send2trash  # which has read the variable by now

        if send2trash.send2trash.__module__.endswith("gio"):
            pytest.skip("GLib reads the variable once in the life of a process")
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
        move_to_trash([removal(*pair)], journal)
        assert in_trash() == ["goes.jpg"]
        assert bring_back(journal).moved == [str(pair[1])]

    def test_its_files_are_a_link_to_another_disk(self, pair, journal, own_trash, tmp_path):
        memory = Path("/dev/shm")
        if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
            pytest.skip("there is no second disk in /dev/shm")
        own_trash.mkdir()
        (own_trash / "files").symlink_to(memory)
        try:
            with pytest.raises(NoTrashError, match="the trash is on another disk or mount"):
                move_to_trash([removal(*pair)], journal)
        finally:
            (own_trash / "files").unlink()

    def test_its_folder_cannot_be_written(self, pair, journal, monkeypatch):
        access = os.access
        folder = str(pair[1].parent)
        monkeypatch.setattr(
            os, "access", lambda path, mode, **how: path != folder and access(path, mode, **how)
        )
        with pytest.raises(NoTrashError, match="its folder cannot be written"):
            move_to_trash([removal(*pair)], journal)

    def test_one_disk_of_two_has_one(self, pair, journal, monkeypatch, tmp_path):
        other = write(tmp_path / "elsewhere/goes.jpg", "same")
        inner = moves.trash_for

        def of_one(path):
            if "elsewhere" in path:
                raise places.LeftAloneError("there is no trash to move it to: it is full")
            return inner(path)

        monkeypatch.setattr(moves, "trash_for", of_one)
        outcome = move_to_trash([removal(pair[0], other), removal(*pair)], journal)
        assert outcome.moved == [str(pair[1])]
        assert outcome.left == [(str(other), "there is no trash to move it to: it is full")]

    def test_another_disk_has_its_own(self, pair, journal, tmp_path):
        memory = Path("/dev/shm")
        if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
            pytest.skip("there is no second disk in /dev/shm")
        import send2trash

        if send2trash.send2trash.__module__.endswith("gio"):
            pytest.skip("GIO takes /dev/shm for a disk of the system's, which have no trash")
        own = memory / f".Trash-{os.getuid()}"
        if own.exists():
            pytest.skip(f"{own} is somebody's")
        with tempfile.TemporaryDirectory(dir=memory) as folder:
            goes = write(Path(folder, "a ü\udcff.jpg"), "same")
            try:
                outcome = move_to_trash([removal(pair[0], goes)], journal)
                assert outcome.left == []
                assert journal.entries("done")[0].detail["trash"] == str(own)
                (entry,) = journal.entries("done")
                assert places.find_in_trash(str(own), str(goes), entry.sha256)
                assert bring_back(journal).moved == [str(goes)]
                assert goes.read_text() == "same"
            finally:
                shutil.rmtree(own)


class TestUndo:
    """What has happened in between is respected."""

    def test_nothing_is_overwritten_and_the_rest_goes_on(self, pair, journal, tmp_path):
        other = write(tmp_path / "photos/b.jpg", "same")
        move_to_trash([removal(*pair), removal(pair[0], other)], journal)
        write(pair[1], "new")
        back = bring_back(journal)
        assert back.moved == [str(other)]
        assert back.left == [(str(pair[1]), "something lies there now; it stays in the trash")]
        assert pair[1].read_text() == "new"
        again = bring_back(journal)
        assert (again.moved, again.left) == ([], back.left)
        pair[1].unlink()
        assert bring_back(journal).moved == [str(pair[1])]
        assert pair[1].read_text() == "same"

    def test_a_sidecar_does_not_come_back_to_another_photo(self, pair, journal):
        for photo in pair:
            write(photo.with_suffix(".xmp"), "edits")
        move_to_trash([removal(*pair)], journal)
        write(pair[1], "new")
        back = bring_back(journal)
        assert back.moved == []
        assert [why for _, why in back.left] == [
            "something lies there now; it stays in the trash",
            "stays in the trash like its photo",
        ]
        pair[1].unlink()
        assert len(bring_back(journal).moved) == 2

    def test_what_has_been_emptied_is_named(self, pair, journal, tmp_path):
        move_to_trash([removal(*pair)], journal)
        shutil.rmtree(Path(os.environ["XDG_DATA_HOME"], "Trash/files"))
        back = bring_back(journal)
        assert back.left == [(str(pair[1]), "is no longer in the trash")]
        shutil.rmtree(Path(os.environ["XDG_DATA_HOME"], "Trash"))
        assert "its trash is not there now" in bring_back(journal).left[0][1]

    def test_the_batch_before_when_the_last_has_nothing_left(self, pair, tmp_path):
        path = tmp_path / "journal"
        move_to_trash([removal(*pair)], FileJournal(path))
        other = write(tmp_path / "photos/b.jpg", "same")
        move_to_trash([removal(pair[0], other)], FileJournal(path))
        Path(os.environ["XDG_DATA_HOME"], "Trash/files/b.jpg").unlink()
        assert bring_back(FileJournal(path)).moved == [str(pair[1])]

    def test_it_is_found_by_the_trashs_record_where_it_was_renamed(self, pair, journal):
        move_to_trash([removal(*pair)], journal)
        trash = Path(os.environ["XDG_DATA_HOME"], "Trash")
        (trash / "files/goes.jpg").rename(trash / "files/other name")
        (trash / "info/goes.jpg.trashinfo").rename(trash / "info/other name.trashinfo")
        write(trash / "files/goes.jpg", "somebody's")
        assert bring_back(journal).moved == [str(pair[1])]
        assert pair[1].read_text() == "same"
        assert in_trash() == ["goes.jpg"]

    @pytest.mark.parametrize("how_journaled", ["by its folder", "by the link"])
    @pytest.mark.parametrize("where", ["photos", "data"])
    def test_killed_with_the_trash_behind_a_link_it_is_found(
        self, tmp_path, journal, monkeypatch, where, how_journaled
    ):
        class Killed(BaseException):
            pass

        def dies(*_):
            raise Killed

        (tmp_path / "data").mkdir()
        (tmp_path / "linked").mkdir()
        link = tmp_path / "linked/link"
        link.symlink_to(tmp_path / "data")
        monkeypatch.setenv("XDG_DATA_HOME", str(link))
        # Of a file below the folder that the trash lies in, the record has a relative path.
        one, other = (write(tmp_path / where / name, "same") for name in ("1.jpg", "2.jpg"))
        with monkeypatch.context() as patch:
            patch.setattr(journal, "settle", dies)
            with pytest.raises(Killed):
                move_to_trash([removal(one, other)], journal)
        (entry,) = journal.entries("intended")
        assert not other.exists()
        if how_journaled == "by the link":  # as it was once, with a record from there
            detail = {**entry.detail, "trash": str(link / "Trash")}
            journal.settle(entry.number, "intended", detail)
            (record,) = (link / "Trash/info").iterdir()
            path = os.path.relpath(other, link) if where == "data" else other
            record.write_text(f"[Trash Info]\nPath={path}\n")
        else:
            assert entry.detail["trash"] == str(tmp_path / "data/Trash")
        assert [each.state for each in settle_interrupted(journal)] == ["done"]
        assert bring_back(journal).moved == [str(other)]
        assert other.read_text() == "same"

    def test_a_disk_that_cannot_rename_without_overwriting(self, pair, journal, monkeypatch):
        class NoRename:
            pass

        monkeypatch.setattr(places.ctypes, "CDLL", lambda *arguments, **named: NoRename())
        move_to_trash([removal(*pair)], journal)
        assert bring_back(journal).moved == [str(pair[1])]
        move_to_trash([removal(*pair)], journal)
        write(pair[1], "new")
        assert bring_back(journal).moved == []
        assert pair[1].read_text() == "new"
