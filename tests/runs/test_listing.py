"""Answers listed one by one are the law: against full enumeration on tables, and bounds that hold."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from localpower.completion import PLAIN, Rules
from localpower.numerics import log_softmax
from localpower.runs.listing import Listing, powered, search
from localpower.toy import ToyModel, answers, power_law

PROMPT = (1, 2)
TABLES = [
    ToyModel(("<end>", "a", "b"), seed=3, spread=1.0),
    ToyModel(("<end>", "a", "b", "c"), seed=5, spread=2.0, zero_every=2),
    ToyModel(("<end>", "a", "b"), seed=1, end_bias=2.0),
]
STOP = Rules(ended=lambda run: run[-2:] == (1, 2))
FORCED = Rules(given=lambda tokens: {2: 1, 3: 2}.get(len(tokens)))
SPAN = Rules(
    ended=STOP.ended, given=lambda tokens: 1 if len(tokens) == 2 else None
)  # a stop over a given token
BOTH = Rules(ended=STOP.ended, given=FORCED.given)


def listed(model, horizon=5, rules=PLAIN, mass=1.0, alpha=1.0, rows=10_000, at_once=3):
    listing = Listing(model, PROMPT, horizon, rules)
    search(listing, mass, alpha, rows, at_once)
    return listing


@pytest.mark.parametrize(
    "rules", [PLAIN, STOP, FORCED, BOTH, SPAN], ids=["plain", "stop", "given", "both", "span"]
)
@pytest.mark.parametrize("model", TABLES)
def test_the_whole_list_is_the_enumerated_law(model, rules):
    found = listed(model, rules=rules)
    law = dict(answers(model, PROMPT, 5, rules))
    assert found.done
    assert found.likeliest_left == -math.inf
    assert {each.tokens for each in found.answers} == set(law)
    assert len(found.answers) == len(law)
    for each in found.answers:
        assert each.log_p == pytest.approx(law[each.tokens], abs=1e-12)


class Single:
    """A table whose logits have single precision, as llama.cpp's."""

    def __init__(self, table):
        self.eos, self._table = table.eos, table

    def logits(self, contexts):
        return [np.asarray(row, np.float32) for row in self._table.logits(contexts)]


def test_what_rounding_hides_is_missing_until_nothing_is_left():
    model = Single(ToyModel(("<end>", "a", "b", "c"), seed=2, spread=2.0))
    whole = math.fsum(math.exp(each.log_p) for each in listed(model, horizon=6).answers)
    listing, last = Listing(model, PROMPT, 6), 1.0
    while not listing.done:
        assert last > 0.0
        assert min(whole - listing.mass, 1.0) <= listing.missing
        listing.grow(1)
        last = listing.missing
    assert listing.missing == 0.0


@pytest.mark.parametrize("at_once", [1, 4])
@pytest.mark.parametrize("model", TABLES)
def test_nothing_that_is_missing_is_likelier_than_said_and_its_mass_is_as_said(model, at_once):
    law = dict(answers(model, PROMPT, 6))
    for rows in (1, 3, 10, 30):
        found = listed(model, horizon=6, rows=rows, at_once=at_once)
        left = {tokens: p for tokens, p in law.items() if tokens not in {a.tokens for a in found.answers}}
        assert found.rows <= rows
        assert max(left.values(), default=-math.inf) <= found.likeliest_left + 1e-12
        assert found.missing == pytest.approx(sum(map(math.exp, left.values())), abs=1e-12)


@pytest.mark.parametrize("alpha", [1.0, 2.0, 4.0])
def test_the_share_of_the_power_law_that_is_missing_is_at_most_what_is_said(alpha):
    model = TABLES[0]
    law = power_law(model, PROMPT, 6, alpha)
    for rows in (2, 8, 20):
        found = listed(model, horizon=6, rows=rows, at_once=2)
        mine = sum(law[each.tokens] for each in found.answers)
        assert 1.0 - mine <= found.missing_at(alpha) + 1e-12
    assert found.missing_at(4.0) < found.missing_at(1.0)


def test_it_stops_as_soon_as_the_mass_is_listed_and_a_power_needs_fewer_rows():
    model = TABLES[0]
    half, most, sharp = (
        listed(model, 8, mass=m, alpha=a, at_once=1) for m, a in ((0.5, 1), (0.9, 1), (0.9, 4))
    )
    assert 0.5 <= half.mass < most.mass
    assert most.mass >= 0.9
    assert sharp.rows < most.rows


def test_one_prefix_at_a_time_the_likeliest_answers_come_first():
    found = listed(TABLES[0], horizon=6, at_once=1).answers
    assert all(a.log_p >= b.log_p - 1e-12 for a, b in pairwise(found))


def test_tokens_of_a_large_vocabulary_that_are_not_followed_are_bounded():
    class Wide:
        n_vocab, eos = 3000, frozenset({0})

        def logits(self, contexts):
            return [np.random.default_rng(7 + len(c)).normal(size=3000) for c in contexts]

    model = Wide()
    found = listed(model, horizon=1)
    law = sorted(log_softmax(model.logits([PROMPT])[0]), reverse=True)
    assert found.done
    assert len(found.answers) == 256
    assert found.missing == pytest.approx(1 - sum(map(math.exp, law[:256])))
    assert law[256] == pytest.approx(found.likeliest_left)


def test_what_is_powered_cannot_overflow():
    for missing, left in ((0.5, -1999.0), (1e-9, -5.0), (0.0, -math.inf)):
        weights, rest = powered(np.array([-2000.0, -2001.0]), missing, left, 8.0)
        assert 0.0 < weights.sum() + rest < 3.0
