"""Programs that a model wrote are run once the answers are there."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from localpower.evals import store
from localpower.evals.grade import Grader
from localpower.grading.sandbox import isolation

__all__ = ["isolation", "run_programs"]


def run_programs(
    folder: store.Folder,
    rows: dict[store.Key, store.Row],
    kinds: Mapping[str, str],
    seconds: float,
    check: Callable[[], None],
    say: Callable[[str], None],
) -> None:
    """Run the programs that have not been run; a kill loses the one that is running."""
    waiting = [r for r in rows.values() if kinds.get(r["task"]) == "code" and r["verdict"] == "ungraded"]
    if not waiting:
        return
    say(f"{len(waiting)} programs are run in isolation of kind {isolation()}")
    stored = store.read(folder.path)
    with Grader(run_code=True, seconds=seconds) as grader:
        for row in waiting:
            check()
            found = grader.regrade(row, stored, lambda row: str(row["text"]))
            rows[store.key(row)] = found
            folder.add(found)  # the later line of an answer counts
    folder.rewrite(rows.values())
