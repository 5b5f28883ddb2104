"""The browser's pages in a real browser: walked by mouse and by keys, wide, narrow, light, dark."""

import base64
import json
import time

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("starlette", reason="pip install 'lookalike[browse]'")

import lookalike as la
from browser import DESKTOP, PHONE, Browser, complaints, requests
from browsing import browsing
from command_line import draw
from large_gallery import large_gallery
from lookalike.browse.opening import PAGE
from processes import HANGS

pytestmark = pytest.mark.long

KEYS = {
    "Tab": 9,
    "Enter": 13,
    "Escape": 27,
    "End": 35,
    "Home": 36,
    "ArrowLeft": 37,
    "ArrowUp": 38,
    "ArrowRight": 39,
    "ArrowDown": 40,
    "Backspace": 8,
}
SEEN = """[...document.querySelectorAll('.grid .cell')].filter((cell) => {
  const box = cell.getBoundingClientRect();
  return box.bottom > 60 && box.top < innerHeight;
})"""
"""The cells of a grid that are on the screen."""
CONTRASTS = """(() => {
  const colour = (text) => {
    const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
    return text.startsWith("color(") ? [255 * r, 255 * g, 255 * b, a] : [r, g, b, a];
  };
  const over = ([r, g, b, a], under) => [r, g, b].map((v, i) => v * a + under[i] * (1 - a));
  const ground = (element) => {
    if (!element) return [255, 255, 255];
    const own = colour(getComputedStyle(element).backgroundColor);
    return own[3] === 1 ? own.slice(0, 3) : over(own, ground(element.parentElement));
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map((v) => v / 255)
      .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const poor = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    const style = getComputedStyle(element);
    if (!text || !element.checkVisibility() || element.tagName === "OPTION") continue;
    const back = ground(element);
    const lights = [light(over(colour(style.color), back)), light(back)].sort((a, b) => b - a);
    const ratio = (lights[0] + 0.05) / (lights[1] + 0.05);
    const size = parseFloat(style.fontSize);
    const least = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    if (ratio < least) poor.push([text.slice(0, 40), Number(ratio.toFixed(2))]);
  }
  return poor;
})()"""
"""Texts that stand out too little from what is behind them, by WCAG 2, level AA."""
NAMED = {
    "button", "link", "image", "img", "textbox", "combobox", "checkbox", "radio", "slider",
    "searchbox", "listbox", "Date", "table", "dialog", "heading", "progressbar", "region",
}  # fmt: skip


