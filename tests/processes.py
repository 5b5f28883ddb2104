"""Processes that are interrupted and killed, timed by the work they do, whoever else is at work."""

import os
import subprocess
import time

HANGS = 600
"""Seconds after which a test gives up waiting: nothing takes so long on any machine."""

TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """The processor time that a process has used, all its threads together."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def wait_until_at_work(process: subprocess.Popen, seconds: float = 0.2) -> None:
    """Wait until a process has used so much more processor time."""
    start = cpu_seconds(process.pid)
    while cpu_seconds(process.pid) < start + seconds:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
