"""Duplicates in the browser: what is marked, by rules and by hand, and what becomes of files."""

import os
import shutil
import subprocess
import sys

import pytest

pytest.importorskip("starlette", reason="pip install 'lookalike[browse]'")

import lookalike as la
from browser import DESKTOP, PHONE
from browsing import Served, browsing
from lookalike.duplicates import Rules
from test_browse_pages import CONTRASTS, Tab
from test_gallery_duplicates import marked as written_on
from test_gallery_duplicates import scene
from tiny_embedder import TinyEmbedder
from trashing import contents_below, in_trash

pytestmark = pytest.mark.usefixtures("own_trash")

OLD = 1_500_000_000


@pytest.fixture(scope="module")
def drawn_once(tmp_path_factory):
    """Two pictures that are kept twice, one at two sizes, one that was written on, one alone."""
    photos = tmp_path_factory.mktemp("drawn") / "photos"
    for folder in ("album", "sent"):
        (photos / folder).mkdir(parents=True)
    for seed, name in enumerate("abcde"):
        scene(seed=seed).save(photos / "album" / f"{name}.jpg", quality=92)
    for name in "ab":
        shutil.copy(photos / "album" / f"{name}.jpg", photos / "sent" / f"{name}.jpg")
    scene(seed=2).resize((280, 280)).save(photos / "sent" / "c.jpg", quality=92)
    written_on(scene(seed=3)).save(photos / "sent" / "d.jpg", quality=75)
    for path in photos.rglob("*.jpg"):
        later = 1000 * (path.parent.name == "sent")
        os.utime(path, (OLD + later, OLD + later))
    return photos


@pytest.fixture
def photos(drawn_once, tmp_path):
    return shutil.copytree(drawn_once, tmp_path / "photos")


@pytest.fixture
def gallery(photos, tmp_path):
    with la.Gallery.create(tmp_path / "a.gallery", dim=12) as made:
        made.add(photos, embedder=TinyEmbedder())
    return tmp_path / "a.gallery"


class Sorting:
    """The page's questions and changes, asked by names of files."""

    def __init__(self, gallery, *, read_only=False):
        self.served = Served(gallery, read_only)
        self.client = self.served.enter()

    def ask(self, path="", **question):
        return self.client.get(f"/api/duplicates{path}", params=question)

    def change(self, path, **values):
        return self.client.post(f"/api/duplicates/{path}", json=values, headers=self.served.token)

    def groups(self):
        while (answer := self.ask()).status_code == 202:
            pass
        return answer.json()["groups"]

    def group(self, name):
        """The group that a picture's file is in, and its members by their folder."""
        for each in self.groups():
            found = self.ask("/group", id=each["id"]).json()
            if found["members"][0]["name"].startswith(name):
                members = {os.path.basename(one["folder"]): one for one in found["members"]}
                return each["id"], members
        raise LookupError(name)

    def verdicts(self, name):
        _, members = self.group(name)
        return {folder: member["verdict"] for folder, member in members.items()}

    def mark(self, name, **marks):
        """Mark files by their folder; return the answer."""
        group, members = self.group(name)
        marks = {members[folder]["file"]: mark for folder, mark in marks.items()}
        return self.change("mark", group=group, marks=marks)

    def review(self):
        return self.ask("/review").json()

    def move(self, path, **values):
        """Begin a move; wait for its end."""
        answer = self.change(path, **values)
        if answer.status_code == 200:
            self.served.app._app.state.duplicates.moving.job.wait()
            return self.ask("/moves").json()
        return answer.json()


@pytest.fixture
def sorting(gallery):
    return Sorting(gallery)


def test_groups_by_what_can_be_won(sorting, photos):
    groups = sorting.groups()
    assert [each["potential"] for each in groups] == sorted(
        (each["potential"] for each in groups), reverse=True
    )
    kinds = {each["name"]: (each["kind"], each["count"]) for each in groups}
    assert kinds == {
        "a.jpg": ("identical", 2),
        "b.jpg": ("identical", 2),
        "c.jpg": ("same", 2),
        "d.jpg": ("look", 2),
    }
    _, members = sorting.group("c")
    assert members["sent"]["reason"] == "same picture, fewer pixels"
    assert members["sent"]["keeper"] == members["album"]["file"]
    assert members["sent"]["facts"]["pixels"] == "280 × 280"
    assert members["sent"]["facts"]["bytes"] == (photos / "sent/c.jpg").stat().st_size
    assert sorting.review()["looks"] == 1
    assert len(sorting.review()["going"]) == 3


