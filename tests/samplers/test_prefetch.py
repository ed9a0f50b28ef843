"""Proposals ahead: the chain is the same with any width, rows are counted, and the width follows the machine's cost."""

from __future__ import annotations

import dataclasses
import time

import numpy as np
import pytest

from localpower.chance import StreamDice
from localpower.prices import Prices
from localpower.rules import Rules
from localpower.runs.gather import Crowd, Run, gather
from localpower.samplers import Budget, PowerMH
from localpower.samplers.prefetch import in_order
from localpower.samplers.walk import Walk
from localpower.toy import ToyModel
from localpower.width import best_width, chance_of_move, relative_cost, rows_for_proposals

PROMPT = (1, 2)
SAMPLER = PowerMH(3.0, 1 / 3, max_tokens=20, block=7, steps=9)


class Gpu(ToyModel):
    """A toy on a machine where rows are free up to eight, which counts what it is asked and what is thrown away."""

    def cost(self, rows):
        return max(1.0, rows / 8)

    def logits(self, contexts, prompt_lengths=None):
        calls.append(len(contexts))
        return super().logits(contexts)

    def waste(self, rows):
        wasted.append(rows)


class Plain(Gpu):
    def cost(self, rows):
        return float(rows)


calls: list[int] = []
wasted: list[int] = []


@pytest.fixture(autouse=True)
def nothing_counted():
    calls.clear()
    wasted.clear()


def told(sampler, seed, model=None):
    return list(sampler.run(model or Gpu(seed=6, end_bias=-1.5), PROMPT, StreamDice(seed)))


@pytest.mark.parametrize("width", [2, 3, 8])
@pytest.mark.parametrize("seed", range(6))
def test_every_event_is_the_same_with_and_without_prefetch(width, seed):
    alone = told(SAMPLER, seed)
    narrow = len(calls)
    calls.clear()
    assert told(dataclasses.replace(SAMPLER, prefetch=width), seed) == alone
    assert len(calls) < narrow, "fewer decodes"
    assert max(calls) <= width


@pytest.mark.parametrize("tokens", [5, 21, 34, 60])
def test_a_budget_ends_a_chain_at_the_same_token_with_any_width(tokens):
    for seed in range(6):
        alone = dataclasses.replace(SAMPLER, budget=Budget(tokens=tokens))
        assert told(dataclasses.replace(alone, prefetch=4), seed) == told(alone, seed)


def test_discarded_rows_are_counted_and_without_prefetch_there_are_none():
    told(SAMPLER, 1)
    assert wasted == []
    needed = sum(calls)
    calls.clear()
    told(dataclasses.replace(SAMPLER, prefetch=8), 1)
    assert sum(wasted) == sum(calls) - needed > 0


def test_the_width_adapts_to_cost_and_moves_and_changes_nothing():
    adaptive = dataclasses.replace(SAMPLER, prefetch=8, adaptive=True)
    assert told(adaptive, 2) == told(SAMPLER, 2)
    calls.clear()
    told(adaptive, 2)
    assert max(calls) > 1
    wasted.clear()
    plain = Plain(seed=6, end_bias=-1.5)
    told(adaptive, 2, plain)  # rows cost alike: one at a time
    assert wasted == []


def test_several_chains_with_several_proposals_share_one_batch():
    model = Gpu(seed=6, end_bias=-1.5)
    wide = dataclasses.replace(SAMPLER, prefetch=3)

    def run(sampler, i):
        return Run(PROMPT, lambda handle: sampler.run(handle, PROMPT, StreamDice(1, (i,))))

    together = [[] for _ in range(4)]
    for i, event in gather(model, [run(wide, i) for i in range(4)]):
        together[i].append(event)
    assert together == [list(SAMPLER.run(model, PROMPT, StreamDice(1, (i,)))) for i in range(4)]
    assert max(calls) > 4


def three(places, begins):
    return 3


@pytest.mark.parametrize("seed", range(4))
def test_the_width_may_change_from_one_batch_to_the_next(seed, monkeypatch):
    rng = np.random.default_rng(seed)
    monkeypatch.setattr(Walk, "_rows", lambda self, places, begins: int(rng.integers(1, 6)))
    changing = told(SAMPLER, seed)
    monkeypatch.undo()
    assert len(set(calls)) > 2
    assert changing == told(SAMPLER, seed)


def test_closing_ends_the_tasks_that_are_left():
    ends = []

    def task(i):
        def run(model):
            try:
                for _ in range(i + 1):
                    model.logits([PROMPT])
                return i
            finally:
                ends.append(i)

        return run

    results = in_order(Gpu(), (task(i) for i in range(9)), three)
    assert next(results) == 0
    results.close()
    assert sorted(ends) == [0, 1, 2]
    assert sum(wasted) == 2


def test_a_problem_in_a_task_passes_on_and_ends_the_others():
    def fails(model):
        model.logits([PROMPT])
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        list(in_order(Gpu(), iter([fails, fails]), three))


