"""What an eval is asked to do, what of that is refused before a model is opened, and how it is written down."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localpower import __version__
from localpower.api.cluster.spec import WorkersSpec
from localpower.api.labels import needs_expert, to_json
from localpower.api.programs import allowed
from localpower.api.question import check_traces
from localpower.api.request import PromptOptions, SamplingOptions, whole_number
from localpower.errors import UsageProblem, UserError
from localpower.evals import store
from localpower.evals.dates import check_date, dated
from localpower.evals.experts import UNVERIFIED
from localpower.evals.parts import Shard
from localpower.evals.problem import Problem
from localpower.evals.settings import fingerprint
from localpower.evals.sources import Source
from localpower.evals.task import Task
from localpower.grading.math_verify import require
from localpower.loaded import Loaded
from localpower.loading import Request
from localpower.names import GRADERS
from localpower.readers import MOST_RUNS

_LONGEST_PREFIX = 4000  # characters
_MOST_ANSWERS = 1_000_000
_LARGEST = {"seed": 2**64 - 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalRequest:
    """What an eval is about: the arguments of `localpower.evaluate`, and these.

    labels: methods by label. models: to be opened, or opened already; none: the default. seed: None: the folder's own
    where it has one, else `drawn`. limit: problems of each task. samples: answers to each problem. max_tokens: None:
    the task's own. form: how a problem is put. data: a file or a folder of files. password: asks for GPQA's. parallel:
    answers in one batch. workers: None: this process makes the answers.
    """

    tasks: tuple[str, ...]
    labels: Mapping[str, SamplingOptions]
    out: Path
    drawn: int
    models: tuple[Request | Loaded, ...] = ()
    seed: int | None = None
    limit: int | None = None
    samples: int = 1
    max_tokens: int | None = None
    form: str = "chat"
    prompting: PromptOptions = field(default_factory=PromptOptions)
    own_stops: bool = True
    answer_prefix: str | None = None
    grader: str = "value"
    data: Path | None = None
    password: Callable[[], str] = str
    parallel: int | None = None
    save_text: bool = False
    run_code: bool = False
    packages: tuple[str, ...] = ()
    seconds: float = 10.0
    since: str = ""
    until: str = ""
    cross_score: bool = False
    shard: Shard | None = None
    workers: WorkersSpec | None = None
    copy_model: bool = False
    max_turns: int | None = None
    observation_tokens: int | None = None
    fresh_environment: bool = False

    def __post_init__(self) -> None:
        """Raises UsageProblem for values that can never be right."""
        if not self.tasks or not self.labels:
            raise UsageProblem("an eval needs a task and a method")
        for name, low in (("limit", 1), ("samples", 1), ("max_tokens", 1), ("parallel", 1), ("seed", 0)):
            value, most = (
                getattr(self, name),
                MOST_RUNS if name == "parallel" else _LARGEST.get(name, 2**31 - 1),
            )
            if value is not None:
                object.__setattr__(self, name, whole_number(name, value, low, most))
        _check_prefix(self.answer_prefix)
        if self.grader not in GRADERS:
            raise UsageProblem(f"the grader is one of {', '.join(GRADERS)}, got {self.grader!r}")
        if not 0.1 <= self.seconds <= 600:
            raise UsageProblem(f"seconds must be from 0.1 to 600, got {self.seconds!r}")
        allowed(self.packages, self.run_code)
        for name in ("since", "until"):
            check_date(f"--{name}", getattr(self, name))
        self._check_split()

    def seed_for(self, before: store.Stored | None) -> int:
        """Its own, else that of the answers that are there, else the one that was drawn."""
        if self.seed is not None:
            return self.seed
        return self.drawn if before is None else int(before.settings["seed"])

    def problems(self, tasks: Sequence[Task], seed: int) -> dict[str, list[Problem]]:
        """All of each task, from `since` to `until`. Raises UserError."""
        source = Source(self.data, seed, self.password, self.since, self.until)
        return {task.name: dated(task.name, task.problems(source), self.since, self.until) for task in tasks}

    def _check_split(self) -> None:
        """Raises UsageProblem for what a part of a run cannot do."""
        if self.shard is not None and self.workers is not None:
            raise UsageProblem("--shard makes one part, and --workers make all of them: give one of the two")
        jobs = self.workers is not None and self.workers.kind == "slurm"
        if self.shard is None and not jobs:
            return
        what = "--workers slurm" if jobs else "--shard"
        if self.cross_score:
            raise UsageProblem(
                f"--cross-score needs all answers, and {what} makes parts of them",
                "localpower compare DIR --scorer MODEL reads them when all are made",
            )
        if any(":matched" in label for label in self.labels):
            raise UsageProblem(
                f"best-of-n:matched is matched to all answers of power, and {what} makes parts of them",
                "give a number: best-of-n:n=8",
            )


def _check_prefix(prefix: Any) -> None:
    """Raises UsageProblem for what can open no answer."""
    if prefix is None:
        return
    if not isinstance(prefix, str) or not prefix:
        raise UsageProblem(f"--answer-prefix is a text of at least one character, got {prefix!r}")
    if len(prefix) > _LONGEST_PREFIX:
        raise UsageProblem(
            f"--answer-prefix has {len(prefix):,} characters; the opening of an answer has at most {_LONGEST_PREFIX:,}"
        )


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


def settings_of(
    request: EvalRequest,
    tasks: Sequence[Task],
    problems: Mapping[str, Sequence[Problem]],
    identities: Mapping[str, dict[str, Any]],
    seed: int,
    created: str,
) -> dict[str, Any]:
    """What settings.json holds: all that another start of the same run may not change."""
    return {
        "format": store.FORMAT,
        "version": __version__,
        "created": created,
        "seed": seed,
        "limit": request.limit,
        **({"since": request.since} if request.since else {}),
        **({"until": request.until} if request.until else {}),
        "samples": request.samples,
        "prompt": request.form,
        "system": request.prompting.system,
        "raw": request.prompting.raw,
        "template_args": dict(request.prompting.template_args),
        "stops": list(request.prompting.stops),
        "own_stops": request.own_stops,
        "think": request.prompting.think,
        "thinking_budget": request.prompting.thinking_budget,
        "answer_prefix": request.answer_prefix,
        "grader": request.grader,
        "save_text": request.save_text,
        "tasks": {
            task.name: {
                "kind": task.kind,
                "max_tokens": request.max_tokens or task.max_tokens,
                "n_problems": len(problems[task.name]),
                "problems_sha256": fingerprint(problems[task.name]),
                "licence": task.licence,
                **(_tools(request, task) if task.tools else {}),
            }
            for task in tasks
        },
        "methods": {label: to_json(each) for label, each in request.labels.items()},
        "models": dict(identities),
        "matched": [],
    }


def _tools(request: EvalRequest, task: Task) -> dict[str, Any]:
    """What a task with tools depends on besides."""
    return {
        "tools": task.tools,
        **({"tools_sha256": task.tools_sha256} if task.tools_sha256 else {}),
        "tool_format": task.tool_format,
        "max_turns": request.max_turns or task.max_turns,
        "observation_tokens": request.observation_tokens or task.observation_tokens,
        "fresh_environment": request.fresh_environment,
    }
