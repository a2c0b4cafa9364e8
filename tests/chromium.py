"""Drive a headless Chromium: open pages, run scripts, point, click, keep what it complains of.

Speaks the DevTools protocol over two pipes, so that neither a port nor a library is needed.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--hide-scrollbars", "--remote-debugging-pipe", "--no-default-browser-check"),
)
LIMIT_S = 60.0


def find_chromium() -> str | None:
    """Path of a Chromium, None where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


class Browser:
    """A Chromium with an empty profile.

    Parameters
    ----------
    profile
        An empty folder of its own.
    """

    def __init__(self, profile: Path) -> None:
        program = find_chromium()
        assert program is not None, "no chromium: apt-get install chromium"
        reads, self._write = os.pipe()
        self._read, writes = os.pipe()
        # the browser reads commands from descriptor 3 and answers on descriptor 4
        shell = f'exec "$@" 3<&{reads} 4>&{writes}'
        command = [program, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        self._process = subprocess.Popen(
            ["bash", "-c", shell, "browser", *command],
            pass_fds=(reads, writes),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(reads)
        os.close(writes)
        self._buffer = b""
        self._number = 0
        self._listeners: list[Callable[[dict[str, Any]], None]] = []

    def open(self, address: str | Path, *, width: int = 1400, height: int = 1000) -> Page:
        """Open a page in a tab of its own and wait until it is loaded."""
        url = address.resolve().as_uri() if isinstance(address, Path) else address
        target = self.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})
        page = Page(self, session["sessionId"], target)
        self._listeners.append(page.hear)
        for domain in ("Page", "Runtime", "Network", "Log"):
            page.call(f"{domain}.enable")
        page.size(width, height)
        page.call("Page.navigate", {"url": url})
        page.wait(f"document.readyState === 'complete' && location.href === {json.dumps(url)}")
        return page

    def call(
        self, method: str, parameters: dict[str, Any] | None = None, session: str | None = None
    ) -> dict[str, Any]:
        """Send a command and wait for its answer."""
        self._number += 1
        number = self._number
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters or {}}
        if session is not None:
            message["sessionId"] = session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + LIMIT_S
        while True:
            answer = self._receive(until)
            if answer.get("id") == number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
            for listener in self._listeners:
                listener(answer)

    def close(self) -> None:
        """End the browser."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(timeout=10)
        os.close(self._write)
        os.close(self._read)

    def _receive(self, until: float) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            left = until - time.monotonic()
            ready, _, _ = select.select([self._read], [], [], max(left, 0.0))
            assert ready, f"chromium did not answer within {LIMIT_S:g} s"
            part = os.read(self._read, 1 << 20)
            assert part, f"chromium ended with {self._process.poll()}"
            self._buffer += part
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)


class Page:
    """One tab, and everything that it asked for or complained of."""

    def __init__(self, browser: Browser, session: str, target: str) -> None:
        self._browser, self._session, self._target = browser, session, target
        self.requests: list[str] = []
        self.complaints: list[str] = []

    def hear(self, message: dict[str, Any]) -> None:
        """Keep requests, console messages and errors of this tab."""
        if message.get("sessionId") != self._session:
            return
        told = message["params"]
        if message["method"] == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])
        elif message["method"] == "Runtime.exceptionThrown":
            thrown = told["exceptionDetails"].get("exception", {})
            self.complaints.append(thrown.get("description", told["exceptionDetails"]["text"]))
        elif message["method"] == "Runtime.consoleAPICalled":
            if told["type"] in ("error", "warning", "assert"):
                self.complaints.append(json.dumps(told["args"]))
        elif message["method"] == "Log.entryAdded" and told["entry"]["level"] == "error":
            self.complaints.append(told["entry"]["text"])

    def close(self) -> None:
        """Close the tab."""
        self._browser.call("Target.closeTarget", {"targetId": self._target})

    @property
    def external(self) -> list[str]:
        """Requests that left the page."""
        return [url for url in self.requests if not url.startswith(("file:", "data:", "about:"))]

    def call(self, method: str, parameters: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send a command to this tab."""
        return self._browser.call(method, parameters, self._session)

    def run(self, script: str) -> Any:
        """Evaluate JavaScript and return its value."""
        asked = {"expression": script, "returnByValue": True, "awaitPromise": True}
        answer = self.call("Runtime.evaluate", asked)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, condition: str, limit_s: float = LIMIT_S) -> None:
        """Wait until a JavaScript condition holds."""
        until = time.monotonic() + limit_s
        while not self.run(f"Boolean({condition})"):
            assert time.monotonic() < until, f"never true within {limit_s:g} s: {condition}"
            time.sleep(0.1)

    def size(self, width: int, height: int) -> None:
        """Set the size of the window."""
        window = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", window)

    def prefer(self, *, media: str = "", dark: bool = False) -> None:
        """Show the page as on ``print`` media, or as at night."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", {"media": media, "features": [scheme]})

    def point(self, x: float, y: float, kind: str = "mouseMoved", *, pressed: bool = False) -> None:
        """Move the pointer, press or release it."""
        left = "left" if pressed or kind != "mouseMoved" else "none"
        mouse = {"type": kind, "x": x, "y": y, "button": left, "clickCount": 1}
        self.call("Input.dispatchMouseEvent", {**mouse, "buttons": int(pressed)})

    def click(self, selector: str) -> None:
        """Click the middle of an element."""
        x, y = self.middle(selector)
        self.point(x, y)
        self.point(x, y, "mousePressed", pressed=True)
        self.point(x, y, "mouseReleased")

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Press at one place, move to another and release."""
        self.point(*start)
        self.point(*start, "mousePressed", pressed=True)
        for share in (0.25, 0.5, 0.75, 1.0):
            step = [a + share * (b - a) for a, b in zip(start, end, strict=True)]
            self.point(step[0], step[1], pressed=True)
        self.point(*end, "mouseReleased")

    def press(self, key: str) -> None:
        """Press a key by its name, such as ``ArrowDown`` or ``Enter``."""
        codes = {"Enter": 13, "Escape": 27, "ArrowUp": 38, "ArrowDown": 40, "ArrowLeft": 37}
        told = {"key": key, "code": key, "windowsVirtualKeyCode": codes[key]}
        self.call("Input.dispatchKeyEvent", {"type": "keyDown", **told})
        self.call("Input.dispatchKeyEvent", {"type": "keyUp", **told})

    def middle(self, selector: str) -> tuple[float, float]:
        """Middle of an element, brought into view."""
        script = (
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            "e.scrollIntoView({block: 'center'}); const b = e.getBoundingClientRect();"
            "return [b.left + b.width / 2, b.top + b.height / 2]; })()"
        )
        x, y = self.run(script)
        return x, y

    def screenshot(self, file: Path, *, whole: bool = False) -> None:
        """Write a PNG of the window, or of the whole page."""
        asked = {"format": "png", "captureBeyondViewport": whole}
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", asked)["data"]))

    def pdf(self) -> bytes:
        """Print the page to PDF."""
        asked = {"printBackground": False, "preferCSSPageSize": True}
        return base64.b64decode(self.call("Page.printToPDF", asked)["data"])
