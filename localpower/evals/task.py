"""What a task is: problems, the ways to put them, and how answers are judged. `tasks.py` has the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from localpower.evals.forms import Forms
from localpower.evals.problem import Problem
from localpower.evals.sources import Needs, Source
from localpower.tools.environment import Environment


@dataclass(frozen=True, slots=True)
class Task:
    """kind: of the grader (grade.py); `open` answers are for a judge. secret: questions are not stored.

    licence: of the problems, as their authors state it, an SPDX identifier; empty: not stated. needs: its file;
    None: its problems are generated. size: how many problems the authors publish; 0: as many as the file has.
    package: that has its problems instead of a file, and behind a blank what it needs with it.
    noise: what is known to be wrong with the labels, in a sentence; empty: nothing is known here.
    environment: of a problem, new or a copy, not yet reset; None: the task has no tools. tools: its name in settings;
    tools_sha256: of the files among them, empty: there are none.
    tool_format: as --tool-format, "": the model's own. runs_code: the environment runs programs of the model or of the
    task's author, which the user must have allowed. max_turns, observation_tokens: as of a single answer, the latter of
    what the tools answer to one turn.
    """

    name: str
    kind: str
    problems: Callable[[Source], list[Problem]]
    forms: Forms
    max_tokens: int
    about: str
    secret: bool = False
    licence: str = ""
    needs: Needs | None = None
    size: int = 0
    noise: str = ""
    environment: Callable[[Problem], Environment] | None = None
    tools: str = ""
    tools_sha256: str = ""
    tool_format: str = ""
    runs_code: bool = False
    package: str = ""
    max_turns: int = 8
    observation_tokens: int = 256
