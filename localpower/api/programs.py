"""Programs that a model wrote are run once the answers are there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from localpower.errors import UsageProblem
from localpower.evals import store
from localpower.evals.grade import Grader
from localpower.grading.sandbox import folder_of, isolation

__all__ = ["allowed", "isolation", "run_programs"]


def allowed(packages: Sequence[str], run_code: bool) -> dict[str, str]:
    """The folders of packages that programs may import. Raises UsageProblem for what is not installed here."""
    if packages and not run_code:
        raise UsageProblem(
            "packages are allowed to programs, and none is run", "say --run-code if you want that"
        )
    found = {name: folder_of(name) for name in packages}
    if missing := [name for name, folder in found.items() if folder is None]:
        raise UsageProblem(
            f"{missing[0]!r} is no package that is installed here", "Python's own need no leave"
        )
    return {name: folder for name, folder in found.items() if folder is not None}


def run_programs(
    folder: store.Folder,
    rows: dict[store.Key, store.Row],
    kinds: Mapping[str, str],
    grader: Grader,
    check: Callable[[], None],
    say: Callable[[str], None],
) -> None:
    """Run the programs that have not been run; a kill loses the one that is running."""
    waiting = [r for r in rows.values() if kinds.get(r["task"]) == "code" and r["verdict"] == "ungraded"]
    if not waiting:
        return
    say(f"{len(waiting)} programs are run in isolation of kind {isolation()}")
    stored = store.read(folder.path)
    for row in waiting:
        check()
        found = grader.regrade(row, stored, lambda row: str(row["text"]))
        rows[store.key(row)] = found
        folder.add(found)  # the later line of an answer counts
    folder.rewrite(rows.values())
