"""The check of an engine: every shape computes what it compares, and its verdict is kept for one machine alone."""

from __future__ import annotations

import itertools

import pytest

from localpower.engine import settings
from localpower.engine.context import Context
from localpower.engine.probe import Verdict, _checker, probe
from localpower.engine.settings import Settings
from localpower.engine.verdict import verdict_for
from localpower.errors import EngineError


@pytest.mark.parametrize("kind", ["tiny", "tiny_shared", "tiny_hybrid"])
def test_no_shape_gives_back_the_reference_instead_of_rows_of_its_own(request, kind, monkeypatch):
    """Every row decoded after the reference is off by a little: a shape that sees no difference has decoded none."""
    loaded = request.getfixturevalue(kind)
    settings = loaded.verdict.settings
    checker = _checker(loaded.weights, settings, settings.threads)
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
        "localpower.engine.verdict._ask",
        lambda *about: asked.append(about) or Verdict(True, Settings(1), 0.0, 1.0),
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
