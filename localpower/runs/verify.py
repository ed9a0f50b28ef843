"""Is a recorded run what it says? Every decision again, from the recorded numbers or from the model itself.

From the record: the suffix sums, the cut law's terms, the ratio and the decision of every step, and the log p that the
run ended with. From the model: log p and log q of every token drawn, proposals that were rejected included, evaluated
afresh, of which only the prompt is kept between one and the next; then the same decisions from these numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from localpower.completion import Completion
from localpower.events import Extended, Finished, Stepped
from localpower.model import Tokens
from localpower.numerics import weigh
from localpower.runs.gather import Engine
from localpower.runs.trace import Trace
from localpower.samplers.cuts import CutLaw, cut_law, rank_of
from localpower.samplers.kernel import divergence
from localpower.samplers.race import PLAIN_FORM, Blocks, Form, log_other
from localpower.samplers.tries import acceptance

_TOLERANCE = 1e-9  # nats, for sums that another numpy may add in another order


@dataclass
class Findings:
    """problems: what contradicts the record, in words.

    largest: |difference of a token's log p or log q| between record and model, nats.
    changed: decisions that the model's own numbers would have made otherwise.
    """

    n_steps: int = 0
    n_accepted: int = 0
    n_tokens: int = 0
    largest: float = 0.0
    changed: int = 0
    problems: list[str] = field(default_factory=list)


def verify(trace: Trace, engine: Engine | None = None, check: Callable[[], None] = lambda: None) -> Findings:
    """Check a run, against `engine` too if there is one. `check` runs before every evaluation and may raise."""
    findings = Findings()
    if not trace.whole:
        findings.problems.append("the recording ends before the run does")
    for chain in range(trace.started.n_chains):
        _Chain(trace, chain, findings, engine, check).walk()
    return findings


def _law(settings: dict[str, Any]) -> CutLaw | None:
    """None: of no law that this version knows."""
    try:
        return cut_law(settings.get("cuts") or "uniform", float(settings.get("rho") or 0.3))
    except KeyError:
        return None


def _form(settings: dict[str, Any]) -> Form:
    return Form(
        **{name: type(plain)(settings.get(name) or plain) for name, plain in PLAIN_FORM._asdict().items()}
    )


def _log_ratio(
    x: Completion,
    y: Completion,
    cut: int,
    since: int,
    alpha: float,
    kappas: tuple[float, float],
    event: Stepped,
    form: Form,
) -> float:
    """What decides, by the formula of each form; of an unfinished proposal the bound."""
    log_w = y.log_w(alpha, since) - x.log_w(alpha, since)
    rest = kappas[1] - kappas[0]
    if form.tries > 1:
        return acceptance(log_w + rest, event.log_others if event.log_others is not None else -math.inf)
    if event.free:
        return 0.0
    if form.metropolised:
        rest += log_other(_log_q(x, cut)) - log_other(_log_q(y, cut))
    if not form.staged:
        return log_w + rest
    blocks = Blocks(form.staged)
    for sign, one in ((1.0, y), (-1.0, x)):
        for position in range(since, len(one)):
            blocks.add(position, sign * min(alpha * one.log_p[position] - one.log_q[position], 0.0))
    return blocks.log_acceptance() + min(rest, 0.0)


def _log_q(x: Completion, cut: int) -> float:
    return float(np.minimum(x.log_q[cut:], 0.0).sum())


def _log_kappa(cuts: CutLaw, x: Completion, y: Completion, cut: int, *, early: bool) -> float:
    """Of the proposal; of an unfinished one the bound that it was given up by."""
    if not early:
        return cuts.log_kappa(y, cut)
    gains = cuts.gains(y)
    total = float(np.add.accumulate(gains)[-1]) + cuts.least(y.n_drawn + 1)
    return cuts.log_share(rank_of(x, cut), float(gains[cut]), total)


class _Chain:
    """One chain of a run, folded again."""

    def __init__(
        self, trace: Trace, chain: int, findings: Findings, engine: Engine | None, check: Callable[[], None]
    ) -> None:
        settings = trace.started.settings
        self._events = [moment.event for moment in trace.moments if moment.chain == chain]
        self._prompt: Tokens = trace.started.prompt
        self._name = f"chain {chain}"
        self._longest = int(settings["max_tokens"])
        self._alpha = float(settings["alpha"])
        self._temperature = float(settings["temperature"])
        self._cuts = _law(settings)
        self._form = _form(settings)
        self._findings = findings
        self._engine = engine
        self._check = check
        self._state = Completion()
        self._fresh = Completion()  # the same tokens with the model's own numbers

    def walk(self) -> None:
        """Every event in order."""
        for event in self._events:
            if isinstance(event, Extended):
                self._extended(event)
            elif isinstance(event, Stepped):
                self._stepped(event)
            elif isinstance(event, Finished):
                self._finished(event)

    def _extended(self, event: Extended) -> None:
        where = f"{self._name}, extension at token {event.kept}"
        self._same(where, "the length before", len(self._state), event.kept)
        longer = self._state.head(event.kept).join(event.suffix)
        self._claim(where, len(longer) <= event.horizon <= self._longest, "it goes beyond its horizon")
        self._fresh = self._evaluated(self._fresh.head(event.kept), event.suffix)
        self._state = longer

    def _stepped(self, event: Stepped) -> None:
        where = f"{self._name}, step {event.step + 1} of stage {event.stage + 1}"
        x, cut = self._state, event.cut
        self._findings.n_steps += 1
        if self._cuts is None or not 0 <= cut < len(x) or x.given[cut]:
            self._claim(where, False, "its cut is none of the state's")
            return
        y = x.head(cut).join(event.suffix)
        if len(y) == cut or y.given[cut] or not len(y) <= event.horizon <= self._longest:
            self._claim(where, False, "its proposal is none from this cut to its horizon")
            return
        self._claim(
            where, y.complete_at(event.horizon) != event.early, "complete and early exclude each other"
        )
        self._same(where, "n_x", x.n_drawn, event.n_x)
        self._same(where, "n_y", y.n_drawn, event.n_y)
        parting = divergence(x, y)
        self._same(where, "the divergence", parting, event.divergence)
        self._same(where, "free", event.divergence is None, event.free)
        since = len(x) if parting is None else parting
        if self._form.tries > 1:
            self._claim(where, event.log_others is not None, "the weights of the other tries are missing")
            self._claim(where, event.n_decoded >= y.tail(since).n_drawn, "n_decoded is less than its suffix")
        else:
            self._same(where, "n_decoded", y.tail(since).n_drawn, event.n_decoded)
        copied = all(
            np.array_equal(a[cut:since], b[cut:since]) for a, b in ((x.log_p, y.log_p), (x.log_q, y.log_q))
        )
        self._claim(where, copied, "what proposal and state share has other numbers in each")
        terms = (x.log_w(self._alpha, since), y.log_w(self._alpha, since))
        kappas = (self._cuts.log_kappa(x, cut), _log_kappa(self._cuts, x, y, cut, early=event.early))
        ratio = _log_ratio(x, y, cut, since, self._alpha, kappas, event, self._form)
        for name, ours, recorded in (
            ("log_w_x", terms[0], event.log_w_x),
            ("log_w_y", terms[1], event.log_w_y),
            ("log_kappa_x", kappas[0], event.log_kappa_x),
            ("log_kappa_y", kappas[1], event.log_kappa_y),
            ("log_ratio", ratio, event.log_ratio),
        ):
            self._near(where, name, ours, recorded)
        self._claim(where, event.log_u < 0.0, f"log u = {event.log_u} is of no uniform")
        self._same(where, "accepted", event.log_u < event.log_ratio, event.accepted)
        fresh = self._evaluated(self._fresh.head(since), y.tail(since))
        fresh_ratio = _log_ratio(self._fresh, fresh, cut, since, self._alpha, kappas, event, self._form)
        self._findings.changed += (event.log_u < fresh_ratio) != event.accepted
        if event.accepted:
            self._findings.n_accepted += not event.free
            self._state, self._fresh = y, fresh

    def _finished(self, event: Finished) -> None:
        where, state = f"{self._name}, end", self._state
        ends = {"stop": state.ended, "length": not state.ended and len(state) == self._longest}
        self._claim(where, ends.get(event.finish, True), f"its state did not end by {event.finish}")
        self._claim(where, event is self._events[-1], "events follow it")
        self._same(where, "the number of tokens", len(self._state), event.n_tokens)
        self._near(where, "log p", self._state.total_log_p(), event.log_p)

    def _evaluated(self, kept: Completion, suffix: Completion) -> Completion:
        """`kept` and the suffix with the model's own log p and log q; the recorded ones without a model."""
        if self._engine is None or not len(suffix):
            return kept.join(suffix)
        if max(suffix.tokens) >= self._engine.n_vocab:
            self._claim(self._name, False, f"token {max(suffix.tokens)} is outside the model's vocabulary")
            return kept.join(suffix)
        self._check()
        log_p, log_q = suffix.log_p.copy(), suffix.log_q.copy()
        rows = self._engine.rows(self._prompt + kept.tokens, suffix.tokens)
        for i, (row, token) in enumerate(zip(rows, suffix.tokens, strict=True)):
            if not suffix.given[i]:
                weighed = weigh(row, self._temperature)
                log_p[i], log_q[i] = weighed.log_p(token), weighed.log_q(token)
        self._findings.n_tokens += len(suffix)
        gaps = np.abs(np.concatenate((log_p - suffix.log_p, log_q - suffix.log_q)))
        self._findings.largest = max(self._findings.largest, float(gaps.max()))  # finite records: never NaN
        return kept.join(Completion(suffix.tokens, suffix.ended, log_p, log_q, suffix.entropy, suffix.given))

    def _same(self, where: str, name: str, ours: object, recorded: object) -> None:
        self._claim(where, ours == recorded, f"{name} is {ours}, recorded as {recorded}")

    def _near(self, where: str, name: str, ours: float, recorded: float) -> None:
        near = math.isclose(ours, recorded, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
        self._claim(where, near, f"{name} is {ours!r}, recorded as {recorded!r}")

    def _claim(self, where: str, holds: bool, otherwise: str) -> None:
        if not holds:
            self._findings.problems.append(f"{where}: {otherwise}")