def test_the_best_width_decides_most_steps_for_its_cost():
    flat, linear = (lambda m: 1.0), float
    assert best_width(flat, 0.25, 8) == 8
    assert best_width(linear, 0.25, 8) == 1
    assert best_width(lambda m: max(1.0, m / 2), 0.25, 8) == 2, "a second row for nothing"
    assert best_width(lambda m: 1 + 0.2 * (m - 1), 0.9, 8) < best_width(lambda m: 1 + 0.2 * (m - 1), 0.1, 8)


def test_the_rule_is_asked_of_the_steps_that_are_left_each_at_its_place(monkeypatch):
    asked = []

    def rule(moves, begun, length, cost):
        asked.append((moves, begun))
        return 2

    monkeypatch.setattr("localpower.samplers.walk.rows_for_proposals", rule)
    told(dataclasses.replace(SAMPLER, prefetch=8, adaptive=True, block=20, steps=3), 1)
    all_three = [chance_of_move(k, 0, 0) for k in range(3)]
    assert asked[:3] == [(all_three, 0), (all_three, 1), (all_three, 2)]
    assert len(asked[-1][0]) == 1


def test_first_steps_move_more_often_and_a_chain_is_taken_at_its_own_rate():
    rates = [chance_of_move(k, 0, 0) for k in range(8)]
    assert rates[0] == 0.5
    assert sorted(rates, reverse=True) == rates
    assert 0.2 < rates[-1] < 0.22
    assert chance_of_move(5, 4, 5) > chance_of_move(5, 1, 5) > chance_of_move(5, 0, 5) > 0
    assert chance_of_move(0, 9, 9) <= 1.0


def test_rows_ahead_are_worth_what_they_decide_less_what_they_cost():
    def linear(price):
        return lambda n: 1 + price * (n - 1)

    late = [0.2] * 6
    assert rows_for_proposals(late, 6, 30.0, linear(0.0)) == 6, "free rows"
    assert rows_for_proposals(late, 6, 30.0, linear(0.9)) == 1, "rows that cost as much alone"
    widths = [rows_for_proposals(late, 6, 30.0, linear(price)) for price in (0.05, 0.2, 0.4, 0.6)]
    assert sorted(widths, reverse=True) == widths
    assert len(set(widths)) > 2
    assert rows_for_proposals([0.7, *late], 6, 30.0, linear(0.3)) == 1, "the next is likely to move"
    assert rows_for_proposals(late, 1, 2.0, linear(0.2)) == 1, "copies cost more than two rows are worth"
    assert rows_for_proposals(late, 6, 2.0, linear(0.2)) > 1, "and nothing when they are made"
    assert rows_for_proposals([], 0, 30.0, linear(0.0)) == 1


def test_a_run_believes_its_own_batches_before_a_stored_curve():
    prices = Prices({1: 1.0, 2: 1.2, 4: 2.0})
    assert [prices.cost(n) for n in (1, 2, 4)] == [1.0, 1.2, 2.0]
    for _ in range(8):
        prices.note(1, 3.0)
    prices.note(1, 90.0)  # something interrupted it
    assert prices.cost(2) == pytest.approx(1.2), "only lone rows were seen"
    for _ in range(8):
        prices.note(2, 5.4)
    assert prices.cost(2) == pytest.approx(1.8)
    assert prices.cost(4) == pytest.approx(3.0), "by as much more as two rows took more"
    assert prices.cost(1) == 1.0


def test_a_batch_is_compared_with_lone_rows_of_the_same_time():
    prices = Prices({1: 1.0, 2: 1.2})
    for slower in (1.0, 5.0):
        for _ in range(8):
            prices.note(1, slower)
        for _ in range(16):
            prices.note(2, 1.5 * slower)
    assert prices.cost(2) == pytest.approx(1.5)
    for _ in range(200):
        prices.note(2, 7.5)  # long after the last lone row, at its end
    for _ in range(4):  # too few since then
        prices.note(1, 60.0)
    for _ in range(30):
        prices.note(2, 90.0)
    assert prices.cost(2) == pytest.approx(1.5)


def test_a_stored_curve_is_replaced_where_a_run_contradicts_it_by_half():
    def after(seconds, batches=39):
        prices = Prices({1: 1.0, 2: 1.2, 8: 34.0})
        for _ in range(batches):
            prices.note(1, 1.0)
            prices.note(2, 1.2)
            prices.note(8, seconds)
        return prices.corrected()

    assert after(34.0) is None
    assert after(24.0) is None
    assert after(2.0) == pytest.approx({1: 1.0, 2: 1.2, 8: 2.0})
    assert after(2.0, batches=38) is None, "too few batches to say"
    assert Prices({}).corrected() is None


def test_the_cost_of_rows_is_read_off_the_measured_curve():
    curve = {1: 2.0, 2: 2.0, 4: 3.0}
    assert [relative_cost(curve, n) for n in (1, 2, 3, 4)] == [1.0, 1.0, 1.25, 1.5]
    assert relative_cost(curve, 8) == 3.0, "beyond it each row costs what the last ones did on average"
    assert relative_cost({}, 5) == 5.0
    assert np.isclose(relative_cost(curve, 2), 1.0)