class Tab:
    """A page of a served gallery in Chromium."""

    def __init__(self, chromium: Browser, address: str) -> None:
        self.chromium = chromium
        self.home = address.partition("/?key=")[0]
        self.events: list[dict] = []
        chromium.open(address)
        self.wait("document.querySelector('meta[name=token]') !== null")

    def open(self, path: str, size=DESKTOP, *, dark: bool = False) -> None:
        self.keep()
        self.chromium.open(self.home + path, size, dark=dark)
        self.wait("document.querySelector('meta[name=token]') !== null")

    def keep(self) -> None:
        self.events += self.chromium.events

    def js(self, expression: str) -> object:
        return self.chromium.evaluate(expression)

    def wait(self, expression: str) -> None:
        """Wait until an expression is true; pages may come and go meanwhile."""
        until = time.monotonic() + HANGS
        while time.monotonic() < until:
            try:
                if self.js(f"!!({expression})"):
                    return
            except (RuntimeError, AssertionError, KeyError):
                pass  # between two pages
            time.sleep(0.02)
        raise TimeoutError(
            f"{expression} on {self.js('location.href')}: {self.js('document.body.innerText')}"
        )

    def ready(self) -> None:
        """Wait until what the page asks for has come, its pictures too."""
        self.wait(
            "document.readyState === 'complete'"
            " && document.querySelector('[aria-busy=true]') === null"
            " && [...document.images].every((image) => image.complete)"
            " && (!document.getElementById('grid') || document.querySelector('.grid .cell'))"
        )

    def press(self, *names: str) -> None:
        for name in names:
            text = {"Enter": "\r"}.get(name, name if len(name) == 1 else "")
            key = {"key": name, "windowsVirtualKeyCode": KEYS.get(name, ord(name[0].upper()))}
            self.chromium.call("Input.dispatchKeyEvent", type="keyDown", text=text, **key)
            self.chromium.call("Input.dispatchKeyEvent", type="keyUp", **key)

    def at(self) -> str:
        return self.js("location.pathname + location.search")

    def drop(self, picture: bytes, kind: str = "image/png") -> None:
        content = base64.b64encode(picture).decode()
        self.js(
            f"{{const bytes = Uint8Array.from(atob('{content}'), (c) => c.charCodeAt(0));"
            "const dataTransfer = new DataTransfer();"
            f"dataTransfer.items.add(new File([bytes], 'dropped.png', {{type: '{kind}'}}));"
            "const options = {dataTransfer, bubbles: true, cancelable: true};"
            "for (const type of ['dragenter', 'dragover', 'drop'])"
            " document.body.dispatchEvent(new DragEvent(type, options));}"
        )

    def unnamed(self) -> list[tuple[str, str]]:
        """Return what a screen reader would meet and cannot name."""
        tree = self.chromium.call("Accessibility.getFullAXTree")["nodes"]
        return [
            (node["role"]["value"], json.dumps(node.get("properties", []))[:200])
            for node in tree
            if not node.get("ignored")
            and node["role"]["value"] in NAMED
            and not node.get("name", {}).get("value", "").strip()
        ]

    def faults(self) -> list[str]:
        """Return what was asked of others, and what Chromium complained about."""
        self.keep()
        events, self.events = self.events, []
        self.chromium.events.clear()
        outside = [url for url in requests(events) if not url.startswith(self.home + "/")]
        return outside + complaints(events)


@pytest.fixture(scope="module")
def tab(one_chromium, drawn, settings):
    with (
        browsing(drawn / "lookalike.gallery", **settings) as (address, _),
        Browser(one_chromium) as chromium,
    ):
        yield Tab(chromium, address)


def test_the_file_that_opens_the_browser_leads_in(tmp_path, drawn, settings, chromium):
    """From a file to a server is from one site to another, where a strict cookie is not sent."""
    file = tmp_path / "open.html"
    with browsing(drawn / "lookalike.gallery", **settings) as (address, _):
        file.write_text(PAGE.format(address=address))
        chromium.go(file)
        tab = object.__new__(Tab)
        tab.chromium = chromium
        tab.wait("document.querySelector('meta[name=token]') !== null")
        assert tab.at() == "/"
        assert chromium.evaluate("document.cookie") == ""  # HttpOnly
        history = chromium.call("Page.getNavigationHistory")["entries"]
        assert not any("key=" in entry["url"] for entry in history)
        chromium.call("Page.reload")
        tab.wait("document.querySelector('.grid .cell') !== null")


def test_three_photos_are_walked_and_back(tab):
    tab.open("/")
    tab.ready()
    visited = [tab.at()]
    tab.js("document.querySelector('.grid .cell').click()")
    for _ in range(3):
        tab.wait(f"location.pathname + location.search !== {json.dumps(visited[-1])}")
        tab.ready()
        tab.wait("document.querySelectorAll('#alike .cell').length > 20")
        assert tab.js("document.querySelectorAll('.row').length") == 7
        visited.append(tab.at())
        tab.js("document.querySelector('[data-metric=cosine] .cell').click()")
    tab.wait(f"location.pathname + location.search !== {json.dumps(visited[-1])}")
    assert len({path.partition("?")[0] for path in visited}) >= 3
    for before in reversed(visited):
        tab.js("history.back()")
        tab.wait(f"location.pathname + location.search === {json.dumps(before)}")
    tab.ready()
    assert tab.faults() == []


