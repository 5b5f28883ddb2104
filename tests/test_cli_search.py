"""``lookalike search``: tables, paths, JSON and pages of the nearest images."""

import os
import re
import shutil

import numpy as np
import pytest

import browser
from command_line import HOSTILE, draw, run
from lookalike import Gallery
from lookalike.printable import printable

ALL = 9


def test_hits_are_grouped_by_query_with_rank_distance_label_and_path(lookalike):
    done = lookalike(
        "search", "photos/round/1.png", "photos/square/2.png", "-k", "3", "--include-self"
    )
    assert done.code == 0
    first, second = done.out.split("\n\n")
    for group, query, label in [
        (first, "round/1.png", "round"),
        (second, "square/2.png", "square"),
    ]:
        head, *rows = group.strip("\n").split("\n")
        assert head == f"photos/{query}"
        assert rows[0] == f"1\t0.000000\t{label}\tphotos/{query}"
        assert [row.split("\t")[0] for row in rows] == ["1", "2", "3"]
        distances = [float(row.split("\t")[1]) for row in rows]
        assert distances == sorted(distances)
        assert all(re.fullmatch(r"\d\.\d{6}", row.split("\t")[1]) for row in rows)


def test_it_is_what_the_library_finds_under_every_option(lookalike, drawn):
    query = drawn / "photos" / "round" / "3.png"
    with Gallery.open(drawn / "lookalike.gallery") as gallery:
        hits = gallery.search(str(query), 4, "canberra", True)
    options = ["-k", "4", "--metric", "canberra", "--exclude-self"]
    done = lookalike("search", query, *options, "--json").json
    (result,) = done["results"]
    assert result["query"] == str(query)
    assert [hit["path"] for hit in result["hits"]] == hits.paths
    assert [hit["distance"] for hit in result["hits"]] == hits.distances.tolist()
    assert [hit["label"] for hit in result["hits"]] == hits.labels
    assert [hit["rank"] for hit in result["hits"]] == [1, 2, 3, 4]
    assert str(query) not in hits.paths
    assert (done["metric"], done["failed"]) == ("canberra", [])


@pytest.fixture
def own(lookalike, drawn, tmp_path, monkeypatch):
    """A copy of the drawn photos and their gallery, with copies, as the current folder."""
    shutil.copytree(drawn, tmp_path / "own")
    monkeypatch.chdir(tmp_path / "own")
    assert lookalike("relocate", drawn, tmp_path / "own").code == 0
    for i in range(3):
        shutil.copy("photos/round/1.png", f"photos/round/copy {i}.png")
    shutil.copy("photos/square/2.png", "photos/square/again.png")
    assert lookalike("index").code == 0
    return tmp_path / "own"


def test_the_query_is_left_out_and_copies_are_folded(lookalike, own):
    query = "photos/square/2.png"
    done = lookalike("search", query, "-k", "99")
    rows = [line.split("\t") for line in done.out.splitlines()[1:]]
    assert len(rows) == ALL - 1
    assert not {query, "photos/square/again.png"} & {row[3] for row in rows}
    assert [row[3:] for row in rows if row[4:]] == [["photos/round/1.png", "+3 copies"]]
    assert done.err == f"{query} is in the gallery as photos/square/again.png\n"
    for k in ("1", "2"):
        listed = lookalike("search", query, "-k", k, "--paths-only").out.splitlines()
        assert listed == [row[3] for row in rows[: int(k)]]
    with_self = lookalike("search", query, "-k", "99", "--include-self").out.splitlines()
    assert with_self[1] == f"1\t0.000000\tsquare\t{query}\t+1 copy"
    assert len(with_self) == 1 + ALL
    unfolded = lookalike("search", query, "-k", "99", "--include-self", "--no-fold")
    assert unfolded.out.count("\n") == 1 + ALL + 4
    assert "cop" not in unfolded.out.replace("/copy", "")


def test_json_is_complete_and_marks_what_is_the_query(lookalike, own):
    (result,) = lookalike("search", "photos/square/2.png", "-k", "99", "--json").json["results"]
    assert len(result["hits"]) == ALL + 4
    selves = [os.path.basename(hit["path"]) for hit in result["hits"] if hit["self"]]
    assert selves == ["2.png", "again.png"]
    assert not any(hit["missing"] for hit in result["hits"])
    done = lookalike("search", "photos/square/2.png", "--exclude-self", "--json").json
    assert not any(hit["self"] for hit in done["results"][0]["hits"])


def test_paths_that_are_not_there_are_pointed_out(lookalike, own):
    shutil.copy("photos/square/2.png", "query.png")
    os.rename("photos", "pictures")
    done = lookalike("search", "query.png", "-k", "2")
    assert done.code == 0
    assert done.err.splitlines()[-1].startswith("2 images found but not there, such as photos/")
    assert "`lookalike relocate OLD NEW`" in done.err
    hits = lookalike("search", "query.png", "--json").json["results"][0]["hits"]
    assert all(hit["missing"] for hit in hits)


def test_k_beyond_the_gallery_finds_all_of_it(lookalike):
    assert (
        lookalike("search", "photos/round/1.png", "-k", "99", "--include-self").out.count("\n")
        == 1 + ALL
    )


