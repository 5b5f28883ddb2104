"""Move files to the trash and back, killed at each step; run by test_trash_killed.py."""

import os
import shutil
import signal
import sys
import warnings
from pathlib import Path

import send2trash  # not first in a child

from lookalike.gallery.storage import catalogue
from lookalike.gallery.storage.catalogue import Catalogue
from lookalike.gallery.upkeep.trash import CatalogueJournal
from lookalike.trash import moves, places, undo
from lookalike.trash.moves import move_to_trash, settle_interrupted
from lookalike.trash.undo import bring_back
from trashing import contents_below, home_trash, in_trash, removal, write

NAMES = {"kept.jpg": "same", "goes.jpg": "same", "also.jpg": "same"}
NAMES |= {"kept.jpg.json": "other notes", "goes.jpg.json": "notes"}
KEPT = ["kept.jpg", "kept.jpg.json"]


def in_child(work):
    """Run something in a child that is to be killed."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException as error:
            os.write(2, f"{error!r}\n".encode())
            os._exit(1)
    _, status = os.waitpid(child, 0)
    return os.WTERMSIG(status) == signal.SIGKILL if os.WIFSIGNALED(status) else None


def killing(module, name, *, after, call):
    """Let the process die before or after a call of a function, the first being number 1."""
    inner = getattr(module, name)
    count = [0]

    def killed(*arguments, **named):
        count[0] += 1
        if count[0] == call and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = inner(*arguments, **named)
        if count[0] == call and after:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(module, name, killed)


STEPS = [  # of two files, one with a side-car: three moves, two intents
    *((CatalogueJournal, "intend", after, call) for call in (1, 2) for after in (False, True)),
    *((moves, "send", after, call) for call in (1, 2, 3) for after in (False, True)),
    *((CatalogueJournal, "settle", after, call) for call in (1, 2, 3) for after in (False, True)),
    *((os, "rename", after, 1) for after in (False, True)),  # Send2Trash's, the record is written
]
BACK = [
    *((undo, "put_back", after, call) for call in (1, 3) for after in (False, True)),
    *((CatalogueJournal, "settle", after, call) for call in (1, 3) for after in (False, True)),
    (os, "makedirs", True, 1),
]


def fresh(folder):
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(home_trash(), ignore_errors=True)
    (folder / "journal").parent.mkdir(parents=True)
    Catalogue.create(os.fspath(folder / "journal"), 1, None, "")
    for name, content in NAMES.items():
        write(folder / "photos" / name, content)
    return [
        removal(folder / "photos/kept.jpg", folder / "photos" / name)
        for name in ("goes.jpg", "also.jpg")
    ]


def unsynced(path, mode, connect=catalogue.connect):
    """Connect to a database without waiting for the disk, which a killed process does not need."""
    connection = connect(path, mode)
    connection.execute("PRAGMA synchronous = OFF")
    return connection


def opened(path):
    return CatalogueJournal(Catalogue.open(os.fspath(path)))


def everything(folder):
    return {name: (folder / "photos" / name).read_text() for name in NAMES}


def main(folder):
    warnings.simplefilter("ignore", DeprecationWarning)  # of forks with threads about
    catalogue.connect = unsynced
    places.sync_folder = lambda folder: None
    journal = folder / "journal"
    for step in STEPS:
        removals = fresh(folder)
        before = contents_below(folder / "photos")

        def move(step=step, removals=removals):
            killing(step[0], step[1], after=step[2], call=step[3])
            move_to_trash(removals, opened(journal))

        assert in_child(move), step
        assert contents_below(folder / "photos") | contents_below(home_trash()) >= before, step
        # The same command goes on.
        list(settle_interrupted(opened(journal)))
        assert not opened(journal).entries("intended")
        left = [each for each in removals if os.path.exists(each.goer.path)]
        outcome = move_to_trash(left, opened(journal))
        assert outcome.left == [], (step, outcome)
        assert sorted(os.listdir(folder / "photos")) == KEPT, step
        assert len(in_trash()) == 3, step
        # Two batches, perhaps, and all of both comes back.
        moved = []
        while some := bring_back(opened(journal)).moved:
            moved += some
        assert everything(folder) == NAMES, step
        assert len(moved) == 3, step
        assert in_trash() == [], step
    for step in BACK:
        removals = fresh(folder)
        move_to_trash(removals, opened(journal))
        for name in KEPT:
            shutil.move(folder / "photos" / name, folder / name)
        os.rmdir(folder / "photos")

        def back(step=step):
            killing(step[0], step[1], after=step[2], call=step[3])
            bring_back(opened(journal))

        assert in_child(back), step
        outcome = bring_back(opened(journal))
        assert outcome.left == [], (step, outcome)
        for name in KEPT:
            shutil.move(folder / name, folder / "photos" / name)
        assert everything(folder) == NAMES, step
        assert in_trash() == [], step
        assert os.listdir(home_trash() / "info") == [], step
    print(len(STEPS) + len(BACK))


if __name__ == "__main__":
    assert send2trash
    main(Path(sys.argv[1]))
