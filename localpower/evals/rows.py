"""Rows out of the text of a file: JSON, JSON lines, and tables with a header line.

A file is refused where it could be read in two ways: a column that is shifted by a comma, or a list that may not be the
problems, would make an eval of something else without a word.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any, TypeGuard

from localpower import jsonl
from localpower.errors import UserError

Row = dict[str, Any]
TABLES = {".csv": ",;\t", ".tsv": "\t", ".tab": "\t"}  # what may stand between fields, the usual one first
_LINES = (".jsonl", ".ndjson")
_ASKED = {"prompt", "question", "problem", "instruction"}  # an object with one of these is a row by itself


def table_rows(text: str, name: str, kind: str) -> list[Row]:
    """A row for each line below the header; lines of blanks are left out. Raises UserError that names the line."""
    csv.field_size_limit(1 << 24)
    try:
        lines = _lines(text, _separator(text, kind))
        header = [field.strip() for field in next(lines, (0, []))[1]]
        _check_header(header, name)
        rows = []
        for number, fields in lines:
            if len(fields) != len(header):
                raise UserError(
                    f"line {number} of {name} has {len(fields)} fields, and the header has {len(header)}",
                    'a field with a separator or a line break in it stands in double quotes: "1, 2"',
                )
            rows.append(dict(zip(header, fields, strict=True)))
    except csv.Error as error:
        raise UserError(f"{name} is no {kind[1:].upper()} file: {error}") from None
    return rows


def _lines(text: str, separator: str, *, strict: bool = True) -> Iterator[tuple[int, list[str]]]:
    """The number of each record's first line, and its fields."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=strict)
    number = 1
    for fields in reader:
        if any(field.strip() for field in fields):
            yield number, fields
        number = reader.line_num + 1


def _separator(text: str, kind: str) -> str:
    """That by which the header has most fields: a spreadsheet writes semicolons where the comma is a decimal sign."""
    return max(TABLES[kind], key=lambda each: len(next(_lines(text, each, strict=False), (0, []))[1]))


def _check_header(header: list[str], name: str) -> None:
    """Raises UserError for two columns of one name. The name is not shown: without a header it is a row's text."""
    for i, field in enumerate(header):
        if field and field in header[:i]:
            raise UserError(f"columns {header.index(field) + 1} and {i + 1} of {name} have the same name")


def json_rows(text: str, name: str, kind: str) -> list[Row]:
    """A list of objects, an object that holds one, or one object a line. Raises UserError."""
    try:
        whole = jsonl.loads(text)
    except (ValueError, RecursionError):
        lines = jsonl.parse(text.encode(), name, lambda value: jsonl.record(value, {}), "JSON object")
        return [row for _, row in lines]
    if isinstance(whole, dict):
        return [whole] if kind in _LINES else _unwrapped(whole, name)
    if not _objects(whole):
        raise UserError(f"{name} is no list of JSON objects")
    return whole


def _unwrapped(whole: Row, name: str) -> list[Row]:
    """The rows of a file that is one object: itself, or the one list of objects in it. Raises UserError."""
    if any(isinstance(value, str) for field, value in whole.items() if field.lower() in _ASKED):
        return [whole]
    lists = {field: value for field, value in whole.items() if value and _objects(value)}
    if len(lists) > 1:
        raise UserError(
            f"{name} has several lists of objects: {', '.join(lists)}", "write the problems alone into a file"
        )
    if lists:
        return next(iter(lists.values()))
    if all(isinstance(value, list | dict) for value in whole.values()):
        raise UserError(
            f"{name} is one object of lists or objects and has no rows: {', '.join(whole)}",
            "write a list of objects, one for each problem (pandas: orient='records')",
        )
    return [whole]


def _objects(value: Any) -> TypeGuard[list[Row]]:
    """Whether a value is a list of objects."""
    return isinstance(value, list) and all(isinstance(row, dict) for row in value)
