"""Multi-turn problems of the Berkeley Function-Calling Leaderboard, from the package bfcl-eval: judged by the state.

What the user says in several turns is put as one numbered list, so that accuracies are not those of the leaderboard.
"""

from __future__ import annotations

from localpower.evals.forms import Form, Forms
from localpower.evals.problem import Problem
from localpower.evals.sources import Source
from localpower.tools.bfcl import entries
from localpower.tools.environment import Environment
from localpower.tools.remote import Remote

_ASKED = "Do the following with the tools, one after another:"
FORMS: Forms = {
    "chat": Form(lambda p: p.text, template=True),
    "plain": Form(lambda p: f"{p.text}\n\n", stops=("\n\n",)),
}


def problems(source: Source) -> list[Problem]:
    """The two hundred of the category base. Raises UserError where the package is not installed."""
    found = []
    for entry in entries("base").values():
        turns = [f"{i}. {turn}" for i, turn in enumerate(entry.turns, 1)]
        text = "\n".join([_ASKED, *turns]) if len(turns) > 1 else entry.turns[0]
        found.append(Problem(entry.id, text, None, " and ".join(sorted(entry.classes))))
    return found


def environment_of(problem: Problem) -> Environment:
    """The problem's classes, in a process of their own."""
    return Remote({"bfcl": problem.id})
