"""What answers did with tools: calls, rounds, and PASS@(k, T), the chance that one of k answers is right in T rounds.

A round is a turn of the model that makes calls, with what they gave. An answer that is right after more than T rounds
counts as wrong at T, as it would have been cut there. Source: PASS@(k, T), arXiv 2604.14877.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Any

from localpower.evals.groups import Group
from localpower.evals.store import Row
from localpower.statistics import pass_curve

_ROUNDS = (0, 1, 2, 4, 8, 16)


def rounds_of(row: Row) -> int:
    """Turns that made calls."""
    return sum(bool(turn.get("calls")) for turn in _turns(row))


def tool_use(group: Group) -> dict[str, Any] | None:
    """Means over answers: calls, tokens of observations and seconds outside the model; shares; PASS@(k, T).

    valid_turns: of the model's turns, the share with a call that its tool answered. valid_answers: of the answers.
    None where no answer is a trace.
    """
    rows = [row for row in group.rows if row.get("trace")]
    if not rows:
        return None
    turns = [turn for row in rows for turn in _turns(row)]
    calls = [call for turn in turns for call in turn.get("calls") or ()]
    return {
        "calls": len(calls) / len(rows),
        "replayed": fmean(row["trace"].get("calls_replayed") or 0 for row in rows),
        "observation_tokens": fmean(row["trace"].get("observation_tokens") or 0 for row in rows),
        "seconds_outside": fmean(row["trace"].get("seconds_outside") or 0.0 for row in rows),
        "bad_calls": sum(not call.get("ok") for call in calls) / len(calls) if calls else None,
        "valid_turns": fmean(map(_valid, turns)) if turns else 0.0,
        "valid_answers": fmean(any(map(_valid, _turns(row))) for row in rows),
        "pass_at": _pass_at(group),
    }


def _pass_at(group: Group) -> list[dict[str, Any]]:
    """For T = 0, 1, 2, 4, ... up to the most rounds that an answer has, and each k of pass@k."""
    items = [[row for row in rows if row["verdict"] != "ungraded"] for rows in group.items.values()]
    items = [rows for rows in items if rows]
    if not items:
        return []
    most = max(rounds_of(row) for rows in items for row in rows)
    limits = sorted({*(limit for limit in _ROUNDS if limit < most), most})
    return [
        {"k": k, "rounds": limit, **value._asdict()}
        for limit in limits
        for k, value in pass_curve(
            [[row["verdict"] == "right" and rounds_of(row) <= limit for row in rows] for rows in items]
        )
    ]


def _turns(row: Row) -> Sequence[Row]:
    return [turn for turn in (row.get("trace") or {}).get("turns", ()) if turn.get("kind") == "model"]


def _valid(turn: Row) -> bool:
    return any(call.get("ok") for call in turn.get("calls") or ())
