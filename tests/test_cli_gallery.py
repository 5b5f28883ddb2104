"""The verbs that look at a whole gallery: duplicates, neighbors, distances, info, check, …"""

import csv
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import browser
import lookalike as la
from command_line import HOSTILE, draw
from lookalike import Gallery
from lookalike.printable import printable, size_shown


@pytest.fixture
def own(lookalike, drawn, tmp_path, monkeypatch):
    """A copy of the drawn photos and their gallery, as the current folder."""
    shutil.copytree(drawn, tmp_path / "own")
    monkeypatch.chdir(tmp_path / "own")
    assert lookalike("relocate", drawn, tmp_path / "own").code == 0
    return tmp_path / "own"


@pytest.fixture
def copies(lookalike, own):
    """The same with planted duplicates."""
    photos = own / "photos"
    shutil.copy(photos / "round" / "1.png", photos / f"copy {HOSTILE}")
    big = draw("square", 2).resize((320, 240))
    big.save(photos / "big.png")
    os.utime(photos / "big.png", (10**9, 10**9))  # or it would be taken for an enlarged copy
    assert lookalike("index").code == 0
    return photos


@pytest.fixture
def trusted(monkeypatch):
    """Take the untrained features for a network's."""
    monkeypatch.setattr("lookalike.cli.duplicates.is_untrained", lambda space: False)