def test_paths_are_for_other_programs_byte_for_byte(lookalike, drawn):
    query = drawn / "photos" / HOSTILE
    done = lookalike("search", query, "-k", "2", "-0", "--include-self")
    assert done.out.split("\0")[0] == f"photos/{HOSTILE}"
    assert done.out.count("\0") == 2
    assert done.out.endswith("\0")
    whole = lookalike("search", query, "-k", "1", "-0", "--absolute", "--include-self")
    assert whole.out == f"{query}\0"
    lines = lookalike("search", "photos/round/0.png", "--paths-only", "-k", "1", "--include-self")
    assert lines.out == "photos/round/0.png\n"


def test_a_table_keeps_hostile_names_on_one_line(lookalike, drawn):
    done = lookalike("search", drawn / "photos" / HOSTILE, "-k", str(ALL), "--include-self")
    assert done.out.count("\n") == 1 + ALL
    assert f"1\t0.000000\t-\t{printable(f'photos/{HOSTILE}')}\n" in done.out


def test_queries_that_cannot_be_read_are_named_and_the_others_searched(lookalike, tmp_path):
    bad = tmp_path / "bad.jpg"
    bad.write_text("no image")
    done = lookalike(
        "search", bad, "photos/round/0.png", "nowhere.jpg", "-k", "1", "--include-self"
    )
    assert done.code == 1
    assert done.out == "photos/round/0.png\n1\t0.000000\tround\tphotos/round/0.png\n"
    assert done.err.splitlines() == [
        f"lookalike search: {bad}: not an image in a known format",
        "lookalike search: nowhere.jpg: No such file or directory",
    ]
    failed = lookalike("search", "nowhere.jpg", "--json").json
    assert failed["results"] == []
    assert failed["failed"] == [{"query": "nowhere.jpg", "reason": "No such file or directory"}]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Missing argument 'IMAGE...'"),
        (["a.jpg", "-k", "0"], "0 is not in the range x>=1."),
        (["a.jpg", "--metric", "dice"], "'canberra', 'chebyshev', 'correlation'"),
        (["a.jpg", "-g", "nowhere"], "there is no gallery nowhere"),
    ],
)
def test_wrong_usage_is_one_line_and_2(lookalike, arguments, message):
    done = lookalike("search", *arguments)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_what_the_terminal_cannot_encode_is_escaped(drawn, settings, encoding):
    done = run(
        "search",
        f"photos/{HOSTILE}",
        "--model",
        settings["LOOKALIKE_MODEL"],
        cwd=drawn,
        text=False,
        LC_ALL="C",
        PYTHONIOENCODING=encoding,
        **settings,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    head = done.stdout.splitlines()[0].decode(encoding)
    assert "\\u732b" in head
    assert "\\xff" in head


def test_the_page_shows_each_query_and_its_hits(lookalike, drawn, tmp_path, request):
    page = tmp_path / "<\"'&>猫.html"
    done = lookalike("search", f"photos/{HOSTILE}", "photos/round/2.png", "-k", "4", "--html", page)
    assert done.code == 0
    assert f"Page: {page}" in done.err
    chromium = request.getfixturevalue("chromium")  # without one the rest has been tested
    for size in browser.looked_at(chromium, page):
        pictures = "[...document.images].map(i => [i.naturalWidth, i.naturalHeight])"
        assert chromium.evaluate(pictures) == [[160, 120]] * 10
        columns = "new Set([...document.images].map(i => i.getBoundingClientRect().x)).size"
        assert chromium.evaluate(columns) >= (5 if size == browser.DESKTOP else 2)
    assert chromium.evaluate("document.querySelectorAll('h2').length") == 2
    assert chromium.evaluate("document.querySelectorAll('b, x').length") == 0
    links = chromium.evaluate("[...document.links].map(link => link.href)")
    texts = chromium.evaluate("[...document.links].map(link => link.textContent)")
    relative = os.path.relpath(drawn / "photos" / HOSTILE, tmp_path)
    assert printable(relative) in texts
    files = {os.fsdecode(_unquoted(link)) for link in links}
    assert str(drawn / "photos" / HOSTILE) in files
    assert all(os.path.isfile(file) for file in files)
    assert str(drawn).encode() not in page.read_bytes()
    lookalike("search", "photos/round/2.png", "--html", page, "--absolute")
    assert str(drawn).encode() in page.read_bytes()


def test_a_page_of_more_than_a_thousand_pictures_counts_the_rest(tmp_path, monkeypatch):
    from lookalike.gallery.hits import Hits
    from lookalike.pages import cards as result_pages

    draw("round", 1).resize((16, 12)).save(tmp_path / "a.png")
    monkeypatch.setattr(result_pages, "MAX_THUMBNAILS", 5)
    hits = Hits([str(tmp_path / "a.png")] * 3, np.zeros(3), np.arange(3), [None] * 3)
    page = tmp_path / "page.html"
    result_pages.write_search_page(
        str(page),
        [("q.png", hits), (str(tmp_path / "a.png"), hits), ("r.png", hits)],
        "l1",
        None,
        False,
    )
    html = page.read_text()
    assert html.count('<li class="card">') == 5
    assert html.count("no picture") == 1  # of q.png, which is not there
    assert "A page holds 5 pictures: 7 more, among them 1 whole groups, are not shown." in html
    assert "and 3 more" in html


def _unquoted(address):
    from urllib.parse import unquote_to_bytes, urlsplit

    return unquote_to_bytes(urlsplit(address).path)
