"""A server of its own for a measurement, and requests to it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import psutil

HOME = Path(__file__).resolve().parent.parent.parent


class Server:
    """`localpower serve` in a process of its own."""

    def __init__(self, model: str, *options: str) -> None:
        words = [
            sys.executable,
            "-m",
            "localpower",
            "serve",
            "--port",
            "0",
            *(["-m", model] if model else []),
        ]
        environment = os.environ | {"PYTHONPATH": str(HOME)}
        self.process = subprocess.Popen(
            [*words, *options], stderr=subprocess.PIPE, text=True, env=environment
        )
        assert self.process.stderr is not None
        self.url = ""
        for line in self.process.stderr:
            if found := re.search(r"the page is (http\S+)/", line):
                self.url = found[1]
                break
        threading.Thread(target=self.process.stderr.read, daemon=True).start()
        self._seen = psutil.Process(self.process.pid)

    def resident(self) -> float:
        """Megabytes."""
        return self._seen.memory_info().rss / 1e6

    def stop(self) -> None:
        """By the signal of a supervisor."""
        self.process.terminate()
        self.process.wait()


@contextlib.contextmanager
def serving(model: str, *options: str) -> Iterator[Server]:
    """A server, until the block ends."""
    server = Server(model, *options)
    try:
        yield server
    finally:
        server.stop()


def body(prompt: str, method: str, seed: int, max_tokens: int, **fields: Any) -> dict[str, Any]:
    """Of a chat request."""
    asked = {"messages": [{"role": "user", "content": prompt}], "seed": seed, "max_tokens": max_tokens}
    return asked | {"localpower": {"method": method}} | fields


def whole(client: httpx2.Client, url: str, asked: dict[str, Any]) -> dict[str, Any]:
    """A reply that is not streamed."""
    response = client.post(f"{url}/v1/chat/completions", json=asked)
    response.raise_for_status()
    found: dict[str, Any] = response.json()
    return found


def streamed(
    client: httpx2.Client, url: str, asked: dict[str, Any], leave_after: float | None = None
) -> tuple[str | None, float]:
    """The text of a streamed reply, and the seconds until its first byte; None where the client left."""
    began, first, text = time.perf_counter(), 0.0, ""
    with client.stream("POST", f"{url}/v1/chat/completions", json=asked | {"stream": True}) as response:
        response.raise_for_status()
        for line in response.iter_lines():
            first = first or time.perf_counter() - began
            if leave_after is not None and time.perf_counter() - began > leave_after:
                return None, first
            if line.startswith("data: {"):
                data = json.loads(line[6:])
                if "error" in data:
                    raise RuntimeError(data["error"]["message"])
                text += "".join(choice["delta"].get("content") or "" for choice in data["choices"])
    return text, first
