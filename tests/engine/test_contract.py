"""What every model promises a sampler: a row is a function of its context, whatever was asked before or beside."""

from __future__ import annotations

import numpy as np
import pytest

from localpower.errors import EngineError
from localpower.numerics import log_softmax
from localpower.toy import ToyModel

KINDS = {  # the model's fixture, and how many rounds of calls are tried
    "toy": ("", 50),
    "streams32": ("tiny", 200),
    "streams16": ("tiny16", 200),
    "f32": ("tiny_shared", 200),
    "f16": ("tiny16_shared", 200),
    "window": ("tiny_window", 200),
    "hybrid": ("tiny_hybrid", 100),
    "recurrent": ("tiny_recurrent", 100),
    "k-quant": ("tiny_k_quant", 100),
    "smollm2": ("default_model", 12),
}
SHARED_CELLS = ("f32", "f16", "window")


def engine_of(request, name):
    """A fresh engine with little room, so that cells and slots run out on the way."""
    if name == "toy":
        return ToyModel(), (1, 2)
    loaded = request.getfixturevalue(KINDS[name][0])
    assert loaded.exactness == "exact"
    prompt = (0, 1) if name != "smollm2" else (504, 3575, 282)
    return loaded.engine(prompt, 24, 4 if name in ("hybrid", "recurrent") else 2, lambda: None), prompt


@pytest.fixture(params=[*list(KINDS)[:-1], pytest.param("smollm2", marks=pytest.mark.model)])
def pair(request, monkeypatch):
    """The engine under test, and one that starts from nothing for every row."""
    monkeypatch.setattr("localpower.engine.recurrent._SPACING", 2)  # contexts here are short
    (one, prompt), (other, _) = engine_of(request, request.param), engine_of(request, request.param)
    yield one, other, prompt
    for engine in (one, other):
        getattr(engine, "close", lambda: None)()


def fresh_row(engine, context):
    getattr(engine, "reset", lambda: None)()
    return engine.logits([context])[0].copy()


def random_calls(prompt, n_vocab, rounds):
    """Calls of one to four contexts that often continue, cut or repeat earlier ones, beyond the window too."""
    rng = np.random.default_rng(5)
    known = [prompt]
    for _ in range(rounds):
        wanted = []
        for _ in range(rng.integers(1, 5)):
            base = known[rng.integers(len(known))]
            cut = int(rng.integers(1, len(base) + 1))
            more = tuple(int(t) for t in rng.integers(0, min(n_vocab, 3), rng.choice([0, 1, 2, 3, 9])))
            wanted.append((base[:cut] + more)[: len(prompt) + 24])
        known = [*known, *wanted][-6:]
        yield wanted, known[rng.integers(len(known))]


def test_a_row_has_the_same_bits_batched_or_alone_reused_or_fresh_pinned_or_not(pair, request):
    engine, reference, prompt = pair
    kind = request.node.callspec.params["pair"]
    for wanted, pin in random_calls(prompt, engine.n_vocab, KINDS[kind][1]):
        engine.pin(pin)
        rows = [row.copy() for row in engine.logits(wanted)]
        for context, row in zip(wanted, rows, strict=True):
            assert np.array_equal(row, fresh_row(reference, context)), context
    if kind in SHARED_CELLS:
        assert engine.counters.compactions > 0, "the cache ran full on the way"


def test_the_reading_of_a_prompt_is_told_between_batches_and_changes_no_row(pair):
    engine, reference, prompt = pair
    if isinstance(engine, ToyModel):
        pytest.skip("a table reads no prompt")
    tokens = (*prompt, *(i % 2 for i in range(18)))
    for each in (engine, reference):
        each.batch = 5
        each.prompt_length = len(tokens)
    told = []
    engine.watch(lambda done, total: told.append((done, total)))
    assert np.array_equal(engine.logits([tokens])[0], reference.logits([tokens])[0])
    read = [done for done, _ in told]
    assert len(read) >= 3
    assert read == sorted(set(read))
    assert read[0] == 0
    assert {total for _, total in told} == {len(tokens)}
    assert read[-1] < len(tokens)
    told.clear()
    engine.logits([(*tokens, 1)])
    assert told == [], "a lone row reads no prompt"


def test_the_order_of_contexts_does_not_matter(pair):
    engine, _, prompt = pair
    wanted = [(*prompt, 0), (*prompt, 1), (*prompt, 0, 1), prompt]
    forwards = [row.copy() for row in engine.logits(wanted)]
    getattr(engine, "reset", lambda: None)()
    backwards = [row.copy() for row in engine.logits(wanted[::-1])][::-1]
    assert all(np.array_equal(a, b) for a, b in zip(forwards, backwards, strict=True))


def test_score_is_the_log_softmax_of_the_rows_one_by_one(pair):
    engine, reference, prompt = pair
    tokens = (0, 1, 1, 0, 2)
    scores = engine.score(prompt, tokens)
    for i, token in enumerate(tokens):
        row = log_softmax(fresh_row(reference, prompt + tokens[:i]))
        assert abs(scores[i] - row[token]) < 1e-6  # the engine subtracts in float32


def test_rows_cannot_be_written_to(pair):
    engine, _, prompt = pair
    (row,) = engine.logits([prompt])
    with pytest.raises(ValueError, match="read-only"):
        row[0] = 0.0


def test_the_k_quant_is_one(tiny_k_quant):
    assert tiny_k_quant.info.quantization == "Q4_K - Medium"


@pytest.mark.parametrize("kind", ["tiny", "tiny_shared"])
def test_what_would_abort_the_process_is_refused_in_python(request, kind):
    engine = request.getfixturevalue(kind).engine((0, 1), 8, 1, lambda: None)
    for contexts in ([()], [(0, 99)], [(0, -1)]):
        with pytest.raises(EngineError, match=r"at least one token|outside the vocabulary"):
            engine.logits(contexts)
    with pytest.raises(EngineError, match="not fit"):
        engine.logits([(0,) * 5000])
    assert np.isfinite(engine.logits([(0, 1)])[0]).all(), "it still works afterwards"
    engine.close()
    with pytest.raises(EngineError, match="closed"):
        engine.logits([(0, 1)])
