"""README.md of a data set: a YAML header by which `datasets` finds the files, and what a user of the data must know."""

from __future__ import annotations

import json
import re
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from localpower import __version__
from localpower.data.formats import columns_of
from localpower.data.record import Record, markdown, one_line


def _texts(*names: str, indent: str = "") -> list[str]:
    """Fields of a list or structure that hold a text each."""
    return [f"{indent}{line}" for name in names for line in (f"- name: {name}", "  dtype: string")]


_FEATURES = {  # of a column's kind, as datasets writes them
    **{"text": ["dtype: string"], "whole": ["dtype: int64"], "real": ["dtype: float64"]},
    **{"wholes": ["list: int64"], "reals": ["list: float64"]},
    "messages": ["list:", *_texts("role", "content")],
    "calls": [
        *("list:", *_texts("role", "content", "name"), "- name: tool_calls", "  list:"),
        *(*_texts("type", indent="  "), "  - name: function", "    struct:"),
        *_texts("name", "arguments", indent="    "),
    ],
    "turns": ["list:", *_texts("from", "value")],
}
_TAGS = {
    **{"role_tag": "from", "content_tag": "value", "user_tag": "human", "assistant_tag": "gpt"},
    **{"observation_tag": "observation", "function_tag": "function_call", "system_tag": "system"},
}


def card(record: Record) -> str:
    """The whole file."""
    environment = Environment(  # Markdown escapes nothing: what is foreign goes through `code` or `line`
        loader=PackageLoader("localpower.data"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"code": _code, "line": one_line, "table": markdown, "json": json.dumps}
    licences = sorted({_licence(each) for each in record.licences.values()})
    text = environment.get_template("card.md").render(
        record=record,
        version=__version__,
        licence=json.dumps(licences[0] if len(licences) == 1 else licences),
        columns={
            form: columns_of(form, provenance=record.provenance, traces=record.n_traces > 0)
            for form in record.formats
        },
        features=_FEATURES,
        fence="`" * max(_ticks(record.rerun), 3),
        choices={name: value for name, value in record.choices.items() if value not in (None, [], False)},
    )
    return re.sub(r"\n{3,}", "\n\n", text) + "\n"


def dataset_info(record: Record) -> dict[str, Any]:
    """What LLaMA-Factory asks of a folder."""
    return {
        f"localpower_{split}": {
            "file_name": record.file("sharegpt", split),
            "formatting": "sharegpt",
            "columns": {"messages": "conversations", "system": "system", "tools": "tools"},
            "tags": _TAGS,
        }
        for split in record.rows
    }


def _licence(stated: str) -> str:
    """As dataset cards write it."""
    return stated.lower() if re.fullmatch(r"[\w.-]+", stated) else "unknown"


def _code(value: object) -> str:
    """A value as code in one line, whatever it holds."""
    line = one_line(", ".join(map(str, value)) if isinstance(value, list) else str(value))
    fence = "`" * _ticks(line)
    return f"{fence} {line} {fence}" if "`" in line else f"`{line}`"


def _ticks(text: str) -> int:
    """How many backticks fence a text in."""
    return max(map(len, re.findall("`+", text)), default=0) + 1
