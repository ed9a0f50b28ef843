"""Power sampling by Metropolis-Hastings.

Target   pi_H(x) ∝ p(x | prompt)^alpha over completions that end within H tokens or are exactly H long.
         The step below leaves pi_H exactly invariant, whatever the proposal temperature, with answers that
         end, stops and given tokens: detailed balance in tests/samplers/test_mh.py.
Step     cut c ~ kappa(. | x); u ~ U(0,1); y = x[:c] + suffix drawn from q to its end or to H, its first token from p;
         accept iff log u < [log_w(y, c) + log kappa(c | y)] - [log_w(x, c) + log kappa(c | x)],
         log_w = sum of alpha*log_p - log_q over the *whole* suffix of each, log_q of its first token being log_p.
Savers   The same kernel for less. Skip: where y leaves x is drawn from the recorded log_q, so that what they share is
         never evaluated again, nor anything at all when y = x; the sums begin where they part, for what is before
         cancels. Early rejection: no token adds to log_w (completion.log_w) and kappa(c | y) falls as y grows, so
         once the ratio is below u it stays there and y is given up; the decision is the same, u being drawn first.
Stages   H = block, 2*block, ..., max_tokens: unfinished states are extended when H grows, finished ones stay;
         once the answer has ended the next stage is max_tokens, and the last stage always runs there.
         Blocks are a warm start, no part of the kernel. So is what the first stage begins with (start.py).
Source   Karan & Du 2025, arXiv 2510.14901, Algorithm 1. Differs from the released code wherever an answer
         ends early: that code caps proposals at the current length, truncates the ratio and omits
         kappa (see tests/mutants.py, where the same test rejects each of its rules). Early rejection: Solonen et
         al. 2012. The hot cut is ours (race.py).
Cost     one decode a step of what follows the divergence, at most; the prefix's KV is reused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count, islice
from typing import Any

from localpower.chance import Dice
from localpower.completion import PLAIN, Completion, Rules
from localpower.drafts import Drafts, Mode
from localpower.errors import UsageProblem
from localpower.events import Event, Planned, Stepped
from localpower.methods import MOST_RUNS, SWITCH, Method, Option, Reader, Target, choice, number, whole
from localpower.model import Model, Tokens
from localpower.samplers.base import Guarantee, finished, grow, require
from localpower.samplers.budget import Budget, Room, Spent
from localpower.samplers.cuts import CUTS, CutLaw, RestartCuts, cut_law
from localpower.samplers.kernel import ALL_SAVERS, ChainState, Savers, StepInfo, step
from localpower.samplers.prefetch import Task, in_order
from localpower.samplers.race import HOT_CUT, Form
from localpower.samplers.start import DRAW, Start
from localpower.width import best_width

STEPS = 5  # a stage, where nobody says how many
_ROUNDS = 8  # of steps within a budget after the first: each leaves about half of the rest, free steps all
_MOST_STEPS = 4096  # in a round: where nearly all are free, a budget of tokens ends none of them


@dataclass(frozen=True, slots=True)
class PowerMH:
    """The chain: `steps` steps at each stage; None: as many as the budget has room for.

    Raises UsageProblem for settings that can never be right.

    form: how a step proposes and decides (race.py). start: what the chain begins with (start.py).
    prefetch: proposals in one batch; adaptive: as many up to there as the model's cost and the chain's moves so far
    make worth it. drafts: rows ahead where tokens can be guessed. None of the three changes the chain.
    """

    alpha: float = 4.0
    temperature: float = 0.25
    max_tokens: int = 256
    block: int = 256
    steps: int | None = 5
    cuts: CutLaw = field(default_factory=RestartCuts)
    rules: Rules = PLAIN
    method: str = "power"
    savers: Savers = ALL_SAVERS
    prefetch: int = 1
    adaptive: bool = False
    form: Form = HOT_CUT
    start: Start = DRAW
    drafts: Mode = "off"
    budget: Budget | None = None

    def __post_init__(self) -> None:
        """Check the settings."""
        require("--alpha", self.alpha, 1.0)
        require("--max-tokens", self.max_tokens, 1)
        require("block", self.block, 1)
        require("--steps", 0 if self.steps is None else self.steps, 0)
        if self.steps is None and self.budget is None:
            raise UsageProblem("--steps can only be left to a budget")
        require("prefetch", self.prefetch, 1)
        if self.start.n > 1:
            if self.block < self.max_tokens:
                raise UsageProblem("a start draws whole answers", "leave block at all of --max-tokens")
            self.start.sampler(
                self.alpha, self.temperature, self.max_tokens, self.rules
            )  # checks its settings
        if not 1.0 / self.alpha <= self.temperature * (1 + 1e-12) or not self.temperature <= 1.0:
            raise UsageProblem(
                f"--temperature of a power proposal must be between 1/alpha = {1 / self.alpha:g} "
                f"and 1, got {self.temperature:g}"
            )

    @property
    def guarantee(self) -> Guarantee:
        """Invariant; with no step at all only the start is left."""
        if self.steps == 0 and self.alpha != 1.0:
            return "approximate" if self.start.n == 1 else "asymptotic"
        return "invariant"

    @property
    def plans(self) -> bool:
        """Steps are planned while it runs."""
        return True

    @property
    def width(self) -> int:
        """All proposals at once, or all answers of the start."""
        return max(self.prefetch, self.start.n)

    def settings(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "alpha": self.alpha,
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "block": self.block,
            "steps": self.steps,
            "cuts": self.cuts.name,
            **({"restart_weight": self.cuts.rho} if isinstance(self.cuts, RestartCuts) else {}),
            "hot_cut": self.form.hot_cut,
            **({"metropolised": True} if self.form.metropolised else {}),
            **({"start": str(self.start)} if self.start.n > 1 else {}),
        }

    def expected_cost(self) -> float:
        """The start, and steps that draw half of what a plan sets aside for them."""
        steps = expected_cost(self.cuts, self.steps or 0, stages(self.max_tokens, self.block))
        return self.start.n - 1.0 + steps

    def fit(self, room: Room) -> tuple[PowerMH, str]:
        """Steps are planned once the first draw is known, and then said; a start leaves room for one."""
        steps = self.steps if "steps" in room.given else None
        answers = room.answers(self.max_tokens, self.start.n + 1, given=True) - 1
        start = self.start.at_most(answers)
        words = f"start={start}" if start != self.start else ""
        return replace(self, steps=steps, start=start, budget=Budget(tokens=1)), words

    def suited(self, widest: int, most: int, *, ahead: bool) -> PowerMH:
        """The same chain with as many proposals in a batch as an engine is good for (0: none), and there is room for.

        ahead: whether the engine takes drafts.
        """
        drafts = self.drafts if ahead else "off"
        if not self.adaptive:
            return replace(self, prefetch=self.prefetch if widest else 1, drafts=drafts)
        width = min(widest, widest if self.steps is None else self.steps, most)  # more is room for nothing
        return replace(self, prefetch=max(1, width), drafts=drafts)

    def run(self, model: Model, prompt: Tokens, dice: Dice) -> Iterator[Event]:
        """All stages. Draws are keyed: move k of the chain, extension or step, uses `dice.spawn(k)`."""
        chain = _Chain(self, model, prompt, dice)
        horizon, stage = min(self.block, self.max_tokens), 0
        yield from chain.begin(horizon)
        while True:
            yield from chain.grow(horizon, stage)
            if stage == 0 and self.budget and not chain.spent.out:
                yield chain.plan(self.budget)
            yield from chain.walk(horizon, stage)
            if horizon == self.max_tokens or chain.spent.out:
                break
            horizon = self.max_tokens if chain.state.ended else min(horizon + self.block, self.max_tokens)
            stage += 1
        for _ in range(_ROUNDS):
            if (planned := chain.plan_more()) is None:
                break
            yield planned
            yield from chain.walk(horizon, stage)
        yield finished(chain.state, budget=chain.spent.out, n_dropped=chain.n_dropped)


class _Chain:
    """A run of PowerMH: its state, and what it has tried and spent."""

    def __init__(self, sampler: PowerMH, model: Model, prompt: Tokens, dice: Dice) -> None:
        self._sampler, self._model, self._prompt, self._dice = sampler, model, prompt, dice
        self._drafts = None if sampler.drafts == "off" else Drafts(prompt, always=sampler.drafts == "on")
        self._move = self._tried = self._moved = 0
        self._steps = sampler.steps or 0  # a stage
        self._done = 0  # of them, in the last stage
        self._each = 0.0  # tokens set aside for a step
        self._member, self._started = (
            0,
            1,
        )  # which of the start's answers is the state, and how many there were
        self.state = Completion()
        self.spent = Spent(sampler.budget, sampler.max_tokens)
        self.n_dropped = 0

    def begin(self, horizon: int) -> Iterator[Event]:
        """Choose the first state among the answers of the start, as many as the budget has room for."""
        sampler, left = self._sampler, self.spent.left
        start = sampler.start if left is None else sampler.start.at_most(left // horizon - 1)
        if start.n == 1:
            return
        drawing = start.sampler(sampler.alpha, sampler.temperature, horizon, sampler.rules)
        self._member, self.state = yield from drawing.choose(
            self._model, self._prompt, self._dice.spawn(self._move), self.spent
        )
        self._started = start.n
        self._move += 1

    def grow(self, horizon: int, stage: int) -> Iterator[Event]:
        """Extend the state to the horizon, or as far as the budget goes."""
        if self.state.complete_at(horizon):
            return
        kept, left = len(self.state), self.spent.left
        self.state = yield from grow(
            self._dice.spawn(self._move),
            self._model,
            self._prompt,
            self.state,
            horizon if left is None else min(horizon, kept + left),
            temperature=self._sampler.temperature,
            rules=self._sampler.rules,
            stage=stage,
            drafts=self._drafts,
            member=self._member,
        )
        self._move += 1
        self.spent.takes(self.state.tail(kept).n_drawn)
        self.spent.out |= not self.state.complete_at(horizon)

    def plan(self, budget: Budget) -> Planned:
        """Fix the number of steps, now that the plain draw is known, by what a step may cost of an answer."""
        sampler, drawn, used = self._sampler, self.state.n_drawn, self.spent.tokens
        plain = drawn if self.state.complete_at(sampler.max_tokens) else sampler.max_tokens
        if self._started > 1:  # the answer was chosen, so that its own length says less
            plain = -(-used // self._started)
        if budget.times is not None and budget.times < 1.0:  # not even the plain draw
            self._steps = 0
            return Planned(0, self.spent.tokens)
        self.spent = Spent(budget, plain)
        self.spent.tokens = used
        stages = 1 if self.state.complete_at(sampler.max_tokens) else -(-sampler.max_tokens // sampler.block)
        average = plain * (stages + 1) / (2 * stages)  # tokens of the state at a stage
        left = (self.spent.left or 0) - (plain - drawn)
        self._each = sampler.cuts.planned_cost * max(average, 1.0)
        fit = min(max(int(left / stages / self._each), 0), _MOST_STEPS)
        self._steps = fit if sampler.steps is None else min(sampler.steps, fit)
        return Planned(self._steps, self.spent.tokens + (self.spent.left or 0))

    def plan_more(self) -> Planned | None:
        """Another round of the last stage, of as many steps as fit into what the budget has left; None: none does."""
        if (
            self._sampler.budget is None
            or self._sampler.steps is not None
            or self.spent.out
            or not self._each
        ):
            return None
        left = self.spent.left or 0
        more = min(int(left / max(self._each, self.state.n_drawn)), _MOST_STEPS)
        if not more or not self.state.n_drawn:
            return None
        self._steps += more
        return Planned(self._steps, self.spent.tokens + left)

    def walk(self, horizon: int, stage: int) -> Iterator[Event]:
        """The steps of a stage."""
        index = self._done
        while index < self._steps and self.state.n_drawn and not self.spent.out:
            tasks = islice(self._tasks(horizon), self._steps - index)
            with closing(in_order(self._model, tasks, self._width())) as results:
                for after, info in results:
                    drawn = self.spent.takes(info.n_decoded, undecided=info.undecided)
                    if self.spent.out:
                        self.n_dropped = drawn
                        break
                    yield stepped(stage, index, horizon, self.state, info, self._member)
                    index, self._move, self._tried = index + 1, self._move + 1, self._tried + 1
                    if info.accepted and info.divergence is not None:
                        self.state, self._moved = after.completion, self._moved + 1
                        break
        self._done = index if horizon == self._sampler.max_tokens else 0

    def _tasks(self, horizon: int) -> Iterator[Task]:
        """Steps from the state, one a move number, each ready to be run on a model."""
        sampler, state = self._sampler, self.state
        if self._drafts is not None:
            self._drafts.state = state.tokens
        for key in count(self._move):
            self._model.pin(self._prompt + state.tokens)
            yield partial(
                step,
                self._dice.spawn(key),
                ChainState(state, horizon),
                prompt=self._prompt,
                alpha=sampler.alpha,
                temperature=sampler.temperature,
                cuts=sampler.cuts,
                rules=sampler.rules,
                savers=sampler.savers,
                form=sampler.form,
                drafts=self._drafts,
                allowance=self.spent.left,
            )

    def _width(self) -> int:
        sampler = self._sampler
        if not sampler.adaptive:
            return sampler.prefetch
        return best_width(self._model.cost, (self._moved + 1) / (self._tried + 4), sampler.prefetch)


def stages(longest: int, block: int) -> int:
    """How many stages a run has at most."""
    return -(-longest // block)


def expected_cost(cuts: CutLaw, steps: int, n_stages: int) -> float:
    """Plain answers of a draw and so many steps a stage, of half of what a plan sets aside for a step."""
    return 1.0 + steps * cuts.planned_cost / 2 * (n_stages + 1) / 2


def stepped(stage: int, index: int, horizon: int, x: Completion, info: StepInfo, member: int = 0) -> Stepped:
    """The event of a step from x."""
    suffix = info.proposal.tail(info.cut)
    return Stepped(
        stage=stage,
        step=index,
        horizon=horizon,
        cut=info.cut,
        divergence=info.divergence,
        n_x=x.n_drawn,
        n_y=info.proposal.n_drawn,
        log_u=info.log_u,
        log_w_x=info.log_w_x,
        log_w_y=info.log_w_y,
        log_kappa_x=info.log_kappa_x,
        log_kappa_y=info.log_kappa_y,
        log_ratio=info.log_ratio,
        accepted=info.accepted,
        free=info.divergence is None,
        decided_at=len(info.proposal),
        early=info.early,
        n_decoded=info.n_decoded,
        suffix=suffix,
        member=member,
    )


def _read_prefetch(text: str) -> int | None:
    return None if text == "auto" else int(whole(1, MOST_RUNS).read(text))


def _make(target: Target, values: Mapping[str, Any]) -> PowerMH:
    return PowerMH(
        target.alpha,
        target.proposal,
        target.max_tokens,
        values["block"] or target.max_tokens,
        STEPS if target.steps is None else target.steps,
        cut_law(values["cuts"], values["restart_weight"]),
        target.rules,
        prefetch=values["prefetch"] or 1,
        adaptive=values["prefetch"] is None,
        form=Form(values["hot_cut"], values["metropolised"]),
        start=values["start"],
        drafts=values["drafts"],
    )


CUT_OPTIONS = (
    Option(
        "cuts",
        choice(*CUTS),
        "restart",
        "Where a step cuts the answer: anywhere, at times at its very start, or where the entropy rises.",
    ),
    Option(
        "restart-weight",
        number(0.0, 1.0, below=True),
        RestartCuts().rho,
        "Weight of a cut at the first token, with cuts=restart.",
    ),
    Option("hot-cut", SWITCH, True, "Whether the token at the cut is drawn from p itself."),
    Option("block", whole(1), None, "Tokens by which the horizon grows.", "all of --max-tokens"),
)
METHODS = (
    Method(
        "power",
        "A Metropolis-Hastings chain over whole answers towards p^alpha.",
        "invariant",
        _make,
        (
            *CUT_OPTIONS,
            Option("metropolised", SWITCH, False, "Whether every proposal differs from the answer so far."),
            Option(
                "start",
                Reader("draw, smc:N or best-of-n:N", Start.of),
                DRAW,
                "What the chain begins with: one draw, or a choice among N answers.",
            ),
            Option(
                "prefetch",
                Reader(f"auto, or a whole number from 1 to {MOST_RUNS}", _read_prefetch),
                None,
                "Proposals in one batch. It never changes a result.",
                "auto",
            ),
            Option(
                "drafts",
                choice("auto", "on", "off"),
                "auto",
                "Whether tokens that earlier text suggests are evaluated in the same batch. It never changes a result.",
            ),
        ),
        frozenset({"alpha", "temperature", "steps"}),
    ),
)
