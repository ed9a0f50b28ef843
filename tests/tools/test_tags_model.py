"""Calls in tags through llama.cpp: a tiny file whose template writes them, and whose tokens are calls."""

from __future__ import annotations

import json
from unittest.mock import patch

import pytest

import localpower as lp
from localpower.api.recording import check_recording
from localpower.data.formats import FORMATS
from localpower.runs.interrupt import Interrupts
from localpower.runs.record import Recorder
from localpower.runs.trace import read_trace
from localpower.tools.calculator import Calculator
from localpower.tools.calls import Call
from localpower.tools.formats import find
from tests.data.made import sample
from tests.gguf_files import write_llama
from tests.text.test_frames import TAGGED

LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz_<>/:.,()'*QWEĠĊ"
ENDS = ("<|im_end|>", "<|eot_id|>", "<end_of_turn>", "<|end|>", "<|eom_id|>")  # many, so that turns end soon
CALLS = [find("qwen3-coder").written(Call("calculator", {"expression": f"{n}*3"})) for n in range(20)]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("tags") / "tags.gguf"
    marks = ["<|im_start|>", *ENDS, *CALLS]
    write_llama(path, LETTERS, template=f"{TAGGED}{{% set _ = tools %}}", marks=marks, scale=0.1, seed=2)
    with lp.load(path) as opened:
        yield opened


def test_a_template_with_tags_is_read_answered_and_exported_in_them(model):
    use = lp.ToolUse.of(
        "calculator", turns=3, observation_tokens=800
    )  # of letters; a turn may have many calls
    answers = [model.generate("5", "base", seed=seed, max_tokens=60, tools=use) for seed in range(4)]
    called = 0
    for answer in answers:
        trace = answer.trace
        assert trace.format == "qwen3-coder"
        told = [turn for turn in trace.turns if turn.kind == "observation"]
        for asked, given in zip(trace.turns[::2], told, strict=False):
            numbers = [int(call.arguments["expression"].removesuffix("*3")) for call in asked.calls]
            assert given.observations == tuple(str(3 * n) for n in numbers)
            results = "".join(f"<tool_response>\n{text}\n</tool_response>\n" for text in given.observations)
            assert (
                given.text == f"\n<|im_start|>user\n{results}\n<|im_start|>assistant\n"
            )  # ends have no text
            assert sum(asked.text.count(f"\n{n}*3\n") for n in set(numbers)) == len(numbers)
            called += len(numbers)
        row = FORMATS["messages"].row(
            sample(answer.text, row={"text": answer.text, "trace": trace.to_dict()})
        )
        made = [call for message in row["messages"] for call in message.get("tool_calls") or ()]
        assert len(made) == trace.calls
        assert all(json.loads(call["function"]["arguments"])["expression"][-2:] == "*3" for call in made)
    assert called > 4, "no trace had calls"


def test_a_recorded_run_with_tags_is_verified_and_a_changed_answer_is_found(model, tmp_path):
    path = tmp_path / "run.jsonl"
    recorder = Recorder(path, model.loaded.piece)
    with model.stream("5", "power:steps=3", seed=0, max_tokens=40, tools="calculator") as stream:
        for event in stream:
            recorder.write(0 if not hasattr(event, "n_chains") else None, event)
    recorder.close()
    report, _ = check_recording(read_trace(path), None, Interrupts(()), tools=("calculator",))
    assert report["passed"], report["problems"]
    assert report["observations"] > 0
    with patch.object(Calculator, "call", lambda *_: "bbb"):
        report, findings = check_recording(read_trace(path), None, Interrupts(()), tools=("calculator",))
    assert "observation 1 is 'bbb" in findings.problems[0]