def test_marks_survive_a_restart_and_are_seen_by_others(sorting, gallery, photos):
    other = Sorting(gallery)
    assert other.verdicts("d") == {"album": "keep", "sent": "look"}
    assert sorting.mark("d", sent="remove").status_code == 200
    assert sorting.mark("a", sent="keep").status_code == 200
    assert sorting.mark("c", album="remove", sent="keep").status_code == 200
    code = f"import lookalike as la; print(len(la.Gallery.open({str(gallery)!r}).marks))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "4\n"
    for each in (sorting, other, Sorting(gallery)):
        assert each.verdicts("d") == {"album": "keep", "sent": "remove"}
        assert each.verdicts("a") == {"album": "keep", "sent": "keep"}
        assert each.verdicts("c") == {"album": "remove", "sent": "keep"}
        assert each.verdicts("b") == {"album": "keep", "sent": "remove"}
    assert other.mark("d", sent=None).status_code == 200
    assert sorting.verdicts("d") == {"album": "keep", "sent": "look"}
    assert len(list(photos.rglob("*.jpg"))) == 9  # a mark moves nothing


def test_one_file_of_each_group_stays(sorting):
    assert sorting.mark("b", album="remove").status_code == 200
    assert sorting.verdicts("b") == {"album": "remove", "sent": "keep"}
    refused = sorting.mark("b", sent="remove")
    assert refused.status_code == 409
    assert "one file of each group stays" in refused.json()["error"]
    assert sorting.verdicts("b") == {"album": "remove", "sent": "keep"}


def test_a_rule_marks_only_what_nobody_has(sorting, photos):
    sorting.mark("a", album="keep", sent="remove")
    assert sorting.change("rules", keep="newest").json()["keep"] == "newest"
    assert sorting.verdicts("a") == {"album": "keep", "sent": "remove"}
    assert sorting.verdicts("b") == {"album": "remove", "sent": "keep"}
    sorting.change("rules", keep="oldest", protect=[str(photos / "sent")])
    assert sorting.verdicts("b") == {"album": "remove", "sent": "keep"}
    assert sorting.verdicts("a") == {"album": "keep", "sent": "keep"}  # whoever has marked it
    refused = sorting.mark("b", sent="remove")
    assert refused.status_code == 409
    assert "is protected" in refused.json()["error"]
    sorting.change("rules", prefer=[str(photos / "sent")])
    assert sorting.verdicts("b") == {"album": "remove", "sent": "keep"}
    for wrong, said in (
        ({"keep": "best"}, "keep must be one of"),
        ({"prefer": ["album"]}, "must be a whole path"),
        ({"protect": [str(photos / "none")]}, "is not a folder"),
        ({"protect": "x"}, "must be a list of folders"),
    ):
        answer = sorting.change("rules", **wrong)
        assert answer.status_code == 400
        assert said in answer.json()["error"]
    assert sorting.ask().json()["rules"]["prefer"] == [str(photos / "sent")]


def test_a_changed_file_is_refused(sorting, photos):
    changed = photos / "sent/d.jpg"
    sorting.groups()
    changed.write_bytes(changed.read_bytes() + b"\0")
    answer = sorting.mark("d", sent="remove")
    assert answer.status_code == 409
    assert "d.jpg has changed since it was indexed" in answer.json()["error"]
    assert sorting.mark("a", sent="remove").status_code == 200
    (photos / "sent/a.jpg").write_bytes(b"mine")
    (photos / "album/b.jpg").unlink()
    review = sorting.review()
    assert [
        os.path.basename(os.path.join(each["folder"], each["name"])) for each in review["going"]
    ] == ["c.jpg"]
    assert {each["why"] for each in review["refused"]} == {
        "has changed since it was indexed",
        "what stays for it is gone",
    }
    done = sorting.move("trash", review=review["review"])
    assert [os.path.basename(path) for path in done["moved"]] == ["c.jpg"]
    assert sorted(os.path.basename(path) for path, _ in done["left"]) == ["a.jpg", "b.jpg"]
    assert (photos / "sent/a.jpg").read_bytes() == b"mine"
    assert (photos / "sent/b.jpg").exists()


