"""The whole job on real photos: index, interrupt, kill, resume, search, duplicates, export."""

import csv
import json
import os
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from command_line import run
from picture_files import without_profile
from processes import HANGS
from test_cli_process import committed, started, stored, wait_for_more

pytestmark = pytest.mark.long

EVERY = 55
"""Of the 2,640 photos, so many are left out between two that are used."""
CHOSEN = 6
"""Photos that copies are planted of."""


def copies(photo: Path, folder: Path) -> list[Path]:
    """Plant five copies of a photo."""
    made = [
        folder / f"{photo.stem}-{kind}" for kind in ("q70.jpg", "80.jpg", "turned.jpg", "p.png")
    ]
    with Image.open(photo) as image:
        image.save(made[0], quality=70)
        image.resize((image.width * 4 // 5, image.height * 4 // 5)).save(made[1], quality=90)
        exif = Image.Exif()
        exif[0x0112] = 6
        image.transpose(Image.Transpose.ROTATE_90).save(made[2], quality=95, exif=exif)
        image.save(made[3])
    made.append(folder / f"{photo.stem} <copy>.jpg")
    shutil.copy(photo, made[4])
    return made


@pytest.fixture(scope="module")
def job(data, tmp_path_factory):
    """A folder with ``photos`` of six categories and copies of some, and who is whose copy."""
    folder = tmp_path_factory.mktemp("job")
    with open(data / "six_rows.csv", newline="") as file:
        names = [row["file"] for row in csv.DictReader(file)][::EVERY]
    for name in names:
        (folder / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        # The reference was made without a look at profiles.
        photo = without_profile((data / "six" / name).read_bytes())
        (folder / "photos" / name).write_bytes(photo)
    (folder / "photos" / "copies").mkdir()
    planted = {
        f"photos/{name}": copies(folder / "photos" / name, folder / "photos" / "copies")
        for name in names[:: len(names) // CHOSEN][:CHOSEN]
    }
    return folder, planted


@pytest.fixture(scope="module")
def settings(data, tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    return {"LOOKALIKE_MODEL": str(data / "googlenet.onnx"), "XDG_CACHE_HOME": str(cache)}


@pytest.fixture(scope="module")
def indexed(job, settings):
    """The folder, indexed by a run that was interrupted, one that was killed, and a third."""
    folder, _ = job
    files = sum(len(names) for _, _, names in os.walk(folder / "photos"))
    with started(folder, settings, "index", "photos") as process:
        wait_for_more(folder, 0, process)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=HANGS)
    interrupted = committed(folder)
    assert process.returncode == 130
    assert stored(interrupted) in err
    with started(folder, settings, "index", "photos") as process:
        wait_for_more(folder, interrupted, process)
        process.kill()
    killed = committed(folder)
    assert 0 < interrupted < killed < files
    done = json.loads(run("index", "photos", "--json", cwd=folder, **settings).stdout)
    assert (done["images"], done["added"], done["failed"]) == (files, files - killed, [])
    assert not done["untrained"]
    return folder


def test_the_features_are_the_references(indexed, settings, data):
    assert run("export", "-o", "all", cwd=indexed, **settings).returncode == 0
    with open(indexed / "all.csv", newline="") as file:
        rows = {
            os.path.relpath(row["path"], indexed): int(row["row"]) for row in csv.DictReader(file)
        }
    features, reference = np.load(indexed / "all.npy"), np.load(data / "six_pool5.npy")
    with open(data / "six_rows.csv", newline="") as file:
        names = [row["file"] for row in csv.DictReader(file)]
    assert len(rows) == len(features)
    for number in range(0, len(names), EVERY):
        a, b = features[rows[f"photos/{names[number]}"]], reference[number]
        assert a @ b > 0.9999 * np.linalg.norm(a) * np.linalg.norm(b)


def test_planted_duplicates_are_found_and_nothing_else(indexed, settings, job):
    _, planted = job
    done = run("duplicates", "--json", cwd=indexed, **settings)
    assert (done.returncode, done.stderr) == (0, "")
    found = {
        frozenset(os.path.relpath(member["path"], indexed) for member in group["members"])
        for group in json.loads(done.stdout)["groups"]
    }
    expected = {
        frozenset([original, *(str(copy.relative_to(indexed)) for copy in made)])
        for original, made in planted.items()
    }
    assert found == expected


def test_a_copy_from_elsewhere_finds_its_photo(indexed, settings, job, tmp_path):
    _, planted = job
    for original in list(planted)[:2]:
        query = tmp_path / "query.webp"
        with Image.open(indexed / original) as image:
            image.save(query, quality=80)
        done = run("search", query, "-k6", "--no-fold", "--paths-only", cwd=indexed, **settings)
        copied = {str(copy.relative_to(indexed)) for copy in planted[original]}
        assert set(done.stdout.splitlines()) == {original, *copied}


def test_other_weights_are_refused(indexed, settings):
    photo = next((indexed / "photos" / "copies").glob("*.png"))
    refused = run("search", photo, "--untrained", "0", cwd=indexed, **settings)
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (1, "", 1)
    assert "untrained-" in refused.stderr
    assert run("check", cwd=indexed, **settings).returncode == 0
