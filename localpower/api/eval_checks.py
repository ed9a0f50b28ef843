"""What is refused of an eval before a model is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from localpower.api.eval_request import EvalRequest
from localpower.api.labels import needs_expert
from localpower.api.question import check_traces
from localpower.errors import UsageProblem, UserError
from localpower.evals.experts import UNVERIFIED
from localpower.evals.problem import Problem
from localpower.evals.task import Task
from localpower.grading.math_verify import require

_MOST_ANSWERS = 1_000_000


def check_size(request: EvalRequest, chosen: Mapping[str, Sequence[Problem]]) -> None:
    """Raises UsageProblem for more answers than anybody waits for."""
    models = max(len(request.models), 1)
    n = sum(map(len, chosen.values())) * len(request.labels) * request.samples * models
    if n > _MOST_ANSWERS:
        raise UsageProblem(
            f"that is {n:,} answers, and a run has at most {_MOST_ANSWERS:,}", "lower --samples or --limit"
        )


def check_request(request: EvalRequest, tasks: Sequence[Task]) -> None:
    """Raises UsageProblem and UserError for what can never be right, before a model is opened."""
    if request.cross_score and len(request.models) < 2:
        raise UsageProblem("--cross-score needs two models", "give -m twice: the base, then the tuned model")
    if request.grader == "math-verify":
        require()  # before a model is opened
    prompting = request.prompting
    try:
        "".join(
            [
                *(prompting.system or "", request.answer_prefix or "", *prompting.stops),
                *map(str, prompting.template_args.values()),
            ]
        ).encode()
    except UnicodeEncodeError:
        raise UsageProblem(
            "--system, --stop, --template-arg and --answer-prefix must be valid Unicode"
        ) from None
    data = request.data
    if data is not None and data.is_file() and len(tasks) > 1:
        raise UsageProblem("--data names one file, and there are several tasks: name a folder")
    for task in tasks:
        if task.environment is not None:
            for options in request.labels.values():
                check_traces(options)
        if task.runs_code and not request.run_code:
            raise UserError(
                f"the tools of {task.name} run programs of the model, or of the task",
                "say --run-code if you want that",
            )
        if task.kind in UNVERIFIED and needs_expert(request.labels):
            raise UsageProblem(
                f"--method project asks a verifier while it writes: {task.name} has {UNVERIFIED[task.kind]}"
            )
        if request.form not in task.forms:
            forms = " or ".join(form for form in task.forms if form != "plain")
            raise UsageProblem(f"{task.name} has no prompt of style {request.form}: --prompt-style {forms}")
