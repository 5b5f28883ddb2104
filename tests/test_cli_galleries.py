"""Which gallery is meant where none is named, those that are known, and forgetting."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import platformdirs
import pytest

from lookalike.cli import galleries


@pytest.fixture
def own(lookalike, drawn, tmp_path, monkeypatch):
    """A copy of the drawn photos and their gallery, as the current folder of a new user."""
    for name in ("data", "state"):
        monkeypatch.setenv(f"XDG_{name.upper()}_HOME", str(tmp_path / name))
    shutil.copytree(drawn, tmp_path / "own")
    monkeypatch.chdir(tmp_path / "own")
    return tmp_path / "own"


def used(done):
    assert done.code == 0, done
    return done.json["path"]


def test_the_order_in_which_a_gallery_is_found(lookalike, own, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "there is no gallery lookalike.gallery" in lookalike("info").err
    shutil.copytree(own / "lookalike.gallery", galleries.default_gallery())
    assert used(lookalike("info", "--json")) == str(tmp_path / "data/lookalike/default.gallery")
    monkeypatch.chdir(own / "photos" / "round")
    assert used(lookalike("info", "--json")) == str(own / "lookalike.gallery")
    shutil.copytree(own / "lookalike.gallery", tmp_path / "other")
    monkeypatch.setenv("LOOKALIKE_GALLERY", str(tmp_path / "other"))
    assert used(lookalike("info", "--json")) == str(tmp_path / "other")
    named = str(own / "lookalike.gallery")
    assert used(lookalike("info", "--json", "-g", named)) == named
    monkeypatch.setenv("LOOKALIKE_GALLERY", "nowhere")
    assert "there is no gallery nowhere" in lookalike("search", "0.png").err


def test_index_brings_photos_to_the_gallery_that_is_found(lookalike, own, tmp_path, monkeypatch):
    assert lookalike("index", "photos/round", "--default").code == 0
    assert lookalike("index", "--default", "-g", "x", "photos").code == 2
    monkeypatch.chdir(own / "photos")
    shutil.copy("round/1.png", "square/new.png")
    assert f"in {own}/lookalike.gallery: " in lookalike("index", "square").out
    monkeypatch.chdir(tmp_path)
    assert lookalike("info", "--json").json["images"] == 4


def test_those_known_are_listed(lookalike, own):
    assert lookalike("info", "--all").err.startswith("No gallery is known")
    shutil.copytree("lookalike.gallery", "second")
    for name in ("lookalike.gallery", "second", "second"):
        assert lookalike("info", "-g", name).code == 0
    done = lookalike("info", "--all")
    assert done.out.splitlines() == [
        f"*\t{own}/lookalike.gallery\t9 images",
        f"-\t{own}/second\t9 images",
    ]
    listed = lookalike("info", "--all", "--json").json["galleries"]
    assert [(each["images"], each["found"]) for each in listed] == [(9, True), (9, False)]
    shutil.rmtree("second")
    assert lookalike("info", "--all").out.count("\n") == 1
    assert lookalike("info", "--all", "--failed").code == 2


def test_the_list_outlives_damage_and_other_writers(lookalike, own, monkeypatch):
    notes = Path(platformdirs.user_state_dir("lookalike"), "galleries")
    notes.parent.mkdir(parents=True)
    notes.write_bytes(b'\xff\x00garbage\n[1]\n"relative"\n"/cut off')
    odd = os.fsdecode(b"caf\xe9 \n")
    os.rename("lookalike.gallery", odd)
    assert lookalike("info", "-g", odd).code == 0
    assert galleries.known_galleries() == [str(own / odd)]
    with ThreadPoolExecutor(8) as pool:
        for i in range(40):
            (own / "g").mkdir(exist_ok=True)
            shutil.copytree(odd, own / "g" / str(i))
        list(pool.map(lambda i: galleries.note_gallery(str(own / "g" / str(i))), range(40)))
    assert len(galleries.known_galleries()) == 41
    monkeypatch.setattr(galleries, "MOST_LINES", 5)
    shutil.rmtree(own / "g" / "3")
    shutil.copytree(odd, own / "last")
    galleries.note_gallery(str(own / "last"))
    assert len(galleries.known_galleries()) == len(notes.read_text().splitlines()) == 41
    notes.unlink()
    notes.mkdir()  # cannot be written: nobody is kept from anything
    assert lookalike("info", "-g", odd).code == 0


def test_forget_says_what_it_did(lookalike, own, drawn):
    assert lookalike("relocate", drawn, own).code == 0
    done = lookalike("forget", "photos/round")
    assert (done.code, done.out) == (0, "4 images forgotten; no file was touched\n")
    assert done.err.startswith("photos/round lies in a folder that `lookalike index` looks at")
    told = lookalike("forget", "photos", "--json").json
    assert (told["images"], told["folders"]) == (5, [str(own / "photos")])
    missing = lookalike("forget", "photos")
    assert (missing.code, missing.out) == (1, "")
    assert "photos is not in" in missing.err
    assert lookalike("forget").code == 2
    assert (own / "photos" / "round" / "1.png").exists()
