"""Headless Chromium, driven through its DevTools protocol over two pipes: nothing to install but the browser.

It finds no host by any name: what a page asks of a network fails, and is in ``requests``.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PATIENCE = 60
FRAME = "new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)))"
"""Waits for a frame: what is in sight has been drawn then."""


def find() -> str | None:
    return os.environ.get("CHROMIUM") or next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """One browser with one page. ``requests``: every address asked for; ``errors``: what scripts threw or logged."""

    def __init__(self, executable: str) -> None:
        to_read, self._to = os.pipe()
        self._from, to_write = os.pipe()
        # out of the way of 3 and 4, where the browser expects them
        read, write = (fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10) for fd in (to_read, to_write))
        self._profile = tempfile.mkdtemp(prefix="chromium-")
        flags = (
            "--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --hide-scrollbars --no-first-run "
            "--remote-debugging-pipe"
        )
        offline = "--host-resolver-rules=MAP * ~NOTFOUND"
        self._process = subprocess.Popen(
            [executable, *flags.split(), offline, f"--user-data-dir={self._profile}"],
            preexec_fn=lambda: (os.dup2(read, 3), os.dup2(write, 4)),
            close_fds=False,  # else 3 and 4 would have to be open here as well; what Python opens is not inherited
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for fd in (to_read, to_write, read, write):
            os.close(fd)
        self._number, self._rest, self._session = 0, b"", ""
        self.requests: list[str] = []
        self.errors: list[str] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **params: Any) -> Any:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def _receive(self) -> Any:
        while b"\0" not in self._rest:
            if not select.select([self._from], [], [], PATIENCE)[0]:
                raise TimeoutError(f"the browser has said nothing for {PATIENCE} s")
            part = os.read(self._from, 1 << 16)
            if not part:
                raise RuntimeError("the browser is gone")
            self._rest += part
        raw, self._rest = self._rest.split(b"\0", 1)
        told = json.loads(raw)
        method, params = told.get("method"), told.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(params["exceptionDetails"])[:2000])
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.errors.append(params["entry"]["text"])
        return told

    def open(self, path: Path, *, scripts: bool = True) -> None:
        self.send("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.requests.clear()
        self.errors.clear()
        self.send("Page.navigate", url=path.resolve().as_uri())
        self._loaded("location.href !== 'about:blank'")
        if scripts:
            self.js(FRAME)

    def _loaded(self, condition: str) -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if self.js(f"document.readyState === 'complete' && {condition}"):
                return
            time.sleep(0.02)
        raise TimeoutError(self.js("location.href"))

    def reload(self) -> None:
        self.js("void (window.isGoing = true)")
        self.send("Page.reload")
        self._loaded("!window.isGoing")
        self.js(FRAME)

    def quickest(self, path: Path, enough: float) -> float:
        """Open a page up to six times, until once in ``enough`` milliseconds; return the shortest time."""
        took: list[float] = []
        while len(took) < 6 and min(took, default=enough) >= enough:
            self.open(path)
            took.append(self.js("performance.getEntriesByType('navigation')[0].domComplete"))
        return min(took)

    def js(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(json.dumps(answer["exceptionDetails"])[:2000])
        return answer["result"].get("value")

    def text(self, selector: str) -> str:
        return str(self.js(f"document.querySelector({json.dumps(selector)})?.textContent ?? ''"))

    def click(self, selector: str) -> None:
        self.js(
            f"document.querySelector({json.dumps(selector)})"
            ".dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}))"
        )

    def key(self, name: str, text: str = "") -> None:
        codes = {
            "ArrowRight": 39, "ArrowLeft": 37, "ArrowUp": 38, "ArrowDown": 40, "Home": 36, "End": 35, "Enter": 13,
            " ": 32, "Tab": 9, "Escape": 27, "Delete": 46, "F2": 113, "PageUp": 33, "PageDown": 34,
        }  # fmt: skip
        code = {"key": name, "windowsVirtualKeyCode": codes.get(name, 0)}
        if name == "Enter":
            text = "\r"
        self.send("Input.dispatchKeyEvent", type="keyDown", text=text, **code)
        self.send("Input.dispatchKeyEvent", type="keyUp", **code)

    def drag(self, *way: tuple[float, float]) -> None:
        """Press the pointer at a place of the view, move it along the others, let it go."""
        kinds = ["mousePressed", *["mouseMoved"] * (len(way) - 1), "mouseReleased"]
        for kind, (x, y) in zip(kinds, [*way, way[-1]], strict=True):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)

    def type(self, text: str) -> None:
        self.send("Input.insertText", text=text)

    def size(self, width: int, height: int) -> None:
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def dark(self, on: bool) -> None:
        scheme = {"name": "prefers-color-scheme", "value": "dark" if on else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])

    def screenshot(self, path: Path) -> None:
        taken = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(taken["data"]))

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(10)
        os.close(self._to)
        os.close(self._from)
        shutil.rmtree(self._profile, ignore_errors=True)
