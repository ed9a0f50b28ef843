"""A server's speed: `python scripts/measure/serve_speed.py [--clients 1 4 8] [-m MODEL]`.

The same requests by so many clients at once, beside the same answers by `Model.generate` one after another. Prints
tokens drawn a second, seconds until the first byte of a stream, and resident memory before and after.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

import httpx2
from served import Server, body, serving, streamed

import localpower as lp

QUESTION = "Write a few sentences about number {}."


def alone(options: argparse.Namespace, method: str) -> tuple[list[lp.Answer], float]:
    """The answers one after another, and the seconds that they took."""
    with lp.load(options.model or None) as model:
        model.generate("Hello", method, seed=1, max_tokens=4)
        began = time.perf_counter()
        answers = [
            model.generate(QUESTION.format(i), method, seed=i, max_tokens=options.max_tokens)
            for i in range(options.requests)
        ]
        return answers, time.perf_counter() - began


def together(server: Server, asked: list[dict[str, Any]], n: int) -> tuple[list[str], list[float], float]:
    """The texts of n clients at once, the seconds until the first byte of each, and the seconds of all."""
    texts, firsts = [""] * len(asked), [0.0] * len(asked)

    def ask(first: int) -> None:
        with httpx2.Client(timeout=600) as client:
            for i in range(first, len(asked), n):
                text, firsts[i] = streamed(client, server.url, asked[i])
                texts[i] = text or ""

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(n)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return texts, firsts, time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 4, 8])
    parser.add_argument("--requests", type=int, default=8)
    parser.add_argument("--max-tokens", type=int, default=48)
    parser.add_argument("--methods", nargs="+", default=["base", "power"])
    parser.add_argument("-m", "--model", default="")
    options = parser.parse_args()
    rows = []
    for method in options.methods:
        answers, seconds = alone(options, method)
        drawn = sum(answer.decoded_tokens for answer in answers)
        rate = drawn / seconds
        print(f"{method}: {drawn} tokens; one after another {seconds:.1f} s, {rate:.1f} a second", flush=True)
        asked = [body(QUESTION.format(i), method, i, options.max_tokens) for i in range(options.requests)]
        with serving(options.model, "--quiet") as server:
            before = server.resident()
            together(server, [body("Hello", method, 1, 4)], 1)
            for n in options.clients:
                texts, firsts, took = together(server, asked, n)
                row = {
                    "method": method,
                    "clients": n,
                    "seconds": round(took, 1),
                    "tokens_per_second": round(drawn / took, 1),
                    "of_sequential": round(seconds / took, 2),
                    "first_byte": round(statistics.median(firsts), 2),
                    "same_answers": texts == [answer.text for answer in answers],
                    "mb_before": round(before),
                    "mb_after": round(server.resident()),
                }
                rows.append(row)
                print(f"  {row}", flush=True)
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
