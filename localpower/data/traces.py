"""Traces of tools as trainers read them: calls, what they gave, and the answer, each under the names that trainers use.

Arguments and schemas are JSON texts: of arguments that differ from row to row no reader of columns could tell the type.
A call that could not be read stays in the text of its turn, and what it was told follows as the others do.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from localpower.data.samples import Sample
from localpower.evals.store import Row
from localpower.tools.formats import find


def is_trace(sample: Sample) -> bool:
    """Whether an environment took part in it."""
    return bool(sample.row.get("trace"))


def tools_of(sample: Sample) -> str | None:
    """The tools' schemas as one JSON text."""
    return json.dumps(sample.row["trace"].get("tools") or [], ensure_ascii=False)


def messages_of(sample: Sample) -> list[Row]:
    """What follows the user's message: `assistant` with `tool_calls`, and a `tool` for each call."""
    return [_valid(message) for message in _messages(sample)]


def _messages(sample: Sample) -> Iterator[Row]:
    for said, calls, seen in _turns(sample):
        made = [call for call in calls if "name" in call]
        if not made:
            yield {"role": "assistant", "content": said[0]}
        else:
            told = [{"name": call["name"], "arguments": _json(call.get("arguments") or {})} for call in made]
            calling = [{"type": "function", "function": each} for each in told]
            yield {"role": "assistant", "content": said[1], "tool_calls": calling}
        for call, text in zip(calls, seen, strict=False):
            named = {"name": call["name"]} if "name" in call else {}
            yield {"role": "tool", **named, "content": text}


def conversations_of(sample: Sample) -> list[Row]:
    """`function_call` and `observation` in turn, at last `gpt`: LLaMA-Factory has the model's turns at even places."""
    found = []
    for said, calls, seen in _turns(sample):
        made = [{"name": c["name"], "arguments": c.get("arguments") or {}} for c in calls if "name" in c]
        if made:
            found.append({"from": "function_call", "value": _json(made[0] if len(made) == 1 else made)})
        else:
            found.append({"from": "gpt", "value": said[0]})
        if seen:
            found.append({"from": "observation", "value": "\n".join(seen)})
    return [_valid(turn) for turn in found]


def _turns(sample: Sample) -> Iterator[tuple[tuple[str, str], Sequence[Row], Sequence[str]]]:
    """Of each of the model's turns: its text, whole and before its first call; its calls; what each was told."""
    trace = sample.row["trace"]
    before = find(trace["format"]).before
    turns: list[Row] = trace["turns"]
    for i, turn in enumerate(turns):
        if turn["kind"] != "model":
            continue
        text, calls = turn.get("text") or "", turn.get("calls") or []
        if turn is turns[-1] and sample.asked["stops"] and text.startswith(shown := sample.row["text"]):
            text = shown  # without the stop that ended it, as in answers without tools
        after = turns[i + 1] if i + 1 < len(turns) and turns[i + 1]["kind"] == "observation" else {}
        seen = after.get("observations") or ([after["text"]] if after.get("text") else [])
        yield (text, before(text) if calls else text), calls, seen


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _valid(row: Row) -> Row:
    """Texts that can be written as UTF-8; JSON texts are so by their making."""
    return {
        key: value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
        for key, value in row.items()
    }
