"""An eval from its request to its folder: models opened in turn, answers made, programs run."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

from localpower.api.cluster.sharing import crew_of, require_workers, share
from localpower.api.cluster.work import Work, WorkModel
from localpower.api.compare import read_with
from localpower.api.eval_asking import Asked, ask_all
from localpower.api.eval_models import EvalModels, Surroundings
from localpower.api.eval_request import EvalRequest, check_request, check_size, settings_of
from localpower.api.labels import eval_methods, needs_expert
from localpower.api.programs import allowed, run_programs
from localpower.errors import Interrupted, UsageProblem, UserError
from localpower.evals import store
from localpower.evals.grade import Grader
from localpower.evals.jobs import EvalMethod
from localpower.evals.parts import Part, has_any, read_run
from localpower.evals.problem import subset
from localpower.evals.running import Running, Watcher
from localpower.evals.scoring import Scorer
from localpower.evals.settings import (
    problem_rows,
    refuse_changes,
    refuse_other_graders,
    refuse_other_prompts,
)
from localpower.evals.task import Task
from localpower.evals.tasks import find_tasks
from localpower.runs.forecast import Forecast


@dataclass
class _Plan:
    """What is to be made, and what of it is there. foreign: answers that other folders of the run hold.

    work: for workers; None: this process makes the answers.
    """

    models: EvalModels
    asked: dict[str, Asked]
    settings: dict[str, Any]
    problems: list[store.Row]
    rows: dict[store.Key, store.Row]
    foreign: frozenset[store.Key]
    work: Work | None = None

    @property
    def own(self) -> dict[store.Key, store.Row]:
        """The answers that are this folder's to keep."""
        return {key: row for key, row in self.rows.items() if key not in self.foreign}


def run_eval(request: EvalRequest, around: Surroundings) -> bool:
    """Make what is missing; False where it was interrupted, then the same request goes on. Raises UserError."""
    tasks = find_tasks(request.tasks)
    check_request(request, tasks)
    require_workers(request.workers)
    if request.workers is not None and request.workers.kind == "slurm":
        from localpower.api.cluster.slurm import run_jobs

        whole = run_jobs(request, tasks, around)
    else:
        whole = _run_here(request, tasks, around)
    if whole and any(task.kind == "code" for task in tasks) and not request.run_code:
        around.say(f"note: no program was run; localpower regrade {request.out} --run-code runs them")
    if whole and any(task.kind == "open" for task in tasks):
        around.say(f"note: open answers are compared by localpower regrade {request.out} --judge MODEL")
    return whole


def _run_here(request: EvalRequest, tasks: Sequence[Task], around: Surroundings) -> bool:
    """By this process, or by workers that it tells what to do."""
    place = Part(request.out, request.shard) if request.shard else store.Folder(request.out)
    with place as folder, around.interrupts:
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
    return True


def estimate(request: EvalRequest, around: Surroundings) -> list[Forecast]:
    """What a run would make and take, by this machine's pace. Nothing is written. Raises UserError, Interrupted."""
    tasks = find_tasks(request.tasks)
    check_request(request, tasks)
    with around.interrupts:
        plan, found = _prepare(request, tasks, None, around), list[Forecast]()
        current = ""
        with Grader(request.grader) as grader, around.watching() as watcher:
            methods = eval_methods(
                request.labels, lambda: plan.models.open(current), request.parallel, grader
            )
            running = _running(request, plan, None, methods, grader, watcher, around)
            for current in plan.models.requests:
                found += running.forecasts(current, plan.models.open(current))[0]
    return found


