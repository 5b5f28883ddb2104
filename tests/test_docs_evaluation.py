"""What docs/evaluation.md and docs/reproduction.md say: their code runs, their numbers hold."""

import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest

import lookalike as la
from command_line import call
from lookalike.demo.drawings import draw_set
from lookalike.evaluation import paper

DOCS = Path(__file__).parents[1] / "docs"
EVALUATION = (DOCS / "evaluation.md").read_text()
REPRODUCTION = (DOCS / "reproduction.md").read_text()
OTHERS = re.findall(r"^```python\n(.*?)^```", REPRODUCTION, re.DOTALL | re.MULTILINE)[-1]
"""Eleven distances of all pairs: too long for every day."""


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def commands(text):
    return [
        line.removeprefix("$ ").split("  #")[0].strip()
        for block in blocks(text, "console")
        for line in block.splitlines()
        if line.startswith("$ ")
    ]


@pytest.fixture
def run(monkeypatch, capfdbinary):
    """Run a command that a page shows; return what it printed."""

    def run(command, folder):
        words = shlex.split(command)
        assert words[0] == "lookalike"
        monkeypatch.chdir(folder)
        done = call(words[1:], monkeypatch, capfdbinary)
        assert done.code == 0, f"{command}\n{done.out}\n{done.err}"
        return done.out

    return run


def said(line):
    """A comment that looks like a value is what the expression before it gives."""
    expression, value = line.groups()
    if expression.startswith("print("):
        expression = expression.removeprefix("print(").removesuffix(")")
    name, given, last = expression.partition(" = ")
    last = last if given else name
    return f"{expression}\nassert ({last}) == {value}, {last}"


@pytest.mark.long
@pytest.mark.parametrize("text", [EVALUATION, REPRODUCTION], ids=["evaluation", "reproduction"])
def test_the_python_blocks_run_and_give_what_they_say(text, run_python, tmp_path):
    code = [block for block in blocks(text, "python") if block != OTHERS]
    assert code
    checked = re.sub(r"^(.+?) +# ([(\['].*[)\]'])$", said, "\n".join(code), flags=re.MULTILINE)
    assert "assert" in checked
    run_python(f"import os; os.chdir({str(tmp_path)!r})\n{checked}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A gallery of drawn images in folders, a matrix and its labels."""
    folder = tmp_path_factory.mktemp("docs")
    rng = np.random.default_rng(0)
    features = rng.random((48, 16)).astype(np.float32)
    images, labels = draw_set(8)
    paths = [f"{label}/{number}.png" for number, label in enumerate(labels)]
    for path, image in zip(paths, images, strict=True):
        (folder / path).parent.mkdir(exist_ok=True)
        image.resize((32, 32)).save(folder / path)
    np.save(folder / "features.npy", features)
    (folder / "labels.csv").write_text("label\n" + "\n".join(labels) + "\n")
    la.Gallery.import_features(
        folder / "photos.gallery", features, paths=[folder / p for p in paths], labels=labels
    ).close()
    return folder


@pytest.mark.parametrize("command", commands(EVALUATION))
def test_the_commands_of_the_evaluation(command, folder, run):
    assert run(command, folder)
    if "--html" in command:
        assert "</html>" in (folder / "report.html").read_text()


@pytest.fixture(scope="module")
def found():
    six = la.datasets.load_six()
    return la.evaluate(six.features, six.labels, include_self=True)


def test_the_commands_of_the_readme(lookalike, drawn):
    readme = (DOCS.parent / "README.md").read_text()
    done = [command for command in commands(readme) if command.startswith("lookalike ")]
    assert len(done) == 6
    names = {"~/Photos/cat.jpg": "photos/round/1.png", "~/Photos": "photos", "COMMAND": "search"}
    for command in done:
        for name, own in names.items():
            command = command.replace(name, own)
        outcome = lookalike(*shlex.split(command)[1:])
        assert outcome.code == 0, (command, outcome)
    for name in ("twice.html", "near.npz", "report.html"):
        assert (drawn / name).stat().st_size > 1000


@pytest.mark.long
def test_the_printed_means_hold(found):
    six = la.datasets.load_six()
    rows = {
        cells[0]: [
            tuple(float("0" + value) for value in cell.replace("*", "").split(" / "))
            for cell in cells[1:]
        ]
        for cells in table("| | Manhattan |", 1)
        if "/" in cells[1]
    }
    assert set(rows) == {"paper", "photos", "shipped", "query left out"}
    without = la.evaluate(six.features, six.labels)
    for place, metric in enumerate(paper.METRIC_ORDER):
        ours = found.mean_precision[metric], found.mean_recall[metric]
        assert rows["shipped"][place] == pytest.approx(ours, abs=0.00005001)
        assert rows["photos"][place] == pytest.approx(ours, abs=0.00015)
        assert rows["query left out"][place] == pytest.approx(
            (without.mean_precision[metric], without.mean_recall[metric]), abs=0.00015
        )
        assert rows["paper"][place] == (paper.MEAN_PRECISION[metric], paper.MEAN_RECALL[metric])


@pytest.mark.parametrize(
    ("heading", "measure"), [("## Table 1", "precision"), ("## Table 2", "recall")]
)
def test_the_printed_tables_hold(found, heading, measure):
    cells, means = paper.TABLES[measure]
    lines = table(heading, 1)
    assert len(lines) == 14
    for ours, theirs in zip(lines[::2], lines[1::2], strict=True):
        category = ours[0]
        for place, metric in enumerate(paper.METRIC_ORDER):
            value = (
                getattr(found, f"mean_{measure}")[metric]
                if category == "Mean"
                else getattr(found, measure)[metric][category]
            )
            printed = float(ours[1 + place].strip("*"))
            # Printed from the photos' features, with three decimals; these are float16.
            assert printed == pytest.approx(value, abs=0.0005 + 0.00017)
            known = means[metric] if category == "Mean" else cells[metric][category]
            assert float(theirs[1 + place].strip("*()")) == known
        for row in (ours, theirs):
            numbers = [float(cell.strip("*()")) for cell in row[1:]]
            bold = [place for place, cell in enumerate(row[1:]) if "**" in cell]
            assert all(numbers[place] == max(numbers) for place in bold)
            assert len(bold) == 1


@pytest.mark.slow
def test_the_other_distances_hold(run_python):
    rows = [
        tuple(float("0" + cell.strip()) for cell in line.split("|")[2:4] if cell.strip())
        for line in REPRODUCTION.split("## Other distances")[1].splitlines()
        if line.startswith("| ") and " ." in line
    ]
    printed = [tuple(map(float, line.split()[-2:])) for line in run_python(OTHERS).splitlines()]
    assert len(rows) == 11
    np.testing.assert_allclose(printed, rows, atol=0.00015)


def table(heading, first):
    """Rows of cells of the first table after a heading, without its head."""
    rest = REPRODUCTION[REPRODUCTION.index(heading) :]
    lines = rest[rest.index("| |") :].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1 + first :]]


