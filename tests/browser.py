"""A headless Chromium that chooses a file in a page's form and sends it, by the Chrome DevTools Protocol."""

from __future__ import annotations

import base64
import itertools
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from websockets.sync.client import connect

from .servers import INSTALLED


class Browser:
    """One tab."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self._events: list[dict[str, Any]] = []
        self._session: dict[str, str] = {}
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = {"sessionId": self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]}
        for domain in ("Page", "DOM", "Network", "Runtime"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._ids)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters, **self._session}))
        while True:
            message = json.loads(self._socket.recv(timeout=20))
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]
            self._events.append(message)

    def wait(self, *methods: str, **wanted: Any) -> dict[str, Any]:
        """The next event of one of these kinds."""
        while True:
            for event in self._events:
                if event.get("method") in methods and wanted.items() <= event["params"].items():
                    self._events.remove(event)
                    return event["params"]
            self._events.append(json.loads(self._socket.recv(timeout=20)))

    def upload(self, page: Path, file: Path) -> tuple[int, str]:
        """Open a page, choose the file in its form, click its button: the status of the answer, and where it came from."""
        self.ask("Page.navigate", url=page.as_uri())
        self.wait("Page.loadEventFired")
        root = self.ask("DOM.getDocument")["root"]["nodeId"]
        chooser = self.ask("DOM.querySelector", nodeId=root, selector="input[type=file]")["nodeId"]
        self.ask("DOM.setFileInputFiles", files=[str(file)], nodeId=chooser)
        self._events.clear()
        self.ask("Runtime.evaluate", expression="document.querySelector('[type=submit]').click()", userGesture=True)
        request = self.wait("Network.requestWillBeSent", type="Document")
        # Not responseReceived: a 204, which S3 answers, commits no page.
        answer = self.wait("Network.responseReceivedExtraInfo", requestId=request["requestId"])
        return answer["statusCode"], request["request"]["url"]

    def screenshot(self, page: Path, *, width: int, dark: bool) -> tuple[bytes, list[str]]:
        """A page as a picture, and every URL that it asked for."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        scheme = "dark" if dark else "light"
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.ask("Page.navigate", url=page.as_uri())
        self.wait("Page.loadEventFired")
        asked = [event["params"]["request"]["url"] for event in self._events if event.get("method") == "Network.requestWillBeSent"]
        picture = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]
        return base64.b64decode(picture), asked

    def evaluate(self, expression: str) -> Any:
        """The value of an expression in the page."""
        return self.ask("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")


def upload(page: Path, file: Path) -> tuple[int, str]:
    """A page's form, sent with a file by a browser of its own."""
    with browser() as tab:
        return tab.upload(page, file)


@contextmanager
def browser() -> Iterator[Browser]:
    """A headless Chromium, for as long as its block."""
    root = INSTALLED / "chromium"
    if not (root / "usr/lib/chromium").exists():  # Installed in the system.
        root = Path("/")
    libraries = root / "usr/lib/x86_64-linux-gnu"
    environ = os.environ | {"LD_LIBRARY_PATH": f"{libraries}:{libraries}/pulseaudio:{root}/lib/x86_64-linux-gnu"}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        program = [
            str(root / "usr/lib/chromium/chromium-headless-shell"), "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--no-first-run", "--disable-background-networking", "--no-proxy-server", "--remote-debugging-port=0",
            f"--user-data-dir={profile}", "about:blank",
        ]  # fmt: skip
        process = subprocess.Popen(program, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            told = Path(profile, "DevToolsActivePort")
            deadline = time.monotonic() + 30
            while not (told.exists() and "\n" in told.read_text()):
                assert process.poll() is None, "Chromium did not start"
                assert time.monotonic() < deadline, "Chromium does not answer"
                time.sleep(0.02)
            port, path = told.read_text().split("\n")[:2]
            with connect(f"ws://127.0.0.1:{port}{path}", max_size=None, proxy=None) as socket:
                yield Browser(socket)
        finally:
            process.kill()
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
