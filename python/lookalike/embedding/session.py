"""One way to open a model in ONNX Runtime."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

from lookalike.system import after_fork_in_child

if TYPE_CHECKING:
    import onnxruntime

__all__ = ["onnx_runtime", "open_session", "opening"]

_locks = [threading.Lock()]


def _renew() -> None:
    _locks[0] = threading.Lock()


after_fork_in_child(_renew)  # the parent's may be held for ever


def opening() -> threading.Lock:
    """Return the lock under which the one session of a network is opened."""
    return _locks[0]


def onnx_runtime() -> Any:
    """Import ONNX Runtime, whose telemetry is switched off before; nothing else imports it here."""
    # From 1.29 on, its import starts a thread that sends telemetry, and a forked child waits for
    # that thread when it exits. This keeps it from starting.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    onnxruntime.disable_telemetry_events()  # where it was imported before, and sends already
    return onnxruntime


def open_session(content: bytes) -> onnxruntime.InferenceSession:
    """Return a session on the CPU for an ONNX file's content.

    It computes in the thread that calls it, has none of its own and sends no telemetry.
    """
    runtime = onnx_runtime()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3  # errors only: published models give rise to many warnings
    return runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