def test_pointing_at_a_photo_shows_its_place_in_every_row(tab):
    tab.open("/photo/0")
    tab.ready()
    cell = "document.querySelectorAll('[data-metric=canberra] .cell')[2]"
    tab.js(f"{cell}.dispatchEvent(new PointerEvent('pointerover', {{bubbles: true}}))")
    places = tab.js("[...document.querySelectorAll('.place')].map((place) => place.textContent)")
    for metric, place in zip(la.METRICS, places, strict=True):
        row = tab.js(
            f"[...document.querySelectorAll('[data-metric={metric}] .cell')]"
            f".findIndex((cell) => cell.dataset.row === {cell}.dataset.row)"
        )
        assert place == f"{row + 1}."
    met = tab.js("document.querySelectorAll('#alike .is-met').length")
    assert met == 7
    tops = tab.js(
        "[...document.querySelectorAll('.row')].map((row) =>"
        " [...row.querySelectorAll('.slot')].map((slot) => slot.offsetLeft).join())"
    )
    assert len(set(tops)) == 1  # aligned


def test_a_picture_is_dropped_pasted_and_chosen(tab, tmp_path):
    new = tmp_path / "new.png"
    draw("square", 55).save(new)
    for way in ("drop", "choose", "paste"):
        tab.open("/distances")
        if way == "drop":
            tab.drop(new.read_bytes())
        elif way == "choose":
            found = tab.chromium.call(
                "Runtime.evaluate", expression="document.getElementById('chooser')"
            )
            tab.chromium.call(
                "DOM.setFileInputFiles", files=[str(new)], objectId=found["result"]["objectId"]
            )
        else:
            coded = base64.b64encode(new.read_bytes()).decode()
            tab.js(
                f"{{const bytes = Uint8Array.from(atob('{coded}'), (c) => c.charCodeAt(0));"
                "const data = new DataTransfer();"
                "data.items.add(new File([bytes], 'p.png', {type: 'image/png'}));"
                "const options = {clipboardData: data, cancelable: true};"
                "dispatchEvent(new ClipboardEvent('paste', options));}"
            )
        tab.wait("location.pathname.startsWith('/found/')")
        tab.ready()
        tab.wait("document.querySelectorAll('#alike .cell').length > 20")
    assert tab.faults() == []
    tab.drop(b"no picture at all")
    tab.wait("document.querySelector('.notice.bad')?.textContent.includes('not an image')")
    (noted,) = tab.faults()
    assert "415" in noted  # the browser writes down that this was refused


def test_all_of_it_by_keys(tab):
    tab.open("/")
    tab.ready()
    tab.press("Tab")
    assert tab.js("document.activeElement.className") == "skip"
    tab.js("document.activeElement.blur()")
    tab.press("ArrowDown", "ArrowRight", "ArrowRight", "ArrowLeft")
    assert tab.js("document.activeElement.dataset.index") == "1"
    tab.press("End")
    assert tab.js("document.activeElement.dataset.index") == "8"
    tab.press("x", "Home", "x")
    assert tab.js("document.getElementById('chosen-count').textContent") == "2 chosen"
    tab.press("t")
    tab.wait("location.pathname === '/together'")
    tab.ready()
    tab.press("ArrowRight", "ArrowDown", "ArrowRight")
    where = "document.activeElement.closest('.row').dataset.metric"
    assert tab.js(where) == la.METRICS[1]
    assert tab.js("document.querySelectorAll('.is-met').length") == 7
    tab.press("Enter")
    tab.wait("location.pathname.startsWith('/photo/')")
    tab.ready()
    tab.press("Backspace")
    tab.wait("location.pathname === '/together'")
    tab.ready()  # or nobody hears the next key
    tab.press("?")
    tab.wait("document.querySelector('#help[open] kbd') !== null")
    tab.press("Escape")
    tab.wait("document.querySelector('#help[open]') === null")
    tab.press("2")
    tab.wait(
        "document.querySelector('nav a[aria-current]')?.textContent"
        " === document.querySelectorAll('nav a')[1].textContent"
    )
    assert tab.faults() == []


def test_what_is_chosen_stays_in_the_address(tab):
    tab.open("/")
    tab.ready()
    tab.wait("document.querySelector('[name=label]').options.length > 2")
    tab.js(
        "{const field = document.querySelector('[name=label]'); field.value = 'round';"
        "field.dispatchEvent(new Event('change', {bubbles: true}));}"
    )
    tab.wait("document.getElementById('count').textContent === '4 photos'")
    assert tab.at() == "/?label=round"
    tab.open("/?label=round&sort=oddness")
    tab.wait("document.getElementById('count').textContent === '4 photos'")
    assert tab.js("document.querySelector('[name=sort]').value") == "oddness"
    tab.js("document.getElementById('all').click()")
    tab.wait("document.getElementById('count').textContent === '9 photos'")
    tab.js("history.back()")
    tab.wait("document.getElementById('count').textContent === '4 photos'")
    assert tab.faults() == []


