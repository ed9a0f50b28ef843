"""Small mistakes that would cost much: closed weights, odd names, odd folders, numbers that are none."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from localpower.engine.context import Context
from localpower.engine.files import recall, remember
from localpower.engine.llama import LlamaModel
from localpower.engine.probe import Verdict, choose
from localpower.engine.settings import Settings
from localpower.engine.verdict import verdict_for
from localpower.engine.weights import Weights
from localpower.errors import EngineError, ModelError
from localpower.numerics import weigh
from localpower.readers import MOST_RUNS
from localpower.samplers import Ancestral
from localpower.subprocesses import Died, Failed
from tests.forked import command


@pytest.fixture
def weights(tiny_paths):
    loaded = Weights(tiny_paths["f32"])
    yield loaded
    loaded.close()


def test_weights_that_were_closed_are_refused(tiny_paths):
    loaded = Weights(tiny_paths["f32"])
    loaded.close()
    for use in (lambda: loaded.piece(0), lambda: loaded.tokenize(b"a", parse_special=False), loaded.bos):
        with pytest.raises(EngineError, match="closed"):
            use()


def test_a_context_larger_than_a_c_integer_is_refused(weights):
    with pytest.raises(EngineError, match=r"more than llama\.cpp can count"):
        Context(weights, Settings(1), n_cells=2**32 + 256, n_sequences=1)


@pytest.mark.parametrize("kind", ["window", "hybrid", "recurrent"])
def test_streams_for_a_memory_that_is_not_plain_attention_are_refused(tiny_paths, kind):
    loaded = Weights(tiny_paths[kind])
    with pytest.raises(EngineError, match="not plain attention"):
        Context(loaded, Settings(1, flash=0, streams=True), n_cells=256, n_sequences=2)
    loaded.close()


def test_a_cache_larger_than_the_free_memory_is_refused_before_the_system_kills(tiny, monkeypatch):
    prompt = (0, 1) * 40
    free = tiny.weights.cell_bytes(16) * 1000
    monkeypatch.setattr("psutil.virtual_memory", lambda: type("M", (), {"available": free}))
    with pytest.raises(EngineError, match="GiB are free, not even one answer fits"):
        tiny.engine(prompt, 200, 4, lambda: None)
    assert tiny.engine(prompt, 8, 1, lambda: None).n_cells >= 88


def test_as_many_chains_as_fit_the_slots_fit_a_batch(tiny_shared):
    inexact = Verdict(False, tiny_shared.verdict.settings, 0.1, 1.0)
    engine = replace(tiny_shared, verdict=inexact).engine((0, 1), 4, MOST_RUNS, lambda: None)
    assert isinstance(engine, LlamaModel)
    assert len(engine.logits([(0, 1)])) == 1


def test_a_cache_that_cannot_be_written_costs_time_alone(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("LOCALPOWER_CACHE", str(tmp_path / "file"))
    remember("kind", "key", 1)
    assert recall("kind", "key") is None


@pytest.mark.parametrize(
    "change", [{"largest": None}, {"price": "x"}, {"settings": {"threads": 1, "batch": 0}}]
)
def test_a_verdict_with_impossible_values_is_made_anew(change):
    good = Verdict(True, Settings(1), 0.0, 1.0).to_json()
    assert Verdict.from_json(good).exact
    with pytest.raises(TypeError):
        Verdict.from_json(good | change)


def test_modules_in_the_users_folder_are_not_ours(tmp_path, tiny_paths):
    for name in ("platform.py", "json.py", "localpower.py"):
        (tmp_path / name).write_text("raise SystemExit('imported from the current folder')")
    run = "import sys; from localpower.cli.main import main; sys.exit(main())"
    home = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    done = subprocess.run(
        [sys.executable, "-P", "-c", run, "run", "-m", tiny_paths["f16"], "--max-tokens", "4", "ab"],
        cwd=tmp_path,
        env=os.environ | {"LOCALPOWER_CACHE": str(tmp_path / "cache"), "PYTHONPATH": os.path.dirname(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_file_may_have_any_name(tmp_path, tiny_paths):
    for name in (b"t\xff.gguf", b"-x.gguf", "ü b.gguf".encode()):
        path = os.path.join(os.fsencode(tmp_path), name)
        with open(path, "wb") as copy:
            copy.write(tiny_paths["f32"].read_bytes())
        done = command("run", "--max-tokens", "4", "--json", "abc", "-m", path)
        assert done.returncode == 0, done.stderr


def test_a_draw_token_by_token_is_never_called_exact_for_a_power():
    assert Ancestral("low-temp", 1.0).guarantee == "approximate"
    assert Ancestral("base", 1.0).guarantee == "exact"


@pytest.mark.parametrize(
    ("trouble", "error", "words"),
    [
        (Died(11), ModelError, "killed by signal 11 while reading"),
        (Died(0), EngineError, "the engine check failed: its process ended"),
        (Failed("TypeError: x"), EngineError, "the engine check failed: TypeError: x"),
    ],
)
def test_a_check_without_a_reply_says_what_became_of_it(tiny_paths, monkeypatch, trouble, error, words):
    def ask(*_, **__):
        raise trouble

    monkeypatch.setattr("localpower.engine.verdict.ask", ask)
    with pytest.raises(error, match=words):
        verdict_for(tiny_paths["f32"], threads=1, gpu_layers=0, exact=True, fresh=True)


@pytest.mark.parametrize(
    ("wish", "spins"), [({}, "5000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "active"}, None)]
)
def test_waiting_threads_do_not_spin_for_long_unless_the_user_wishes(wish, spins):
    code = "import localpower.engine.library, os; print(os.environ.get('GOMP_SPINCOUNT'))"
    clean = {k: v for k, v in os.environ.items() if k not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=clean | wish, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(spins)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("temperature", [1e-20, 1e-39, 1e-310])
def test_the_coldest_temperatures_are_greedy(dtype, temperature):
    row = np.array([0.5, 2.0, 1.9999999, -np.inf], dtype)
    cold, greedy = weigh(row, temperature), weigh(row, 0.0)
    assert np.array_equal(cold.weights, greedy.weights)
    assert cold.log_q(1) == 0.0
    assert cold.log_q(0) < -1e18
    assert greedy.log_q(0) == -np.inf


def test_of_exact_settings_the_most_faithful_are_taken_unless_others_are_quicker_by_a_tenth():
    plain, eight = (Settings(2, streams=True, flash=0), Settings(2, kv_type=8))
    padded, shared = Settings(2, streams=True, flash=0, min_rows=2), Settings(2, min_rows=2)
    assert choose([plain, eight], {plain: 1.09, eight: 1.0}) == plain
    assert choose([plain, eight], {plain: 1.11, eight: 1.0}) == eight
    assert choose([padded, shared], {padded: 1.2, shared: 1.0}) == padded, "chance decides nothing"
    assert choose([padded, shared], {padded: 1.4, shared: 1.0}) == shared
