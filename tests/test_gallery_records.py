"""What a gallery keeps beside features: facts of contents, decisions, patterns, the network."""

import numpy as np
import pytest

import lookalike as la
from gallery_rows import filled
from lookalike.gallery.storage.catalogue import Catalogue
from lookalike.gallery.storage.records import ContentRecord, DecisionRecord, NetworkRecord
from lookalike.gallery.storage.snapshot import Snapshot
from lookalike.gallery.storage.thumbnails_file import THUMBNAILS_NAME, Thumbnails, read_thumbnails

NOW = "2026-01-02T03:04:05+00:00"


@pytest.fixture
def folder(tmp_path):
    filled(tmp_path / "a", np.eye(3, dtype=np.float32)).close()
    return tmp_path / "a"


@pytest.fixture
def catalogue(folder):
    opened = Catalogue.open(str(folder / "catalogue.sqlite"))
    yield opened
    opened.close()


def test_facts_of_contents_are_kept_until_no_image_has_the_content(catalogue, folder):
    facts = ContentRecord(b"h" * 32, bytes(range(32)), 40, 30, "JPEG", "2020-01-01 00:00:00", "X 1")
    other = ContentRecord(b"i" * 32)
    with catalogue.transaction():
        catalogue.put_contents([facts._replace(width=1), other])
        catalogue.put_contents([facts])
    assert catalogue.contents() == {facts.hash: facts, other.hash: other}
    assert catalogue.content(facts.hash) == facts
    assert catalogue.content(b"j" * 32) is None
    assert catalogue.content_count() == 2
    assert catalogue.content_column("width") == [None] * 3
    with catalogue.transaction():
        catalogue.forget_unused_contents()
    assert catalogue.contents() == {}


def test_the_journal_keeps_its_order_and_is_settled(catalogue, folder):
    different = DecisionRecord(None, NOW, None, "different", "done", b"1" * 32, b"2" * 32)
    trashed = DecisionRecord(None, NOW, 7, "trash", "intended", b"3" * 32, None, b"/p/\xff", "{}")
    with catalogue.transaction():
        numbers = [catalogue.note_decision(each) for each in (different, trashed, different)]
    assert numbers == [1, 2, 3]
    with catalogue.transaction():
        catalogue.settle_decision(2, "done")
        catalogue.settle_decision(3, "undone", "why")
        catalogue.forget_decisions([1])
        assert catalogue.note_decision(different) == 4
    view = Snapshot.open(str(folder))
    assert view.decisions() == [
        trashed._replace(id=2, state="done"),
        different._replace(id=3, state="undone", detail="why"),
        different._replace(id=4),
    ]
    assert [each.id for each in view.decisions("different")] == [3, 4]
    with catalogue.transaction():
        catalogue.forget_decisions([4])
        assert catalogue.note_decision(different) == 5  # no number is given twice


def test_patterns_and_network_are_replaced_as_a_whole(catalogue, folder):
    network = NetworkRecord(b"/n/\xff.onnx", b"s" * 32, "imagenet", "pool")
    given = [("exclude", "*.tmp"), ("include", "a.tmp")]
    assert catalogue.patterns() == []
    assert catalogue.network() is None
    with catalogue.transaction():
        catalogue.set_patterns([("exclude", "x"), *given])
        catalogue.set_patterns(given)
        catalogue.set_network(network._replace(output=None))
        catalogue.set_network(network)
    view = Snapshot.open(str(folder))
    assert view.patterns() == given
    assert view.network() == network
    with catalogue.transaction():
        catalogue.set_network(None)
    assert catalogue.network() is None


def test_all_of_it_is_part_of_the_state_that_a_pickle_names(catalogue):
    changes = [
        lambda: catalogue.put_contents([ContentRecord(b"h" * 32)]),
        lambda: catalogue.note_decision(
            DecisionRecord(None, NOW, None, "kept", "done", b"h" * 32, None)
        ),
        lambda: catalogue.set_patterns([("exclude", "x")]),
        lambda: catalogue.set_network(NetworkRecord(b"/n", b"s" * 32, "clip")),
    ]
    states = {catalogue.digest()}
    for change in changes:
        with catalogue.transaction():
            change()
        states.add(catalogue.digest())
    assert len(states) == len(changes) + 1


def test_thumbnails_are_found_by_content_and_their_bytes_are_gone_once_dropped(tmp_path):
    pictures = {bytes([i]) * 32: b"WEBP-%03d " % i * 900 for i in range(9)}
    kept = Thumbnails(str(tmp_path))
    kept.put(pictures.items())
    assert kept.hashes() == set(pictures)
    assert read_thumbnails(str(tmp_path), [*pictures, b"x"]) == pictures
    kept.drop([b"\3" * 32])
    kept.close()
    assert b"WEBP-003" not in (tmp_path / THUMBNAILS_NAME).read_bytes()
    del pictures[b"\3" * 32]
    assert read_thumbnails(str(tmp_path), [b"\3" * 32, *pictures]) == pictures


@pytest.mark.parametrize("content", [b"", b"no database" * 99, None])
def test_thumbnails_that_are_missing_or_damaged_stop_nobody(folder, content):
    path = folder / THUMBNAILS_NAME
    if content is not None:
        path.write_bytes(content)
    with la.Gallery.open(folder, mode="r") as gallery:
        assert gallery.search(row=0, k=1).paths == ["photo 0"]
        assert gallery._view.thumbnails([b"h" * 32]) == {}
    kept = Thumbnails(str(folder))
    kept.put([(b"h" * 32, b"webp")])
    kept.close()
    assert read_thumbnails(str(folder), [b"h" * 32]) == {b"h" * 32: b"webp"}


def test_a_page_of_thumbnails_that_turns_bad_under_the_writer_is_replaced(folder):
    kept = Thumbnails(str(folder))
    kept.put([(bytes([i]) * 32, bytes(3000)) for i in range(50)])
    kept.close()
    path = folder / THUMBNAILS_NAME
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xaa" * (len(content) - 4096)
    path.write_bytes(content)
    kept = Thumbnails(str(folder))
    assert kept.hashes() == set()
    kept.put([(b"h" * 32, b"webp")])
    assert kept.hashes() == {b"h" * 32}
    kept.close()
