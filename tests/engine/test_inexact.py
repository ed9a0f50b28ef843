"""`--fast` and machines without exact settings: numbers are recorded once, shapes stay, nothing is evaluated twice."""

from __future__ import annotations

import dataclasses

import pytest

from localpower.chance import StreamDice
from localpower.engine.planner import Planner
from localpower.events import Extended, Stepped
from localpower.loading import Request, load
from localpower.runs.session import Listener, run_chains
from localpower.samplers import PowerMH
from localpower.samplers.cuts import UniformCuts
from localpower.samplers.kernel import Optimizations

PROMPT = (0, 1)
SAMPLER = PowerMH(3.0, 1 / 3, max_tokens=24, block=6, steps=12, cuts=UniformCuts())
CHAINS = 3


@pytest.fixture(scope="module")
def plain(own_cache, tiny_paths):
    return load(Request(str(tiny_paths["f16"]), fast=True))


@pytest.fixture(scope="module")
def fast(plain):
    """As on a GPU, or with a memory that has no streams."""
    shared = dataclasses.replace(plain.verdict.settings, streams=False, flash=-1)
    return dataclasses.replace(plain, verdict=dataclasses.replace(plain.verdict, settings=shared))


class Work(Listener):
    """Listens to chains: tokens drawn, and cuts (each costs one more row, whose logits were not kept)."""

    def __init__(self):
        self.drawn = self.cuts = 0

    def event(self, chain, event):
        if isinstance(event, Extended):
            self.drawn += event.suffix.n_drawn
        if isinstance(event, Stepped):
            self.drawn += event.n_decoded
            self.cuts += 1


def test_fast_says_so_and_how_far_log_p_moves(plain):
    assert isinstance(plain.exactness, float)
    assert any(note.startswith("--fast: llama.cpp's own numerics") for note in plain.notes)
    assert plain.verdict.settings.flash == 0, "on a CPU plain attention is the quicker one"
    assert plain.verdict.settings.tiled


def test_every_row_a_chain_draws_from_is_decoded_in_one_shape(fast, monkeypatch):
    engine = fast.engine(PROMPT, SAMPLER.max_tokens, CHAINS, lambda: None)
    shapes = set()
    decode = engine.context.decode

    def spy(rows, at_least=0):
        if any(row.wanted for row in rows):
            shapes.add((max(len(rows), at_least), all(row.wanted for row in rows)))
        return decode(rows, at_least)

    monkeypatch.setattr(engine.context, "decode", spy)
    run_chains(engine, SAMPLER, PROMPT, StreamDice(1), CHAINS)
    assert shapes == {(CHAINS, True)}


def test_no_token_of_a_state_or_a_growing_proposal_is_evaluated_twice_even_when_the_cache_runs_full(fast):
    engine = fast.engine(PROMPT, SAMPLER.max_tokens, CHAINS, lambda: None)
    engine._planner = Planner(engine.n_sequences, 75)  # llama.cpp makes no fewer than 256
    work = Work()
    busy = dataclasses.replace(SAMPLER, optimizations=Optimizations(skip=False, early=False))
    run_chains(engine, busy, PROMPT, StreamDice(2), CHAINS, listeners=[work])
    evaluated = engine.counters.prefill_tokens + engine.counters.answer_tokens
    assert engine.counters.compactions > 0
    assert evaluated <= len(PROMPT) + work.drawn + work.cuts


def test_only_the_exact_mode_decodes_a_resident_token_again(fast, tiny16_shared):
    engines = [model.engine(PROMPT, 24, 1, lambda: None) for model in (fast, tiny16_shared)]
    assert [engine._planner.again > 0 for engine in engines] == [False, True]


def test_a_machine_without_exact_settings_runs_the_same_way(tiny16_shared):
    verdict = dataclasses.replace(tiny16_shared.verdict, exact=False, largest=0.01)
    engine = dataclasses.replace(tiny16_shared, verdict=verdict).engine(PROMPT, 24, CHAINS, lambda: None)
    assert engine._steady == CHAINS
