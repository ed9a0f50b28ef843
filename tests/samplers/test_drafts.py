"""NgramDrafter: the same events with and without, fewer calls where text repeats, and every wrong guess counted."""

from __future__ import annotations

import dataclasses

import pytest

from localpower.chance import StreamDice
from localpower.completion import Rules
from localpower.drafts import Ahead, NgramDrafter
from localpower.events import Stepped
from localpower.samplers import PowerMH
from localpower.samplers.acceptance import StepVariant
from localpower.samplers.cuts import CUTS, cut_law
from localpower.toy import ToyModel

PROMPT = (1, 2)
SAMPLER = PowerMH(3.0, 1 / 3, max_tokens=30, block=10, steps=9)


class Counting(ToyModel):
    """A toy that counts its calls, their rows, and what was thrown away; rows are free up to eight."""

    def __init__(self, **settings):
        super().__init__(**settings)
        for name in ("calls", "asked", "wasted"):
            object.__setattr__(self, name, [])

    def logits(self, contexts, prompt_lengths=None):
        self.calls.append(len(contexts))
        self.asked.extend(contexts)
        return super().logits(contexts)

    def waste(self, rows):
        self.wasted.append(rows)

    def cost(self, rows):
        return max(1.0, rows / 8)


class Plain(Counting):
    """Each row costs what the first one does."""

    def cost(self, rows):
        return float(rows)


def model(kind=Counting):
    """Rows that depend on the last token alone, and are sharp: what was said tends to be said again."""
    return kind(seed=8, memory=1, spread=3.0, end_bias=-9.0)


def told(sampler, seed, engine):
    return list(sampler.run(engine, PROMPT, StreamDice(seed)))


@pytest.mark.parametrize("drafts", ["on", "auto"])
@pytest.mark.parametrize("variant", [StepVariant(), StepVariant(metropolised=True)])
@pytest.mark.parametrize("prefetch", [1, 3])
def test_every_event_is_the_same_with_and_without_drafts(prefetch, variant, drafts):
    for seed in range(4):
        sampler = dataclasses.replace(SAMPLER, variant=variant, prefetch=prefetch)
        with_drafts = dataclasses.replace(sampler, drafts=drafts)
        alone, ahead = model(), model()
        assert told(with_drafts, seed, ahead) == told(sampler, seed, alone)
        assert len(ahead.calls) < len(alone.calls), "fewer decodes"


@pytest.mark.parametrize("cuts", CUTS)
def test_rows_asked_for_are_those_drawn_from_and_those_counted_as_wasted(cuts):
    sampler = dataclasses.replace(SAMPLER, cuts=cut_law(cuts), drafts="on")
    for seed in range(6):
        engine = model()
        events = told(sampler, seed, engine)
        drawn = sum(e.n_decoded if isinstance(e, Stepped) else e.suffix.n_drawn for e in events[:-1])
        assert sum(engine.calls) - sum(engine.wasted) == drawn


def test_given_tokens_are_no_hits_and_change_nothing():
    rules = Rules(given=lambda x: 3 if len(x) % 7 in (4, 5) else None)
    for seed in range(8):
        sampler = dataclasses.replace(SAMPLER, rules=rules)
        assert told(dataclasses.replace(sampler, drafts="on"), seed, model()) == told(sampler, seed, model())


def test_with_prefetch_a_row_is_counted_as_wasted_once():
    engine, alone = model(), model()
    told(dataclasses.replace(SAMPLER, drafts="on", prefetch=4), 3, engine)
    told(SAMPLER, 3, alone)
    assert sum(engine.calls) - sum(engine.wasted) == sum(alone.calls)


def test_where_each_row_costs_the_same_nothing_is_asked_for_ahead():
    engine = model(Plain)
    told(dataclasses.replace(SAMPLER, drafts="auto"), 1, engine)
    assert set(engine.calls) == {1}


def test_no_context_goes_beyond_the_horizon_or_an_end():
    widest = 0
    for seed in range(20):
        engine = Counting(seed=8, memory=1, spread=2.0, end_bias=-2.0)
        told(dataclasses.replace(SAMPLER, drafts="on"), seed, engine)
        widest = max(widest, *engine.calls)
        assert all(len(context) < len(PROMPT) + 30 for context in engine.asked)
        assert not any(0 in context[len(PROMPT) :] for context in engine.asked)
    assert widest > 1


def test_a_guess_is_what_followed_the_longest_match_when_it_was_last_written():
    drafts = NgramDrafter((1, 2, 3, 4, 5, 6, 2, 3, 9, 7))
    assert drafts.guess([2, 3]) == (2, (9, 7)), "the last time, not the first"
    assert drafts.guess([1, 2, 3]) == (3, (4, 5, 6, 2, 3, 9, 7))
    assert drafts.guess([8, 8]) == (0, ())


def test_without_a_match_the_state_at_this_place_is_the_guess():
    drafts = NgramDrafter((1, 2), state=(7, 8, 9))
    assert drafts.guess([1, 2, 6]) == (0, (8, 9))


class Dear(Counting):
    """A second row costs a third of the first one."""

    def cost(self, rows):
        return 1 + (rows - 1) / 3


def test_rows_ahead_grow_with_the_hits_and_shrink_with_the_misses():
    drafts, engine = NgramDrafter((1, 2)), model(Dear)
    at_first = drafts.width(4, engine)
    for _ in range(40):
        drafts.was(4, hit=True)
        drafts.was(2, hit=False)
    assert drafts.width(4, engine) > at_first > drafts.width(2, engine) == 0


def test_closing_tells_what_was_not_needed():
    engine = model()
    drafts = NgramDrafter((1, 2, 3, 1, 2, 3), always=True)
    ahead = Ahead(engine, drafts, [1, 2, 3], 1.0)
    ahead.row(9)
    ahead.close()
    assert engine.calls == [4]
    assert engine.wasted == [3]
