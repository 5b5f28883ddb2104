"""A headless Chromium to look at pages with, driven through the pipe of its DevTools protocol.

Its own command line (``--screenshot``, ``--dump-dom``) has no windows narrower than 500 pixels and
measures nothing; the protocol gives a phone's screen, the requests a page makes and the boxes it
lays out.
"""

import base64
import contextlib
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from processes import HANGS

DESKTOP, PHONE = (1280, 900), (390, 844)


def needed() -> str:
    """Return the path of Chromium, or skip the test that asks."""
    for name in ("chromium", "chromium-browser", "google-chrome", "chrome"):
        if found := shutil.which(name):
            return found
    pytest.skip("no Chromium on PATH: pages are not looked at (apt-get install chromium)")


class Chromium:
    """One Chromium, which takes a second of a processor to start, for all tests that look."""

    def __init__(self, profile: Path) -> None:
        read_commands, self._to = os.pipe()
        self._from, write_answers = os.pipe()
        command = [
            needed(),
            "--headless=new",
            "--no-sandbox",  # it refuses to run as root with one
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-extensions",
            f"--user-data-dir={profile}",
            "--remote-debugging-pipe",
            "about:blank",
        ]

        # The protocol's pipe is descriptors 3 and 4. A shell sets them up: Popen cannot.
        shell = f'exec 3<&{read_commands} 4>&{write_answers}; exec "$@"'
        self._process = subprocess.Popen(
            ["bash", "-c", shell, "bash", *command],
            pass_fds=(read_commands, write_answers),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(read_commands)
        os.close(write_answers)
        self._number = 0
        self._unread = b""

    def close(self) -> None:
        with contextlib.suppress(OSError, RuntimeError, TimeoutError):
            self.call("Browser.close", None, [])
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._to)
        os.close(self._from)

    def call(self, method: str, session: str | None, events: list[dict], **parameters) -> dict:
        """Call a method of the protocol; what happens meanwhile in that session is kept."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while (answer := self.receive()).get("id") != self._number:
            if answer.get("sessionId") == session:
                events.append(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def receive(self) -> dict:
        """Wait for an answer, or an event of any session."""
        until = time.monotonic() + HANGS
        while b"\0" not in self._unread:
            if not select.select([self._from], [], [], max(0.0, until - time.monotonic()))[0]:
                raise TimeoutError("Chromium does not answer")
            part = os.read(self._from, 1 << 20)
            if not part:
                raise RuntimeError("Chromium has ended")
            self._unread += part
        message, _, self._unread = self._unread.partition(b"\0")
        return json.loads(message)


class Browser:
    """A window of Chromium with one tab, which shares cookies and storage with no other."""

    def __init__(self, chromium: Chromium) -> None:
        self._chromium = chromium
        self._session: str | None = None
        self.events: list[dict] = []
        self._context = self.call("Target.createBrowserContext")
        target = self.call("Target.createTarget", url="about:blank", **self._context)
        self._session = self.call("Target.attachToTarget", **target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.call(f"{domain}.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session = None
        self.call("Target.disposeBrowserContext", **self._context)

    def call(self, method: str, **parameters: object) -> dict:
        """Call a method of the protocol; events that arrive meanwhile are kept."""
        return self._chromium.call(method, self._session, self.events, **parameters)

    def _receive(self) -> dict:
        while (event := self._chromium.receive()).get("sessionId") != self._session:
            pass
        return event

    def open(
        self, page: Path | str, size: tuple[int, int] = DESKTOP, *, dark: bool = False
    ) -> list[dict]:
        """Show a file, or an address, on a screen of `size`; return the events of its loading."""
        width, height = size
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=size == PHONE,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.events.clear()
        self.go(page)
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._receive())
        # One that the page replaces meanwhile is not decoded; a broken one that stays is an error.
        broken = "image.isConnected && image.complete && !image.naturalWidth"
        decoded = f"image.decode().catch(error => {{ if ({broken}) throw error; }})"
        self.evaluate(f"Promise.all([...document.images].map(image => {decoded}))")
        return list(self.events)

    def go(self, page: Path | str) -> None:
        """Begin to show a file, or an address: for a page that may lead on before it is whole."""
        address = page if isinstance(page, str) else page.resolve().as_uri()
        navigated = self.call("Page.navigate", url=address)
        assert "errorText" not in navigated, navigated

    def evaluate(self, expression: str) -> object:
        """Return the JSON value of a JavaScript expression; a promise is awaited."""
        answer = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def screenshot(self, file: Path) -> Path:
        """Write what is on the screen, without what must be scrolled to, as a PNG."""
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))
        return file


def looked_at(chromium: Browser, page: Path) -> Iterator[tuple[int, int]]:
    """Show a page on a desktop and on a phone: it fits, loads nothing and is not at fault."""
    for size in (DESKTOP, PHONE):
        events = chromium.open(page, size)
        assert requests(events) == [page.as_uri()]
        assert not complaints(events)
        assert chromium.evaluate("document.documentElement.scrollWidth") <= size[0]
        yield size


def requests(events: list[dict]) -> list[str]:
    """Return the addresses that were asked for, without those inside the page itself."""
    asked = (
        event["params"]["request"]["url"]
        for event in events
        if event.get("method") == "Network.requestWillBeSent"
    )
    return [url for url in asked if not url.startswith("data:")]


def complaints(events: list[dict]) -> list[str]:
    """Return what Chromium logged about a page: blocked content, broken markup, exceptions."""
    return [
        json.dumps(event["params"])
        for event in events
        if event.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown")
    ]
