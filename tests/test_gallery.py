"""A gallery of rows: what goes in comes out, is found, left out and written elsewhere."""

import csv
import os
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lookalike as la
from gallery_rows import DIM, filled, names
from lookalike import GalleryError
from lookalike.gallery.storage import catalogue_file


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "a.gallery"


@pytest.fixture
def rows(rng):
    return rng.gamma(0.5, size=(40, DIM)).astype(np.float32)


def test_rows_come_out_as_they_went_in(folder, rows):
    labels = [i % 3 for i in range(20)] + [None] * 10 + ["ß"] * 10
    with la.Gallery.create(folder, dim=DIM) as gallery:
        report = gallery.add(rows, paths=names(40), labels=labels)
    assert (report.added, report.updated, report.failed) == (40, 0, [])
    with la.Gallery.open(folder) as gallery:
        assert len(gallery) == 40
        assert gallery.paths == names(40)
        assert gallery.labels == labels
        np.testing.assert_array_equal(gallery.features, rows)
        assert gallery.features.dtype == np.float32
        assert not gallery.features.flags.writeable
        assert gallery.hashes == gallery.sizes == gallery.mtimes_ns == [None] * 40
    assert sorted(os.listdir(folder)) == ["catalogue.sqlite", "features-0.f32", "writer.lock"]
    assert (folder / "features-0.f32").read_bytes() == rows.tobytes()


def test_a_name_that_is_there_gets_the_new_features(folder, rows):
    with filled(folder, rows[:5]) as gallery:
        report = gallery.add(rows[10:12], paths=["photo 3", "other"])
        assert (report.added, report.updated) == (1, 1)
        assert sorted(gallery.paths) == sorted([*names(5), "other"])
        for name, row in (("photo 3", rows[10]), ("other", rows[11]), ("photo 4", rows[4])):
            np.testing.assert_array_equal(gallery.features[gallery.paths.index(name)], row)
        assert gallery.info()["dead_rows"] == 0


def test_rows_without_names_are_numbered(folder, rows):
    with la.Gallery.create(folder, dim=DIM) as gallery:
        gallery.add(rows[:2])
        gallery.add(rows[2:3], paths=["3"])
        gallery.add(rows[3:5].tolist())
        assert gallery.paths == ["0", "1", "3", "4", "5"]


@pytest.mark.parametrize("dtype", ["f2", "f8", ">f4", "u1", "i8", "?"])
def test_any_real_type(folder, rows, dtype):
    given = (rows * 3).astype(dtype)[::2, ::-1]
    with la.Gallery.create(folder, dim=DIM) as gallery:
        gallery.add(given)
        np.testing.assert_array_equal(gallery.features, given.astype(np.float32))


def test_rows_are_added_all_or_none(folder, rows):
    with filled(folder, rows[:3]) as gallery:
        bad = rows.copy()
        bad[33, 2] = np.nan
        huge = rows.astype(np.float64)
        huge[7, 0] = 1e39
        for array, row in ((bad, 33), (huge, 7)):
            with pytest.raises(ValueError, match=f"row {row} has a value that is not finite"):
                gallery.add(array)
        with pytest.raises(ValueError, match="paths must have one entry for each of the 40 rows"):
            gallery.add(rows, paths=["a"])
        with pytest.raises(ValueError, match="labels must have one entry"):
            gallery.add(rows, labels=["a"])
        with pytest.raises(ValueError, match="paths must differ"):
            gallery.add(rows[:2], paths=["a", "a"])
        with pytest.raises(TypeError, match=r"a label must be a str, an int or None, got 1\.5"):
            gallery.add(rows[:1], labels=[1.5])
        with pytest.raises(TypeError, match="labels of an array must be one a row, got 'folder'"):
            gallery.add(rows[:1], labels="folder")
        with pytest.raises(TypeError, match="real numbers, got complex"):
            gallery.add(rows * 1j)
        with pytest.raises(ValueError, match=r"must have the shape \(n, dim\), got \(6,\)"):
            gallery.add(rows[0])
        assert len(gallery) == 3
        gallery.add(rows[3:5])
        np.testing.assert_array_equal(gallery.features, rows[:5])


