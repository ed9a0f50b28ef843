"""Clients at once for some time: `python scripts/measure/serve_load.py [--minutes 10] [--clients 8] [-m MODEL]`.

Each client asks one request after another: other methods and lengths, streamed or not, and now and then it leaves in
the middle. Every answer is compared with that of the same request served alone. Prints what was lost or mixed, and the
server's memory after the first minute and at the end.
"""

from __future__ import annotations

import argparse
import json
import random
import threading
import time
from collections import Counter
from typing import Any

import httpx2
from served import body, serving, streamed, whole

METHODS = (
    "power",
    "power:steps=2",
    "base",
    "low-temp",
    "smc:particles=2",
    "best-of-n:n=2",
    "power:block=16:steps=1",
)
PROMPTS = (
    "What is the capital of France?",
    "Write a sentence about the sea.",
    "Name three colours.",
    "Why is the sky blue? " * 12,
)


def pool(n: int, seed: int) -> list[tuple[str, str, int, int]]:
    """Different requests: prompt, method, seed, most tokens."""
    chance = random.Random(seed)
    return [
        (
            chance.choice(PROMPTS),
            METHODS[i % len(METHODS)],
            chance.randrange(1000),
            chance.choice((8, 16, 32, 48)),
        )
        for i in range(n)
    ]


class Load:
    """What the clients see. right: the text of each request of the pool, served alone."""

    def __init__(self, url: str, requests: list[tuple[str, str, int, int]], leaving: float) -> None:
        self.url, self.requests, self.leaving = url, requests, leaving
        self.seen: Counter[str] = Counter()
        self.wrong: list[Any] = []
        self._lock = threading.Lock()
        with httpx2.Client(timeout=600) as client:
            self.right = [
                whole(client, url, body(*each))["choices"][0]["message"]["content"] for each in requests
            ]

    def run(self, number: int, until: float) -> None:
        """One client."""
        chance = random.Random(number)
        with httpx2.Client(timeout=600) as client:
            while time.monotonic() < until:
                i = chance.randrange(len(self.requests))
                asked, streams = body(*self.requests[i]), chance.random() < 0.5
                leaves = chance.random() * 3 if chance.random() < self.leaving else None
                try:
                    if streams or leaves is not None:
                        text, _ = streamed(client, self.url, asked, leaves)
                    else:
                        text = whole(client, self.url, asked)["choices"][0]["message"]["content"]
                except (httpx2.HTTPError, RuntimeError) as error:
                    self._count("failed", (self.requests[i], str(error)))
                    continue
                if text is None:
                    self._count("left")
                elif text == self.right[i]:
                    self._count("right")
                else:
                    self._count("wrong", (self.requests[i], text, self.right[i]))

    def _count(self, kind: str, what: Any = None) -> None:
        with self._lock:
            self.seen[kind] += 1
            if what is not None:
                self.wrong.append(what)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--requests", type=int, default=21, help="different ones")
    parser.add_argument("--leaving", type=float, default=0.2, help="share of requests whose client leaves")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-m", "--model", default="")
    options = parser.parse_args()
    with serving(options.model, "--quiet") as server:
        at_first = server.resident()
        load = Load(server.url, pool(options.requests, options.seed), options.leaving)
        alone = server.resident()
        began = time.monotonic()
        until = began + 60 * options.minutes
        threads = [threading.Thread(target=load.run, args=(i, until)) for i in range(options.clients)]
        for thread in threads:
            thread.start()
        memory: list[tuple[float, float]] = []
        while any(thread.is_alive() for thread in threads):
            memory.append((time.monotonic() - began, server.resident()))
            time.sleep(2)
        with httpx2.Client() as client:
            left = client.get(f"{server.url}/health").json()
    after = [mb for seconds, mb in memory if seconds >= 60] or [memory[-1][1]]
    print(f"{options.clients} clients, {options.minutes:g} minutes: {dict(load.seen)}; then {left}")
    told = (at_first, alone, after[0], max(after), memory[-1][1])
    words = ("at first", "after the same requests alone", "after a minute", "at most since", "at the end")
    print("memory, MB: " + ", ".join(f"{mb:.0f} {word}" for mb, word in zip(told, words, strict=True)))
    for each in load.wrong[:5]:
        print(json.dumps(each))
    print(
        json.dumps({"seen": load.seen, "after_a_minute": after[0], "most": max(after), "end": memory[-1][1]})
    )


if __name__ == "__main__":
    main()
