"""How many threads a task may use, so that all tasks together have no more than there are."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading

__all__ = ["threads_of_task"]


def threads_of_task() -> int | None:
    """Return the threads of the task that runs here, None where it runs alone."""
    slots = _tasks_of_worker()
    if slots is not None:
        declared = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
        return max(1, int(declared) // slots) if declared.isdigit() else 1
    alone = threading.current_thread() is threading.main_thread()
    return None if alone and multiprocessing.parent_process() is None else 1


def _tasks_of_worker() -> int | None:
    """Return how many tasks the worker of a cluster runs at a time, None outside of one."""
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return None
    try:
        return int(distributed.get_worker().state.nthreads)
    except ValueError:
        return None