def test_another_width_or_space_is_refused_naming_both(folder, rows):
    with filled(folder, rows) as gallery:
        with pytest.raises(GalleryError, match="rows of 6 features, the array gives 5"):
            gallery.add(rows[:, :5])
        with pytest.raises(GalleryError, match="of the space s, the array gives t"):
            gallery.add(rows, space="t")
        gallery.add(rows[:1], space="s")
    with la.Gallery.create(folder.with_name("b"), dim=DIM) as gallery:
        gallery.add(rows[:1], space="t")  # an empty gallery without one takes it on
        assert gallery.space == "t"
    with la.Gallery.create(folder.with_name("c"), dim=DIM) as gallery:
        gallery.add(rows[:1])
        with pytest.raises(GalleryError, match=r"of the space \(not known\), the array gives t"):
            gallery.add(rows[1:], space="t")


def test_search_is_the_brute_force(folder, rows, rng):
    queries = rng.gamma(0.5, size=(3, DIM))
    with filled(folder, rows, labels=list(range(40))) as gallery:
        for metric in la.METRICS:
            distances = la.cdist(queries, rows.astype(np.float64), metric)
            expected = np.argsort(distances, axis=1, kind="stable")[:, :7]
            for i, hits in enumerate(gallery.search(queries, k=7, metric=metric)):
                np.testing.assert_array_equal(hits.indices, expected[i])
                np.testing.assert_array_equal(hits.distances, distances[i, expected[i]])
                assert hits.paths == [f"photo {j}" for j in expected[i]]
                assert hits.labels == expected[i].tolist()


def test_kinds_of_queries(folder, rows):
    with filled(folder, rows) as gallery:
        one = gallery.search(rows[4], metric="l1")
        assert isinstance(one, la.Hits)
        assert one.paths[0] == "photo 4"
        assert len(one.paths) == len(one.distances) == len(one.indices) == len(one.labels) == 10
        assert gallery.search(rows[4].tolist(), k=1).paths == ["photo 4"]
        several = gallery.search([rows[4], rows[5].tolist()], k=1)
        assert [hits.paths for hits in several] == [["photo 4"], ["photo 5"]]
        assert [hits.paths for hits in gallery.search(rows[4:6], k=1)] == [["photo 4"], ["photo 5"]]
        assert gallery.search(row=4, k=1).paths == ["photo 4"]
        assert gallery.search(row=-1, k=1).paths == ["photo 39"]
        assert "photo 4" not in gallery.search(row=4, k=40, exclude_self=True).paths
        assert [h.paths for h in gallery.search(row=[1, 2], k=1)] == [["photo 1"], ["photo 2"]]
        assert gallery.search([]) == []
        assert len(gallery.search(rows[0], k=1000).paths) == 40  # k is clamped
        assert len(gallery.search(row=0, k=1000, exclude_self=True).paths) == 39


def test_wrong_queries(folder, rows):
    with filled(folder, rows) as gallery:
        with pytest.raises(TypeError, match="a query or row=, one of the two"):
            gallery.search()
        with pytest.raises(TypeError, match="a query or row=, one of the two"):
            gallery.search(rows[0], row=0)
        with pytest.raises(ValueError, match="k must be at least 1, got 0"):
            gallery.search(rows[0], k=0)
        with pytest.raises(TypeError, match=r"k must be an integer, got 1\.5"):
            gallery.search(rows[0], k=1.5)
        with pytest.raises(ValueError, match="row must be from -40 to 39 in this gallery"):
            gallery.search(row=40)
        with pytest.raises(TypeError, match="row must be an integer"):
            gallery.search(row="photo 1")
        with pytest.raises(ValueError, match=r"must have 6 numbers .*got shape \(5,\)"):
            gallery.search(rows[0, :5])
        with pytest.raises(ValueError, match=r"query\[1\].* must be finite, got nan"):
            gallery.search([rows[0], rows[0] * np.nan])
        with pytest.raises(TypeError, match=r"query must be a path, .*, got dict"):
            gallery.search({})
        with pytest.raises(ValueError, match="metric must be one of manhattan"):
            gallery.search(rows[0], metric="dice")
        with pytest.raises(ValueError, match="exclude_self needs a query with a file"):
            gallery.search(rows[0], exclude_self=True)


