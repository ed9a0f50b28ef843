"""What a run's events say about how well it went: where moves are accepted, what its steps are worth, what stuck."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np

from localpower.events import Chosen, Event, Resampled, Stepped
from localpower.runs.session import Listener
from localpower.runs.tally import Tally
from localpower.samplers.population import effective
from localpower.statistics import autocorrelation_time, split_r_hat

_BINS = 10
_LOW_ESS = 2.0


class _Chain:
    """One chain's part of the story."""

    def __init__(self, horizon: int) -> None:
        self._horizon = horizon
        self.tally = Tally()
        self.cuts: Counter[tuple[int, str]] = Counter()  # (tenth of the answer, how it ended)
        self.log_p: list[float] = []  # of the answer after each step at the last horizon
        self.ess: list[tuple[int, float]] = []
        self.resampled: list[int] = []
        self.ancestors: list[int] = []
        self.weights: tuple[float, ...] = ()  # of the answers that one was chosen from

    def add(self, event: Event) -> None:
        if isinstance(event, Stepped):
            self._stepped(event)
        self.tally = self.tally.add(event)
        if isinstance(event, Stepped) and event.horizon == self._horizon:
            self.log_p.append(self.tally.state.total_log_p())
        if isinstance(event, Resampled):
            self.ess.append((event.position, event.ess))
            self.ancestors = self.ancestors or list(range(len(event.log_w)))
            if event.parents is not None:
                self.resampled.append(event.position)
                self.ancestors = [self.ancestors[parent] for parent in event.parents]
        if isinstance(event, Chosen):
            self.weights = event.log_w

    def _stepped(self, event: Stepped) -> None:
        tenth = min(_BINS * event.cut // max(event.n_x, 1), _BINS - 1)
        how = (
            "free" if event.free else "accepted" if event.accepted else "early" if event.early else "rejected"
        )
        self.cuts[tenth, how] += 1


class Diagnosis(Listener):
    """A listener; `report` says what it heard."""

    def __init__(self, horizon: int, n_chains: int) -> None:
        """horizon: max_tokens, at which steps count for the autocorrelation."""
        self._chains = [_Chain(horizon) for _ in range(n_chains)]

    def event(self, chain: int, event: Event) -> None:
        """Take note."""
        self._chains[chain].add(event)

    def report(self) -> dict[str, Any]:
        """Plain JSON values; null where the method has no such thing or the run is too short to say."""
        steps = sum((chain.cuts for chain in self._chains), Counter[tuple[int, str]]())
        ways = Counter[str]()
        for (_, how), n in steps.items():
            ways[how] += n
        total = sum(ways.values())
        series = [chain.log_p for chain in self._chains]
        length = min(map(len, series))
        series = [values[-length:] for values in series] if length else []
        found = autocorrelation_time(series) if series else None
        r_hat = split_r_hat(series) if len(series) > 1 else None
        report: dict[str, Any] = {
            "acceptance_by_cut": self._by_cut(steps) if total else None,
            "free_share": ways["free"] / total if total else None,
            "early_share": ways["early"] / total if total else None,
            "n_steps_at_horizon": length if total else None,
            "autocorrelation_time": found.tau if found else None,
            "ess_log_p": found.ess if found else None,
            "steps_needed": found.needs if found else None,
            "split_r_hat": r_hat if r_hat is None or math.isfinite(r_hat) else None,
            "log_p": series or None,
            **self._particles(),
        }
        return report | {"warnings": self._warnings(report, ways, r_hat)}

    def _by_cut(self, steps: Counter[tuple[int, str]]) -> list[dict[str, Any]]:
        """By tenths of the answer, from its beginning."""
        rows = []
        for tenth in range(_BINS):
            counts = {how: steps[tenth, how] for how in ("accepted", "rejected", "early", "free")}
            moves = counts["accepted"] + counts["rejected"] + counts["early"]
            rate = counts["accepted"] / moves if moves else None
            rows.append({"from": tenth / _BINS, "to": (tenth + 1) / _BINS, **counts, "acceptance_rate": rate})
        return rows

    def _particles(self) -> dict[str, Any]:
        chains = [chain for chain in self._chains if chain.ess]
        return {
            "ess_curve": [chain.ess for chain in chains] or None,
            "resampled_at": [chain.resampled for chain in chains] or None,
            "ess_of_choice": [effective(np.array(chain.weights)) for chain in self._chains if chain.weights]
            or None,
            "unique_ancestors": [len(set(chain.ancestors)) for chain in chains] or None,
        }

    def _warnings(self, report: dict[str, Any], ways: Counter[str], r_hat: float | None) -> list[str]:
        """In plain words."""
        said = []
        tried = sum(ways.values())
        if tried and not ways["accepted"]:
            said.append(
                f"no proposal was accepted in {tried} steps: the answer is the one that the run began with; more "
                "--steps or a lower --alpha let it move"
            )
        if r_hat is not None and r_hat > 1.05:
            said.append(
                f"the chains do not agree yet: split R-hat is {r_hat:.2f} and should be near 1; more --steps help"
            )
        particles = [len(chain.ancestors) for chain in self._chains if chain.ess]
        for curve, alone, n in zip(
            report["ess_curve"] or (), report["unique_ancestors"] or (), particles, strict=True
        ):
            lowest = min(ess for _, ess in curve)
            if lowest < _LOW_ESS < n:
                said.append(
                    f"the effective sample size fell to {lowest:.1f}: more particles or a longer ramp help "
                    "(--method smc:particles=N:ramp=N)"
                )
            if alone == 1 < n:
                said.append("all particles have one ancestor: early tokens are one draw")
        return said