class TestDuplicates:
    @pytest.mark.usefixtures("trusted")
    def test_groups_have_a_keeper_and_reasons(self, lookalike, copies):
        # Features of an untrained network lie close together.
        done = lookalike("duplicates", "--threshold", "0.005", "--json").json
        exact, resized = sorted(done["groups"], key=lambda g: not g["members"][1]["exact"])
        first, second = "photos/round/1.png", f"photos/copy {HOSTILE}"
        assert [os.path.relpath(member["path"]) for member in exact["members"]] == [first, second]
        assert [member["verdict"] for member in exact["members"]] == ["keep", "remove"]
        assert [member["distance"] for member in exact["members"]] == [0, 0]
        assert exact["members"][1]["keeper"] == exact["keep"]
        assert exact["bytes"] == exact["members"][1]["bytes"]
        assert os.path.relpath(resized["keep"]) == "photos/big.png"  # it has more pixels
        (member,) = resized["members"][1:]
        assert os.path.relpath(member["path"]) == "photos/square/2.png"
        assert (member["width"], member["height"], member["format"]) == (160, 120, "PNG")
        assert 0 < member["distance"] <= 0.005
        with Gallery.open("lookalike.gallery") as gallery:
            rows = [gallery.paths.index(resized["keep"]), gallery.paths.index(member["path"])]
            pair = gallery.features[rows].astype(np.float64)
        assert member["distance"] == la.pdist(pair, "braycurtis")[0]
        assert done["remove"] == [
            each["path"]
            for group in done["groups"]
            for each in group["members"]
            if each["verdict"] == "remove"
        ]
        assert set(done["keep"]) == {exact["keep"], resized["keep"], *done["look"]}
        assert (done["metric"], done["threshold"], done["images"]) == ("braycurtis", 0.005, 11)

    @pytest.mark.usefixtures("trusted")
    def test_one_changed_field_is_for_a_person(self, lookalike, copies):
        with Image.open(copies / "big.png") as image:
            changed = image.convert("RGB")
        changed.paste("black", (20, 20, 44, 32))
        changed.save(copies / "changed.png")
        assert lookalike("index").code == 0
        done = lookalike("duplicates", "--threshold", "0.01", "--json").json
        verdicts = {
            os.path.basename(each["path"]): (each["verdict"], each["reason"])
            for group in done["groups"]
            for each in group["members"]
        }
        assert {verdicts["big.png"][0], verdicts["changed.png"][0]} == {"keep", "look"}
        assert any("differ" in reason for _, reason in verdicts.values())

    def test_exact_compares_no_features(self, lookalike, copies):
        done = lookalike("duplicates", "--exact")
        name = printable(f"copy {HOSTILE}")
        size = f"{(copies / 'round' / '1.png').stat().st_size:,} B"
        assert done.out.splitlines() == [
            f"Group 1: 2 images, {size_shown((copies / 'round' / '1.png').stat().st_size)} to win",
            f"keep\t160×120\t{size}\t-\tphotos/round/1.png",
            f"remove\t160×120\t{size}\tsame content, changed later\tphotos/{name}",
            "",
        ]
        assert "11 images, 1 group: 1 can be removed" in done.err
        assert "Nothing has been removed." in done.err

    def test_lists_are_for_other_programs(self, lookalike, copies):
        keep = lookalike("duplicates", "--exact", "--list", "keep", "-0")
        assert (keep.code, keep.out) == (0, "photos/round/1.png\0")
        remove = lookalike("duplicates", "--exact", "--list", "remove", "-0", "--absolute")
        assert remove.out == f"{copies}/copy {HOSTILE}\0"
        assert lookalike("duplicates", "--list", "look").out == ""
        assert (copies / f"copy {HOSTILE}").exists()

    def test_folders_are_preferred_and_protected(self, lookalike, copies):
        prefer = lookalike("duplicates", "--prefer", "photos/round", "--list", "remove")
        assert "copy" in prefer.out
        protect = lookalike("duplicates", "--protect", "photos", "--list", "remove")
        assert protect.out == ""
        done = lookalike("duplicates", "--protect", "none")
        assert (done.code, done.err.count("\n")) == (2, 1)

    def test_untrained_features_decide_nothing(self, lookalike, copies):
        done = lookalike("duplicates", "--threshold", "0.005", "--json")
        assert "only files with the same content are listed" in done.err
        assert [len(group["members"]) for group in done.json["groups"]] == [2]

    @pytest.mark.usefixtures("trusted")
    def test_an_uncalibrated_network_is_pointed_out(self, lookalike):
        assert "default threshold is for" in lookalike("duplicates").err
        assert "default threshold" not in lookalike("duplicates", "--threshold", "0.1").err

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--exact", "--threshold", "0.1"], "--exact compares no distances"),
            (["--metric", "cosine"], "--metric cosine needs a --threshold"),
            (["-0"], "-0 goes with --list"),
            (["--threshold", "-1"], "-1.0 is not in the range x>=0."),
            (["nowhere"], "there is no gallery nowhere"),
        ],
    )
    def test_wrong_usage_is_one_line_and_2(self, lookalike, arguments, message):
        done = lookalike("duplicates", *arguments)
        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
        assert message in done.err

    def test_the_page_shows_the_groups(self, lookalike, copies, monkeypatch, request):
        monkeypatch.setattr("lookalike.cli.duplicates.is_untrained", lambda space: False)
        page = copies.parent / "page.html"
        done = lookalike("duplicates", "--threshold", "0.005", "--html", "page.html")
        assert done.code == 0
        chromium = request.getfixturevalue("chromium")  # without one the rest has been tested
        assert list(browser.looked_at(chromium, page)) == [browser.DESKTOP, browser.PHONE]
        text = chromium.evaluate("document.body.innerText")
        marks = chromium.evaluate("[...document.querySelectorAll('.mark')].map(t => t.innerText)")
        alts = chromium.evaluate("[...document.images].map(image => image.alt)")
        bold = chromium.evaluate("[...document.querySelectorAll('dd b')].map(t => t.innerText)")
        assert [mark.split()[-1] for mark in marks] == ["keep", "remove"] * 2
        assert len(alts) == 4
        assert all(alts)
        assert "160 × 120" in bold  # what differs from the file that is kept
        assert printable(f"photos/copy {HOSTILE}") in text
        assert "2 groups" in text
        assert "same content" in text
        assert str(copies) not in page.read_text()

    def test_every_group_is_on_a_page(self, lookalike, copies, monkeypatch):
        monkeypatch.setattr("lookalike.cli.duplicates.is_untrained", lambda space: False)
        monkeypatch.setattr("lookalike.pages.duplicates.MAX_THUMBNAILS", 2)
        done = lookalike("duplicates", "--threshold", "0.005", "--html", "page.html")
        assert "Page: page.html and 1 more, linked from it" in done.err
        first, second = (Path(name).read_text() for name in ("page.html", "page-2.html"))
        assert "Group 1" in first
        assert 'href="page-2.html"' in first
        assert "Group 2" in second
        assert 'href="page.html"' in second
        # The second page replaces one from before, and nothing else that has its name.
        again = ("duplicates", "--threshold", "0.005", "--html", "page.html")
        assert lookalike(*again).code == 0
        Path("page-2.html").write_text("mine")
        Path("page.html").unlink()
        refused = lookalike(*again)
        assert refused.code == 1
        assert refused.err.splitlines()[-1].endswith(
            "page-2.html: there is a file that is no page of duplicates"
        )
        assert Path("page-2.html").read_text() == "mine"
        assert not os.path.exists("page.html")


