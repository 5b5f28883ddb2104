"""The commands of docs/cli.md, on the photos it was written with, print what it says."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
from PIL import Image

from command_line import call

PAGE = Path(__file__).parents[1] / "docs" / "cli.md"
CATEGORIES = ("Device", "Food", "Tree")
HOME = "/home/ann"

NUMBER = re.compile(r"\d+\.\d{6}")
"""A distance; its last digits depend on the CPU that embedded the photos."""
VARYING = [
    (re.compile(r"\(\d[\d,.]* s(, [\d,.]+ images/s)?\)"), "(TIME)"),
    (re.compile(r'"seconds": [\d.]+'), '"seconds": TIME'),
    (re.compile(r"\s+"), " "),  # a pipe gets tabs, the page shows aligned columns
]


def make_photos(data: Path, folder: Path) -> None:
    """Take twelve photos of each of three categories, four copies of some and a broken file."""
    for category in CATEGORIES:
        (folder / category).mkdir(parents=True)
        for number in range(1, 13):
            name = f"{category.lower()}_{number:03}.jpg"
            shutil.copy(data / "six" / category / name, folder / category / name)
    copies = folder / "sent"
    copies.mkdir()
    with Image.open(folder / "Food" / "food_003.jpg") as bread:
        bread.resize((bread.width * 7 // 10, bread.height * 7 // 10)).save(
            copies / "bread small.jpg", quality=85
        )
        exif = Image.Exif()
        exif[0x0112] = 6
        bread.transpose(Image.Transpose.ROTATE_90).save(
            copies / "bread turned.jpg", quality=80, exif=exif
        )
    shutil.copy(folder / "Tree" / "tree_005.jpg", copies / "tree again.jpg")
    (folder / "Tree" / "broken.jpg").write_bytes(b"no image")


def blocks() -> list[tuple[str, str]]:
    """Return each command of the page and the output shown below it."""
    found = []
    for block in re.findall(r"^```console\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE):
        for command in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, _, output = command.partition("\n")
            found.append((line, output))
    return found


def normal(text: str) -> tuple[str, list[float]]:
    for pattern, standing in VARYING:
        text = pattern.sub(standing, text)
    return NUMBER.sub("N", text).strip(), [float(number) for number in NUMBER.findall(text)]


def test_every_verb_is_shown():
    from lookalike.cli import VERBS

    text = PAGE.read_text()
    for verb in set(VERBS) - {"evaluate", "demo"}:
        assert f"\n## {verb}\n" in text
        assert any(command.startswith(f"lookalike {verb}") for command, _ in blocks())


@pytest.mark.long
def test_the_commands_print_what_the_page_says(data, tmp_path, monkeypatch, capfdbinary):
    make_photos(data, tmp_path / "photos")
    (tmp_path / "googlenet.onnx").symlink_to(data / "googlenet.onnx")
    model = str(tmp_path / "googlenet.onnx")
    settings = {"LOOKALIKE_MODEL": model, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    settings |= {"HOME": str(tmp_path)}  # on the disk of the photos, as the trash has to be
    settings |= {f"XDG_{name}_HOME": str(tmp_path / name.lower()) for name in ("DATA", "STATE")}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    ran = 0
    for command, shown in blocks():
        words = shlex.split(command)
        if words[0] == "mv":
            shutil.move(*(tmp_path / word for word in words[1:]))
        if words[0] != "lookalike" or "|" in words or not shown:
            continue
        done = call(words[1:], monkeypatch, capfdbinary)
        assert done.code == 0, (command, done.err)
        text, numbers = normal((done.out + done.err).replace(str(tmp_path), HOME))
        expected, expected_numbers = normal(shown)
        assert text == expected, command
        assert numbers == pytest.approx(expected_numbers, abs=2e-5), command
        ran += 1
    assert ran >= 10
