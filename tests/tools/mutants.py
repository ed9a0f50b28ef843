"""Wrong laws of traces. The enumeration of test_law.py must catch every one of them."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace
from unittest.mock import patch

from localpower.completion import Writer, extend
from localpower.samplers import kernel
from localpower.samplers.kernel import ChainState, Kernel
from tests.mutants import _decide, _right
from tests.tools.traces import Counter


def _plain(ratio, rules=lambda rules, x, cut: rules):
    """A step whose log ratio, and whose environment, are the given functions."""

    class Wrong(Kernel):
        def step(self, dice, state, model, prompt):
            x = state.completion
            cut = self.cuts.pick(dice, x)
            own = rules(self.rules, x, cut)
            y = extend(
                dice, model, prompt, x.head(cut), state.horizon, temperature=self.temperature, rules=own
            )
            return _decide(dice, state, x, y, cut, ratio(self, model, prompt, x, y, cut))

    return Wrong


def _as_is(chain, model, prompt, x, y, cut):
    return _right(x, y, cut, chain.alpha, chain.cuts)


def _observations_powered(chain, model, prompt, x, y, cut):
    """p(observation | before)^alpha as well, as if the trace were one text of the model."""

    def told(z):
        return sum(
            float(model.score(prompt + z.tokens[:begin], z.tokens[begin:end]).sum())
            for begin, end in z.rounds
        )

    return _as_is(chain, model, prompt, x, y, cut) + chain.alpha * (told(y) - told(x))


def _observations_counted(chain, model, prompt, x, y, cut):
    """log n_x - log n_y over all tokens, observations too."""
    return y.log_w(chain.alpha, cut) - x.log_w(chain.alpha, cut) + math.log(len(x) / len(y))


def _with(rules, **others):
    """The rules, with other functions of their turns."""
    own = {name: getattr(rules.turns, name) for name in ("chances", "reply", "after", "cut_off")}
    return replace(rules, turns=SimpleNamespace(**own | others))


def _not_reset(rules, x, cut):
    """The environment goes on from where the state's trace left it, instead of from the cut."""
    turns = rules.turns
    left = Counter()
    for done in turns.rounds(x):
        turns._made(left, done.calls, 0)

    def reply(trace, chance):
        made = turns._made(left.fork(), turns.calls(trace.last_turn, 0), 0)
        return turns._read(trace.tokens, made)

    return _with(rules, reply=reply)


def _stale(rules, x, cut):
    """A turn that was cut inside its call keeps the observation of the call that it was."""
    turns = rules.turns

    def reply(trace, chance):
        n = len(trace.rounds)
        if n < len(x.rounds) and cut < x.rounds[n][0] and (n == 0 or cut >= x.rounds[n - 1][1]):
            return x.tokens[slice(*x.rounds[n])]
        return turns.reply(trace, chance)

    return _with(rules, reply=reply)


def _turns_from_the_cut(rules, x, cut):
    """A proposal may have all its turns after the cut, whatever it keeps before."""
    turns = rules.turns
    kept = len(x.head(cut).rounds)

    def after(turn, rounds, *, end):
        return turns.after(turn, rounds - kept, end=end)

    return _with(rules, after=after)


def _by_the_call_alone(rules, x, cut):
    """What a call gave in the state's trace is remembered by the call, whatever was called before it."""
    turns = rules.turns
    given = {x.tokens[begin - 1]: x.tokens[begin:end] for begin, end in x.rounds}

    def reply(trace, chance):
        return given.get(trace.tokens[-1]) or turns.reply(trace, chance)

    return _with(rules, reply=reply)


class _AnsweredAtTheHorizon(Kernel):
    """A call that is the last token of a horizon is answered all the same."""

    def step(self, dice, state, model, prompt):
        after, info = super().step(dice, state, model, prompt)
        writer = Writer(after.completion, state.horizon + 1, model.eos, self.rules)
        writer.write_given(dice)
        return after._replace(completion=writer.completion()), info


class _ShorterHorizon(Kernel):
    """Observations use up the horizon of a proposal, as if they were drawn."""

    def step(self, dice, state, *args):
        x, horizon = state
        return super().step(dice, ChainState(x, max(horizon - int(x.observed.sum()), 1)), *args)


_ONE, _TWO, _CALLS = "a call is a token", "a call is two tokens", "nothing but a call"
MUTANTS = {  # a kernel, a model, the most turns of a trace
    "observations in the power": (_plain(_observations_powered), _ONE, 3),
    "observations counted in n_x": (_plain(_observations_counted), _ONE, 3),
    "the environment not reset at a cut": (_plain(_as_is, _not_reset), _ONE, 3),
    "a stale observation after a cut inside a call": (_plain(_as_is, _stale), _TWO, 3),
    "observations count against the horizon of a proposal": (_ShorterHorizon, _ONE, 3),
    "a call at the horizon is answered": (_AnsweredAtTheHorizon, _ONE, 4),
    "turns counted from the cut": (_plain(_as_is, _turns_from_the_cut), _CALLS, 2),
    "an observation remembered by its call alone": (_plain(_as_is, _by_the_call_alone), _ONE, 3),
}


class _SkipsObservations(Kernel):
    """A redraw that follows the state beyond an observation keeps it."""

    def propose(self, *args):
        with patch.object(kernel, "fresh_from", lambda *_: None):
            return super().propose(*args)


FRESH_MUTANTS = {"a skip over an observation": _SkipsObservations}
