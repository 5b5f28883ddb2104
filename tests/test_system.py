"""Where Python lacks what POSIX alone has, features are compared, judged and made as ever."""

import os

import numpy as np
import pytest

from gallery_rows import DIM, filled
from lookalike import system
from tiny_embedder import write_image

STRIP = """
import sys
for name in ("fcntl", "grp", "pwd", "resource", "syslog", "termios"):
    sys.modules[name] = None  # which makes its import an ImportError
import os
for name in '''chown chroot fchdir fchown fdatasync fork getloadavg getpgid
    getsid killpg lchown lockf mkfifo mknod nice pathconf posix_fadvise posix_fallocate
    posix_spawn pread preadv pwrite pwritev register_at_fork sched_getaffinity sched_yield sendfile
    setuid statvfs sync sysconf wait O_CLOEXEC O_DIRECTORY O_DSYNC O_NOFOLLOW O_NONBLOCK
    O_SYNC'''.split():
    if hasattr(os, name):
        delattr(os, name)
if sys.version_info >= (3, 13):
    os.process_cpu_count = os.cpu_count  # as `os` has it where it finds no sched_getaffinity
"""

WORK = """
import sys
import numpy as np
import lookalike as la
from lookalike.embedding.untrained import untrained_googlenet
from tiny_embedder import TinyEmbedder

folder = sys.argv[1]
X = np.random.default_rng(0).random((60, 12))
judged = la.evaluate(X, [f"label {row % 3}" for row in range(60)], k=5)
la.Index(X, metric="manhattan").save(f"{folder}/x.index")
photos = [f"{folder}/1.png"]
features = la.Embedder(untrained_googlenet(0), la.BVLC, output="inception_3a/pool_proj")
results = {
    "knn": la.knn(X, k=3, metric="cosine").indices,
    "radius": la.radius_neighbors(X, radius=0.8, metric="euclidean").indices,
    "matrix": la.cdist(X, X, "canberra"),
    "precision": [*judged.mean_precision.values()],
    "index": la.Index.open(f"{folder}/x.index").knn(X[:2], k=4).distances,
    "network": features.embed(photos),
    "tiny": TinyEmbedder().embed(photos),
}
np.savez(f"{folder}/{sys.argv[2]}.npz", **results)
"""

GALLERIES = """
import lookalike as la

with la.Gallery.open(sys.argv[1], mode="r") as gallery:
    print(*gallery.search(gallery.features[1], k=1).paths)
for work in (
    lambda: la.Gallery.open(sys.argv[1]).add(np.ones((1, 6)), paths=["more"]),
    lambda: la.Gallery.create(sys.argv[1] + "-new", dim=6),
):
    try:
        work()
    except la.GalleryError as error:
        print(error)
"""


def test_results_are_those_of_a_whole_python(run_python, tmp_path):
    write_image(tmp_path / "1.png", 1)
    run_python(WORK, str(tmp_path), "whole")
    run_python(STRIP + WORK, str(tmp_path), "stripped")
    with np.load(tmp_path / "whole.npz") as whole, np.load(tmp_path / "stripped.npz") as stripped:
        assert len(whole.files) == 7
        for name in whole.files:
            np.testing.assert_array_equal(stripped[name], whole[name], err_msg=name)


def test_a_gallery_is_read_and_not_written_where_there_are_no_locks(run_python, rng, tmp_path):
    folder = tmp_path / "a.gallery"
    filled(folder, rng.random((3, DIM), np.float32)).close()
    printed = run_python(STRIP + "import numpy as np" + GALLERIES, str(folder)).splitlines()
    assert printed[0] == "photo 1"
    assert len(printed) == 3
    for line in printed[1:]:
        assert line.startswith(f"cannot lock {folder}")
        assert line.endswith(": there are no file locks on this system")


def test_processors_are_those_of_this_process(run_python):
    script = "from lookalike.system import processors; print(processors())"
    one = f"import os; os.sched_setaffinity(0, {{{min(os.sched_getaffinity(0))}}})\n"
    assert run_python(one + script).strip() == "1"
    assert int(run_python(script)) == len(os.sched_getaffinity(0))


@pytest.mark.parametrize("size", [1, system.BLOCK_BYTES * 2 + 7])
@pytest.mark.parametrize("lacking", [(), ("posix_fallocate",)])
def test_reserved_room_is_zeros_behind_what_there_is(tmp_path, monkeypatch, size, lacking):
    for name in lacking:
        monkeypatch.delattr(os, name)
    with open(tmp_path / "file", "w+b", buffering=0) as file:
        file.write(b"head")
        system.reserve(file.fileno(), 4, size)
        assert (tmp_path / "file").read_bytes() == b"head" + bytes(size)


@pytest.mark.parametrize("lacking", [(), ("pread", "pwrite")])
def test_bytes_are_read_and_written_where_they_belong(tmp_path, monkeypatch, lacking):
    for name in lacking:
        monkeypatch.delattr(os, name)
    with open(tmp_path / "file", "w+b", buffering=0) as file:
        file.write(b"0123456789")
        assert system.write_at(file.fileno(), memoryview(b"abc"), 2) == 3
        assert system.read_at(file.fileno(), 4, 1) == b"1abc"
