"""Proposals ahead on the real engine: the same answer, token for token and bit for bit, whatever the width."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import pytest

from localpower.chance import StreamDice
from localpower.loading import Request, load
from localpower.prices import Prices
from localpower.runs.session import run_chains
from localpower.samplers import PowerMH
from localpower.samplers.cuts import cut_law
from localpower.text.conversation import Conversation


@pytest.fixture(scope="module")
def loaded(own_cache):
    return load(Request("lab-base"))


class Told:
    def __init__(self):
        self.events = []

    def event(self, chain, event):
        self.events.append((chain, event))

    def asked(self, chain, context):
        pass


@pytest.mark.parametrize("cuts", ["uniform", "restart"])
def test_chains_of_a_gguf_are_the_same_with_any_width(loaded, cuts):
    prompt = loaded.prompt(Conversation.of("374*8?"), raw=True, arguments={})
    found = []
    for width, chains in ((1, 3), (4, 3), (7, 1)):
        sampler = PowerMH(4.0, 0.25, 44, 11, 8, cut_law(cuts), prefetch=width, adaptive=width == 7)
        engine = loaded.engine(prompt, 44, chains * width, lambda: None)
        engine.prices = Prices({1: 1.0, 8: 1.0})
        told = Told()
        run_chains(engine, sampler, prompt, StreamDice(5), chains, listeners=[told])
        found.append([event for chain, event in told.events if chain == 0])
        assert (engine.counters.wasted_rows > 0) == (width > 1)
        engine.close()
    assert found[0] == found[1] == found[2]
    numbers = [[e.suffix.log_p.tolist() for e in events if hasattr(e, "suffix")] for events in found]
    assert numbers[0] == numbers[1] == numbers[2]


def test_the_width_that_is_worth_it_comes_from_the_measured_curve(loaded):
    cheap = dataclasses.replace(loaded.verdict, curve={1: 1.0, 16: 1.0})
    dear = dataclasses.replace(loaded.verdict, curve={1: 1.0, 16: 16.0})
    inexact = dataclasses.replace(cheap, exact=False)
    widths = [dataclasses.replace(loaded, verdict=v).widest() for v in (cheap, dear, inexact)]
    assert widths == [8, 1, 0]
    assert dataclasses.replace(loaded, verdict=cheap, exactness=0.0).widest() == 0, "--fast"
    assert set(loaded.verdict.curve) == {1, 2, 4, 8, 16}


def test_a_cost_of_rows_that_a_run_contradicts_is_stored_anew(own_cache):
    def opened():
        return load(Request("lab-base", threads=1))

    def drawn(seconds, lowered=False):
        loaded = opened()
        loaded.governor = SimpleNamespace(lowered=lowered)
        for _ in range(40):
            for rows in (1, 2, 4, 8, 16):
                loaded.prices.note(rows, seconds * rows)
        loaded.close()
        return opened().verdict

    before = opened().verdict
    assert drawn(0.5, lowered=True) == before, "threads that others took away say nothing of later"
    linear = {rows: before.curve[1] * rows for rows in before.curve}
    after = drawn(0.5)
    assert after == dataclasses.replace(before, curve=pytest.approx(linear), dated=after.dated)
    assert drawn(0.25).curve == after.curve, "rows cost the same beside a lone one"


def test_a_file_that_is_gone_by_the_end_of_a_run_costs_nothing_but_the_curve(own_cache, tiny_paths, tmp_path):
    path = tmp_path / "gone.gguf"
    path.write_bytes(tiny_paths["f16"].read_bytes())
    loaded = load(Request(str(path), threads=1))
    for _ in range(40):
        loaded.prices.note(1, 1.0)
        loaded.prices.note(4, 90.0)
    path.unlink()
    loaded.close()
