"""Answers of two models under both: what each one's are worth to the other, and how far apart the models are."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from localpower import jsonl
from localpower.evals.contest import identity
from localpower.evals.divergence import Divergence, divergence
from localpower.evals.likelihood import drawn
from localpower.evals.scoring import Numbers, stored_scores
from localpower.evals.store import Key, Row, Stored, key

Sums = tuple[float, int]  # nats of an answer and its drawn tokens


@dataclass(frozen=True, slots=True)
class Likelihood:
    """Mean log p of answers under a model, nats: of an answer, and of its tokens. missing: answers without one."""

    per_answer: float
    per_token: float
    n: int
    missing: int


Reader = Callable[[Row], Sums | None]


class Readings:
    """log p of answers under models, from the rows of their own model and from what scorers have kept."""

    def __init__(self, say: jsonl.Say = jsonl.silent) -> None:
        self._say = say
        self._kept: dict[tuple[str, str], dict[Key, Numbers]] = {}

    def reader(self, run: Stored, model: str, sha256: str) -> Reader:
        """Of the answers of one of the run's models, under the model of that sha256.

        It gives None where that is not known, or no finite number. Raises UserError for a damaged file of scores.
        """
        if identity(run, model) == sha256:
            return lambda row: _sum(drawn(row, row["token_log_p"]))  # a scorer counts no given token either
        place = (str(run.path), sha256)
        if place not in self._kept:
            self._kept[place] = stored_scores(run, sha256, self._say)
        known = self._kept[place]
        return lambda row: _sum(found[0]) if (found := known.get(key(row))) is not None else None


def _sum(values: Sequence[float]) -> Sums | None:
    total = sum(values)
    return (total, len(values)) if math.isfinite(total) else None


def likelihood(rows: Sequence[Row], read: Reader) -> Likelihood | None:
    """None where no answer has a log p."""
    found = [sums for row in rows if (sums := read(row)) is not None]
    if not found:
        return None
    return Likelihood(
        per_answer=float(np.mean([total for total, _ in found])),
        per_token=float(np.mean([total / n if n else 0.0 for total, n in found])),
        n=len(found),
        missing=len(rows) - len(found),
    )


@dataclass(frozen=True, slots=True)
class Left:
    """Answers of which a divergence is not, for they lack a log p; and those that the other model spells otherwise."""

    missing: int
    respelled: int


def divergence_of(rows: dict[str, list[Row]], own: Reader, other: Reader) -> tuple[Divergence | None, Left]:
    """From plain answers by problem; None where none has a log p under both models."""
    drawn, read, tokens, missing, respelled = [], [], [], 0, 0
    for each in rows.values():
        both = [(a, b) for row in each if (a := own(row)) is not None and (b := other(row)) is not None]
        missing += len(each) - len(both)
        respelled += sum(a[1] != b[1] for a, b in both)
        if both:
            drawn.append([a[0] for a, _ in both])
            read.append([b[0] for _, b in both])
            tokens.append([a[1] for a, _ in both])
    return (divergence(drawn, read, tokens) if drawn else None), Left(missing, respelled)
