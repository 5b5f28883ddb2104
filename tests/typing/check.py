"""Run mypy and pyright, as strict as they are, on what people write and what they misspell.

    python tests/typing/check.py

Of `misspelt.py` each line with the word must be found, and no other; of all else nothing.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
SCRIPTS = sorted(path for path in HERE.glob("*.py") if path.name != "check.py")


def marked() -> set[tuple[str, int]]:
    """Return where something is wrong."""
    return {
        (path.name, number)
        for path in SCRIPTS
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if line.endswith("# wrong")
    }


def by_mypy(folder: str) -> dict[tuple[str, int], str]:
    """Return what mypy says, as somebody gets it who has the package installed."""
    call = ["mypy", "--strict", "--config-file=", f"--cache-dir={folder}", *map(str, SCRIPTS)]
    done = subprocess.run(call, capture_output=True, text=True, cwd=folder)
    said = re.findall(r"^(.*?):(\d+): error: (.*)$", done.stdout, re.MULTILINE)
    if done.returncode not in (0, 1):
        raise SystemExit(done.stdout + done.stderr)
    return {(Path(path).name, int(line)): words for path, line, words in said}


def by_pyright(folder: str) -> dict[tuple[str, int], str]:
    """Return what pyright says in its strict mode."""
    for path in SCRIPTS:  # it looks at nothing outside the folder of its settings
        shutil.copy(path, folder)
    Path(folder, "pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}')
    call = ["pyright", "--outputjson", "--pythonpath", sys.executable, "-p", folder]
    done = subprocess.run(call, capture_output=True, text=True, cwd=folder)
    said = json.loads(done.stdout)
    if said["summary"]["filesAnalyzed"] != len(SCRIPTS):
        raise SystemExit(done.stdout)
    return {
        (os.path.basename(each["file"]), each["range"]["start"]["line"] + 1): each["message"]
        for each in said["generalDiagnostics"]
        if each["severity"] == "error"
    }


def main() -> None:
    """Compare what is found with what is marked."""
    wrong, failed = marked(), False
    for name, check in {"mypy": by_mypy, "pyright": by_pyright}.items():
        with tempfile.TemporaryDirectory() as folder:
            found = check(folder)
        for place in sorted(wrong ^ found.keys()):
            failed = True
            print(f"{name}: {place[0]}:{place[1]}: {found.get(place, 'finds nothing wrong')}")
        print(f"{name}: {len(found)} found of {len(wrong)} marked in {len(SCRIPTS)} scripts")
    sys.exit(failed)


if __name__ == "__main__":
    main()
