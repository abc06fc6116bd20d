"""Headless Firefox, driven through its Marionette protocol over a socket: the same face as ``chromium.Browser``.

All that it asks of a network goes to a proxy that is not there, and is in ``requests``.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.viz.browser.chromium import FRAME

NAMES = ("firefox-esr", "firefox")
PATIENCE = 60
PREFERENCES: dict[str, Any] = {
    "marionette.port": 0,
    "network.proxy.type": 1,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,
    "app.update.disabledForTesting": True,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "browser.startup.page": 0,
    "browser.tabs.remote.separatePrivilegedContentProcess": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "dom.disable_open_during_load": False,
    "security.sandbox.content.level": 0,
    "ui.prefersReducedMotion": 0,
    "widget.gtk.overlay-scrollbars.enabled": True,
    "ui.useOverlayScrollbars": 1,  # which take no room, as in Chromium
}
KEYS = {
    "ArrowLeft": "\ue012", "ArrowUp": "\ue013", "ArrowRight": "\ue014", "ArrowDown": "\ue015", "Home": "\ue011",
    "End": "\ue010", "Enter": "\ue007", "Tab": "\ue004", "Escape": "\ue00c", "Delete": "\ue017", "F2": "\ue032",
    "PageUp": "\ue00e", "PageDown": "\ue00f",
}  # fmt: skip


def find() -> str | None:
    return os.environ.get("FIREFOX") or next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """One browser with one page. ``requests``: every address asked for; ``errors``: what scripts threw."""

    def __init__(self, executable: str) -> None:
        self._profile = Path(tempfile.mkdtemp(prefix="firefox-"))
        lines = [f"user_pref({json.dumps(key)}, {json.dumps(value)});" for key, value in PREFERENCES.items()]
        (self._profile / "user.js").write_text("\n".join(lines))
        self._process = subprocess.Popen(
            [
                executable,
                "--headless",
                "--no-remote",
                "--marionette",
                "--remote-allow-system-access",
                "--profile",
                str(self._profile),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": str(self._profile), "MOZ_HEADLESS": "1"},
        )
        self._number, self._rest, self._scripts = 0, b"", True
        self._socket = socket.create_connection(("127.0.0.1", self._port()), timeout=PATIENCE)
        self._receive()
        self.send("WebDriver:NewSession", capabilities={"alwaysMatch": {"acceptInsecureCerts": True}})
        self._chrome(
            "window.asked = []; Services.obs.addObserver((subject) => {"
            "const { URI, loadInfo } = subject.QueryInterface(Ci.nsIHttpChannel);"
            "if (!loadInfo.triggeringPrincipal.isSystemPrincipal) window.asked.push(URI.spec);"
            "}, 'http-on-modify-request');"
        )
        self.requests: list[str] = []

    def _port(self) -> int:
        written, deadline = self._profile / "MarionetteActivePort", time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if written.exists() and (text := written.read_text().strip()):
                return int(text)
            time.sleep(0.05)
        raise TimeoutError(f"Firefox has not started in {PATIENCE} s")

    def send(self, command: str, **params: Any) -> Any:
        self._number += 1
        message = json.dumps([0, self._number, command, params]).encode()
        self._socket.sendall(str(len(message)).encode() + b":" + message)
        _, _, error, result = self._receive()
        if error:
            raise RuntimeError(f"{command}: {error['message'][:2000]}")
        return result

    def _receive(self) -> Any:
        while b":" not in self._rest:
            self._more()
        size, self._rest = self._rest.split(b":", 1)
        while len(self._rest) < int(size):
            self._more()
        told, self._rest = self._rest[: int(size)], self._rest[int(size) :]
        return json.loads(told)

    def _more(self) -> None:
        part = self._socket.recv(1 << 16)
        if not part:
            raise RuntimeError("the browser is gone")
        self._rest += part

    def _chrome(self, script: str) -> Any:
        """Run a script among the browser's own."""
        self.send("Marionette:SetContext", value="chrome")
        try:
            return self.send("WebDriver:ExecuteScript", script=script, args=[])["value"]
        finally:
            self.send("Marionette:SetContext", value="content")

    @property
    def errors(self) -> list[str]:
        """What scripts of the page that is open threw."""
        found: list[str] = self._chrome(
            "return Services.console.getMessageArray().filter((each) => each instanceof Ci.nsIScriptError && "
            "each.sourceName.startsWith('file:') && !(each.flags & Ci.nsIScriptError.warningFlag))"
            ".map((each) => each.message)"
        )
        return found

    def open(self, path: Path, *, scripts: bool = True) -> None:
        self._chrome(
            f"Services.prefs.setBoolPref('javascript.enabled', {str(scripts).lower()});"
            "Services.console.reset(); window.asked.length = 0;"
        )
        self._scripts = scripts
        address = path.resolve().as_uri()
        self.send("WebDriver:Navigate", url=address)
        self.requests = [address, *self._chrome("return window.asked")]
        if scripts:
            self.js(FRAME)

    def reload(self) -> None:
        self.send("WebDriver:Refresh")
        self.js(FRAME)

    def js(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page."""
        script = "return window.eval(arguments[0])"
        asked = f"JSON.stringify({expression}) ?? 'null'"
        if self._scripts:  # without them no promise is ever kept
            asked = f"Promise.resolve({expression}).then((x) => JSON.stringify(x) ?? 'null')"
        told = self.send("WebDriver:ExecuteScript", script=script, args=[asked], newSandbox=True)["value"]
        return json.loads(told)

    def text(self, selector: str) -> str:
        return str(self.js(f"document.querySelector({json.dumps(selector)})?.textContent ?? ''"))

    def click(self, selector: str) -> None:
        self.js(
            f"void document.querySelector({json.dumps(selector)})"
            ".dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}))"
        )

    def _actions(self, kind: str, actions: list[dict[str, Any]], **more: Any) -> None:
        self.send(
            "WebDriver:PerformActions", actions=[{"type": kind, "id": kind, "actions": actions, **more}]
        )
        self.send("WebDriver:ReleaseActions")

    def key(self, name: str, text: str = "") -> None:
        value = KEYS.get(name, text or name)
        self._actions("key", [{"type": kind, "value": value} for kind in ("keyDown", "keyUp")])

    def type(self, text: str) -> None:
        self._actions("key", [{"type": kind, "value": c} for c in text for kind in ("keyDown", "keyUp")])

    def drag(self, *way: tuple[float, float]) -> None:
        """Press the pointer at a place of the view, move it along the others, let it go."""
        moves = [{"type": "pointerMove", "x": round(x), "y": round(y), "duration": 0} for x, y in way]
        actions = [
            moves[0],
            {"type": "pointerDown", "button": 0},
            *moves[1:],
            {"type": "pointerUp", "button": 0},
        ]
        self._actions("pointer", actions, parameters={"pointerType": "mouse"})

    def size(self, width: int, height: int) -> None:
        """Give the page so much room, in a window that may be wider: none is narrower than 450 pixels."""
        self.send("WebDriver:SetWindowRect", width=max(width, 500) + 20, height=height + 200)
        self._chrome(
            "const { style } = gBrowser.selectedBrowser;"
            f"style.minWidth = style.maxWidth = '{width}px'; style.minHeight = style.maxHeight = '{height}px';"
        )
        deadline = time.monotonic() + 5
        while self.js("[innerWidth, innerHeight]") != [width, height] and time.monotonic() < deadline:
            time.sleep(0.02)

    def dark(self, on: bool) -> None:
        self._chrome(
            f"Services.prefs.setIntPref('layout.css.prefers-color-scheme.content-override', {0 if on else 1})"
        )

    def screenshot(self, path: Path) -> None:
        taken = self.send("WebDriver:TakeScreenshot", full=True, hash=False)
        path.write_bytes(base64.b64decode(taken["value"]))

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(20)
        self._socket.close()
        shutil.rmtree(self._profile, ignore_errors=True)