class TestAllPairs:
    def test_neighbors_are_knns(self, lookalike, own):
        done = lookalike("neighbors", "-k", "3", "--metric", "cosine")
        assert (done.code, done.err) == (0, "")
        assert done.out.startswith("neighbors.npz: 9 images, cosine (")
        with Gallery.open("lookalike.gallery") as gallery:
            expected = la.knn(gallery.features, k=3, metric="cosine")
            with np.load("neighbors.npz") as read:
                np.testing.assert_array_equal(read["indices"], expected.indices)
                np.testing.assert_array_equal(read["distances"], expected.distances)
                assert read["paths"].tolist() == gallery.paths
                assert str(read["space"]) == gallery.space
        assert not os.path.exists("neighbors.npz.part")

    def test_k_is_held_to_the_gallery(self, lookalike, own):
        done = lookalike("neighbors", "-o", "n.npz", "--json")
        assert (done.json["k"], done.json["images"]) == (8, 9)
        assert done.json["output"] == str(own / "n.npz")
        assert done.err == "k is 8: there are no more other images.\n"

    def test_distances_are_cdists(self, lookalike, own):
        done = lookalike("distances", "-o", "D.npy", "--metric", "canberra", "--dtype", "float64")
        assert done.out.startswith("D.npy: 9 images, canberra (")
        with Gallery.open("lookalike.gallery") as gallery:
            expected = la.cdist(gallery.features, gallery.features, "canberra", dtype="float64")
        np.testing.assert_array_equal(np.load("D.npy"), expected)
        assert lookalike("distances", "-o", "D.npy", "--json").json["dtype"] == "float32"

    @pytest.mark.parametrize(
        ("arguments", "code", "message"),
        [
            (["neighbors", "-o", "x.csv"], 2, "--output must end in .npz or .parquet"),
            (["distances"], 2, "Missing option '-o'"),
            (["distances", "-o", "none/D.npy"], 2, "/none to write none/D.npy to"),
            (["neighbors", "-o", "none/n.npz"], 2, "/none to write none/n.npz to"),
            (["export", "-o", "none/all"], 2, "/none to write none/all to"),
            (["duplicates", "--html", "none/p.html"], 2, "/none to write none/p.html to"),
            (["distances", "-o", "/dev/full"], 2, "--output must end in .npy or .csv"),
        ],
    )
    def test_failures_are_one_line(self, lookalike, own, arguments, code, message):
        done = lookalike(*arguments)
        assert (done.code, done.out) == (code, "")
        assert message in done.err.splitlines()[-1]
        assert "Traceback" not in done.err


