"""Traces of tools as training data: the names that trainers read, from JSONL and from parquet."""

from __future__ import annotations

import json

import pytest

import localpower as lp
from localpower.data.agreement import refuse_foreign_ids
from localpower.data.files import read_rows, write_rows
from localpower.data.formats import FORMATS, IGNORED, columns_of
from localpower.errors import UserError
from tests.data.made import sample

CALL = '<tool_call>\n{"name": "add", "arguments": {"a": 1}}\n</tool_call>'
TRACE = {
    "format": "hermes",
    "tools": [{"type": "function", "function": {"name": "add"}}],
    "turns": [
        {
            "kind": "model",
            "text": f"I add.{CALL}",
            "calls": [{"name": "add", "arguments": {"a": 1}, "ok": True}],
        },
        {"kind": "observation", "observations": ["2"]},
        {
            "kind": "model",
            "text": "<tool_call>{",
            "calls": [{"text": "{", "problem": "no JSON", "ok": False}],
        },
        {"kind": "observation", "observations": ["Error: no JSON"]},
        {"kind": "model", "text": "It is 2.", "calls": []},
    ],
}


def made(trace=TRACE, **more):
    return sample("2", said="1 + 1?", row={"text": "2", "trace": trace}, **more)


@pytest.mark.parametrize("parquet", [False, True], ids=["jsonl", "parquet"])
def test_messages_of_a_trace_have_calls_and_a_tool_message_for_each(tmp_path, parquet):
    path = tmp_path / f"rows.{'parquet' if parquet else 'jsonl'}"
    columns = columns_of("messages", provenance=False, traces=True)
    write_rows(path, [FORMATS["messages"].row(made())], columns, parquet=parquet)
    import datasets  # a second that processes of other tests need not wait for

    (row,) = datasets.load_dataset(
        path.suffix[1:].replace("jsonl", "json"), data_files=str(path), split="train", cache_dir=str(tmp_path)
    )
    user, call, tool, bad, told, last = row["messages"]
    assert (user["role"], user["content"]) == ("user", "1 + 1?")
    assert (call["role"], call["content"]) == ("assistant", "I add.")
    assert call["tool_calls"] == [{"type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}}]
    assert (tool["role"], tool["name"], tool["content"]) == ("tool", "add", "2")
    assert (bad["role"], bad["content"], bad.get("tool_calls")) == ("assistant", "<tool_call>{", None)
    assert (told["role"], told.get("name"), told["content"]) == ("tool", None, "Error: no JSON")
    assert (last["role"], last["content"]) == ("assistant", "It is 2.")
    assert json.loads(row["tools"]) == TRACE["tools"]
    assert len(read_rows(path)[0]["messages"]) == 6


def test_conversations_of_a_trace_have_the_models_turns_at_even_places():
    found = FORMATS["sharegpt"].row(made())
    names = ["human", "function_call", "observation", "gpt", "observation", "gpt"]
    assert [turn["from"] for turn in found["conversations"]] == names
    assert json.loads(found["conversations"][1]["value"]) == {"name": "add", "arguments": {"a": 1}}
    assert json.loads(found["tools"]) == TRACE["tools"]


def test_several_calls_of_a_turn_are_several_and_each_has_its_answer():
    calls = [{"name": "add", "arguments": {"a": n}} for n in (1, 2)]
    model = {"kind": "model", "text": CALL, "calls": calls}
    tool = {"kind": "observation", "observations": ["2", "3"]}
    trace = TRACE | {"turns": [model, tool]}
    row = FORMATS["messages"].row(made(trace))
    assert [m["content"] for m in row["messages"]] == ["1 + 1?", "", "2", "3"]
    assert len(row["messages"][1]["tool_calls"]) == 2
    conversations = FORMATS["sharegpt"].row(made(trace))["conversations"]
    assert conversations[2] == {"from": "observation", "value": "2\n3"}


def test_observations_are_not_trained_on():
    row = FORMATS["tokens"].row(made(tokens=(5, 6, 7, 8), given=frozenset({1, 2})))
    assert row["labels"][-4:] == [5, IGNORED, IGNORED, 8]


def test_text_that_is_no_unicode_is_mended():
    turns = [{"kind": "model", "text": "\ud800", "calls": []}]
    assert FORMATS["messages"].row(made(TRACE | {"turns": turns}))["messages"][1]["content"] == "?"


@pytest.fixture(scope="module")
def exported(own_cache, tmp_path_factory):
    """Four plain answers of lab-tools, one of which calls its calculator."""
    folder = tmp_path_factory.mktemp("traces")
    run = lp.evaluate("lab-product", "lab-tools", "base", limit=2, samples=2, seed=1, out=folder / "run")
    return run, lp.export(run, out=folder / "data", formats=tuple(FORMATS))


def test_an_eval_with_tools_is_counted_and_exported_as_it_was_sampled(exported):
    run, data = exported
    (group,) = lp.compare(run).to_dict()["tasks"]["lab-product"]["groups"]
    assert (group["tools"]["calls"], group["tools"]["valid_answers"]) == (0.25, 0.25)
    called = [row["messages"] for row in data.rows("messages") if len(row["messages"]) > 2]
    assert called == [[
        {"role": "user", "content": "493*12?"},
        {"role": "assistant", "content": "", "tool_calls": [
            {"type": "function", "function": {"name": "calculator", "arguments": '{"expression": "493*12"}'}}
        ]},
        {"role": "tool", "name": "calculator", "content": "5916"},
        {"role": "assistant", "content": ">5916"},
    ]]  # fmt: skip


def test_no_label_of_an_exported_trace_is_a_token_that_a_tool_wrote(exported):
    run, data = exported
    traces = {tuple(answer.tokens): answer for answer in run.answers}
    for row in data.rows("tokens"):
        n = len(row["labels"]) - next(i for i, label in enumerate(row["labels"]) if label != IGNORED)
        answer = next(tokens for tokens in traces if list(tokens) == row["input_ids"][-n:])
        spelled = "".join("0123456789*+=>?[]"[token] for token in answer[:-1])
        learned = "".join("0123456789*+=>?[]"[token] for token in row["labels"][-n:-1] if token != IGNORED)
        assert learned == spelled.replace("]5916>", "]>")


def spelled(tokens):
    """A turn that a stop ended, by its tokens."""
    turns = [{"kind": "model", "from": 0, "to": 4, "text": "ab\n\n", "calls": []}]
    row = {"text": "ab", "trace": TRACE | {"turns": turns}}
    return sample("ab", tokens=tuple(tokens), row=row, asked={"stops": ["\n\n"]})


def test_a_turn_that_a_stop_ended_is_spelled_by_its_tokens():
    refuse_foreign_ids([spelled(b"ab\n\n")], lambda token: bytes([token]), 256)
    with pytest.raises(UserError, match="do not spell its text"):
        refuse_foreign_ids([spelled(b"ac\n\n")], lambda token: bytes([token]), 256)


def test_the_stop_that_ended_a_trace_is_no_part_of_what_is_learned_as_text():
    one = spelled(b"ab\n\n")
    assert FORMATS["messages"].row(one)["messages"][1]["content"] == "ab"
    assert FORMATS["sharegpt"].row(one)["conversations"][1]["value"] == "ab"
