"""What the package says of itself where it is installed from: a version, links, a changelog."""

import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
METADATA = importlib.metadata.metadata("lookalike")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
VERSION = PROJECT["version"]
LINK = re.compile(r"\]\(([^)]+)\)")
HEADING = re.compile(r"^#+ (.*)", re.MULTILINE)


def anchors(page):
    """The names by which GitHub links to the headings of a page, and those that it gives itself."""
    return {
        re.sub(r"[^\w\- ]", "", text).lower().replace(" ", "-") for text in HEADING.findall(page)
    } | {*re.findall('<a id="([^"]+)">', page)}


def test_what_is_installed_is_this_version():
    assert METADATA["Version"] == VERSION


def test_the_version_is_written_once():
    headings = re.findall(r"^## \[([\d.]+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == VERSION
    sources = [*ROOT.glob("*.*"), *(ROOT / "python").rglob("*.py"), *(ROOT / "src").iterdir()]
    texts = {path.name: path.read_text() for path in sources if path.suffix in (".py", ".toml")}
    assert [name for name, text in texts.items() if f'"{VERSION}"' in text] == ["pyproject.toml"]


def test_no_link_of_the_description_is_relative():
    links = LINK.findall(METADATA["Description"] or METADATA.get_payload())
    assert len(links) > 5
    assert [link for link in links if not link.startswith("https://")] == []


@pytest.mark.parametrize(
    "page",
    [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))],
    ids=lambda page: page.name,
)
def test_links_between_pages_hold(page):
    for link in LINK.findall(page.read_text()):
        if not link.startswith("https://"):
            path, _, anchor = link.partition("#")
            target = (page.parent / path) if path else page
            assert target.exists(), link
            assert not anchor or anchor in anchors(target.read_text()), link


def test_all_addresses_are_of_one_repository():
    urls = dict(each.split(", ", 1) for each in METADATA.get_all("Project-URL"))
    assert urls == PROJECT["urls"]
    assert all(url.startswith(urls["Repository"]) for url in urls.values())
