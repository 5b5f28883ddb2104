"""``lookalike evaluate``: what it prints and writes, and how it fails."""

import csv
import io
import json

import numpy as np
import pytest

import lookalike as la
from command_line import call
from lookalike.evaluation.label_files import read_labels
from lookalike.evaluation.show.tables import evaluation_table
from test_evaluation_report import Page


@pytest.fixture
def run(tmp_path, monkeypatch, capfdbinary):
    """Call ``lookalike evaluate`` in a folder with a matrix and its labels."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(4)
    features = rng.random((60, 6)) + np.eye(3, 6)[np.arange(60) % 3]
    np.save("x.npy", features.astype(np.float32))
    labels = [("ant", "bee & co", "")[i % 3] for i in range(60)]
    (tmp_path / "y.txt").write_text("\n".join(labels) + "\n")
    (tmp_path / "y.csv").write_text("file,category\n" + "".join(f"f,{x}\n" for x in labels))

    def evaluate(*arguments):
        return call(["evaluate", *arguments], monkeypatch, capfdbinary)

    evaluate.features, evaluate.labels = features.astype(np.float32), labels
    return evaluate


def test_json_is_what_the_library_finds(run):
    done = run("x.npy", "--labels", "y.txt", "-k", "3,7", "--json", "--full", "--bootstrap")
    assert (done.code, done.err) == (0, "")
    found = la.evaluate(run.features, run.labels, k=[3, 7], full=True)
    document = done.json
    assert document["unlabelled"] == 20
    assert document["at"][1]["precision"] == found.precision
    assert document["at"][0]["mean_recall"] == found.at(3).mean_recall
    assert document["full"]["mean_r_precision"] == found.full.mean_r_precision
    assert document["evidence"]["samples"] == 10_000
    assert document["evidence"]["intervals"] == json.loads(json.dumps(found.bootstrap().intervals))


def test_the_terminal_gets_tables_and_a_verdict(run):
    done = run("x.npy", "--labels", "y.csv", "-k", "5", "--bootstrap", "--include-self")
    assert (done.code, done.err) == (0, "")
    found = la.evaluate(run.features, run.labels, k=5, include_self=True)
    assert done.out.startswith("60 images; 40 queries in 2 categories; 20 without a label; ")
    means = [line.split()[1:] for line in done.out.splitlines() if line.startswith("Mean ")]
    for measure, row in zip(("precision", "recall"), means, strict=True):
        assert row == evaluation_table(found, measure).cells(2, "{}")
    for expected in ("Best: ", "95% interval", "10,000 bootstrap samples", "bee & co finds"):
        assert expected in done.out
    assert max(map(len, done.out.splitlines())) < 300
    assert "\x1b" not in done.out


@pytest.mark.parametrize("kind", ["markdown", "latex"])
def test_tables_for_documents(run, kind):
    done = run("x.npy", "--labels", "y.txt", "-k", "2,4", f"--{kind}")
    found = la.evaluate(run.features, run.labels, k=[2, 4])
    expected = [
        getattr(evaluation_table(found.at(k), measure), kind)()
        for k in (2, 4)
        for measure in ("precision", "recall")
    ]
    assert done.out == "\n".join(expected)


def test_csv(run):
    done = run("x.npy", "--labels", "y.txt", "-k", "4", "--metric", "cosine", "--csv")
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert {row["metric"] for row in rows} == {"cosine"}
    found = la.evaluate(run.features, run.labels, k=4, metrics=["cosine"])
    (mean,) = [row for row in rows if row["measure"] == "recall" and not row["category"]]
    assert float(mean["value"]) == found.mean_recall["cosine"]


@pytest.mark.long
def test_a_page_and_a_picture(run, tmp_path):
    pytest.importorskip("matplotlib")
    done = run("x.npy", "--labels", "y.txt", "-k", "4", "--html", "a.html", "--plot", "a.png")
    assert done.code == 0
    assert done.err == "Page: a.html\nPicture: a.png\n"
    assert "bee & co" in " ".join(Page((tmp_path / "a.html").read_text()).words)
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    for name in ("b.svg", "b.pdf"):
        assert run("x.npy", "--labels", "y.txt", "-k", "4", "--plot", name).code == 0
        assert (tmp_path / name).stat().st_size > 1000


def test_fewer_of_each_category(run):
    done = run(
        "x.npy", "--labels", "y.txt", "-k", "3", "--per-category", "5", "--seed", "2", "--json"
    )
    rows = la.balanced_subset(run.labels, 5, seed=2)
    found = la.evaluate(run.features[rows], [run.labels[row] for row in rows], k=3)
    document = done.json
    assert document["counts"] == {"ant": 5, "bee & co": 5}
    assert document["subset"] == {"per_category": 5, "seed": 2}
    assert document["at"][0]["precision"] == found.precision
    # Rows are those of the file.
    assert {image["row"] for image in document["hardest"]} <= set(rows.tolist())
    assert all(run.labels[image["row"]] == image["category"] for image in document["hardest"])


def test_k_is_lowered_with_a_remark(run):
    done = run("x.npy", "--labels", "y.txt", "--metric", "euclidean")
    assert done.code == 0
    assert done.err == (
        "k = 100 is more than the 59 images there are to retrieve: k = 59 is used\n"
    )


@pytest.mark.long
def test_a_gallery_with_its_folders_as_labels(lookalike, drawn):
    done = lookalike("evaluate", "-k", "2", "--json", "--html", "page.html")
    assert done.code == 0
    with la.Gallery.open(drawn / "lookalike.gallery") as gallery:
        found = la.evaluate(gallery.features, gallery.labels, k=2)
        paths = gallery.paths
    document = done.json
    assert document["counts"] == {"round": 4, "square": 4}
    assert document["unlabelled"] == 1
    assert document["at"][0]["precision"] == found.precision
    assert all(image["path"] == paths[image["row"]] for image in document["hardest"])
    page = Page((drawn / "page.html").read_text())
    pictures = [value for name, value in page.attributes if name == "src"]
    assert len(pictures) == 8
    assert "photos/round/1.png" in " ".join(page.words)
    plain = lookalike("evaluate", "-k", "2", "--metric", "cosine")
    assert "Hard: photos/" in plain.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["x.npy"], "x.npy has no labels: name a file of them with --labels"),
        (["none.npy"], "there is no file none.npy"),
        (["none.npy", "--labels", "y.txt"], "there is no file none.npy"),
        (["none.gallery"], "there is no gallery none.gallery"),
        (["bad.npy", "--labels", "y.txt"], "bad.npy is not a NumPy array file"),
        (["x.npy", "--labels", "none.txt"], "none.txt"),
        (["x.npy", "--labels", "short.txt"], "labels must have 60 entries"),
        (["x.npy", "--labels", "y.csv", "--label-column", "kind"], "must have a column kind, got"),
        (["x.npy", "--labels", "y.txt", "--label-column", "a"], "for a .csv file only, got y.txt"),
        (["x.npy", "--labels", "y.txt", "-k", "0"], "'0' is not a whole number from 1"),
        (["x.npy", "--labels", "y.txt", "-k", "3,x"], "'3,x' is not a whole number from 1"),
        (["x.npy", "--labels", "y.txt", "--metric", "l3"], "'l3' is not one of"),
        (["x.npy", "--labels", "y.txt", "--plot", "a.bmp"], "must end in .png, .svg or .pdf"),
        (["x.npy", "--labels", "y.txt", "--html", "no/a.html"], "there is no folder "),
        (["x.npy", "--labels", "apart.txt"], "at least two images the same label"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_2(run, tmp_path, arguments, message):
    (tmp_path / "bad.npy").write_text("text")
    (tmp_path / "short.txt").write_text("a\na\n")
    (tmp_path / "apart.txt").write_text("\n".join(map(str, range(60))))
    if "--plot" in arguments:
        pytest.importorskip("matplotlib")
    done = run(*arguments)
    assert done.code == 2
    assert not done.out
    assert message in done.err
    assert done.err.count("\n") == 1


def test_a_picture_without_matplotlib_names_the_way_out(run, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    done = run("x.npy", "--labels", "y.txt", "--plot", "a.png")
    assert done.code == 1
    assert "pip install 'lookalike[plots]'" in done.err


@pytest.mark.parametrize(
    ("name", "content", "labels"),
    [
        ("a.txt", "x\n\ny y\n", ["x", "", "y y"]),
        ("a.txt", "\ufeffx\r\ny\r\n", ["x", "y"]),
        ("a.csv", "label,category\n1,2\n,3\n", ["1", ""]),
        ("a.csv", "\ufeffcategory;no,category\n1,2\n", ["2"]),
        ("a.CSV", 'file,label\n"a,b","x ""y"""\nshort\n', ['x "y"', None]),
    ],
)
def test_label_files(tmp_path, name, content, labels):
    (tmp_path / name).write_text(content, newline="")
    assert read_labels(str(tmp_path / name)) == labels


def test_label_arrays(tmp_path):
    np.save(tmp_path / "a.npy", np.array([3, 1, 3]))
    assert read_labels(str(tmp_path / "a.npy")) == [3, 1, 3]
    np.save(tmp_path / "b.npy", np.zeros((2, 2)))
    with pytest.raises(ValueError, match=r"b.npy must hold a 1-D array, got shape \(2, 2\)"):
        read_labels(str(tmp_path / "b.npy"))
    np.save(tmp_path / "c.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(ValueError, match=r"c.npy holds Python objects, which are not read"):
        read_labels(str(tmp_path / "c.npy"))
    (tmp_path / "d.txt").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(ValueError, match=r"d.txt is not text in UTF-8"):
        read_labels(str(tmp_path / "d.txt"))