def test_bars_lead_to_their_photos(tab):
    tab.open("/distances")
    tab.wait("document.querySelectorAll('.bars a[href]').length === 7")
    tab.wait("document.getElementById('progress').textContent === ''")
    widths = tab.js("[...document.querySelectorAll('.bars .fill')].map((bar) => bar.style.width)")
    assert all(0 < float(width.rstrip("%")) <= 100 for width in widths)
    tab.js("document.querySelector('.matrix td a').click()")
    tab.wait("location.pathname === '/distances/photos'")
    tab.ready()
    assert tab.js("document.querySelectorAll('.grid .cell .note').length") == 4
    assert tab.faults() == []


@pytest.mark.parametrize("path", ["/", "/photo/1", "/together?rows=0,1", "/distances"])
def test_every_page_on_every_screen(tab, tmp_path, path):
    for size in (DESKTOP, PHONE):
        for dark in (False, True):
            tab.open(path, size, dark=dark)
            tab.ready()
            width = tab.js("document.documentElement.scrollWidth")
            assert width <= size[0]
            shot = Image.open(tab.chromium.screenshot(tmp_path / "shot.png")).convert("L")
            assert (shot.getpixel((2, size[1] // 2)) < 64) == dark
            tab.wait("[...document.images].every(({alt}) => alt && !alt.startsWith('Photo '))")
            assert tab.js(CONTRASTS) == []
            assert tab.unnamed() == []
            assert tab.js("document.querySelectorAll('h1').length") == 1
            assert tab.js("document.documentElement.lang") == "en"
    assert tab.faults() == []


def test_a_gallery_without_photos(tmp_path, chromium):
    with la.Gallery.create(tmp_path / "a.gallery", dim=8):
        pass
    with browsing(tmp_path / "a.gallery") as (address, _):
        tab = Tab(chromium, address)
        for path in ("/", "/distances"):
            tab.open(path)
            assert tab.js("document.querySelector('main').innerText.length") > 20
            assert tab.unnamed() == []
        assert tab.faults() == []


@pytest.mark.parametrize("photos", [20_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_many_photos_are_scrolled_through(tmp_path, chromium, photos):
    rows = np.random.default_rng(0).random((photos, 4), np.float32)
    gallery = large_gallery(tmp_path / "a.gallery", rows, copies=10)
    with browsing(gallery) as (address, _):
        tab = Tab(chromium, address)
        tab.ready()
        assert tab.js("document.getElementById('count').textContent") == f"{photos:,} photos"
        height = tab.js("document.documentElement.scrollHeight")
        for share in (0.3, 0.999, 0.5, 0):
            tab.js(f"scrollTo(0, {share * height})")
            tab.wait(f"{SEEN}.length > 20")
            tab.wait(f"{SEEN}.every((cell) => cell.firstChild.naturalWidth > 0)")
            assert tab.js("document.querySelectorAll('.cell').length") < 500
        tab.press("ArrowDown", "End")
        assert tab.js("document.activeElement.dataset.index") == str(photos - 1)
        tab.wait(f"{SEEN}.some((cell) => cell === document.activeElement)")
        tab.wait("document.activeElement.firstChild.naturalWidth > 0")
        tab.wait("document.activeElement.firstChild.alt.includes('photo')")
        assert tab.js("document.getElementById('section').textContent").startswith("January 2012")
        tab.open("/", PHONE)
        tab.ready()
        assert tab.js("document.documentElement.scrollWidth") <= PHONE[0]
        tab.js("scrollTo(0, document.documentElement.scrollHeight / 2)")
        tab.wait(f"{SEEN}.length > 20")
        tab.wait(f"{SEEN}.every((cell) => cell.firstChild.naturalWidth > 0)")
        assert tab.faults() == []
