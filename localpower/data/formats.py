"""Rows as trainers read them: messages, token ids or ShareGPT's conversations, each beside where its answer comes from.

messages   `messages` and `tools`: TRL, axolotl (`type: chat_template`), unsloth; traces have `tool_calls` (traces.py)
tokens     `input_ids`, `labels`, `attention_mask`: TRL and axolotl take them as they are. The very ids that were asked
           and drawn, the end token too; labels are -100 on all that the model did not draw
sharegpt   `conversations`, `system`, `tools`: LLaMA-Factory, by the dataset_info.json beside them
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from localpower.data.samples import Sample, Source
from localpower.data.traces import conversations_of, is_trace, messages_of, tools_of
from localpower.evals.store import Row

IGNORED = -100  # of a label: no loss


class Column(NamedTuple):
    """A column. kind: text, whole, real, or a list of wholes, reals, messages, calls or turns.

    calls: messages of traces, which may have `name` and `tool_calls`.
    """

    name: str
    kind: str


class Format(NamedTuple):
    """columns: what trainers read. row: their values."""

    columns: tuple[Column, ...]
    row: Callable[[Sample], Row]


def _messages(sample: Sample) -> Row:
    system = [{"role": "system", "content": sample.system}] if sample.system else []
    asked = {"role": "user", "content": sample.said}
    if is_trace(sample):
        return {"messages": [*system, asked, *messages_of(sample)], "tools": tools_of(sample)}
    answer = {"role": "assistant", "content": sample.answer}
    return {"messages": [*system, asked, answer], "tools": None}


def _tokens(sample: Sample) -> Row:
    drawn = [IGNORED if i in sample.given else token for i, token in enumerate(sample.tokens)]
    ids = [*sample.prompt, *sample.tokens]
    return {
        "input_ids": ids,
        "labels": [IGNORED] * len(sample.prompt) + drawn,
        "attention_mask": [1] * len(ids),
    }


def _sharegpt(sample: Sample) -> Row:
    asked = {"from": "human", "value": sample.said}
    if is_trace(sample):
        turns, tools = [asked, *conversations_of(sample)], tools_of(sample)
    else:
        turns, tools = [asked, {"from": "gpt", "value": sample.answer}], ""
    return {"conversations": turns, "system": sample.system or "", "tools": tools}


def _columns(**kinds: str) -> tuple[Column, ...]:
    """By kind the names of columns, in their order."""
    return tuple(Column(name, kind) for kind, names in kinds.items() for name in names.split())


FORMATS = {
    "messages": Format(_columns(messages="messages", text="tools"), _messages),
    "tokens": Format(_columns(wholes="input_ids labels attention_mask"), _tokens),
    "sharegpt": Format(_columns(turns="conversations", text="system tools"), _sharegpt),
}
PROVENANCE = (
    *_columns(text="problem_id task seed", whole="sample"),
    *_columns(text="method settings", real="alpha log_p", whole="n_tokens"),
    *_columns(real="log_weight", text="verdict grader finish", reals="token_logprobs"),
    *_columns(text="model_sha256 quantization version"),
)


def columns_of(name: str, *, provenance: bool, traces: bool = False) -> tuple[Column, ...]:
    """All columns of a format. traces: some of the rows are traces of tools."""
    own = tuple(
        column._replace(kind="calls") if traces and column.kind == "messages" else column
        for column in FORMATS[name].columns
    )
    return own + (PROVENANCE if provenance else ())


def row_of(name: str, sample: Sample, source: Source, *, provenance: bool) -> Row:
    """A row: what trainers read, and where it comes from."""
    return FORMATS[name].row(sample) | (_provenance(sample, source) if provenance else {})


def _provenance(sample: Sample, source: Source) -> Row:
    other = {
        "seed": str(sample.seed),  # it may need 64 bits, of which JSON readers lose some
        "log_p": sample.total,
        "n_tokens": len(sample.tokens),
        "token_logprobs": list(sample.log_p),
        "model_sha256": source.sha256,
        "quantization": source.quantization,
    }
    names = [column.name for column in PROVENANCE]
    return {name: other[name] if name in other else getattr(sample, name) for name in names}