class TestGallery:
    @pytest.mark.parametrize("verb", ["info", "evaluate"])
    def test_a_gallery_is_named_in_either_way(self, lookalike, own, verb):
        (own / "lookalike.gallery").rename(own / "my.gallery")
        named = lookalike(verb, "my.gallery")
        assert named.code == 0
        assert lookalike(verb, "-g", "my.gallery") == named
        assert lookalike(verb, "my.gallery", "-g", "my.gallery").code == 2
        assert "there is no gallery lookalike.gallery" in lookalike(verb).err

    def test_info_counts(self, lookalike, own):
        done = lookalike("info")
        facts = dict(line.split(maxsplit=1) for line in done.out.splitlines())
        assert facts["images"] == "9"
        assert facts["labels"] == "round 4, square 4"
        assert facts["folder"] == str(own / "photos")
        assert facts["space"].startswith("untrained-")
        assert facts["space"].endswith("(random weights)")
        known = lookalike("info", "--json").json
        assert known["labels"] == {"round": 4, "square": 4}
        assert (known["images"], known["dim"], known["untrained"]) == (9, 1024, True)
        assert known["failed"] == []

    def test_info_lists_what_failed(self, lookalike, own):
        (own / "photos" / "bad.jpg").write_text("no image")
        lookalike("index")
        expected = str(own / "photos" / "bad.jpg"), "not an image in a known format"
        assert lookalike("info", "--failed").out == "\t".join(expected) + "\n"
        failed = lookalike("info", "--json").json["failed"]
        assert [(each["path"], each["reason"]) for each in failed] == [expected]

    def test_check_finds_damage_and_repairs_it(self, lookalike, own):
        intact = lookalike("check")
        assert (intact.code, intact.out) == (0, "lookalike.gallery: 9 images, intact\n")
        with Gallery.open("lookalike.gallery") as gallery:
            first = gallery.paths[0]
        (rows,) = (own / "lookalike.gallery").glob("features-*.f32")
        with open(rows, "r+b") as file:
            file.write(b"\x01\x02\x03\x04")
        damaged = lookalike("check")
        assert damaged.code == 1
        assert damaged.out.splitlines()[0].startswith(f"damage: {printable(first)}: ")
        assert damaged.out.splitlines()[-1] == "lookalike.gallery: 9 images, damaged"
        assert "lookalike check --repair" in damaged.err
        told = lookalike("check", "--json")
        assert (told.code, told.json["ok"], len(told.json["damage"])) == (1, False, 1)
        repaired = lookalike("check", "--repair")
        assert (repaired.code, repaired.out.splitlines()[-1]) == (
            0,
            "lookalike.gallery: 8 images, repaired",
        )
        assert "9 images in lookalike.gallery: 1 added" in lookalike("index").out

    def test_check_tells_photos_that_changed_from_damage(self, lookalike, own):
        (own / "photos" / "round" / "0.png").unlink()
        done = lookalike("check")
        assert done.code == 0
        assert done.out.splitlines()[0].startswith(f"outdated: {own}/photos/round/0.png: ")
        assert done.err == "1 photo changed or gone: lookalike index\n"

    def test_check_and_index_name_the_ways_out_of_a_folder_that_is_missing(self, lookalike, own):
        (own / "photos").rename(own / "pictures")
        ways = "`lookalike relocate` if it has moved, `lookalike forget` if it is gone for good\n"
        assert lookalike("check").err.endswith(f"\nphotos is missing: {ways}")
        said = lookalike("index").err
        assert f"  photos: missing or empty; its 9 images are kept: {ways}" in said

    def test_export_is_the_features_and_a_table(self, lookalike, own):
        done = lookalike("export", "-o", "out.npy")
        assert done.out == f"{own}/out.npy\n{own}/out.csv\n" or done.out == "out.npy\nout.csv\n"
        with Gallery.open("lookalike.gallery") as gallery:
            np.testing.assert_array_equal(np.load("out.npy"), gallery.features)
            paths = gallery.paths
        with open("out.csv", newline="", encoding="utf-8", errors="surrogateescape") as file:
            assert [row["path"] for row in csv.DictReader(file)] == paths
        assert lookalike("export", "--json").json["images"] == 9

    def test_relocate_follows_photos_that_were_moved(self, lookalike, own):
        (own / "photos").rename(own / "pictures")
        done = lookalike("relocate", "photos", "pictures")
        assert (done.code, done.out, done.err) == (0, "9 images now below pictures\n", "")
        assert "9 unchanged" in lookalike("index").out
        missing = lookalike("relocate", "photos", "elsewhere")
        assert (missing.code, missing.out, missing.err.count("\n")) == (1, "", 1)
        assert "nothing lies below" in missing.err

    @pytest.mark.parametrize(
        "verb", ["info", "check", "export", "duplicates", "neighbors", "distances", "search"]
    )
    def test_what_is_no_gallery_is_said_in_one_line(self, lookalike, own, verb):
        extra = {"distances": ["-o", "D.npy"], "search": ["photos/round/0.png"]}.get(verb, [])
        where = ["-g"] if verb == "search" else []
        (own / "empty").mkdir()
        (own / "garbage").mkdir()
        (own / "garbage" / "catalogue.sqlite").write_bytes(b"garbage" * 999)
        for folder in ("empty", "garbage"):
            done = lookalike(verb, *extra, *where, folder)
            assert (done.code, done.out if verb != "check" else "") == (1, ""), done
            assert "Traceback" not in done.err
        assert lookalike(verb, *extra, *where, "nowhere").code == 2