def test_a_mark_of_earlier_content_is_void_and_said(sorting, gallery, photos):
    assert sorting.mark("a", sent="remove").status_code == 200
    assert sorting.mark("d", sent="remove").status_code == 200
    for name in "ad":
        scene(seed=9).save(photos / f"sent/{name}.jpg")
    with la.Gallery.open(gallery) as opened:
        opened.update(embedder=TinyEmbedder())
    review = sorting.review()
    assert review["void"] == [str(photos / "sent/a.jpg")]  # nothing has the other's content now
    assert [each["by_hand"] for each in sorting.groups()] == [0, 0, 0]


def test_nothing_moves_without_its_review(sorting, photos):
    before = contents_below(photos)
    files = sorted(photos.rglob("*.jpg"))
    for review in (None, "x", ""):
        assert "look again" in sorting.change("trash", review=review).json()["error"]
    seen = sorting.review()
    sorting.mark("d", sent="remove")
    answer = sorting.change("trash", review=seen["review"])
    assert answer.status_code == 409
    assert sorted(photos.rglob("*.jpg")) == files
    seen = sorting.review()
    assert len(seen["going"]) == 4
    done = sorting.move("trash", review=seen["review"])
    assert (done["error"], done["left"], len(done["moved"])) == (None, [], 4)
    assert in_trash() == ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]
    assert sorted(path.name for path in (photos / "album").iterdir()) == [
        f"{name}.jpg" for name in "abcde"
    ]
    assert list((photos / "sent").iterdir()) == []
    assert sorting.groups() == []
    (batch,) = done["batches"]
    assert batch["files"] == 4
    assert sorting.change("undo", batch=batch["batch"] + 1).status_code == 409
    back = sorting.move("undo", batch=batch["batch"])
    assert (back["what"], len(back["moved"]), back["batches"]) == ("back", 4, [])
    assert sorted(photos.rglob("*.jpg")) == files
    assert contents_below(photos) == before
    assert "nothing is in the trash" in sorting.change("undo", batch=1).json()["error"]


def test_pictures_that_are_different(sorting, gallery):
    group, members = sorting.group("d")
    files = {"one": members["album"]["file"], "other": members["sent"]["file"]}
    pair = sorting.change("different", group=group, **files).json()["pair"]
    assert [each["name"] for each in sorting.groups() if each["name"] == "d.jpg"] == []
    with la.Gallery.open(gallery, mode="r") as opened:
        assert opened.different == {frozenset(pair)}
    assert sorting.change("different", back=pair).status_code == 200
    assert sorting.verdicts("d") == {"album": "keep", "sent": "look"}
    assert sorting.change("different", back=pair).status_code == 409
    group, members = sorting.group("a")
    files = {"one": members["album"]["file"], "other": members["sent"]["file"]}
    refused = sorting.change("different", group=group, **files)
    assert "the same content" in refused.json()["error"]


def test_read_only_changes_nothing(gallery, photos):
    sorting = Sorting(gallery, read_only=True)
    review = sorting.review()
    for path, values in (
        ("trash", {"review": review["review"]}),
        ("undo", {"batch": 1}),
        ("rules", {"keep": "oldest"}),
        ("different", {}),
    ):
        assert sorting.change(path, **values).status_code == 403
    assert sorting.mark("d", sent="remove").status_code == 403
    assert len(list(photos.rglob("*.jpg"))) == 9
    with la.Gallery.open(gallery, mode="r") as opened:
        assert (opened.marks, opened.rules) == ({}, Rules())


def test_what_makes_no_sense_is_refused_in_words(sorting):
    group, members = sorting.group("d")
    file = members["sent"]["file"]
    for values, status in (
        ({"group": "none", "marks": {}}, 409),
        ({"group": group, "marks": {"none": "keep"}}, 409),
        ({"group": group, "marks": {file: "burn"}}, 400),
        ({"group": group, "marks": [file]}, 400),
        ({"group": [group]}, 409),
    ):
        answer = sorting.change("mark", **values)
        assert (answer.status_code, bool(answer.json()["error"])) == (status, True), values
    header = sorting.served.token
    for content in (b"{", b"[]", b"x" * (2 << 20)):
        answer = sorting.client.post("/api/duplicates/mark", content=content, headers=header)
        assert answer.status_code in (400, 413)