def test_the_commands_of_the_reproduction_are_those_tested():
    """So that a new one is not forgotten below."""
    assert commands(REPRODUCTION) == [
        "lookalike demo",  # tests/test_demo.py
        "lookalike index six -o six.gallery",
        "lookalike evaluate six.gallery --include-self",
        "lookalike evaluate six.gallery --include-self --bootstrap --html six.html",
        "lookalike evaluate six_pool5.npy --labels six_rows.csv --include-self",
    ]


@pytest.mark.long
def test_the_matrix_reproduces_the_photos_figures(data, run):
    printed = run(commands(REPRODUCTION)[-1], data)
    means = [line.split()[1:] for line in printed.splitlines() if line.startswith("Mean")]
    expected = [["0.636", "0.711", "0.616", "0.709", "0.709", "0.427", "0.725"],
                ["0.144", "0.162", "0.140", "0.161", "0.161", "0.097", "0.165"]]  # fmt: skip
    assert means == expected


@pytest.mark.slow
def test_the_photos_reproduce_the_figures(data, tmp_path, monkeypatch, run):
    shutil.copytree(data / "six", tmp_path / "six")
    monkeypatch.setenv("LOOKALIKE_MODEL", str(data / "googlenet.onnx"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for command in commands(REPRODUCTION)[1:4]:
        run(command, tmp_path)
    with la.Gallery.open(tmp_path / "six.gallery") as gallery:
        found = la.evaluate(gallery.features, gallery.labels, include_self=True)
    row = next(cells for cells in table("| | Manhattan |", 1) if cells[0] == "photos")
    for place, metric in enumerate(paper.METRIC_ORDER):
        printed = [float("0" + value.strip("* ")) for value in row[1 + place].split("/")]
        ours = found.mean_precision[metric], found.mean_recall[metric]
        assert ours == pytest.approx(printed, abs=0.0005)