def test_an_empty_gallery_finds_nothing(folder):
    with la.Gallery.create(folder, dim=DIM) as gallery:
        assert gallery.features.shape == (0, DIM)
        assert gallery.search(np.zeros(DIM)).paths == []
        assert [hits.paths for hits in gallery.search(np.zeros((2, DIM)))] == [[], []]
        with pytest.raises(ValueError, match="metric must be one of"):
            gallery.search(np.zeros(DIM), metric="?")
        assert gallery.root is None
        assert gallery.add(np.empty((0, DIM))).added == 0
        assert not gallery.compact()
        assert gallery.check().ok


def test_remove_writes_the_next_generation(folder, rows):
    with filled(folder, rows, labels=list(range(40))) as gallery:
        before = gallery.features
        assert gallery.remove(["photo 0", "photo 17", "photo 39"]) == 3
        keep = [i for i in range(40) if i not in (0, 17, 39)]
        assert gallery.labels == keep
        np.testing.assert_array_equal(gallery.features, rows[keep])
        np.testing.assert_array_equal(before, rows)  # what was mapped stays
        assert os.path.exists(folder / "features-1.f32")
        assert not os.path.exists(folder / "features-0.f32")
        with pytest.raises(GalleryError, match="photo 0 is not in "):
            gallery.remove(["photo 1", "photo 0"])
        assert len(gallery) == 37
        gallery.add(rows[:1], paths=["photo 0"])
        assert gallery.paths[-1] == "photo 0"
        assert gallery.remove(gallery.paths) == 38
        assert len(gallery) == 0


def test_import_of_a_matrix(tmp_path, rows):
    np.save(tmp_path / "rows.npy", rows.astype(np.float64))
    with la.Gallery.import_features(
        tmp_path / "a", tmp_path / "rows.npy", paths=names(40), labels=["x"] * 40, space="s"
    ) as gallery:
        assert (gallery.dim, gallery.space, gallery.labels[7]) == (DIM, "s", "x")
        np.testing.assert_array_equal(gallery.features, rows)
    with pytest.raises(ValueError, match="one entry for each"):
        la.Gallery.import_features(tmp_path / "b", rows, paths=["a"])
    la.Gallery.open(tmp_path / "b", mode="r+").close()  # the lock went with the failure


def test_export(tmp_path, rows):
    paths = [*names(38), 'comma, "quote"', os.fsdecode(b"not \xff UTF-8")]
    with la.Gallery.create(tmp_path / "a", dim=DIM) as gallery:
        gallery.add(rows, paths=paths, labels=["a", None] * 20)
        assert gallery.export(tmp_path) == [f"{tmp_path}/features.npy", f"{tmp_path}/features.csv"]
    np.testing.assert_array_equal(np.load(tmp_path / "features.npy"), rows)
    with open(tmp_path / "features.csv", newline="", errors="surrogateescape") as file:
        table = list(csv.DictReader(file))
    assert [row["path"] for row in table] == paths
    assert [row["label"] for row in table] == ["a", ""] * 20
    assert [row["row"] for row in table] == [str(i) for i in range(40)]
    with (
        la.Gallery.open(tmp_path / "a") as gallery,
        pytest.raises(GalleryError, match=r"cannot write .*No such file"),
    ):
        gallery.export(tmp_path / "nowhere" / "b")


def test_export_to_parquet(tmp_path, rows):
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    with la.Gallery.create(tmp_path / "a", dim=DIM, space="s") as gallery:
        gallery.add(rows, paths=[os.fsdecode(b"\xff"), *names(39)], labels=[7, None] * 20)
        written = gallery.export(tmp_path / "b", parquet=True)
    assert written[2] == f"{tmp_path}/b.parquet"
    table = parquet.read_table(written[2])
    assert table.column_names == ["path", "label", "sha256", "features"]
    assert table["path"][0].as_py() == "\\xff"
    assert table["label"].to_pylist() == ["7", None] * 20
    assert table.schema.metadata[b"space"] == b"s"
    np.testing.assert_array_equal(np.stack(table["features"].to_pylist()), rows)


