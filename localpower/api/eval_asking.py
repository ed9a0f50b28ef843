"""Every problem of a run as a model is asked it, with notes on what that leaves out."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from localpower.api.eval_models import EvalModels
from localpower.api.eval_request import EvalRequest
from localpower.api.labels import needs_expert
from localpower.errors import UsageProblem
from localpower.evals.asking import Wording, ask
from localpower.evals.experts import usable
from localpower.evals.grade import Grader
from localpower.evals.jobs import RenderedProblem
from localpower.evals.problem import Problem
from localpower.evals.task import Task
from localpower.loaded import Loaded
from localpower.loading import Request

Asked = dict[str, list[RenderedProblem]]  # by task


def ask_all(
    request: EvalRequest,
    models: EvalModels,
    tasks: Sequence[Task],
    chosen: Mapping[str, Sequence[Problem]],
    started: datetime.datetime,
) -> tuple[dict[str, Asked], dict[str, dict[str, Any]]]:
    """What every model is asked, and what the models are. All are opened once, before any work."""
    asked, identities = {}, {}
    for each in request.models or (Request(),):
        label, loaded = models.learn(each)
        asked[label] = ask_one(request, label, loaded, tasks, chosen, started, models.around.say)
        identities[label] = loaded.info.to_dict() | {"exactness": loaded.exactness}
    return asked, identities


def ask_one(
    request: EvalRequest,
    label: str,
    loaded: Loaded,
    tasks: Sequence[Task],
    chosen: Mapping[str, Sequence[Problem]],
    started: datetime.datetime,
    say: Callable[[str], None] = lambda _: None,
) -> Asked:
    """What one model is asked. started: the time that a template may tell. Raises UserError."""
    prompting = request.prompting
    wording = Wording(
        request.form,
        prompting.raw,
        prompting.system,
        prompting.template_args,
        prompting.stops,
        request.own_stops,
        started,
        request.answer_prefix,
        prompting.think,
        prompting.thinking_budget,
        request.max_turns,
        request.observation_tokens,
        request.fresh_environment,
    )
    for note in loaded.notes:
        say(f"note: {label}: {note}")
    through = [task for task in tasks if task.forms[request.form].template]
    if through and not loaded.has_template and not prompting.raw:
        say(f"note: {label} has no chat template: prompts are sent as text")
    show = needs_expert(request.labels)
    if show and (request.answer_prefix or prompting.thinking_budget):
        raise UsageProblem(
            "project begins with the worked answer as it is",
            "leave out --answer-prefix and --thinking-budget",
        )
    notes: dict[str, None] = {}  # of all tasks, each once
    asked = {
        task.name: ask(
            *(task, chosen[task.name], loaded, wording, request.max_tokens), notes.setdefault, show=show
        )
        for task in tasks
    }
    for note in notes:
        say(f"note: {label}: {note}")
    if show:
        with Grader(request.grader) as grader:
            for name, some in asked.items():
                asked[name], left_out = usable(some, loaded, grader)
                for note in left_out:
                    say(f"note: {label}: {note}")
    problems = [problem for some in asked.values() for problem in some]
    for name, some in asked.items():
        longest = max((len(problem.longest_prompt) for problem in some), default=0)
        cells = loaded.cells(longest, max((each.longest for each in some), default=1), 1, 1)
        if cells is not None and cells.is_long:
            say(f"note: {label}: {name}: {cells.words('--parallel')}")
    if lost := loaded.unspelled(request.answer_prefix or ""):
        say(
            f"note: {label}: characters of --answer-prefix that no token spells, and that are left out: {lost}"
        )
    if lost := sum(loaded.unspelled(problem.text) for problem in problems):
        say(f"note: {label}: characters of the problems that no token spells, and that are left out: {lost}")
    return asked
