"""How the text of a setting is read, with what is expected in words, so that every refusal says it alike. No numpy."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

AUTO_LAYERS = -1  # on the GPU: all where the build of llama.cpp has one, else none
MOST_RUNS = 61  # answers at once: four sequences each, of llama.cpp's 256
MOST_THREADS = 512  # GGML_MAX_N_THREADS: more abort the process
MOST_ALPHA = 1e6  # beyond it alpha * log p could overflow
_UNITS = {"s": 1e7, "t": 1e9, "x": 1e4}  # of budgets, and the most of each


class Reader(NamedTuple):
    """How the text of a setting is read. expected: in words; read raises ValueError for anything else."""

    expected: str
    read: Callable[[str], Any]


def plain_number(text: str) -> str:
    """A number's text. Raises ValueError for digits of other scripts, spaces and underscores, which Python takes."""
    if not text.isascii() or "_" in text or text != text.strip():
        raise ValueError
    return text


def whole(low: int, high: int | None = None) -> Reader:
    """A whole number from low to high."""

    def read(text: str) -> int:
        value = int(plain_number(text))
        if not (low <= value <= (2**31 - 1 if high is None else high)):
            raise ValueError
        return value

    return Reader(f"a whole number {_span(low, high)}", read)


def number(low: float, high: float = math.inf, *, below: bool = False) -> Reader:
    """A finite number from low to high; below: high itself is not one."""

    def read(text: str) -> float:
        value = float(plain_number(text))
        if not (math.isfinite(value) and low <= value <= high) or (below and value >= high):
            raise ValueError
        return value

    span = f"of at least {low:g} and less than {high:g}" if below else _span(low, high)
    return Reader(f"a number {span}", read)


def _span(low: float, high: float | None) -> str:
    return f"from {low:g} to {high:g}" if high is not None and math.isfinite(high) else f"of at least {low:g}"


def choice(*words: str) -> Reader:
    """One of several words."""

    def read(text: str) -> str:
        if text not in words:
            raise ValueError
        return text

    return Reader(f"{', '.join(words[:-1])} or {words[-1]}", read)


def _yes(text: str) -> bool:
    if text.lower() not in _SWITCH:
        raise ValueError
    return _SWITCH[text.lower()]


_SWITCH = dict.fromkeys(("yes", "on", "true"), True) | dict.fromkeys(("no", "off", "false"), False)
SWITCH = Reader("yes or no", _yes)


def read_budget(text: str) -> str:
    """30s, 5000t or 4x as it is. Raises ValueError for anything else."""
    amount, unit = plain_number(text[:-1]), text[-1:]
    if unit not in _UNITS or not 0.0 < float(amount) <= _UNITS[unit] or (unit == "t" and int(amount) <= 0):
        raise ValueError
    return text


BUDGET = Reader("something like 30s, 5000t or 4x", read_budget)
