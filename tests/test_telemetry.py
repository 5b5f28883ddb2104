"""ONNX Runtime with its telemetry off: no thread of its own, and forked children that end."""

import pytest

# Its own telemetry looks at these, as at ORT_DISABLE_TELEMETRY: the test must not lean on them.
SETUP = """
import os, signal, sys, time
for name in ("CI", "GITHUB_ACTIONS", "GITLAB_CI", "ORT_RUNNING_UNIT_TESTS"):
    os.environ.pop(name, None)
import numpy as np
from lookalike.embedding.preprocessing import BVLC
from lookalike import Embedder
from lookalike.embedding.untrained import untrained_googlenet
from processes import HANGS

def embed():
    model = untrained_googlenet(seed=0)
    network = Embedder(model, BVLC, output="inception_3a/pool_proj", threads=1)
    return network.embed([np.zeros((60, 80), np.uint8)])
"""

ENDS = """
os.environ["ORT_DISABLE_TELEMETRY"] = "0"  # nobody can have it sent by this package
before = set(os.listdir("/proc/self/task"))
expected = embed()
until = time.monotonic() + 60  # one that has ended is listed a moment longer
while (started := set(os.listdir("/proc/self/task")) - before) and time.monotonic() < until:
    time.sleep(0.01)
child = os.fork()
if child == 0:
    signal.alarm(int(HANGS))
    sys.exit(0 if np.array_equal(embed(), expected) else 3)
print(len(started), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.long
def test_no_thread_and_a_forked_child_ends(run_python):
    environment = {"PYTHONWARNINGS": "ignore::DeprecationWarning"}
    assert run_python(SETUP + ENDS, **environment).split() == ["0", "0"]


SWITCHED_OFF = """
os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # nor does this test send any
import onnxruntime
calls = []
onnxruntime.disable_telemetry_events = lambda: calls.append("off")
embed()
print(*calls)
"""


def test_what_was_imported_before_is_told_to_send_nothing(run_python):
    assert set(run_python(SETUP + SWITCHED_OFF).split()) == {"off"}
