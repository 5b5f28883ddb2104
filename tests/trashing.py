"""Files to move to a trash that is the test's own, and a journal of them."""

import hashlib
import json
import os
from pathlib import Path

from lookalike.trash.files import FileFacts, Removal
from lookalike.trash.journal import Entry


class FileJournal:
    """A journal in a file, whole after each line: it outlives the process that writes it."""

    def __init__(self, path):
        self._path = path
        self._batch = 1 + max((each["batch"] for each in self._entries().values()), default=0)

    def intend(self, intents):
        first = len(self._entries())
        for i, (path, sha256, _, detail) in enumerate(intents):
            self._write(
                number=first + i,
                batch=self._batch,
                state="intended",
                path=path,
                sha256=sha256.hex(),
                detail=detail,
            )
        return list(range(first, first + len(intents)))

    def settle(self, number, state, detail):
        self._write(number=number, state=state, detail=detail)

    def entries(self, state):
        return [
            Entry(**{**line, "sha256": bytes.fromhex(line["sha256"])})
            for line in self._entries().values()
            if line["state"] == state
        ]

    def _entries(self):
        found = {}
        if self._path.exists():
            for line in map(json.loads, self._path.read_text().splitlines()):
                found.setdefault(line["number"], {}).update(line)
        return found

    def _write(self, **line):
        with open(self._path, "ab", buffering=0) as file:
            file.write(json.dumps(line).encode() + b"\n")


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def facts(path):
    found = os.stat(path)
    return FileFacts(
        os.fspath(path),
        found.st_size,
        found.st_mtime_ns,
        hashlib.sha256(Path(path).read_bytes()).digest(),
    )


def removal(keeper, goer):
    return Removal(facts(keeper), facts(goer))


def contents_below(folder):
    """The contents of all files below a folder, by SHA-256."""
    return {
        hashlib.sha256(path.read_bytes()).digest()
        for path in Path(folder).rglob("*")
        if path.is_file() and not path.is_symlink()
    }


def home_trash():
    return Path(os.environ["XDG_DATA_HOME"], "Trash")


def in_trash():
    files = home_trash() / "files"
    return sorted(path.name for path in files.iterdir()) if files.exists() else []
