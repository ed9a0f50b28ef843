"""Asks math-verify, in a process of its own (`localpower.subprocesses`).

The package parses what a text holds of digits and signs as a Python expression, so that memory is capped; time is the
parent's to watch.
"""

from __future__ import annotations

import logging


def answer(request: list[str | None]) -> tuple[str, str | None]:
    """The verdict and what was extracted. request: gold, answer, completion. Raises what the package raises.

    An answer is read as the content of a box; where it is in a completion, math-verify has its own ways.
    """
    from math_verify import parse, verify

    logging.disable()
    gold, said, completion = request
    wanted = parse(_box(gold or ""), parsing_timeout=None)
    found = parse(completion or "" if said is None else _box(said), parsing_timeout=None)
    if not found:
        return "none" if said is None else "wrong", said
    right = verify(wanted, found, timeout_seconds=None)
    text = next((part for part in found if isinstance(part, str)), None)  # beside what it was read as
    return "right" if right else "wrong", said or text


def _box(text: str) -> str:
    return text if r"\boxed" in text else rf"\boxed{{{text}}}"