def _prepare(
    request: EvalRequest, tasks: Sequence[Task], folder: store.Folder | None, around: Surroundings
) -> _Plan:
    """Read the problems, open every model once, and settle what the run is about. Raises UserError.

    folder: None: nothing is written.
    """
    new = folder is None or folder.is_new
    before = read_run(request.out, around.say) if has_any(request.out) else None
    seed = request.seed_for(before)
    if request.shard and request.seed is None and before is None:
        raise UsageProblem(
            "--shard needs a --seed", "the same for all shards: without one each would draw its own"
        )
    problems = request.problems(tasks, seed)
    chosen = {task.name: subset(problems[task.name], request.limit) for task in tasks}
    check_size(request, chosen)
    for name, some in chosen.items():
        if needs_expert(request.labels) and not any(problem.worked for problem in some):
            raise UserError(
                f"--method project needs worked answers, and no problem of {name} has one",
                'a task file names their field: worked = "solution"',
            )
    if request.shard:
        chosen = {name: [p for p in some if request.shard.has(p.id)] for name, some in chosen.items()}
    now = datetime.datetime.now().isoformat(timespec="seconds")
    created = before.settings["created"] if before else now
    models, started = EvalModels(around, request.copy_model), datetime.datetime.fromisoformat(created)
    asked, identities = ask_all(request, models, tasks, chosen, started)
    settings = settings_of(request, tasks, problems, identities, seed, created)
    rows = problem_rows(asked, save_text=request.save_text)
    if before:
        elsewhere = request.shard is not None
        for note in refuse_changes(before.settings, settings, str(request.out), elsewhere=elsewhere):
            around.say(f"note: {note}")
        refuse_other_prompts(before.problems, rows, str(request.out))
        settings["matched"] = before.settings["matched"]
    answers, own = _answers(before, folder, new=new, problems=rows)
    refuse_other_graders(answers.values(), settings, str(request.out))
    work = None
    if request.workers:
        known = {label: WorkModel.of(models.requests[label], models.open(label)) for label in asked}
        work = Work.of(request, chosen, started, seed, known)
    if folder is not None:
        folder.begin(settings, rows)
        around.say(f"seed {seed} · answers go to {folder.path}")
    if request.save_text and any(task.secret for task in tasks):
        around.say(
            "note: --save-text stores questions in clear: their authors ask that these are shown to nobody"
        )
    if answers:
        around.say(f"{len(answers)} answers are there already")
    return _Plan(models, asked, settings, rows, answers, frozenset(answers) - own, work)


def _answers(
    before: store.Stored | None, folder: store.Folder | None, *, new: bool, problems: Sequence[store.Row]
) -> tuple[dict[store.Key, store.Row], frozenset[store.Key]]:
    """What is there to the problems that are asked, and the keys of what the folder itself holds."""
    if before is None:
        return {}, frozenset()
    places = {(row["task"], row["id"]) for row in problems}
    answers = {key: row for row in before.rows if (key := store.key(row))[:2] in places}
    if folder is None or new:
        return answers, frozenset()
    if folder.path == before.path and not store.parts_in(folder.path):
        return answers, frozenset(answers)
    return answers, frozenset(map(store.key, store.read(folder.path).rows))


def _make(request: EvalRequest, plan: _Plan, folder: store.Folder, around: Surroundings) -> None:
    """Make what is missing, model by model; then run programs, if that is wished. Raises Interrupted."""
    current = ""
    with Grader(request.grader) as grader, around.watching() as watcher:
        methods = eval_methods(request.labels, lambda: plan.models.open(current), request.parallel, grader)
        running = _running(request, plan, folder, methods, grader, watcher, around)

        def settle() -> None:
            plan.settings["matched"] = [[*place, mean] for place, mean in running.matched.items()]
            folder.begin(plan.settings, plan.problems)

        running.settle = settle

        def note(line: str) -> None:
            with watcher.aside():
                around.say(line)

        with ExitStack() as held:
            crew = None
            if plan.work is not None and request.workers is not None:
                crew = held.enter_context(closing(crew_of(request.workers, plan.work, note)))
            for current in plan.models.requests:
                if crew is None:
                    running.run(current, plan.models.open(current))
                else:
                    share(running, current, plan.models, crew)
    if request.run_code:
        kinds = {name: task["kind"] for name, task in plan.settings["tasks"].items()}
        with Grader(
            run_code=True, seconds=request.seconds, packages=allowed(request.packages, True)
        ) as grader:
            run_programs(folder, plan.own, kinds, grader, around.interrupts.check, around.say)


def _running(
    request: EvalRequest,
    plan: _Plan,
    folder: store.Folder | None,
    methods: Sequence[EvalMethod],
    grader: Grader,
    watcher: Watcher,
    around: Surroundings,
) -> Running:
    return Running(
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


def _cross_score(request: EvalRequest, plan: _Plan, around: Surroundings) -> None:
    """Every model reads the others' answers, as `compare --scorer` does and into the same files. Raises Interrupted."""
    around.say("every model reads the answers of the others, one model in memory at a time")
    for label in plan.models.requests:
        reader = Scorer(plan.models.open(label), around.interrupts.check, around.say)
        read_with(reader, [read_run(request.out)], around.say, around.heard)
        del reader  # its memory is free before the next model needs some
    around.say(f"localpower compare {request.out} --sharpening says what that shows")
