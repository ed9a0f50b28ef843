"""What decided a recorded step, from its numbers: cut laws, ratios and bounds by the settings of a run."""

from __future__ import annotations

from typing import Any

import numpy as np

from localpower.completion import Completion
from localpower.events import Stepped
from localpower.samplers.acceptance import PLAIN_STEP, StepVariant, log_other
from localpower.samplers.cuts import CutLaw, cut_law, rank_of


def law(settings: dict[str, Any]) -> CutLaw | None:
    """The cut law of a run; None: none that this version knows."""
    # It was called rho once, and its first default was .3.
    weights = (settings.get("restart_weight"), settings.get("rho"), 0.3)
    try:
        return cut_law(
            settings.get("cuts") or "uniform", next(float(weight) for weight in weights if weight is not None)
        )
    except KeyError:
        return None


def variant(settings: dict[str, Any]) -> StepVariant:
    """How its steps propose and decide."""
    return StepVariant(
        **{name: type(plain)(settings.get(name) or plain) for name, plain in PLAIN_STEP._asdict().items()}
    )


def log_ratio(
    x: Completion,
    y: Completion,
    cut: int,
    since: int,
    alpha: float,
    kappas: tuple[float, float],
    event: Stepped,
    variant: StepVariant,
) -> float:
    """What decides, by the formula of each variant; of an unfinished proposal the bound."""
    hot = variant.hot_cut and since == cut
    log_w = y.log_w(alpha, since, hot=hot) - x.log_w(alpha, since, hot=hot)
    rest = kappas[1] - kappas[0]
    if event.free:
        return 0.0
    if variant.metropolised:
        rest += log_other(log_q(x, cut, variant)) - log_other(log_q(y, cut, variant))
    return log_w + rest


def log_q(x: Completion, cut: int, variant: StepVariant) -> float:
    """log Q of the suffix from the cut on, nats."""
    return float(np.minimum(x.law(cut, hot=variant.hot_cut), 0.0).sum())


def log_kappa(cuts: CutLaw, x: Completion, y: Completion, event: Stepped) -> float:
    """Of the proposal; of an unfinished one the bound that it was given up by.

    A bound may count one more token or, where the next one could be given instead of drawn, none.
    """
    if not event.early:
        return cuts.log_kappa(y, event.cut)
    gains = cuts.gains(y)
    total, gain, rank = float(np.add.accumulate(gains)[-1]), float(gains[event.cut]), rank_of(x, event.cut)
    bounds = [cuts.log_share(rank, gain, total + more) for more in (cuts.least(y.n_drawn + 1), 0.0)]
    return min(bounds, key=lambda bound: abs(bound - event.log_kappa_y))
