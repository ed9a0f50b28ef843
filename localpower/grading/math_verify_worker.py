"""The child process that asks math-verify: JSON lines in and out, one job at a time.

First it says whether the package works: {"error": null or text}. A job holds gold, answer, completion, seconds; its
reply verdict and extracted. The package parses what a text holds of digits and signs as a Python expression, so that
memory is capped; time is the parent's to watch.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import signal
import sys
from typing import Any

MEMORY_BYTES = 4 << 30
_GRACE_S = 5


def grade(gold: str, answer: str | None, completion: str | None) -> dict[str, Any]:
    """An answer is read as the content of a box; where it is in a completion, math-verify has its own ways."""
    from math_verify import parse, verify

    wanted = parse(_box(gold), parsing_timeout=None)
    found = parse(completion or "" if answer is None else _box(answer), parsing_timeout=None)
    if not found:
        return {"verdict": "none" if answer is None else "wrong", "extracted": answer}
    right = verify(wanted, found, timeout_seconds=None)
    text = next((part for part in found if isinstance(part, str)), None)  # beside what it was read as
    return {"verdict": "right" if right else "wrong", "extracted": answer or text}


def _box(text: str) -> str:
    return text if r"\boxed" in text else rf"\boxed{{{text}}}"


def _problem() -> str | None:
    """Half is 0.5, unless a parser is missing: then math-verify compares texts and says nothing about it."""
    try:
        fine = grade(r"\frac{1}{2}", "0.5", None)["verdict"] == "right"
    except Exception as error:  # a foreign package: whatever it raises is told in one line
        return f"{type(error).__name__}: {error}"
    return None if fine else "it does not know that 1/2 is 0.5; is antlr4-python3-runtime the one it needs?"


def _limit() -> None:
    """Cap this process's memory, where the system knows how."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def main() -> None:
    """Read jobs until stdin ends."""
    replies = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)  # what a library prints is no reply
    logging.disable()
    _limit()
    print(json.dumps({"error": _problem()}), file=replies, flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        signal.alarm(math.ceil(job["seconds"]) + _GRACE_S)  # ends this process, should the parent be gone
        try:
            reply = grade(job["gold"], job["answer"], job["completion"])
        except Exception:
            reply = {"verdict": "wrong", "extracted": job["answer"]}
        signal.alarm(0)
        print(json.dumps(reply), file=replies, flush=True)


if __name__ == "__main__":
    main()
