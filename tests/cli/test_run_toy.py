"""Whole outputs of `localpower run` on the toy model, through the real command."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from localpower.completion import Completion
from localpower.events import Extended, Stepped, from_json
from tests.cli.terminal import command

TOY = ("run", "--model", "toy", "--seed", "1", "--max-tokens", "16")


def test_the_answer_alone_is_on_stdout_and_nothing_redraws():
    done = command(*TOY, "hello there")
    assert done.returncode == 0
    assert done.stdout == "the ?no oneno onedog \n"
    assert "\x1b" not in done.stderr
    assert "seed 1 · ended by itself · 6 tokens" in done.stderr


def test_json_is_one_object_on_one_line_with_the_promised_fields():
    done = command(*TOY, "--json", stdin="hello there\n")
    result = json.loads(done.stdout)
    assert done.stdout.count("\n") == 1
    assert result["text"] == "the ?no oneno onedog "
    assert (result["exactness"], result["guarantee"]) == ("exact", "invariant")
    promised = (
        "text tokens finish method alpha settings steps seed log_p n_tokens acceptance_rate "
        "n_steps n_accepted n_free decoded_tokens prefill_tokens padded_rows wasted_rows "
        "saved_tokens cost_multiple plain_answer plain_tokens seconds tokens_per_second exactness "
        "guarantee model version "
    )
    assert set(promised.split()) <= set(result)


def test_chains_and_recording_do_not_change_chain_0(tmp_path):
    alone = json.loads(command(*TOY, "--json", "x").stdout)
    trace = tmp_path / "trace.jsonl"
    four = command(*TOY, "--json", "--chains", "4", "--events", str(trace), "x")
    assert json.loads(four.stdout)["chains"][0]["tokens"] == alone["tokens"]


def test_every_decision_can_be_checked_again_from_the_trace(tmp_path):
    trace = tmp_path / "trace.jsonl"
    result = json.loads(command(*TOY, "--json", "--events", str(trace), "x").stdout)
    lines = [json.loads(line) for line in trace.read_text().splitlines()]
    assert [lines[0]["event"], lines[-1]["event"]] == ["started", "finished"]
    state, alpha = Completion(), result["alpha"]
    for event in map(from_json, lines[1:-1]):
        if isinstance(event, Extended):
            state = state.head(event.kept).join(event.suffix)
        if isinstance(event, Stepped):
            since = len(state) if event.free else event.divergence
            hot = since == event.cut
            log_w_y = event.suffix.log_w(alpha, since - event.cut, hot=hot)
            assert event.log_w_x == pytest.approx(state.log_w(alpha, since, hot=hot), abs=1e-12)
            assert event.log_w_y == pytest.approx(log_w_y, abs=1e-12)
            assert event.accepted == (event.log_u < event.log_ratio)
            if event.accepted:
                state = state.head(event.cut).join(event.suffix)
    assert list(state.tokens) == result["tokens"]
    assert state.total_log_p() == result["log_p"]


def test_a_stop_ends_the_answer_inside_the_sampler_and_is_not_shown():
    done = json.loads(command(*TOY, "--json", "--stop", "?", "hello there").stdout)
    assert "?" not in done["text"]
    assert done["finish"] == "stop"
    assert 10 in done["tokens"][-1:], "the token that completed the stop is the last one"


def test_a_temperature_is_judged_by_the_alpha_that_the_model_will_run_with():
    done = command(*TOY, "--temperature", "0.3", "--json", "x")  # no template: alpha 4, so 0.25 to 1
    assert (done.returncode, json.loads(done.stdout)["alpha"]) == (0, 4.0)


def test_help_imports_neither_numpy_nor_llama_cpp():
    code = "import sys; from localpower.cli.main import main; main(['--help']); print(sorted({'numpy', 'llama_cpp'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_stop_that_a_shell_left_as_it_was_typed_is_explained():
    typed, meant = command(*TOY, "--stop", "\\n", "hello"), command(*TOY, "--stop", "\n", "hello")
    assert typed.stderr.count("note: --stop \\n ends at a backslash and a letter") == 1
    assert "$'\\n' is how to write those" in typed.stderr
    assert "backslash" not in meant.stderr
