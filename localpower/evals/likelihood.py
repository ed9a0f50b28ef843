"""How likely answers are, and how sure the model was: histograms of both, on common bins (Karan & Du, figure 4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

import numpy as np

from localpower.evals.groups import Group
from localpower.evals.store import Row, Stored

_BINS = 24

Scores = Callable[[Stored, Row], tuple[Sequence[float], Sequence[float]] | None]
"""log p and entropy of each token of an answer, nats; None: not known."""


def own_scores(_run: Stored, row: Row) -> tuple[Sequence[float], Sequence[float]]:
    """As the model that wrote the answer had them."""
    return drawn(row, row["token_log_p"]), drawn(row, row["token_entropy"])


def drawn(row: Row, values: Sequence[float]) -> list[float]:
    """Of a value for each token of an answer those of the tokens that were drawn; `given` names the others."""
    given = set(row.get("given", ()))
    return [value for i, value in enumerate(values) if i not in given]


def likelihoods(groups: Sequence[Group], scores: Scores) -> list[dict[str, Any]]:
    """For each group: `log_p`, the mean log p of a token, and `confidence`, minus its mean entropy, nats, by answer.

    Histograms of one name have the same edges in all groups.
    """
    values: list[tuple[str, list[float], list[float]]] = []
    for group in groups:
        read = (scores(group.run, row) for row in group.rows)
        known = [found for found in read if found is not None and len(found[0])]
        values.append((group.label, [fmean(log_p) for log_p, _ in known], [-fmean(h) for _, h in known]))
    log_p = _edges([value for _, each, _ in values for value in each])
    confidence = _edges([value for _, _, each in values for value in each])
    return [
        {"label": label, "log_p": _histogram(likely, log_p), "confidence": _histogram(sure, confidence)}
        for label, likely, sure in values
    ]


def _edges(values: Sequence[float]) -> list[float]:
    """Equal bins from the smallest to the largest value."""
    return [float(edge) for edge in np.histogram_bin_edges(values, bins=_BINS)] if values else []


def _histogram(values: Sequence[float], edges: Sequence[float]) -> dict[str, Any] | None:
    """n, mean, quartiles and counts between the edges; None without values."""
    if not values:
        return None
    return {
        "n": len(values),
        "mean": fmean(values),
        "quartiles": np.quantile(values, (0.25, 0.5, 0.75)).tolist(),
        "edges": list(edges),
        "counts": np.histogram(values, bins=edges)[0].tolist(),
    }