def test_without_pyarrow_parquet_names_the_command(tmp_path, rows, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    gallery = filled(tmp_path / "a", rows)
    with pytest.raises(GalleryError, match=r"pip install 'lookalike\[parquet\]'"):
        gallery.export(tmp_path / "b", parquet=True)
    assert not (tmp_path / "b.npy").exists()


def test_without_dask_to_dask_names_the_command(tmp_path, rows, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("lookalike.dask")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "dask", None)
    monkeypatch.setitem(sys.modules, "dask.array", None)
    with pytest.raises(ImportError, match=r"pip install 'lookalike\[dask\]'"):
        filled(tmp_path / "a", rows).to_dask()


def test_an_older_format_is_migrated_and_a_newer_one_refused(folder, rows, monkeypatch):
    filled(folder, rows).close()
    column = "ALTER TABLE images ADD COLUMN stars INTEGER DEFAULT 5;"
    today, newer = catalogue_file.MIGRATIONS, catalogue_file.FORMAT + 1
    monkeypatch.setattr(catalogue_file, "MIGRATIONS", (*today, column))
    monkeypatch.setattr(catalogue_file, "FORMAT", newer)
    before = (folder / "catalogue.sqlite").read_bytes()
    with la.Gallery.open(folder, mode="r") as reader:  # in its own copy
        assert reader._view.column("stars") == [5] * 40
    assert (folder / "catalogue.sqlite").read_bytes() == before
    monkeypatch.setattr(catalogue_file, "MIGRATIONS", (*today, column + "oops;"))
    with pytest.raises(GalleryError, match="syntax error"):
        la.Gallery.open(folder, mode="r+")
    assert (folder / "catalogue.sqlite").read_bytes() == before  # all of it or nothing
    monkeypatch.setattr(catalogue_file, "MIGRATIONS", (*today, column))
    la.Gallery.open(folder, mode="r+").close()
    monkeypatch.undo()
    for mode in ("r", "r+"):
        with pytest.raises(
            GalleryError, match=rf"has format {newer}, .* up to {newer - 1}; a newer"
        ):
            la.Gallery.open(folder, mode=mode)


def test_hits_show_thumbnails(tmp_path):
    path = tmp_path / 'quote " & <b>.png'
    from PIL import Image

    Image.new("RGB", (400, 300), "red").save(path)
    with la.Gallery.create(tmp_path / "a", dim=2) as gallery:
        gallery.add([[0, 1], [0, 2]], paths=[path, "gone"], labels=["<i>", 0])
        hits = gallery.search([0, 1], metric="l1")
    page = hits._repr_html_()
    assert page.count("data:image/jpeg;base64,") == 1
    assert "no image" in page
    assert "<b>" not in page
    assert "<i>" not in page
    assert "&lt;i&gt;" in page
    assert str(hits).splitlines()[1].split() == ["2", "1.000000", "0", "gone"]


@settings(max_examples=12)
@given(
    st.lists(
        st.tuples(st.sampled_from(["add", "remove", "reopen"]), st.sets(st.integers(0, 9))),
        max_size=8,
    )
)
def test_any_sequence_of_changes(tmp_path_factory, steps):
    folder = tmp_path_factory.mktemp("galleries") / "a"
    gallery = la.Gallery.create(folder, dim=1)
    expected = {}
    value = 0
    for what, members in steps:
        chosen = sorted(map(str, members))
        if what == "add":
            rows = [[value + i] for i in range(len(chosen))]
            gallery.add(np.array(rows).reshape(-1, 1), paths=chosen)
            expected.update(zip(chosen, rows, strict=True))
            value += len(rows)
        elif what == "remove":
            chosen = [name for name in chosen if name in expected]
            assert gallery.remove(chosen) == len(chosen)
            for name in chosen:
                del expected[name]
        else:
            gallery.close()
            gallery = la.Gallery.open(folder)
        assert dict(zip(gallery.paths, gallery.features.tolist(), strict=True)) == expected
    gallery.close()
