"""What runs on other people's machines is pinned, and may do no more than it must."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))

if not WORKFLOWS:
    pytest.skip("an sdist has no workflows", allow_module_level=True)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_and_name_their_version(path):
    used = re.findall(r"uses: (.*)", path.read_text())
    assert used
    for each in used:
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each), each


def test_one_action_is_of_one_version():
    used = {each for path in WORKFLOWS for each in re.findall(r"uses: (.*)", path.read_text())}
    names = [each.partition("@")[0] for each in used]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_reads_unless_a_job_says_more(path):
    text = path.read_text()
    assert "\npermissions:\n  contents: read\n" in text
    more = re.findall(r"^ +([\w-]+): write", text, re.MULTILINE)
    assert more == (["id-token", "attestations"] if path.stem == "release" else [])


def test_the_pythons_of_the_wheels_are_those_of_the_tests():
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["cibuildwheel"]
    built = [f"3.{each}" for each in re.findall(r"cp3(\d+t?)-", config["build"])]
    matrix = re.search(r"python: \[(.*)\]", (ROOT / ".github/workflows/tests.yml").read_text())
    assert re.findall(r'"(.*?)"', matrix[1]) == built
