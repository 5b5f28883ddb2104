"""Killed before and after each step of a move to the trash or back: no file is lost."""

import os
import subprocess
import sys
from pathlib import Path

from processes import HANGS


def test_no_file_is_lost_whenever_the_process_is_killed(tmp_path):
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("killed_mover.py"), tmp_path / "work"],
        env=os.environ | {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        timeout=HANGS,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 20
