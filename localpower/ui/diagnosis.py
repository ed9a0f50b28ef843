"""A diagnosis as text: bars and sparklines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from localpower.ui.view import sparkline

_WIDTH = 24
_CURVE = 60


def lines(report: dict[str, Any]) -> Iterator[str]:
    """What `Diagnosis.report` found, line by line."""
    if report["acceptance_by_cut"]:
        yield "where steps cut (tenths of the answer), and how they ended: # accepted, . rejected, `,` early, = free"
        yield from _cuts(report["acceptance_by_cut"])
        yield f"free {report['free_share']:.0%} · rejected early {report['early_share']:.0%}"
    for i, values in enumerate(report["log_p"] or ()):
        if len(values) > 1:
            low, high = min(values), max(values)
            yield f"log p of chain {i} at the last horizon {sparkline(_thinned(values))} {low:.1f} to {high:.1f}"
    if report["autocorrelation_time"] is not None:
        tau, ess = report["autocorrelation_time"], report["ess_log_p"]
        yield f"autocorrelation time of log p {tau:.1f} steps · {ess:.0f} independent draws of it"
    if report["steps_needed"]:
        yield (
            f"note: {report['n_steps_at_horizon']} steps are enough for an answer, but too few to measure how many "
            f"steps make a new one; to measure that, run the same command with --steps {report['steps_needed']}"
        )
    if report["split_r_hat"] is not None:
        yield f"split R-hat {report['split_r_hat']:.3f}"
    for curve, at, alone in zip(
        report["ess_curve"] or (), report["resampled_at"] or (), report["unique_ancestors"] or (), strict=True
    ):
        values = [ess for _, ess in curve]
        yield f"effective sample size by token {sparkline(_thinned(values))} {min(values):.1f} to {max(values):.1f}"
        yield f"resampled at tokens {', '.join(map(str, at)) or 'none'} · ancestors left {alone}"
    for ess in report["ess_of_choice"] or ():
        yield f"effective number of answers that one was chosen from {ess:.1f}"
    if not (report["acceptance_by_cut"] or report["ess_of_choice"]):
        yield "nothing to diagnose: the method makes no steps and weighs no answers"
    for warning in report["warnings"]:
        yield f"warning: {warning}"


def _cuts(rows: list[dict[str, Any]]) -> Iterator[str]:
    most = max(sum(row[how] for how in ("accepted", "rejected", "early", "free")) for row in rows)
    for row in rows:
        marks = "#" * row["accepted"] + "." * row["rejected"] + "," * row["early"] + "=" * row["free"]
        if most > _WIDTH:  # one mark stands for several steps
            marks = marks[:: -(-most // _WIDTH)]
        rate = "" if row["acceptance_rate"] is None else f"accepted {row['acceptance_rate']:.0%}"
        yield f"  {row['from']:.1f} {marks:<{_WIDTH}} {rate}".rstrip()


def _thinned(values: list[float]) -> tuple[float, ...]:
    step = -(-len(values) // _CURVE)
    return tuple(values[::step])
