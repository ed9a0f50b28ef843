"""Sliding windows and recurrent states: chains go back and forth, and every recorded number is that of a fresh run."""

from __future__ import annotations

import numpy as np
import pytest

from localpower.chance import StreamDice
from localpower.engine.sequences import ResidentSequence, Start, assign, start_of
from localpower.errors import ModelError
from localpower.loading import Request, load
from localpower.runs.session import run_chains
from localpower.samplers import PowerMH
from tests.engine.test_contract import random_calls
from tests.gguf_files import WINDOW

PROMPT = (0, 1, 2, 1, 0, 0, 2, 1, 1, 2)  # longer than the window
KINDS = ("tiny_window", "tiny_hybrid", "tiny_recurrent", "tiny_shared", "tiny")


class NoEnd:
    """The engine, but no token ends an answer: chains grow far beyond the window."""

    def __init__(self, engine):
        self._engine = engine
        self.eos = frozenset()

    def __getattr__(self, name):
        return getattr(self._engine, name)


@pytest.mark.parametrize("kind", KINDS)
def test_chains_record_the_numbers_of_a_fresh_evaluation(request, kind):
    loaded = request.getfixturevalue(kind)
    engine = loaded.engine(PROMPT, 48, 3, lambda: None)
    sampler = PowerMH(3.0, 0.5, max_tokens=48, block=12, steps=6)
    tallies = run_chains(NoEnd(engine), sampler, PROMPT, StreamDice(1), 3)
    assert any(tally.n_accepted for tally in tallies)
    for tally in tallies:
        assert len(tally.state) == 48 > WINDOW
        assert np.array_equal(engine.score(PROMPT, tally.state.tokens), tally.state.log_p)


@pytest.mark.parametrize("kind", KINDS)
def test_a_snapshot_goes_on_in_another_engine_with_the_same_bits(request, kind):
    loaded = request.getfixturevalue(kind)
    one, other = (loaded.engine(PROMPT, 40, 1, lambda: None) for _ in range(2))
    kept = PROMPT * 3
    one.prompt_length = other.prompt_length = len(kept) + 1
    snapshot = one.snapshot(kept)
    other.adopt(snapshot)
    row = other.logits([(*kept, 2)])[0].copy()
    assert other.counters.prefill_tokens + other.counters.answer_tokens == 1, "nothing was evaluated again"
    one.reset()
    assert np.array_equal(row, one.logits([(*kept, 2)])[0])


@pytest.mark.parametrize("kind", ["tiny", "tiny_shared"])
def test_what_is_interrupted_in_a_long_prompt_is_not_evaluated_again(request, kind):
    allowed = [3]

    def check():
        allowed[0] -= 1
        if allowed[0] < 0:
            raise InterruptedError

    prompt = PROMPT * 150
    engine = request.getfixturevalue(kind).engine(prompt, 8, 1, check)
    with pytest.raises(InterruptedError):
        engine.logits([prompt])
    before = engine.counters.prefill_tokens
    assert 0 < before < len(prompt)
    allowed[0] = 1000
    engine.logits([prompt])
    assert engine.counters.prefill_tokens == len(prompt)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_an_exception_around_a_decode_leaves_rows_right(request, kind, when):
    loaded = request.getfixturevalue(kind)
    engine, reference = (loaded.engine(PROMPT, 40, 2, lambda: None) for _ in range(2))
    real, calls = engine.context.decode, 0
    every = 31 if kind == "tiny" else 7  # decodes; of streams each token is one

    def decode(rows, at_least=0):
        nonlocal calls
        calls += 1
        if calls % every == 0 and when == "before":
            raise KeyboardInterrupt
        found = real(rows, at_least)
        if calls % every == 0:
            raise KeyboardInterrupt
        return found

    engine.context.decode = decode
    rng = np.random.default_rng(3)
    served = 0
    for _ in range(60):
        tails = [tuple(rng.integers(0, 3, rng.integers(1, 20)).tolist()) for _ in range(2)]
        try:
            rows = [row.copy() for row in engine.logits([PROMPT + tail for tail in tails])]
        except KeyboardInterrupt:
            continue
        served += 1
        for tail, row in zip(tails, rows, strict=True):
            reference.reset()
            assert np.array_equal(row, reference.logits([PROMPT + tail])[0])
    assert served > 10


