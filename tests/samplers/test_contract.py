"""What every method promises, on a table and on a tiny GGUF: one seed one answer, budgets, events that add up, Ctrl-C."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import pytest

from localpower.chance import StreamDice
from localpower.completion import PLAIN
from localpower.events import Finished, from_json, to_json
from localpower.methods import Expert, Target
from localpower.registry import find, names
from localpower.runs.gather import Run, gather
from localpower.runs.interrupt import Interrupts
from localpower.runs.pace import Pace
from localpower.runs.session import run_chains
from localpower.samplers import Ancestral, BestOfNSampler, Budget, LookaheadSampler, PowerMH, PowerSMC
from localpower.samplers.acceptance import StepVariant
from localpower.samplers.project import Projection
from localpower.toy import ToyModel
from tests.samplers.small import folded

PROMPT, LONGEST, ALPHA = (0, 1), 12, 3.0
EXPERT = Expert((1, 0, 2), (1, 2), lambda tokens: 1 in tokens)
SAMPLERS = {
    "base": Ancestral("base", 1.0, LONGEST),
    "low-temp": Ancestral("low-temp", 1 / ALPHA, LONGEST),
    "power": PowerMH(ALPHA, 1 / ALPHA, LONGEST, 5, 4, prefetch=2),
    "power, drafts": PowerMH(ALPHA, 1 / ALPHA, LONGEST, 5, 4, drafts="on"),
    "power, metropolised": PowerMH(ALPHA, 1 / ALPHA, LONGEST, 12, 4, variant=StepVariant(metropolised=True)),
    "best-of-n": BestOfNSampler(ALPHA, 1.0, LONGEST, n=3),
    "smc": PowerSMC(ALPHA, LONGEST, particles=4, ramp=5),
    "lookahead": LookaheadSampler(ALPHA, 1 / ALPHA, LONGEST, 4, candidates=2, rollouts=2),
    "project": Projection(EXPERT, max_tokens=LONGEST, steps=9),
}


@pytest.fixture(params=["toy", "gguf"])
def engine(request):
    if request.param == "toy":
        return ToyModel(seed=7, end_bias=-1.0)
    return request.getfixturevalue("tiny").engine(PROMPT, LONGEST, 24, lambda: None)


def told(engine, sampler, seed=3, chains=1, first=0):
    """The events of each chain, all chains in one batch."""
    found = [[] for _ in range(chains)]
    runs = [
        Run(PROMPT, lambda handle, i=i: sampler.run(handle, PROMPT, StreamDice(seed, (i,))))
        for i in range(first, first + chains)
    ]
    for i, event in gather(engine, runs):
        found[i].append(event)
    return found


def test_every_method_is_here():
    assert {name.split(",")[0] for name in SAMPLERS} == set(names())
    assert all(sampler.method == name.split(",")[0] for name, sampler in SAMPLERS.items())


@pytest.mark.parametrize("name", names())
def test_a_method_makes_the_sampler_that_it_says(name):
    method = find(name)
    sampler = method().sampler(Target(ALPHA, LONGEST, PLAIN, expert=EXPERT))
    assert (sampler.method, sampler.guarantee) == (name, method.guarantee)
    assert all(
        option.reader.read(option.default_text) is not None
        for option in method.options()
        if option.shown == ""
    )


@pytest.mark.parametrize("name", SAMPLERS)
def test_one_seed_gives_the_same_events_whoever_else_is_in_the_batch(engine, name):
    sampler = SAMPLERS[name]
    alone = told(engine, sampler)[0]
    assert told(engine, sampler)[0] == alone
    together = told(engine, sampler, chains=3)
    assert together[0] == alone
    assert together[2] == told(engine, sampler, first=2)[0]
    assert told(engine, sampler, seed=4)[0] != alone


@pytest.mark.parametrize("name", SAMPLERS)
def test_events_survive_json_and_add_up_to_the_answer(engine, name):
    events = told(engine, SAMPLERS[name])[0]
    written = [to_json(event) for event in events]
    again = [from_json(json.loads(json.dumps(each, allow_nan=False))) for each in written]
    assert [to_json(event) for event in again] == written, "bit for bit"
    tally, end = folded(again), events[-1]
    assert isinstance(end, Finished)
    assert (len(tally.state), tally.finish) == (end.n_tokens, end.finish)
    assert tally.state.total_log_p() == pytest.approx(end.log_p, abs=1e-9)
    assert tally.state.complete_at(LONGEST)
    assert max(engine_tokens(events)) < engine.n_vocab


def engine_tokens(events):
    return itertools.chain((0,), *(event.suffix.tokens for event in events if hasattr(event, "suffix")))


@pytest.mark.parametrize("name", [name for name in SAMPLERS if "drafts" not in name])
def test_no_more_contexts_at_once_than_the_width_says(name):
    widths = []

    class Counting(ToyModel):
        def logits(self, contexts, prompt_lengths=None):
            widths.append(len(contexts))
            return super().logits(contexts)

    told(Counting(seed=7, end_bias=-1.0), SAMPLERS[name])
    assert max(widths) <= SAMPLERS[name].width


@pytest.mark.parametrize("tokens", [1, 7, 20, 60])
@pytest.mark.parametrize("name", SAMPLERS)
def test_a_budget_is_kept_to_the_token_and_leaves_a_state(name, tokens):
    for seed in range(4):
        sampler = replace(SAMPLERS[name], budget=Budget(tokens=tokens))
        tally = folded(told(ToyModel(seed=7, end_bias=-1.0), sampler, seed)[0])
        assert tally.n_decoded <= tokens
        assert tally.finish in ("budget", "stop", "length")
        if tally.finish == "budget":
            continue
        assert tally.state.complete_at(LONGEST)


@pytest.mark.parametrize("name", SAMPLERS)
def test_ctrl_c_at_any_evaluation_returns_a_state(name):
    class Stopping(ToyModel):
        def logits(self, contexts, prompt_lengths=None):
            nonlocal left
            left -= 1
            if not left:
                interrupts.requested = True
            return super().logits(contexts)

    for evaluations in (1, 3, 9, 15):
        left, interrupts = evaluations, Interrupts()
        (tally,) = run_chains(
            Stopping(seed=7, end_bias=-1.0), SAMPLERS[name], PROMPT, StreamDice(3), 1, interrupts=interrupts
        )
        assert tally.finish in ("interrupted", "stop", "length")
        assert len(tally.state) <= LONGEST


@pytest.mark.parametrize("name", SAMPLERS)
def test_when_the_seconds_are_over_the_state_is_returned_as_of_a_budget(name):
    calls, pace = itertools.count(), Pace()
    pace.out = lambda: next(calls) > 5
    (tally,) = run_chains(
        ToyModel(seed=7, end_bias=-5.0), SAMPLERS[name], PROMPT, StreamDice(3), 1, pace=pace
    )
    assert tally.finish == "budget"
