"""The prompt of a task file: text with fields of a row in braces. {{ and }} write a brace."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from localpower import jsonl
from localpower.errors import UserError
from localpower.evals.rows import Row

_PART = re.compile(r"(?P<brace>\{\{|\}\})|\{(?P<field>[^{}\n]+)\}|(?P<lone>[{}])|(?P<text>[^{}]+)")


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a prompt: a text as it is, or the name of a field."""

    text: str
    is_field: bool = False


def parts_of(prompt: str, place: str) -> list[Part]:
    """The pieces. Raises UserError for a brace that is no field's and is not doubled."""
    parts = []
    for match in _PART.finditer(prompt):
        if match["lone"]:
            near = prompt[max(match.start() - 10, 0) : match.end() + 10]
            raise UserError(
                f"{place}: its prompt has a single brace: {near}",
                r"braces name a field, such as {question}; write {{ and }} for the text, such as \boxed{{}}",
            )
        part = match["brace"][0] if match["brace"] else match["text"]
        parts.append(Part(match["field"], is_field=True) if match["field"] else Part(part))
    return parts


def written(parts: Sequence[Part], row: Row, place: str) -> str:
    """The prompt of a row. Raises UserError for a field that the row lacks, and for one that is no text."""
    return "".join(_field(part.text, row, place) if part.is_field else part.text for part in parts)


def _field(name: str, row: Row, place: str) -> str:
    if row.get(name) is None:
        raise UserError(
            f"{place} has no field {name}, which the prompt names; it has {', '.join(row)}",
            f"write {{{{{name}}}}} for the text {{{name}}}",
        )
    try:
        return jsonl.text(row[name])
    except ValueError:
        raise UserError(f"{place} has no text in {name}, which the prompt names") from None