@pytest.mark.long
def test_a_group_is_decided_by_keys_and_comes_back(gallery, photos, chromium):
    before = contents_below(photos)
    with browsing(gallery) as (address, _):
        tab = Tab(chromium, address)
        shown = "document.getElementById('stage-state').textContent"
        name = "document.querySelector('#compared td').textContent"
        tab.open("/duplicates")
        tab.wait("document.querySelectorAll('.view img').length === 4")
        for _ in range(4):
            if tab.js(name) == "d.jpg":
                break
            was = tab.js(name)
            tab.press("n")
            tab.wait(f"{name} !== '{was}'")
        assert tab.js(shown) == "1 file to look at"
        assert tab.js(
            "[...document.querySelectorAll('#compared strong')].map(({textContent}) => textContent)"
        )  # what differs is bold
        tab.press("x")
        tab.wait("document.getElementById('measured').textContent.includes('differs to the eye')")
        tab.press("+", "+")
        moved = tab.js("[...document.querySelectorAll('.view > *')].map((e) => e.style.transform)")
        assert len(set(moved)) == 1  # in step
        assert "scale(2.25)" in moved[0]
        tab.press("0", "x")
        tab.chromium.call("Input.dispatchKeyEvent", type="keyDown", key="s", text="s")
        assert tab.js("getComputedStyle(document.querySelector('.other')).visibility") == "visible"
        tab.chromium.call("Input.dispatchKeyEvent", type="keyUp", key="s")
        assert tab.js("getComputedStyle(document.querySelector('.other')).visibility") == "hidden"
        tab.press("r")
        tab.wait(f"{shown}.includes('to win')")
        tab.press("u")
        tab.wait(f"{shown} === '1 file to look at'")
        tab.press("o")
        tab.wait(
            "document.querySelector('#left.is-remove') && document.querySelector('#right.is-keep')"
        )
        tab.open("/duplicates")  # closed and opened
        tab.wait("document.getElementById('review-open').textContent.startsWith('Review 4 files')")
        tab.press("v")
        tab.wait("document.querySelectorAll('#review[open] .goer').length === 4")
        assert len(list(photos.rglob("*.jpg"))) == 9
        for _ in range(9):
            tab.press("Tab")
            if tab.js("document.activeElement.id") == "move":
                break
        tab.press("Enter")
        tab.wait("document.getElementById('moved').textContent.includes('4 files moved')")
        assert not (photos / "album/d.jpg").exists()
        assert (photos / "sent/d.jpg").exists()
        assert in_trash() == ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]
        tab.wait("document.querySelector('#batches button')")
        tab.press("Escape")
        tab.wait("document.getElementById('none').textContent.includes('No picture is kept twice')")
        tab.press("U")
        tab.wait("document.querySelector('#batches button')")
        for _ in range(4):
            if tab.js("document.activeElement.textContent") == "Bring back":
                break
            tab.press("Tab")
        tab.press("Enter")
        tab.wait("document.getElementById('moved').textContent.includes('4 files brought back')")
        assert tab.faults() == []
    assert contents_below(photos) == before
    assert len(list(photos.rglob("*.jpg"))) == 9


@pytest.mark.long
def test_the_page_on_every_screen(gallery, chromium):
    with browsing(gallery) as (address, _):
        tab = Tab(chromium, address)
        for size in (DESKTOP, PHONE):
            for dark in (False, True):
                tab.open("/duplicates", size, dark=dark)
                tab.wait("document.querySelectorAll('.view img').length === 4")
                assert tab.js("document.documentElement.scrollWidth") <= size[0]
                for dialog in ("", "review", "rules", "trash"):
                    if dialog:
                        tab.js(f"document.getElementById('{dialog}-open').click()")
                        tab.wait(f"document.querySelector('#{dialog}[open]')")
                    assert tab.js(CONTRASTS) == []
                    assert tab.unnamed() == []
                    assert tab.js("document.documentElement.scrollWidth") <= size[0]
                    if dialog:
                        tab.press("Escape")
                        tab.wait("document.querySelector('dialog[open]') === null")
        assert tab.faults() == []
