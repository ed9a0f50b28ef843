"""An eval from its options to its table: models opened in turn, answers made, programs run, the folder summed up."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from localpower import __version__
from localpower.cli.asking import open_model
from localpower.cli.comparing import show
from localpower.cli.methods import make_methods, to_json
from localpower.cli.planning import SamplingOptions, method_of, template_arguments, used_by_none
from localpower.cli.regrading import run_programs
from localpower.cli.terminal import can_redraw, notes, say
from localpower.errors import EXIT_INTERRUPTED, EXIT_OK, Interrupted, UsageProblem
from localpower.evals import store
from localpower.evals.asking import Wording, ask
from localpower.evals.grade import Grader
from localpower.evals.jobs import RenderedProblem
from localpower.evals.problem import Problem, subset
from localpower.evals.running import Running
from localpower.evals.settings import (
    fingerprint,
    problem_rows,
    refuse_changes,
    refuse_other_graders,
    refuse_other_prompts,
)
from localpower.evals.sources import Source
from localpower.evals.task import Task
from localpower.evals.tasks import find_tasks
from localpower.grading.math_verify import require
from localpower.loaded import Loaded
from localpower.runs.interrupt import Interrupts
from localpower.ui.progress import Progress

_MOST_ANSWERS = 1_000_000


@dataclass(frozen=True, slots=True)
class EvalRequest:
    """What the command line says. seed: None: the folder's own where it has one, else `drawn`.

    given: names of the options that were not left at their default.
    """

    tasks: tuple[str, ...]
    labels: Mapping[str, SamplingOptions]
    out: Path
    seed: int | None
    drawn: int
    password: str | None
    given: Collection[str]
    options: dict[str, Any]


@dataclass
class _Models:
    """The models by label, one of them open at a time."""

    options: dict[str, Any]
    interrupts: Interrupts
    open_one: tuple[str, Loaded] | None = None
    names: dict[str, str | None] = field(default_factory=dict)
    known: dict[str | None, str] = field(default_factory=dict)  # labels by sha256

    def open(self, label: str) -> Loaded:
        """The model of a label."""
        if self.open_one is None or self.open_one[0] != label:
            self.open_one = None  # its memory is free before the next one needs some
            self.open_one = (label, open_model(self.options | {"model": self.names[label]}, self.interrupts))
        return self.open_one[1]

    def learn(self, name: str | None) -> tuple[str, Loaded]:
        """Open a model for the first time; its label is its name, or its path where two are called the same."""
        self.open_one = None
        loaded = open_model(self.options | {"model": name}, self.interrupts)
        sha256 = loaded.identity["sha256"]
        if sha256 in self.known:
            raise UsageProblem(f"-m {name} is the same model as {self.known[sha256]}")
        label = str(
            loaded.identity["path"] if loaded.identity["name"] in self.names else loaded.identity["name"]
        )
        self.known[sha256] = label
        self.names[label], self.open_one = name, (label, loaded)
        return label, loaded


@dataclass
class _Plan:
    """What is to be made, and what of it is there."""

    models: _Models
    asked: dict[str, dict[str, list[RenderedProblem]]]
    settings: dict[str, Any]
    problems: list[store.Row]
    rows: dict[store.Key, store.Row]


def start(wanted: EvalRequest) -> int:
    """Run what is wanted; returns the exit code."""
    options = wanted.options
    tasks = find_tasks(wanted.tasks)
    _check_options(options, tasks)
    for name in used_by_none([method_of(each) for each in wanted.labels.values()], wanted.given):
        say(f"note: {name} means nothing to these methods")
    with store.Folder(wanted.out) as folder, Interrupts() as interrupts:
        plan = _prepare(wanted, tasks, folder, interrupts)
        try:
            _make(wanted, plan, folder, interrupts)
        except (Interrupted, KeyboardInterrupt):
            say(
                f"interrupted: {len(plan.rows)} answers are in {wanted.out}; the same command goes on from there"
            )
            return EXIT_INTERRUPTED
    if any(task.kind == "code" for task in tasks) and not options["run_code"]:
        say(f"note: no program was run; localpower regrade {wanted.out} --run-code runs them")
    if any(task.kind == "open" for task in tasks):
        say(f"note: open answers are compared by localpower regrade {wanted.out} --judge MODEL")
    show([wanted.out])
    return EXIT_OK


def _prepare(
    wanted: EvalRequest, tasks: Sequence[Task], folder: store.Folder, interrupts: Interrupts
) -> _Plan:
    """Read the problems, open every model once, and settle what the run is about. Raises UserError."""
    options = wanted.options
    is_new = folder.is_new
    if not is_new:
        folder.trim()
    before = None if is_new else store.read(wanted.out)
    seed = wanted.seed if wanted.seed is not None else before.settings["seed"] if before else wanted.drawn
    problems = {task.name: task.problems(_source(wanted, seed)) for task in tasks}
    chosen = {task.name: subset(problems[task.name], options["limit"]) for task in tasks}
    _check_size(wanted, chosen)
    now = datetime.datetime.now().isoformat(timespec="seconds")
    created = before.settings["created"] if before else now
    models = _Models(options, interrupts)
    wording = _wording(options, datetime.datetime.fromisoformat(created))
    asked, identities = _ask_all(models, tasks, chosen, wording, options)
    settings = _settings(wanted, tasks, problems, identities, seed, created)
    rows = problem_rows(asked, save_text=options["save_text"])
    if before:
        for note in refuse_changes(before.settings, settings, str(wanted.out)):
            say(f"note: {note}")
        refuse_other_prompts(before.problems, rows, str(wanted.out))
        settings["matched"] = before.settings["matched"]
    folder.begin(settings, rows)
    say(f"seed {seed} · answers go to {wanted.out}")
    if options["save_text"] and any(task.secret for task in tasks):
        say("note: --save-text stores questions in clear: their authors ask that these are shown to nobody")
    answers = {store.key(row): row for row in before.rows} if before else {}
    refuse_other_graders(answers.values(), settings, str(wanted.out))
    if answers:
        say(f"{len(answers)} answers are there already")
    return _Plan(models, asked, settings, rows, answers)


def _make(wanted: EvalRequest, plan: _Plan, folder: store.Folder, interrupts: Interrupts) -> None:
    """Make what is missing, model by model; then run programs, if that is wished. Raises Interrupted."""
    options, current = wanted.options, ""
    methods = make_methods(wanted.labels, lambda: plan.models.open(current), options["parallel"])
    with Grader(options["grader"]) as grader, Progress(notes(), redraw=can_redraw()) as progress:
        running = Running(
            folder,
            plan.asked,
            methods,
            options["samples"],
            plan.settings["seed"],
            options["parallel"],
            options["save_text"],
            grader,
            progress,
            interrupts.check,
            plan.rows,
            {tuple(place): mean for *place, mean in plan.settings["matched"]},
        )

        def settle() -> None:
            plan.settings["matched"] = [[*place, mean] for place, mean in running.matched.items()]
            folder.begin(plan.settings, plan.problems)

        running.settle = settle
        for current in plan.models.names:
            running.run(current, plan.models.open(current))
    if options["run_code"]:
        kinds = {name: task["kind"] for name, task in plan.settings["tasks"].items()}
        run_programs(folder, plan.rows, kinds, options["seconds"], interrupts)


def _check_size(wanted: EvalRequest, chosen: Mapping[str, Sequence[Problem]]) -> None:
    """Raises UsageProblem for more answers than anybody waits for."""
    models = max(len(wanted.options["models"]), 1)
    n = sum(map(len, chosen.values())) * len(wanted.labels) * wanted.options["samples"] * models
    if n > _MOST_ANSWERS:
        raise UsageProblem(
            f"that is {n:,} answers, and a run has at most {_MOST_ANSWERS:,}", "lower --samples or --limit"
        )


def _check_options(options: dict[str, Any], tasks: Sequence[Task]) -> None:
    if not all(options["stops"]):
        raise click.UsageError("--stop must not be empty")
    template_arguments(options["template_args"])
    if options["grader"] == "math-verify":
        require()  # before a model is opened
    try:
        "".join([options["system"] or "", *options["stops"], *options["template_args"]]).encode()
    except UnicodeEncodeError:
        raise click.UsageError("--system, --stop and --template-arg must be valid Unicode") from None
    data = options["data"]
    if data is not None and data.is_file() and len(tasks) > 1:
        raise click.UsageError("--data names one file, and there are several tasks: name a folder")
    for task in tasks:
        if options["form"] not in task.forms:
            forms = " or ".join(form for form in task.forms if form != "plain")
            raise click.UsageError(f"the paper has no prompt for {task.name}: --prompt-style {forms}")


def _source(wanted: EvalRequest, seed: int) -> Source:
    def password() -> str:
        if wanted.password is not None:
            return wanted.password
        return str(click.prompt("GPQA password", hide_input=True, err=True)) if sys.stdin.isatty() else ""

    return Source(wanted.options["data"], seed, password)


def _wording(options: dict[str, Any], started: datetime.datetime) -> Wording:
    return Wording(
        options["form"],
        options["raw"],
        options["system"],
        template_arguments(options["template_args"]),
        tuple(options["stops"]),
        not options["no_stops"],
        started,
    )


def _ask_all(
    models: _Models,
    tasks: Sequence[Task],
    chosen: Mapping[str, Sequence[Problem]],
    wording: Wording,
    options: dict[str, Any],
) -> tuple[dict[str, dict[str, list[RenderedProblem]]], dict[str, dict[str, Any]]]:
    """Every problem as every model is asked it, and what the models are. All are opened once, before any work."""
    asked, identities = {}, {}
    for name in options["models"] or (None,):
        label, loaded = models.learn(name)
        for note in loaded.notes:
            say(f"note: {label}: {note}")
        through = [task for task in tasks if task.forms[options["form"]].template]
        if through and not loaded.has_template and not options["raw"]:
            say(f"note: {label} has no chat template: prompts are sent as text")
        asked[label] = {
            task.name: ask(task, chosen[task.name], loaded, wording, options["max_tokens"]) for task in tasks
        }
        identities[label] = loaded.identity | {"exactness": loaded.exactness}
    return asked, identities


def _settings(
    wanted: EvalRequest,
    tasks: Sequence[Task],
    problems: Mapping[str, Sequence[Problem]],
    identities: Mapping[str, dict[str, Any]],
    seed: int,
    created: str,
) -> dict[str, Any]:
    options = wanted.options
    return {
        "format": store.FORMAT,
        "version": __version__,
        "created": created,
        "seed": seed,
        "limit": options["limit"],
        "samples": options["samples"],
        "prompt": options["form"],
        "system": options["system"],
        "raw": options["raw"],
        "template_args": template_arguments(options["template_args"]),
        "stops": list(options["stops"]),
        "own_stops": not options["no_stops"],
        "grader": options["grader"],
        "save_text": options["save_text"],
        "tasks": {
            task.name: {
                "kind": task.kind,
                "max_tokens": options["max_tokens"] or task.max_tokens,
                "n_problems": len(problems[task.name]),
                "problems_sha256": fingerprint(problems[task.name]),
            }
            for task in tasks
        },
        "methods": {label: to_json(each) for label, each in wanted.labels.items()},
        "models": dict(identities),
        "matched": [],
    }
