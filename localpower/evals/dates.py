"""Problems by the date at which they were published: a model cannot have seen what came after its training."""

from __future__ import annotations

import re
from collections.abc import Sequence

from localpower.errors import UsageProblem, UserError
from localpower.evals.problem import Problem

_DATE = re.compile(r"\d{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)?")

_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")


def check_date(name: str, value: str) -> None:
    """Raises UsageProblem for what is no date."""
    if value and not _DATE.fullmatch(value):
        raise UsageProblem(f"{name} is a date such as 2024, 2024-08 or 2024-08-31, got {value!r}")


def between(date: str, since: str, until: str) -> bool:
    """Whether a date lies from `since` to `until`, both included; a month or a year counts as a whole."""
    after = not since or _cut(date, since) >= _cut(since, date)
    return after and (not until or _cut(date, until) <= _cut(until, date))


def dated(task: str, problems: Sequence[Problem], since: str, until: str) -> list[Problem]:
    """The problems from `since` to `until`. Raises UserError where they have no dates, and where none is left."""
    if not since and not until:
        return list(problems)
    if without := [problem.id for problem in problems if not problem.date]:
        raise UserError(f"--since and --until need dates, and {without[0]} of {task} has none")
    found = [problem for problem in problems if between(problem.date, since, until)]
    if not found:
        dates = sorted(problem.date for problem in problems)
        there = f"they are from {dates[0]} to {dates[-1]}" if dates else "there are no problems"
        raise UserError(f"{none_between(task, since, until)}: {there}")
    return found


def none_between(task: str, since: str, until: str) -> str:
    """What to say of a task without problems in a range."""
    return f"{task} has no problem between {since or 'the first'} and {until or 'the last'}"


def year_in(*said: object) -> str:
    """The first year, as four digits, in what several fields say; "" for none."""
    found = (_YEAR.search(str(each)) for each in said if each is not None)
    return next((match.group() for match in found if match), "")


def _cut(date: str, other: str) -> str:
    """As much of a date as the other has too."""
    return date[: min(len(date), len(other))]
