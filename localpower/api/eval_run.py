"""An eval from its request to its folder: models opened in turn, answers made, programs run."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from localpower.api.compare import read_with
from localpower.api.eval_models import EvalModels, Surroundings
from localpower.api.eval_request import EvalRequest, settings_of
from localpower.api.labels import eval_methods, needs_expert
from localpower.api.programs import allowed, run_programs
from localpower.errors import Interrupted, UsageProblem, UserError
from localpower.evals import store
from localpower.evals.asking import Wording, ask
from localpower.evals.dates import dated
from localpower.evals.experts import UNVERIFIED, usable
from localpower.evals.grade import Grader
from localpower.evals.jobs import RenderedProblem
from localpower.evals.problem import Problem, subset
from localpower.evals.running import Running
from localpower.evals.scoring import Scorer
from localpower.evals.settings import (
    problem_rows,
    refuse_changes,
    refuse_other_graders,
    refuse_other_prompts,
)
from localpower.evals.sources import Source
from localpower.evals.task import Task
from localpower.evals.tasks import find_tasks
from localpower.grading.math_verify import require
from localpower.loading import Request

_MOST_ANSWERS = 1_000_000


@dataclass
class _Plan:
    """What is to be made, and what of it is there."""

    models: EvalModels
    asked: dict[str, dict[str, list[RenderedProblem]]]
    settings: dict[str, Any]
    problems: list[store.Row]
    rows: dict[store.Key, store.Row]


def run_eval(request: EvalRequest, around: Surroundings) -> bool:
    """Make what is missing; False where it was interrupted, then the same request goes on. Raises UserError."""
    tasks = find_tasks(request.tasks)
    _check_request(request, tasks)
    with store.Folder(request.out) as folder, around.interrupts:
        plan = _prepare(request, tasks, folder, around)
        try:
            _make(request, plan, folder, around)
            if request.cross_score:
                _cross_score(request, plan, around)
        except (Interrupted, KeyboardInterrupt):
            around.say(
                f"interrupted: {len(plan.rows)} answers are in {request.out}; the same command goes on from there"
            )
            return False
    if any(task.kind == "code" for task in tasks) and not request.run_code:
        around.say(f"note: no program was run; localpower regrade {request.out} --run-code runs them")
    if any(task.kind == "open" for task in tasks):
        around.say(f"note: open answers are compared by localpower regrade {request.out} --judge MODEL")
    return True


def _prepare(
    request: EvalRequest, tasks: Sequence[Task], folder: store.Folder, around: Surroundings
) -> _Plan:
    """Read the problems, open every model once, and settle what the run is about. Raises UserError."""
    before = None if folder.is_new else store.read(request.out, around.say)
    seed = request.seed if request.seed is not None else before.settings["seed"] if before else request.drawn
    source = Source(request.data, seed, request.password, request.since, request.until)
    problems = {
        task.name: dated(task.name, task.problems(source), request.since, request.until) for task in tasks
    }
    chosen = {task.name: subset(problems[task.name], request.limit) for task in tasks}
    _check_size(request, chosen)
    for name, some in chosen.items():
        if needs_expert(request.labels) and not any(problem.worked for problem in some):
            raise UserError(
                f"--method project needs worked answers, and no problem of {name} has one",
                'a task file names their field: worked = "solution"',
            )
    now = datetime.datetime.now().isoformat(timespec="seconds")
    created = before.settings["created"] if before else now
    models = EvalModels(around)
    asked, identities = _ask_all(request, models, tasks, chosen, datetime.datetime.fromisoformat(created))
    settings = settings_of(request, tasks, problems, identities, seed, created)
    rows = problem_rows(asked, save_text=request.save_text)
    if before:
        for note in refuse_changes(before.settings, settings, str(request.out)):
            around.say(f"note: {note}")
        refuse_other_prompts(before.problems, rows, str(request.out))
        settings["matched"] = before.settings["matched"]
    answers = {store.key(row): row for row in before.rows} if before else {}
    refuse_other_graders(answers.values(), settings, str(request.out))
    folder.begin(settings, rows)
    around.say(f"seed {seed} · answers go to {request.out}")
    if request.save_text and any(task.secret for task in tasks):
        around.say(
            "note: --save-text stores questions in clear: their authors ask that these are shown to nobody"
        )
    if answers:
        around.say(f"{len(answers)} answers are there already")
    return _Plan(models, asked, settings, rows, answers)


def _make(request: EvalRequest, plan: _Plan, folder: store.Folder, around: Surroundings) -> None:
    """Make what is missing, model by model; then run programs, if that is wished. Raises Interrupted."""
    current = ""
    with Grader(request.grader) as grader, around.watching() as watcher:
        methods = eval_methods(request.labels, lambda: plan.models.open(current), request.parallel, grader)
        running = Running(
            folder,
            plan.asked,
            methods,
            request.samples,
            plan.settings["seed"],
            request.parallel,
            request.save_text,
            grader,
            watcher,
            around.interrupts.check,
            plan.rows,
            {tuple(place): mean for *place, mean in plan.settings["matched"]},
        )

        def settle() -> None:
            plan.settings["matched"] = [[*place, mean] for place, mean in running.matched.items()]
            folder.begin(plan.settings, plan.problems)

        running.settle = settle
        for current in plan.models.requests:
            running.run(current, plan.models.open(current))
    if request.run_code:
        kinds = {name: task["kind"] for name, task in plan.settings["tasks"].items()}
        with Grader(
            run_code=True, seconds=request.seconds, packages=allowed(request.packages, True)
        ) as grader:
            run_programs(folder, plan.rows, kinds, grader, around.interrupts.check, around.say)


def _cross_score(request: EvalRequest, plan: _Plan, around: Surroundings) -> None:
    """Every model reads the others' answers, as `compare --scorer` does and into the same files. Raises Interrupted."""
    around.say("every model reads the answers of the others, one model in memory at a time")
    for label in plan.models.requests:
        reader = Scorer(plan.models.open(label), around.interrupts.check, around.say)
        read_with(reader, [store.read(request.out)], around.say, around.heard)
        del reader  # its memory is free before the next model needs some
    around.say(f"localpower compare {request.out} --sharpening says what that shows")


