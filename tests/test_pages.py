"""Pages hold everything they need, escape everything they are given, and fit a phone."""

import base64
import io
import os
import stat

import jinja2
import numpy as np
import pytest
from PIL import Image

import browser
from lookalike import ImageError
from lookalike.files import replacing
from lookalike.pages.html import link, render, shown_path, thumbnail, thumbnails, write_page
from lookalike.printable import printable

HOSTILE = '<b>"O\'Neil" & 猫 Ärger\x1b[31m\n\u202egpj.exe\udcff'


def small(uri):
    head, _, content = uri.partition(",")
    assert head == "data:image/jpeg;base64"
    return Image.open(io.BytesIO(base64.b64decode(content, validate=True)))


def photo(width, height, **options):
    rows, columns = np.mgrid[:height, :width]
    pixels = np.stack([columns * 255 / width, rows * 255 / height, 0 * rows], axis=2)
    stream = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(stream, "JPEG", **options)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("size", "expected"),
    [((400, 300), (200, 150)), ((30, 50), (30, 50)), ((1, 5000), (1, 200)), ((9, 200), (9, 200))],
)
def test_thumbnails_are_at_most_200_pixels_and_never_enlarged(size, expected):
    assert small(thumbnail(photo(*size))).size == expected


def test_thumbnails_hold_nothing_but_upright_pixels():
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "a secret place", 6
    secrets = {"exif": exif, "comment": b"a secret", "icc_profile": b"secret" * 99, "dpi": (7, 7)}
    content = photo(400, 200, **secrets)
    assert b"secret" in content
    image = small(thumbnail(content))
    assert image.size == (100, 200)
    assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert image.info["jfif_density"] == (1, 1)
    red, green, _ = image.getpixel((99, 0))  # turned: columns ran left to right, now run down
    assert red < 30
    assert green < 30


def test_thumbnails_of_many_come_in_order_with_gaps_for_what_is_no_image(tmp_path):
    made = list(thumbnails([photo(10, 20), b"text", tmp_path / "missing.jpg", photo(30, 20)]))
    assert [uri and small(uri).size for uri in made] == [(10, 20), None, None, (30, 20)]
    with pytest.raises(ImageError, match="not an image"):
        thumbnail(b"text")


def test_every_text_is_escaped():
    page = render("base.html", title=HOSTILE)
    assert "&lt;b&gt;&#34;O&#39;Neil&#34; &amp; 猫 Ärger\\x1b[31m\\n\\u202egpj.exe\\xff" in page
    page.encode("utf-8")


def test_a_missing_variable_is_an_error():
    with pytest.raises(jinja2.UndefinedError, match="title"):
        render("base.html")


def test_a_page_is_replaced_whole_or_not_at_all(tmp_path):
    page = tmp_path / "page.html"
    write_page(page, "first 猫\n")
    assert page.read_bytes() == "first 猫\n".encode()
    umask = os.umask(0o027)
    try:
        with pytest.raises(UnicodeEncodeError), replacing(page) as file:
            file.write_text("half \udcff", "utf-8")
        assert page.read_text("utf-8") == "first 猫\n"
        write_page(page, "second")
    finally:
        os.umask(umask)
    assert page.read_text() == "second"
    assert stat.S_IMODE(page.stat().st_mode) == 0o640
    link_to = tmp_path / "link.html"
    link_to.symlink_to(page)
    write_page(link_to, "third")
    assert link_to.is_symlink()
    assert page.read_text() == "third"
    assert {file.name for file in tmp_path.iterdir()} == {"page.html", "link.html"}
    for target, reason in [
        (tmp_path, "is a folder"),
        ("/dev/null", "is not a regular file"),
        (tmp_path / "none" / "page.html", "No such file"),
    ]:
        with pytest.raises(OSError, match=reason) as caught:
            write_page(target, "")
        assert caught.value.filename == str(target)
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_what_a_killed_process_left_is_removed_unless_someone_is_at_work(tmp_path):
    page = tmp_path / "p[a]ge.html"
    left = tmp_path / ".p[a]ge.html.0123abcd.part"
    others = tmp_path / ".page.html.0123abcd.part"
    for file in (left, others):
        file.write_text("half")
        os.utime(file, (0, 0))
    with replacing(page) as busy:
        assert not left.exists()
        os.utime(busy, (0, 0))
        left.write_text("of a process that has not locked it yet")
        write_page(page, "second")
        assert busy.exists()
        assert left.exists()
    assert others.exists()
    assert page.read_text() == ""


def test_paths_are_seen_from_the_page_and_lead_to_the_file(tmp_path):
    for name in [
        "a b.jpg",
        "100%.jpg",
        "#1?.jpg",
        "javascript:1.jpg",
        "猫.jpg",
        "\udcff.jpg",
        '".jpg',
    ]:
        file = tmp_path / "photos" / name
        page = tmp_path / "pages" / "page.html"
        shown = shown_path(file, page)
        assert shown == f"../photos/{name}"
        assert link(name).isascii()
        assert ":" not in link(name)
        whole = shown_path(file, page, absolute=True)
        assert whole == str(file)
        assert link(whole).startswith("file:///")


def test_printable_leaves_readable_text_alone():
    for text in ("", "a b", "Ärger 猫 🐈", 'q"<>&\\'):
        assert printable(text) == text
    assert printable("\t\x7f\x85\ud800") == r"\t\x7f\x85\ud800"


def test_the_frame_of_every_page_fits_a_phone_and_loads_nothing(chromium, tmp_path):
    page = tmp_path / "<\"'&>猫 page.html"
    write_page(page, render("base.html", title=HOSTILE * 5))
    for size in (browser.DESKTOP, browser.PHONE):
        for dark in (False, True):
            events = chromium.open(page, size, dark=dark)
            assert browser.requests(events) == [page.as_uri()]
            assert not browser.complaints(events)
            assert chromium.evaluate("document.documentElement.scrollWidth") <= size[0]
            shot = Image.open(chromium.screenshot(tmp_path / "shot.png"))
            assert shot.size == size
            assert (shot.convert("L").getpixel((2, 2)) < 64) == dark
    assert chromium.evaluate("document.querySelectorAll('b').length") == 0
    shown = chromium.evaluate("document.querySelector('h1').textContent")
    assert shown == printable(HOSTILE * 5)
