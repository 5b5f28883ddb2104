"""What lies beside a photo and goes with it: edits, Takeout's notes, a Live Photo's film."""

import contextlib
import os
import struct

import pytest
from PIL import Image

from lookalike.trash.live_photos import film_identifier, photo_identifier
from lookalike.trash.moves import move_to_trash
from lookalike.trash.sidecars import only_beside, sidecars
from lookalike.trash.undo import bring_back
from trashing import FileJournal, removal, write

LONG = "a very long name of a photo that Takeout cannot take"
KEY = b"com.apple.quicktime.content.identifier"


def names(folder, photo, *others):
    for name in (photo, *others):
        write(folder / name, name)
    found = sidecars(str(folder / photo))
    assert found.doubt == ""
    return [os.path.basename(path) for path in found.paths]


@pytest.mark.parametrize(
    ("photo", "its", "not_its"),
    [
        ("1.jpg", ["1.AAE", "1.jpg.xmp", "1.xmp"], ["11.xmp", "1.jpeg.xmp"]),
        ("1.jpg", ["1.jpg.json", "1.jpg.supplemental-metadata.json"], ["1.json", "metadata.json"]),
        ("1.jpg", ["1.jpg.s.json", "1.jpg.suppl.json", "1.jpg..json"], ["1.jpg.other.json"]),
        ("1(2).jpg", ["1.jpg(2).json", "1.jpg.supplemental-metadata(2).json"], ["1.jpg.json"]),
        ("1.jpg", ["1.jpg.json"], ["1.jpg(2).json"]),
        ("1(2).jpg", ["1(2).jpg.json"], ["1.jpg(3).json"]),
        (f"{LONG}.jpg", [f"{LONG[:46]}.json"], [f"{LONG[:30]}.json"]),
        ("IMG_1.heic", ["IMG_1.xmp"], []),
    ],
)
def test_names(tmp_path, photo, its, not_its):
    assert names(tmp_path, photo, *its, *not_its) == sorted(its)


@pytest.mark.parametrize(
    ("other", "shared"),
    [
        ("1.cr2", ["1.xmp", "1.aae"]),
        ("1.png", ["1.xmp"]),
        ("1.mov", ["1.xmp"]),
        (f"{LONG}, other.jpg", [f"{LONG[:46]}.json"]),
    ],
)
def test_what_may_be_another_files_stays(tmp_path, other, shared):
    photo = f"{LONG}.jpg" if other.startswith("a") else "1.jpg"
    if other.endswith(".mov"):
        write(tmp_path / other, film(""))
        write(tmp_path / photo, "photo")
        write(tmp_path / "1.xmp", "edits")
        assert sidecars(str(tmp_path / photo)).paths == []
    else:
        assert names(tmp_path, photo, other, *shared) == []


def box(kind, content):
    return struct.pack(">I", 8 + len(content)) + kind + content


def film(identifier, *, version=b"", key=KEY):
    """A QuickTime file with nothing in it but an identifier, among other keys."""
    keys = b"".join(struct.pack(">I", 8 + len(each)) + b"mdta" + each for each in (b"other", key))
    value = box(b"data", struct.pack(">II", 1, 0) + identifier.encode())
    values = box(struct.pack(">I", 1), box(b"data", bytes(8) + b"no"))
    values += box(struct.pack(">I", 2), value)
    meta = box(b"hdlr", bytes(24)) + box(b"keys", struct.pack(">II", 0, 2) + keys)
    meta = version + meta + (box(b"ilst", values) if identifier else b"")
    media = struct.pack(">I4sQ", 1, b"mdat", 16 + 5) + b"films"
    return box(b"ftyp", b"qt  ") + media + box(b"moov", box(b"mvhd", bytes(9)) + box(b"meta", meta))


def live_photo(path, identifier):
    """A JPEG with Apple's MakerNote, as its phones write it."""
    text = identifier.encode() + b"\0"
    directory = struct.pack(">HHHII", 2, 1, 9, 1, 5)
    offset = 14 + 2 + 2 * 12 + 4
    directory += struct.pack(">HHII", 0x11, 2, len(text), offset) + bytes(4)
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x927C] = b"Apple iOS\0\0\1MM" + directory + text
    Image.new("RGB", (8, 8)).save(path, "JPEG", exif=exif)
    return path


