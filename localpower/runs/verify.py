"""Is a recorded run what it says? Every decision again, from the recorded numbers or from the model itself.

From the record: the suffix sums, the cut law's terms, the ratio and the decision of every step, and the log p that the
run ended with. From the model: log p and log q of every token drawn, proposals that were rejected included, evaluated
afresh, of which only the prompt is kept between one and the next; then the same decisions from these numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from localpower.completion import Completion
from localpower.errors import UserError
from localpower.events import Chosen, Extended, Finished, Resampled, Stepped
from localpower.model import Tokens
from localpower.numerics import weigh
from localpower.runs.decisions import law, log_kappa, log_ratio, variant
from localpower.runs.gather import Engine
from localpower.runs.trace import Trace
from localpower.samplers.kernel import divergence
from localpower.samplers.population import effective, log_mean

_TOLERANCE = 1e-9  # nats, for sums that another numpy may add in another order

_UNCHECKED = {"smc": "weights of particles and log Z", "lookahead": "candidates, rollouts and their shares"}


@dataclass
class Findings:
    """problems: what contradicts the record, in words.

    largest: |difference of a token's log p or log q| between record and model, nats.
    changed: decisions that the model's own numbers would have made otherwise.
    unchecked: in words, what of such a run is not recomputed.
    """

    n_steps: int = 0
    n_accepted: int = 0
    n_tokens: int = 0
    largest: float = 0.0
    changed: int = 0
    unchecked: str = ""
    problems: list[str] = field(default_factory=list)


Observed = Callable[[Completion, int], list[str]]  # a trace, and from which token on it is new: what is wrong


def verify(
    trace: Trace,
    engine: Engine | None = None,
    check: Callable[[], None] = lambda: None,
    observed: Observed = lambda _trace, _since: [],
) -> Findings:
    """Check a run, against `engine` too if there is one. `check` runs before every evaluation and may raise.

    observed: says what of a trace's observations is not what its environment answers.
    """
    settings = trace.started.settings
    if settings.get("staged") or (settings.get("tries") or 1) != 1 or settings.get("cuts") == "early":
        raise UserError(
            "the run was recorded with --staged, --tries or --cuts early, which this version no longer knows",
            "commit 61e63fa had them last",
        )
    start = str(settings.get("start") or "").partition(":")[0]
    findings = Findings(unchecked=_UNCHECKED.get(start, _UNCHECKED.get(trace.started.method, "")))
    if not trace.whole:
        findings.problems.append("the recording ends before the run does")
    for chain in range(trace.started.n_chains):
        _Chain(trace, chain, findings, engine, check, observed).walk()
    return findings


def _anew(x: Completion, cut: int) -> int | None:
    """The first observation after a cut, which a fresh environment draws anew."""
    return next((begin for begin, _ in x.rounds if begin > cut), None)


class _Chain:
    """One chain of a run, folded again."""

    def __init__(
        self,
        trace: Trace,
        chain: int,
        findings: Findings,
        engine: Engine | None,
        check: Callable[[], None],
        observed: Observed,
    ) -> None:
        settings = trace.started.settings
        self._events = [moment.event for moment in trace.moments if moment.chain == chain]
        self._prompt: Tokens = trace.started.prompt
        self._name = f"chain {chain}"
        self._longest = int(settings["max_tokens"])
        self._alpha = float(settings["alpha"])
        self._temperature = float(settings["temperature"])
        self._method = trace.started.method
        self._drawn_anew = bool((settings.get("tools") or {}).get("fresh"))
        self._start = str(settings.get("start") or "")
        self._cuts = law(settings)
        self._variant = variant(settings)
        self._findings = findings
        self._engine = engine
        self._check, self._observed = check, observed
        self._states: dict[int, Completion] = {}
        self._fresh: dict[int, Completion] = {}  # the same tokens with the model's own numbers
        self._shown = 0

    def walk(self) -> None:
        """Every event in order."""
        for event in self._events:
            if isinstance(event, Extended):
                self._extended(event)
            elif isinstance(event, Stepped):
                self._stepped(event)
            elif isinstance(event, Resampled):
                self._resampled(event)
            elif isinstance(event, Chosen):
                self._chosen(event)
            elif isinstance(event, Finished):
                self._finished(event)

    def _of(self, member: int) -> tuple[Completion, Completion]:
        """An answer of the run, and the same with the model's numbers."""
        return self._states.get(member, Completion()), self._fresh.get(member, Completion())

    def _extended(self, event: Extended) -> None:
        where, member = f"{self._name}, extension at token {event.kept}", event.member
        state, fresh = self._of(member)
        self._same(where, "the length before", len(state), event.kept)
        longer = state.head(event.kept).join(event.suffix)
        self._claim(where, longer.n_counted <= event.horizon <= self._longest, "it goes beyond its horizon")
        self._fresh[member] = self._evaluated(fresh.head(event.kept), event.suffix, self._temperature)
        self._states[member] = longer
        self._answers(where, longer, event.kept)

    def _stepped(self, event: Stepped) -> None:
        where = f"{self._name}, step {event.step + 1} of stage {event.stage + 1}"
        (x, fresh_x), cut, alpha = self._of(event.member), event.cut, self._alpha
        self._findings.n_steps += 1
        if self._cuts is None or not 0 <= cut < len(x) or x.given[cut]:
            self._claim(where, False, "its cut is none of the state's")
            return
        y = x.head(cut).join(event.suffix)
        if len(y) == cut or y.given[cut] or not y.n_counted <= event.horizon <= self._longest:
            self._claim(where, False, "its proposal is none from this cut to its horizon")
            return
        self._claim(
            where, y.complete_at(event.horizon) != event.early, "complete and early exclude each other"
        )
        self._same(where, "n_x", x.n_drawn, event.n_x)
        self._same(where, "n_y", y.n_drawn, event.n_y)
        parting = divergence(x, y, _anew(x, cut) if self._drawn_anew else None)
        self._same(where, "the divergence", parting, event.divergence)
        self._same(where, "free", event.divergence is None, event.free)
        since = len(x) if parting is None else parting
        self._answers(where, y, since)
        self._same(where, "n_decoded", y.tail(since).n_drawn, event.n_decoded)
        copied = all(
            np.array_equal(a[cut:since], b[cut:since]) for a, b in ((x.log_p, y.log_p), (x.log_q, y.log_q))
        )
        self._claim(where, copied, "what proposal and state share has other numbers in each")
        hot = self._variant.hot_cut and since == cut
        terms = (x.log_w(alpha, since, hot=hot), y.log_w(alpha, since, hot=hot))
        kappas = (self._cuts.log_kappa(x, cut), log_kappa(self._cuts, x, y, event))
        ratio = log_ratio(x, y, cut, since, alpha, kappas, event, self._variant)
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
        fresh = self._evaluated(fresh_x.head(since), y.tail(since), self._temperature)
        fresh_ratio = log_ratio(fresh_x, fresh, cut, since, alpha, kappas, event, self._variant)
        self._findings.changed += (event.log_u < fresh_ratio) != event.accepted
        if event.accepted:
            self._findings.n_accepted += not event.free
            self._states[event.member], self._fresh[event.member] = y, fresh

    def _resampled(self, event: Resampled) -> None:
        where = f"{self._name}, particles at token {event.position}"
        self._near(where, "the effective sample size", effective(np.array(event.log_w)), event.ess)
        self._shown = max(range(len(event.log_w)), key=event.log_w.__getitem__)
        if event.parents is not None:
            self._shown = 0
            right = len(event.parents) == len(event.log_w) and max(event.parents) < len(event.log_w)
            self._claim(where, right, "its parents are none of the particles")
            for states in (self._states, self._fresh):
                parents = [states.get(parent, Completion()) for parent in event.parents]
                states.update(enumerate(parents))

    def _chosen(self, event: Chosen) -> None:
        where, self._shown = f"{self._name}, choice", event.member
        self._claim(where, 0 <= event.member < len(event.log_w), "it is none of the answers")
        if self._method == "best-of-n" or self._start.startswith("best-of-n"):
            self._near(where, "log Z", log_mean(np.array(event.log_w)), event.log_z)
            for member, log_w in enumerate(event.log_w):
                state = self._of(member)[0]
                self._near(
                    where, f"log w of {member}", float((self._alpha * state.log_p - state.log_q).sum()), log_w
                )

    def _finished(self, event: Finished) -> None:
        where, state = f"{self._name}, end", self._of(self._shown)[0]
        ends = {
            **dict.fromkeys(("stop", "turns"), state.ended),
            "length": not state.ended and state.n_counted == self._longest,
        }
        self._claim(where, ends.get(event.finish, True), f"its state did not end by {event.finish}")
        self._claim(where, event is self._events[-1], "events follow it")
        self._same(where, "the number of tokens", len(state), event.n_tokens)
        self._near(where, "log p", state.total_log_p(), event.log_p)

    def _evaluated(self, kept: Completion, suffix: Completion, temperature: float) -> Completion:
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
                weighed = weigh(row, temperature)
                log_p[i], log_q[i] = weighed.log_p(token), weighed.log_q(token)
        self._findings.n_tokens += len(suffix)
        gaps = np.abs(log_p - suffix.log_p)
        if self._method != "smc":  # whose proposal follows the ramp
            gaps = np.concatenate((gaps, np.abs(log_q - suffix.log_q)))
        self._findings.largest = max(self._findings.largest, float(gaps.max()))  # finite records: never NaN
        return kept.join(replace(suffix, log_p=log_p, log_q=log_q))

    def _answers(self, where: str, trace: Completion, since: int) -> None:
        """What its environment answers from a token on."""
        if trace.observed[since:].any():
            self._findings.problems += [f"{where}: {problem}" for problem in self._observed(trace, since)]

    def _same(self, where: str, name: str, ours: object, recorded: object) -> None:
        self._claim(where, ours == recorded, f"{name} is {ours}, recorded as {recorded}")

    def _near(self, where: str, name: str, ours: float, recorded: float) -> None:
        near = math.isclose(ours, recorded, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
        self._claim(where, near, f"{name} is {ours!r}, recorded as {recorded!r}")

    def _claim(self, where: str, holds: bool, otherwise: str) -> None:
        if not holds:
            self._findings.problems.append(f"{where}: {otherwise}")