def test_nothing_is_asked_for_behind_a_proposal_that_is_known_to_move_the_chain():
    """Such rows are never read."""
    behind = []

    class Watched(Gpu):
        def logits(self, contexts, prompt_lengths=None):
            behind.append(any(ends) and len(contexts) > 1)
            return super().logits(contexts)

    ends = []

    def task(i):
        def run(model):
            for _ in range((4, 1, 4, 4)[i]):
                model.logits([(*PROMPT, i)])
            ends.append(i == 1)
            return i

        return run

    results = in_order(Watched(), (task(i) for i in range(4)), three, lambda result: result == 1)
    assert list(results) == [0, 1]
    assert calls == [3, 1, 1, 1]
    assert not any(behind)
    assert wasted == [1]


def test_a_budget_that_ends_before_forced_text_ends_a_chain_with_any_width():
    rules = Rules(given=lambda x: 3 if len(x) >= 10 else None)
    for seed in (13, 33):
        alone = PowerMH(1.5, 1 / 1.5, 14, 14, 8, rules=rules, budget=Budget(tokens=30))
        model = Gpu(seed=seed, end_bias=-9.0)
        assert told(dataclasses.replace(alone, prefetch=4), seed, model) == told(alone, seed, model)


def test_rows_that_other_runs_wait_for_are_weighed_against_theirs():
    class Priced(Gpu):
        def cost(self, rows):
            return 1 + 0.3 * (rows - 1)

    def decodes(n):
        calls.clear()
        sampler = PowerMH(1.5, 1 / 1.5, 40, 40, 12, prefetch=8, adaptive=True)
        runs = [
            Run(PROMPT, lambda handle, i=i: sampler.run(handle, PROMPT, StreamDice(1, (i,))))
            for i in range(n)
        ]
        for _ in gather(Priced(seed=1, end_bias=-6.0), runs):
            pass
        return calls

    assert max(decodes(1)) > 1
    assert max(decodes(4)) <= 4 + 1, "wider ones cost the others more than they are worth"


def test_proposals_set_by_hand_take_no_more_rows_than_there_is_room_for():
    wide = dataclasses.replace(SAMPLER, prefetch=4)
    model = Gpu(seed=6, end_bias=-1.5)
    crowd = Crowd(model, room=lambda _index: 2)
    for i in range(2):
        crowd.admit(i, Run(PROMPT, lambda handle, i=i: wide.run(handle, PROMPT, StreamDice(i))))
    while len(crowd):
        list(crowd.turn())
    assert max(calls) == 4


def test_many_steps_cost_the_rule_nothing_more():
    began = time.process_time()
    for tried in range(0, 200_000, 1000):
        chance_of_move(tried + 3, tried // 9, tried)
    assert time.process_time() - began < 1.0


def test_a_stored_curve_stays_where_only_widths_beyond_it_were_seen():
    prices, none = Prices({1: 1.0, 2: 1.2, 8: 2.0}), Prices({})
    for _ in range(40):
        for each in (prices, none):
            each.note(1, 1.0)
            each.note(64, 3.0)
    assert prices.corrected() is None
    assert none.corrected() is None


def test_a_proposal_without_a_row_waits_and_goes_on_where_it_was():
    seen = []

    class Named(Gpu):
        def logits(self, contexts, prompt_lengths=None):
            seen.append([context[-2:] for context in contexts])
            return super().logits(contexts)

    def task(i):
        def run(model):
            for k in range(3):
                model.logits([(*PROMPT, i, k)])
            return i

        return run

    def rows(places, begins):
        return (3, 1, 1, 3, 3, 3, 3)[len(seen)]

    assert list(in_order(Named(), (task(i) for i in range(3)), rows)) == [0, 1, 2]
    assert seen[:3] == [[(0, 0), (1, 0), (2, 0)], [(0, 1)], [(0, 2)]]
    assert seen[3:] == [[(1, 1), (2, 1)], [(1, 2), (2, 2)]]


@pytest.mark.parametrize("kind", ["tiny16", "tiny16_shared"])
def test_an_engine_notes_what_batches_of_drawn_tokens_took_and_no_prompt(kind, request):
    """By the rows that were asked for: what is padded is padded each time."""
    loaded = dataclasses.replace(request.getfixturevalue(kind))  # with prices of its own
    prompt = (1, 2, 3, 1, 2, 3)
    noted = []
    loaded.prices.note = lambda rows, seconds: noted.append(rows)
    engine = loaded.engine(prompt, 8, 3, lambda: None, chains=1)
    engine.logits([prompt])
    noted.clear()
    engine.logits([(*prompt, 1)])
    engine.logits([(*prompt, 1, i) for i in range(1, 4)])
    engine.close()
    assert noted == [1, 3]
