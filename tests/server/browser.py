"""A headless Chromium, driven through a pipe by its DevTools protocol."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time

NAMES = ("chromium", "chromium-browser", "google-chrome")
WAIT_S = 60


def found():
    """The browser's path; None: there is none here."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One page. errors: what its console and its security policy complained of."""

    def __init__(self, folder, width=1300, height=900):
        down, self._write = os.pipe()
        self._read, up = os.pipe()
        pipes = f"import os, sys; os.dup2({down}, 3); os.dup2({up}, 4); os.execv(sys.argv[1], sys.argv[1:])"
        options = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run")
        own = ("--remote-debugging-pipe", f"--user-data-dir={folder}", "about:blank")
        self._process = subprocess.Popen(
            [sys.executable, "-c", pipes, found(), *options, *own],
            pass_fds=(down, up),
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        os.close(down)
        os.close(up)
        self._buffer, self._number, self._session, self.errors = b"", 0, None, []
        target = next(t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page")
        attached = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        self.resize(width, height)
        theme = {"name": "prefers-color-scheme", "value": "light"}
        self.call("Emulation.setEmulatedMedia", features=[theme])

    def call(self, method, **params):
        """The result of a command of the protocol."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self._buffer:
                data = os.read(self._read, 1 << 16)
                assert data, "the browser has ended"
                self._buffer += data
            line, _, self._buffer = self._buffer.partition(b"\0")
            reply = json.loads(line)
            if reply.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown"):
                self.errors.append(reply["params"])
            if reply.get("id") == self._number:
                assert "error" not in reply, reply
                return reply["result"]

    def resize(self, width, height):
        """Another window; a narrow one is a phone's."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.call("Emulation.setDeviceMetricsOverride", **size)

    def go(self, url):
        """Open an address."""
        self.call("Page.navigate", url=url)
        self.until("document.readyState === 'complete'")

    def run(self, script):
        """The value of an expression."""
        reply = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in reply, reply
        return reply["result"].get("value")

    def until(self, script):
        """Wait until an expression is true."""
        for _ in range(WAIT_S * 20):
            if self.run(f"!!({script})"):
                return
            time.sleep(0.05)
        raise AssertionError(f"never: {script}")

    def send(self, text):
        """Type a message and send it."""
        self.run(
            f"document.getElementById('text').value = {json.dumps(text)}; document.getElementById('send').click()"
        )

    def close(self):
        self._process.kill()
        self._process.wait()
        os.close(self._write)
        os.close(self._read)