@pytest.mark.parametrize(("kind", "most"), [("tiny", 600), ("tiny_shared", 50)])
def test_long_contexts_that_share_nothing_are_each_evaluated_once(request, kind, most):
    decodes = iter(range(most))
    # A fault here goes on for ever.
    engine = request.getfixturevalue(kind).engine(PROMPT, 40, 4, lambda: next(decodes))
    rng = np.random.default_rng(1)
    contexts = [(first, *rng.integers(0, 3, n - 1).tolist()) for first, n in ((0, 159), (1, 93), (2, 120))]
    rows = [row.copy() for row in engine.logits(contexts)]
    assert engine.counters.prefill_tokens + engine.counters.answer_tokens == 159 + 93 + 120
    for context, row in zip(contexts, rows, strict=True):
        engine.reset()
        assert np.array_equal(row, engine.logits([context])[0])


@pytest.mark.parametrize("kind", ["tiny", "tiny_shared"])
def test_other_numbers_of_chains_leave_the_room_as_it_is_where_it_suffices(request, kind):
    engine, sizes = None, set()
    for chains in (1, 2, 1, 2, 1, 2, 1):
        engine = request.getfixturevalue(kind).engine(PROMPT, 8, chains, lambda: None, engine)
        sizes.add(engine.n_cells)
    assert max(sizes) <= 512


@pytest.mark.parametrize("kind", ["tiny_hybrid", "tiny_recurrent"])
def test_checkpoints_beyond_their_room_are_thinned_out_and_rows_keep_their_bits(request, kind, monkeypatch):
    monkeypatch.setattr("localpower.engine.recurrent._SPACING", 2)
    engine, reference = (
        request.getfixturevalue(kind).engine(PROMPT[:2], 24, 4, lambda: None) for _ in range(2)
    )
    engine.logits([PROMPT[:5]])
    room = 5 * max(len(state) for states in engine._states for state in states.values())
    monkeypatch.setattr("localpower.engine.recurrent._ROOM", room)
    for wanted, _ in random_calls(PROMPT[:2], 3, 60):
        engine._spacing = 2  # the room runs out anew in every call
        rows = [row.copy() for row in engine.logits(wanted)]
        assert sum(len(state) for states in engine._states for state in states.values()) <= room
        for context, row in zip(wanted, rows, strict=True):
            reference.reset()
            assert np.array_equal(row, reference.logits([context])[0]), context


def test_memory_that_cannot_go_back_is_refused_with_the_reason(tiny_hybrid, monkeypatch):
    monkeypatch.setattr("localpower.engine.weights.Weights.window", lambda _: 8)
    with pytest.raises(ModelError, match="recurrent state and a sliding window"):
        load(Request(tiny_hybrid.info.path))


def test_a_sequence_with_a_state_starts_at_its_end_or_at_a_checkpoint_never_in_between():
    sequence = ResidentSequence((1, 2, 3, 4, 5), frozenset({2, 4}))
    assert start_of(sequence, (1, 2, 3, 4, 5, 6)) == 5
    assert start_of(sequence, (1, 2, 3, 4, 5)) == 4, "the last token is always evaluated"
    assert start_of(sequence, (1, 2, 3, 9, 9)) == 2
    assert start_of(sequence, (7,)) == 0


def test_contexts_get_sequences_of_their_own_and_begin_at_the_shared_prefix_where_that_is_further():
    sequences = [ResidentSequence((1, 2, 3), used=1), ResidentSequence(used=2), ResidentSequence(used=3)]
    starts = assign(sequences, [(1, 2, 3, 4), (1, 2, 3, 5), (9,)], shared_prefix=(1, 2))
    assert starts == [Start(0, 3), Start(1, 2, from_shared_prefix=True), Start(2, 0)]
