"""The engine check: every way in which a batch moves bits is found, none where there is none; its verdict is for one machine."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from localpower.engine import settings
from localpower.engine.check import Checker, compare
from localpower.engine.context import Context
from localpower.engine.probe import Verdict, probe
from localpower.engine.settings import LARGE_BATCH, Q8_0, Settings
from localpower.engine.verdict import verdict_for
from localpower.engine.weights import Weights
from localpower.errors import EngineError

STREAMS = {"streams": True, "flash": 0, "batch": LARGE_BATCH}
ROW = np.array([0.0, 1.0, -np.inf], np.float32)


@pytest.mark.parametrize(
    ("kind", "settings", "likeliest"),
    [
        ("f32", STREAMS, "9 answers side by side"),
        ("f32", STREAMS | {"min_rows": 2}, None),
        ("f32", {"kv_type": Q8_0}, "16 rows at a time"),
        ("f32", {"min_rows": 2}, None),
        ("window", {"kv_type": Q8_0}, None),
        ("hybrid", {"kv_type": Q8_0}, None),
        ("recurrent", {"kv_type": Q8_0}, None),
    ],
)
def test_the_first_shape_finds_rows_that_have_other_bits_alone(tiny_paths, kind, settings, likeliest):
    weights = Weights(tiny_paths[kind])
    checker = Checker(weights, Settings(2, **settings), threads=2)
    found = list(checker.differences())
    assert len(found) >= 7
    assert next((d.shape for d in found if d.log_p > 0), None) == likeliest
    checker.close()
    weights.close()


def test_logits_that_are_off_by_a_millionth_are_found_in_every_shape(tiny_paths, monkeypatch):
    weights = Weights(tiny_paths["f32"])
    checker = Checker(weights, Settings(2, min_rows=2), threads=2)
    checker.refer()
    checker._reference = [
        row + np.float32(1e-6) * np.arange(len(row), dtype=np.float32) for row in checker._reference
    ]
    assert all(difference.log_p > 0 for difference in checker.differences())
    checker.close()
    weights.close()


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        (ROW, 0.0),
        (np.array([3.0, 1.0, -np.inf], np.float32), 1.8),
        (np.array([0.0, 1.0, 2.0], np.float32), np.inf),
        (np.full(3, np.nan, np.float32), np.inf),
    ],
)
def test_impossible_tokens_and_nan_are_differences_like_any_other(other, difference):
    found = compare("shape", [ROW], [other]).log_p
    assert found == difference or abs(found - difference) < 0.1


def test_rows_of_nan_are_never_called_the_same():
    nan = np.full(3, np.nan, np.float32)
    assert compare("shape", [nan], [nan]).log_p == np.inf


@pytest.mark.parametrize("kind", ["tiny", "tiny_shared", "tiny_hybrid"])
def test_no_shape_gives_back_the_reference_instead_of_rows_of_its_own(request, kind, monkeypatch):
    """Every row decoded after the reference is off by a little: a shape that sees no difference has decoded none."""
    loaded = request.getfixturevalue(kind)
    settings = loaded.verdict.settings
    checker = Checker(loaded.weights, settings, settings.threads)
    checker.refer()
    decode = Context.decode

    def off(context, rows, at_least=0):
        rows = [row.copy() for row in decode(context, rows, at_least)]
        for row in rows:
            row[0] += 0.01
        return rows

    monkeypatch.setattr(Context, "decode", off)
    found = {difference.shape: difference.log_p for difference in checker.differences()}
    checker.close()
    assert [shape for shape, difference in found.items() if difference < 1e-4] == []


def test_an_engine_whose_bits_drift_is_called_inexact(tiny_paths, monkeypatch):
    decode, drift = Context.decode, itertools.count()

    def drifting(context, rows, at_least=0):
        rows = [row.copy() for row in decode(context, rows, at_least)]
        for row in rows:
            row[0] += 1e-5 * next(drift)
        return rows

    monkeypatch.setattr(Context, "decode", drifting)
    verdict = probe(tiny_paths["f16"], 1)
    assert not verdict.exact
    assert verdict.largest > 0


CHANGES = {
    "threads": {"threads": 2},
    "layers on the GPU": {"gpu_layers": 1},
    "exact mode": {"exact": False},
    "processor": {},
    "build of llama.cpp": {},
    "file": {},
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_verdict_is_kept_and_made_anew_where_something_else_would_run(
    change, tmp_path, tiny_paths, monkeypatch
):
    asked = []
    monkeypatch.setenv("LOCALPOWER_CACHE", str(tmp_path))
    monkeypatch.setattr(
        "localpower.engine.verdict.ask",
        lambda *about, **_: asked.append(about) or Verdict(True, Settings(1), 0.0, 1.0).to_json(),
    )
    same = {"threads": 1, "gpu_layers": 0, "exact": True}
    for _ in range(2):
        assert verdict_for(tiny_paths["f32"], **same).exact
    assert len(asked) == 1
    if change == "processor":
        monkeypatch.setattr("localpower.engine.verdict.processor", lambda: "another")
    if change == "build of llama.cpp":
        monkeypatch.setattr("localpower.engine.verdict.build", lambda: "another")
    verdict_for(tiny_paths["f16" if change == "file" else "f32"], **same | CHANGES[change])
    assert len(asked) == 2


def test_an_exact_model_is_refused_where_the_process_keeps_other_numerics(monkeypatch):
    monkeypatch.setattr(settings, "_tiles", [])
    monkeypatch.delenv("GGML_CPU_TILED_MM")
    exact, fast = Settings(1), Settings(1, tiled=True)
    exact.set_environment()
    fast.set_environment()  # untiled, and so exact ones may follow
    exact.set_environment()
    monkeypatch.delenv("GGML_CPU_TILED_MM")
    fast.set_environment()
    with pytest.raises(EngineError, match="keeps the numerics"):
        exact.set_environment()