class TestLivePhotos:
    """A film goes with the photo whose identifier it has."""

    @pytest.mark.parametrize("version", [b"", bytes(4)])
    def test_identifiers(self, tmp_path, version):
        photo = live_photo(tmp_path / "1.jpg", "A-1")
        assert photo_identifier(str(photo)) == "A-1"
        assert (
            film_identifier(str(write(tmp_path / "1.mov", film("A-1", version=version)))) == "A-1"
        )
        assert film_identifier(str(write(tmp_path / "2.mov", film("")))) == ""
        assert film_identifier(str(write(tmp_path / "3.mov", film("x", key=b"y" * 38)))) == ""
        assert photo_identifier(str(write(tmp_path / "none.jpg", ""))) == ""

    def test_every_shortened_film_is_told_or_refused(self, tmp_path):
        whole = film("A-1")
        for length in range(len(whole)):
            path = write(tmp_path / "1.mov", whole[:length])
            with pytest.raises(ValueError, match="QuickTime"):
                film_identifier(str(path))

    def test_hostile_boxes_end(self, tmp_path):
        for inner in (b"\0" * 40, box(b"meta", b"\xff" * 40), box(b"meta", bytes(40))):
            path = write(tmp_path / "1.mov", box(b"moov", inner))
            with contextlib.suppress(ValueError):
                assert film_identifier(str(path)) == ""
        note = b"Apple iOS\0\0\1MM" + b"\xff\xff" + b"\0\x11\0\2" + b"\xff" * 8
        for length in range(14, len(note)):
            assert photo_identifier(str(write(tmp_path / "1.jpg", note[:length]))) == ""

    def test_its_own_goes_and_takes_the_edits_along(self, tmp_path):
        live_photo(tmp_path / "1.jpg", "A-1")
        write(tmp_path / "1.MOV", film("A-1"))
        write(tmp_path / "1.aae", "edits")
        found = sidecars(str(tmp_path / "1.jpg"))
        assert [os.path.basename(path) for path in found.paths] == ["1.MOV", "1.aae"]

    def test_anothers_stays(self, tmp_path):
        live_photo(tmp_path / "1.jpg", "A-1")
        write(tmp_path / "1.mov", film("B-2"))
        assert sidecars(str(tmp_path / "1.jpg")) == ([], "")

    @pytest.mark.parametrize("content", [b"no film", film("A-1")[:-3]])
    def test_one_that_cannot_be_read_is_a_doubt(self, tmp_path, content):
        live_photo(tmp_path / "1.jpg", "A-1")
        write(tmp_path / "1.mov", content)
        assert "1.mov beside it may be its film" in sidecars(str(tmp_path / "1.jpg")).doubt

    def test_a_photo_that_lost_its_identifier_is_a_doubt(self, tmp_path):
        write(tmp_path / "1.jpg", "re-encoded")
        write(tmp_path / "1.mov", film("A-1"))
        assert "the photo has none" in sidecars(str(tmp_path / "1.jpg")).doubt


@pytest.mark.usefixtures("own_trash")
class TestWithAPhoto:
    """Side-cars in the trash and back."""

    @pytest.fixture
    def photos(self, tmp_path):
        return [
            live_photo(write(tmp_path / folder / "1.jpg", ""), "A-1") for folder in ("kept", "goes")
        ]

    def test_all_go_and_come_back(self, photos, tmp_path):
        for photo in photos:
            write(photo.with_suffix(".mov"), film("A-1"))
            write(photo.with_suffix(".xmp"), "the same edits")
            write(photo.with_name("1.jpg.json"), f"notes of {photo}")
        journal = FileJournal(tmp_path / "journal")
        outcome = move_to_trash([removal(*photos)], journal)
        assert outcome.left == []
        assert len(outcome.moved) == 4
        assert os.listdir(tmp_path / "goes") == []
        assert len(os.listdir(tmp_path / "kept")) == 4
        assert len(bring_back(journal).moved) == 4
        assert len(os.listdir(tmp_path / "goes")) == 4

    @pytest.mark.parametrize(
        ("name", "of_goer", "of_keeper"),
        [
            ("1.xmp", "edits", None),
            ("1.aae", "edits", "other edits"),
            ("1.jpg.xmp", "edits", None),
            ("1.jpg.json", "when and where it was taken", None),
            ("1.mov", film("A-1"), None),
            ("1.mov", film("A-1"), film("A-1") + b"\0\0\0\x08free"),
        ],
    )
    def test_what_the_keeper_lacks_keeps_the_photo(
        self, photos, tmp_path, name, of_goer, of_keeper
    ):
        write(photos[1].with_name(name), of_goer)
        if of_keeper is not None:
            write(photos[0].with_name(name), of_keeper)
        assert only_beside(*map(str, reversed(photos))) == [str(photos[1].with_name(name))]
        outcome = move_to_trash([removal(*photos)], FileJournal(tmp_path / "journal"))
        assert outcome.moved == []
        assert outcome.left == [(str(photos[1]), f"{name} beside it is not beside {photos[0]}")]
        assert only_beside(*map(str, photos)) == [] or of_keeper

    def test_a_note_that_stays_is_not_lacking_beside_the_keeper(self, tmp_path):
        kept = write(tmp_path / "kept.jpg", "same")
        goes = write(tmp_path / f"{LONG}.jpg", "same")
        note = write(tmp_path / f"{LONG[:46]}.json", "notes")
        assert only_beside(str(goes), str(kept)) == [str(note)]
        write(tmp_path / f"{LONG}, other.jpg", "which the note may be of")
        assert only_beside(str(goes), str(kept)) == []

    def test_edits_that_a_raw_file_shares_count_too(self, photos):
        write(photos[1].with_suffix(".xmp"), "edits")
        write(photos[1].with_suffix(".cr2"), "raw")
        assert sidecars(str(photos[1])).paths == []
        assert only_beside(*map(str, reversed(photos))) == [str(photos[1].with_suffix(".xmp"))]
