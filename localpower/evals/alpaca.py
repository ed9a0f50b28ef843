"""Open answers as the authors' tool reads them: a list of {instruction, output, generator} for each method."""

from __future__ import annotations

import re
from collections.abc import Sequence

from localpower.errors import UserError
from localpower.evals.groups import groups
from localpower.evals.store import Row, Stored


def exported(runs: Sequence[Stored]) -> dict[str, list[Row]]:
    """By a name that can be a file's: the first answer to each instruction. Raises UserError without open answers."""
    found: dict[str, list[Row]] = {}
    for group in groups(runs):
        if group.run.settings["tasks"][group.task]["kind"] != "open":
            continue
        name = re.sub(r"[^\w.-]+", "-", f"{group.task}-{group.label}").strip("-")
        found[name] = [
            {
                "instruction": group.run.problems[group.task, item]["question"],
                "output": group.run.spoken(rows[0]),
                "generator": group.label,
            }
            for item, rows in group.items.items()
        ]
    if not found:
        raise UserError("these runs have no open answers to export", "eval alpaca makes some")
    return found
