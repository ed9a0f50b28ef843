"""Tasks for very small models, made by a seeded generator: one-step arithmetic, small facts, short lists.

Answers are one to eight tokens. The set is the same on every machine: a function of `_SEED` and this file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from localpower.evals.problem import Problem
from localpower.evals.sources import Source

_SEED = 20251125
_EACH = 20  # problems of a kind
_NAMES = ("Mia", "Ben", "Ana", "Tom", "Lea", "Sam", "Eva", "Max")
_THINGS = ("coins", "apples", "books", "pens", "stamps", "shells", "cards", "plums")
_WORDS = [
    *("green", "water", "table", "bread", "stone", "music", "river", "candle", "paper", "window", "garden"),
    "horse",
]
_CAPITALS = {
    "France": "Paris", "Italy": "Rome", "Spain": "Madrid", "Germany": "Berlin", "Japan": "Tokyo", "Egypt": "Cairo",
    "Norway": "Oslo", "Sweden": "Stockholm", "Greece": "Athens", "Portugal": "Lisbon", "Austria": "Vienna",
    "Poland": "Warsaw", "Finland": "Helsinki", "Ireland": "Dublin", "Cuba": "Havana", "Peru": "Lima",
    "Hungary": "Budapest", "Denmark": "Copenhagen", "Kenya": "Nairobi", "Canada": "Ottawa",
}  # fmt: skip
_OPPOSITES: dict[str, str | tuple[str, ...]] = {
    "hot": "cold", "big": ("small", "little"), "up": "down", "open": ("closed", "shut", "close"), "fast": "slow",
    "early": "late", "full": "empty", "hard": ("soft", "easy"), "light": ("dark", "heavy"), "wet": "dry",
    "old": ("young", "new"), "high": "low", "strong": "weak", "rich": "poor", "long": "short", "left": "right",
    "day": "night", "first": "last", "win": "lose", "true": "false",
}  # fmt: skip
_PLURALS = {
    "cat": "cats", "box": "boxes", "child": "children", "foot": "feet", "city": "cities", "knife": "knives",
    "mouse": "mice", "tooth": "teeth", "leaf": "leaves", "man": "men", "bus": "buses", "baby": "babies",
    "wolf": "wolves", "goose": "geese", "dish": "dishes", "key": "keys", "woman": "women", "story": "stories",
    "glass": "glasses", "shelf": "shelves",
}  # fmt: skip

Made = tuple[str, str | tuple[str, ...]]  # question, right answers
Maker = Callable[[np.random.Generator, int], Made]


def _add(low: int, high: int) -> Maker:
    def make(rng: np.random.Generator, _: int) -> Made:
        a, b = (int(n) for n in rng.integers(low, high, 2))
        return f"What is {a} + {b}?", str(a + b)

    return make


def _sub(low: int, high: int) -> Maker:
    def make(rng: np.random.Generator, _: int) -> Made:
        b, a = sorted(int(n) for n in rng.integers(low, high, 2))
        return f"What is {a} - {b}?", str(a - b)

    return make


def _times(rng: np.random.Generator, _: int) -> Made:
    a, b = (int(n) for n in rng.integers(2, 10, 2))
    return f"What is {a} * {b}?", str(a * b)


def _chain(rng: np.random.Generator, _: int) -> Made:
    a, b, c = (int(n) for n in rng.integers(2, 30, 3))
    return f"What is {a + c} + {b} - {c}?", str(a + b)


def _larger(rng: np.random.Generator, _: int) -> Made:
    a, b = (int(n) for n in rng.choice(np.arange(10, 200), 2, replace=False))
    return f"Which number is larger, {a} or {b}?", str(max(a, b))


def _next(rng: np.random.Generator, _: int) -> Made:
    start, step = int(rng.integers(1, 20)), int(rng.integers(1, 10))
    shown = ", ".join(str(start + i * step) for i in range(4))
    return f"What number comes next: {shown}, ...?", str(start + 4 * step)


def _double(rng: np.random.Generator, _: int) -> Made:
    n = int(rng.integers(3, 50))
    return f"What is twice {n}?", str(2 * n)


def _half(rng: np.random.Generator, _: int) -> Made:
    n = int(rng.integers(3, 50))
    return f"What is half of {2 * n}?", str(n)


def _story(rng: np.random.Generator, _: int) -> Made:
    name, thing = str(rng.choice(_NAMES)), str(rng.choice(_THINGS))
    a, b = int(rng.integers(5, 20)), int(rng.integers(1, 5))
    if rng.integers(2):
        return f"{name} has {a} {thing} and gives away {b}. How many {thing} are left?", str(a - b)
    return f"{name} has {a} {thing} and finds {b} more. How many {thing} does {name} have now?", str(a + b)


def _of(what: str, table: Mapping[str, str | tuple[str, ...]], quote: str = '"') -> Maker:
    """The next word of a table: what is its ...?"""

    def make(_: np.random.Generator, i: int) -> Made:
        word = list(table)[i]
        return f"What is the {what} of {quote}{word}{quote}?", table[word]

    return make


def _sort(rng: np.random.Generator, _: int) -> Made:
    numbers = [int(n) for n in rng.choice(np.arange(1, 100), 3, replace=False)]
    shown = ", ".join(map(str, numbers))
    return f"Sort these numbers from smallest to largest: {shown}.", ", ".join(map(str, sorted(numbers)))


def _last(rng: np.random.Generator, _: int) -> Made:
    words = [str(word) for word in rng.choice(_WORDS, 4, replace=False)]
    return f"Which word comes last in this list: {', '.join(words)}?", words[-1]


_KINDS: dict[str, tuple[str, Maker]] = {  # kind: (number, list or text, maker)
    "add_1d": ("number", _add(1, 10)),
    "sub_1d": ("number", _sub(1, 10)),
    "add_2d": ("number", _add(10, 100)),
    "sub_2d": ("number", _sub(10, 100)),
    "times": ("number", _times),
    "chain": ("number", _chain),
    "larger": ("text", _larger),
    "next": ("number", _next),
    "double": ("number", _double),
    "half": ("number", _half),
    "story": ("number", _story),
    "capital": ("text", _of("capital", _CAPITALS, quote="")),
    "opposite": ("text", _of("opposite", _OPPOSITES)),
    "plural": ("text", _of("plural", _PLURALS)),
    "sort": ("list", _sort),
    "last": ("text", _last),
}


def problems(source: Source) -> list[Problem]:
    """Sixteen kinds, up to twenty different problems of each. Gold: {"form", "answers"}, the first the usual one."""
    found = []
    for number, (kind, (form, make)) in enumerate(_KINDS.items()):
        rng = np.random.Generator(np.random.PCG64([_SEED, number]))
        made = dict(make(rng, i) for i in range(_EACH))
        for i, (question, answer) in enumerate(made.items()):
            answers = [answer] if isinstance(answer, str) else list(answer)
            found.append(Problem(f"tiny/{kind}/{i}", question, {"form": form, "answers": answers}, kind))
    return found
