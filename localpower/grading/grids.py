"""Grids of digits, as the answers of ARC are: the last one that a text shows."""

from __future__ import annotations

import json
import re

_JSON = re.compile(r"\[\s*\[[\d\s,\[\]]*\]\s*\]")
_ROW = re.compile(r"[ \t>|]*\[?\s*(\d(?:[ \t,|]+\d)*|\d+)\s*\]?[ \t,|]*")
_MOST = 30  # rows, and cells of one


def grid_answer(text: str) -> list[list[int]] | None:
    """The last grid: lists as JSON writes them, else lines of digits one below the other. None without one."""
    found = [(match.end(), grid) for match in _JSON.finditer(text) if (grid := _listed(match.group()))]
    found += [(end, grid) for end, grid in _drawn(text) if grid]
    return max(found, key=lambda each: each[0])[1] if found else None


def _listed(text: str) -> list[list[int]] | None:
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return rows if _is_grid(rows) else None


def _drawn(text: str) -> list[tuple[int, list[list[int]] | None]]:
    """Blocks of lines that hold digits and nothing else, with the place of their ends."""
    found: list[tuple[int, list[list[int]] | None]] = []
    rows: list[list[int]] = []
    at = 0
    for line in [*text.split("\n"), ""]:
        match = _ROW.fullmatch(line.rstrip("\r"))
        row = [int(each) for each in re.findall(r"\d", match.group(1))] if match else []
        if rows and (not row or len(row) != len(rows[0])):
            found.append((at, rows if _is_grid(rows) and (len(rows) > 1 or len(rows[0]) > 1) else None))
            rows = []
        if row:
            rows.append(row)
        at += len(line) + 1
    return found


def _is_grid(rows: object) -> bool:
    return (
        isinstance(rows, list)
        and 1 <= len(rows) <= _MOST
        and all(isinstance(row, list) and 1 <= len(row) <= _MOST for row in rows)
        and all(isinstance(cell, int) and not isinstance(cell, bool) for row in rows for cell in row)
        and len({len(row) for row in rows}) == 1
    )
