"""Real photos and the real network: what a user does, on a part of them."""

import csv
import os

import numpy as np
import pytest
from PIL import Image

import lookalike as la
from picture_files import without_profile

EACH = 8


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = os.environ.get("LOOKALIKE_DATA")
    if not folder:
        pytest.skip("LOOKALIKE_DATA is not set: no photos and no weights")
    target = tmp_path_factory.mktemp("photos")
    with open(os.path.join(folder, "six_rows.csv"), newline="") as file:
        rows = list(csv.DictReader(file))
    reference = np.load(os.path.join(folder, "six_pool5.npy"), mmap_mode="r")
    expected = {}
    for category in sorted({row["category"] for row in rows}):
        (target / category).mkdir()
        for row in [row for row in rows if row["category"] == category][:EACH]:
            # The reference was made without a look at profiles.
            with open(os.path.join(folder, "six", row["file"]), "rb") as photo:
                (target / row["file"]).write_bytes(without_profile(photo.read()))
            expected[str(target / row["file"])] = reference[int(row["row"])]
    return target, expected


def test_photos(photos, tmp_path, monkeypatch):
    folder, expected = photos
    model = os.path.join(os.environ["LOOKALIKE_DATA"], "googlenet.onnx")
    monkeypatch.setenv("LOOKALIKE_MODEL", model)
    with la.Gallery.create(tmp_path / "gallery") as gallery:  # no model is named anywhere
        report = gallery.add(folder, labels="folder")
        assert (report.added, report.failed) == (6 * EACH, [])
    with la.Gallery.open(tmp_path / "gallery", mode="r") as gallery:
        assert sorted(gallery.paths) == sorted(expected)
        assert sorted(set(gallery.labels)) == sorted(os.listdir(folder))
        for path, row in zip(gallery.paths, gallery.features, strict=True):
            distance = la.cdist([row], [expected[path]], "cosine")
            assert distance[0, 0] < 1e-5
        path = gallery.paths[20]
        hits = gallery.search(path, k=5)
        assert hits.paths[0] == path
        assert hits.distances[0] < 1e-6
        assert path not in gallery.search(path, k=100, exclude_self=True).paths
        # Re-encoded at half the size, it is still the nearest.
        with Image.open(path) as image:
            half = image.resize((image.width // 2, image.height // 2))
        half.save(tmp_path / "small.jpg", quality=70)
        assert gallery.search(tmp_path / "small.jpg", k=1).paths == [path]
        html = hits._repr_html_()
        assert html.count("data:image/jpeg") == 5