def _check_size(request: EvalRequest, chosen: Mapping[str, Sequence[Problem]]) -> None:
    """Raises UsageProblem for more answers than anybody waits for."""
    models = max(len(request.models), 1)
    n = sum(map(len, chosen.values())) * len(request.labels) * request.samples * models
    if n > _MOST_ANSWERS:
        raise UsageProblem(
            f"that is {n:,} answers, and a run has at most {_MOST_ANSWERS:,}", "lower --samples or --limit"
        )


def _check_request(request: EvalRequest, tasks: Sequence[Task]) -> None:
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
        if task.kind in UNVERIFIED and needs_expert(request.labels):
            raise UsageProblem(
                f"--method project asks a verifier while it writes: {task.name} has {UNVERIFIED[task.kind]}"
            )
        if request.form not in task.forms:
            forms = " or ".join(form for form in task.forms if form != "plain")
            raise UsageProblem(f"{task.name} has no prompt of style {request.form}: --prompt-style {forms}")


def _ask_all(
    request: EvalRequest,
    models: EvalModels,
    tasks: Sequence[Task],
    chosen: Mapping[str, Sequence[Problem]],
    started: datetime.datetime,
) -> tuple[dict[str, dict[str, list[RenderedProblem]]], dict[str, dict[str, Any]]]:
    """Every problem as every model is asked it, and what the models are. All are opened once, before any work."""
    asked, identities = {}, {}
    prompting, say = request.prompting, models.around.say
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
    )
    for each in request.models or (Request(),):
        label, loaded = models.learn(each)
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
        asked[label] = {
            task.name: ask(
                *(task, chosen[task.name], loaded, wording, request.max_tokens), notes.setdefault, show=show
            )
            for task in tasks
        }
        for note in notes:
            say(f"note: {label}: {note}")
        if show:
            with Grader(request.grader) as grader:
                for name, some in asked[label].items():
                    asked[label][name], left_out = usable(some, loaded, grader)
                    for note in left_out:
                        say(f"note: {label}: {note}")
        problems = [problem for some in asked[label].values() for problem in some]
        for name, some in asked[label].items():
            longest = max((len(problem.longest_prompt) for problem in some), default=0)
            cells = loaded.cells(longest, max((each.max_tokens for each in some), default=1), 1, 1)
            if cells is not None and cells.is_long:
                say(f"note: {label}: {name}: {cells.words('--parallel')}")
        if lost := loaded.unspelled(request.answer_prefix or ""):
            say(
                f"note: {label}: characters of --answer-prefix that no token spells, and that are left out: {lost}"
            )
        if lost := sum(loaded.unspelled(problem.text) for problem in problems):
            say(
                f"note: {label}: characters of the problems that no token spells, and that are left out: {lost}"
            )
        identities[label] = loaded.info.to_dict() | {"exactness": loaded.exactness}
    return asked, identities
