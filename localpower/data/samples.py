"""Answers of evals that may become training data, each with the prompt that it was drawn after.

What cannot become data is refused by name: prompts that were not stored, answers without log p, answers of several
models, whose token ids mean different things.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from localpower.errors import UsageProblem, UserError
from localpower.evals.store import Row, Stored
from localpower.evals.tasks import known
from localpower.grading.thoughts import OPENED
from localpower.model import Tokens

_ALL = "all"
_UNWEIGHTED = "approximate"  # of a run whose estimate of the normaliser is none, or of one that was cut short


@dataclass(frozen=True, slots=True)
class Choice:
    """Whose answers are taken. tasks: empty: of all. methods: empty: of the only one; `all`: of all, mixed.

    secrets: answers to questions that are not to be shown too.
    """

    tasks: Collection[str] = ()
    methods: Collection[str] = ()
    model: str | None = None
    secrets: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """An answer, and the prompt it was drawn after.

    run: of which of the folders. said: the user's message, or the whole prompt where chat is false. answer: its text,
    with the thought's opening where the prompt holds it. given: positions of tokens that were not drawn. log_p,
    entropy: of each token, nats. log_weight: nats; None: of a method that has none. settings: of the method, as JSON.
    """

    run: int
    task: str
    problem_id: str
    question: str
    system: str | None
    said: str
    chat: bool
    prompt: Tokens
    tokens: Tokens
    given: frozenset[int]
    answer: str
    extracted: str | None
    finish: str
    verdict: str
    grader: str
    method: str
    settings: str
    alpha: float
    seed: int
    sample: int
    log_p: tuple[float, ...]
    entropy: tuple[float, ...]
    log_weight: float | None
    version: str
    row: Row
    asked: Row

    @property
    def place(self) -> tuple[str, str]:
        """Its problem."""
        return self.task, self.problem_id

    @property
    def total(self) -> float:
        """log p of the answer, nats."""
        return math.fsum(self.log_p)


@dataclass(frozen=True, slots=True)
class Source:
    """Which model the answers are of. None: of the toy, which has no file."""

    name: str
    path: str | None
    sha256: str | None
    quantization: str | None


def samples_of(runs: Sequence[Stored], choice: Choice) -> tuple[Source, list[Sample]]:
    """The answers, in the order of problems (by sha256 of the id), folders, methods and samples.

    Raises UserError for answers that cannot become data, and where there are none.
    """
    choice = _resolved(runs, choice)
    rows = [(i, row) for i, run in enumerate(runs) for row in run.rows if _wanted(run, row, choice)]
    if not rows:
        raise UserError(f"there are no such answers in {', '.join(str(run.path) for run in runs)}")
    sources = {str(found.sha256 or found.name): found for i, row in rows for found in [_source(runs[i], row)]}
    if len(sources) > 1:
        names = sorted({row["model"] for _, row in rows})
        raise UserError(
            f"these are answers of {len(sources)} models, whose token ids and log p do not belong together: "
            f"{', '.join(names)}",
            "--model LABEL takes the answers of one" if len(names) > 1 else "export each folder by itself",
        )
    _refuse_mixtures({row["method"]: None for _, row in rows}, runs, choice)
    _refuse_secrets({row["task"] for _, row in rows}, choice)
    methods = list(dict.fromkeys(method for run in runs for method in run.settings["methods"]))
    found = [_sample(i, runs[i], row) for i, row in rows]
    found.sort(key=lambda x: (order(x.problem_id), x.task, x.run, methods.index(x.method), x.sample))
    return next(iter(sources.values())), found


def order(problem_id: str) -> bytes:
    """The key by which problems are put in order, the one of `eval --limit`."""
    return hashlib.sha256(problem_id.encode()).digest()


def _wanted(run: Stored, row: Row, choice: Choice) -> bool:
    names = (row["model"], run.settings["models"][row["model"]]["name"])
    return (
        (not choice.tasks or row["task"] in choice.tasks)
        and (not choice.methods or _ALL in choice.methods or row["method"] in choice.methods)
        and (choice.model is None or choice.model in names)
    )


def _resolved(runs: Sequence[Stored], choice: Choice) -> Choice:
    """With methods by their labels: a name may stand for the only label that begins with it. Raises UsageProblem."""
    labels = list(dict.fromkeys(label for run in runs for label in run.settings["methods"]))
    tasks = list(dict.fromkeys(task for run in runs for task in run.settings["tasks"]))
    pairs = [pair for run in runs for pair in run.settings["models"].items()]
    models = [name for label, one in pairs for name in (label, one["name"])]
    methods = []
    for name in choice.methods:
        near = [label for label in labels if label.split(":")[0] == name]
        methods.append(near[0] if name not in labels and len(near) == 1 else name)
    for option, named, there in (
        ("--task", choice.tasks, tasks),
        ("--method", methods, [*labels, _ALL]),
        ("--model", () if choice.model is None else (choice.model,), models),
    ):
        for name in named:
            if name not in there:
                raise UsageProblem(f"{option} {name}: there are {', '.join(dict.fromkeys(there))}")
    return replace(choice, methods=tuple(methods))


def _refuse_mixtures(labels: Collection[str], runs: Sequence[Stored], choice: Choice) -> None:
    """Raises UserError for answers from several laws that nobody asked to be mixed."""
    if _ALL in choice.methods:
        return
    if len(labels) > 1 and not choice.methods:
        raise UserError(
            f"these are answers by {len(labels)} methods: {', '.join(labels)}",
            f"--method LABEL takes those of one, --method {_ALL} mixes them",
        )
    for label in labels:
        laws = {json.dumps(run.settings["methods"].get(label)) for run in runs} - {"null"}
        if len(laws) > 1:
            raise UserError(
                f"the method {label} has other settings in one folder than in another",
                f"export each by itself; --method {_ALL} mixes them",
            )


def _source(run: Stored, row: Row) -> Source:
    identity = run.settings["models"][row["model"]]
    return Source(*(identity.get(name) for name in ("name", "path", "sha256", "quantization")))


def _refuse_secrets(tasks: Collection[str], choice: Choice) -> None:
    for name in sorted(tasks):
        task = known(name)
        if task is not None and task.secret and not choice.secrets:
            raise UserError(
                f"the authors of {name} ask that its questions are shown to nobody",
                "--save-text writes them into the data all the same, where eval --save-text has stored them",
            )


def _sample(i: int, run: Stored, row: Row) -> Sample:
    problem = run.problems[row["task"], row["id"]]
    asked = problem["prompts"][row["model"]]
    where = f"{row['id']} in {run.path}"
    if asked["tokens"] is None or asked["text"] is None or row["text"] is None:
        hint = "eval --save-text stores it, in a folder that is new"
        raise UserError(f"the prompt of {where} was not stored", hint)
    prompt, tokens = tuple(asked["tokens"]), tuple(row["tokens"])
    sha256 = hashlib.sha256(json.dumps(list(prompt)).encode()).hexdigest()
    if asked["sha256"] not in ("", sha256) or row.get("prompt_tokens", len(prompt)) != len(prompt):
        wrong = f"the stored prompt of {where} is not the one that was asked"
        raise UserError(wrong, "the folder is damaged")
    if not len(row["token_log_p"]) == len(row["token_entropy"]) == len(tokens):
        raise UserError(
            f"sample {row['sample']} of {where} by {row['method']} has no log p for each of its tokens",
            "remove its line from answers.jsonl, and eval makes it again",
        )
    settings = row.get("settings") or run.settings["methods"][row["method"]]
    return Sample(
        run=i,
        task=row["task"],
        problem_id=row["id"],
        question=_valid(problem["question"] or ""),
        system=run.settings["system"] if asked["chat"] else None,
        said=_valid(asked["text"]),
        chat=asked["chat"],
        prompt=prompt,
        tokens=tokens,
        given=frozenset(row.get("given", ())),
        answer=OPENED * bool(asked.get("thinking")) + _valid(row["text"]),
        extracted=row["extracted"],
        finish=row["finish"],
        verdict=row["verdict"],
        grader=row["grader"],
        method=row["method"],
        settings=json.dumps(settings, sort_keys=True),
        alpha=float(row.get("alpha") or 1.0),
        seed=int(row.get("seed") or 0),
        sample=row["sample"],
        log_p=tuple(map(float, row["token_log_p"])),
        entropy=tuple(map(float, row["token_entropy"])),
        log_weight=None if row.get("guarantee") == _UNWEIGHTED else row.get("log_z"),
        version=str(row.get("version", "")),
        row=row,
        asked=asked,
    )


def _valid(text: str) -> str:
    """A text that can be written as UTF-8; a folder that something else has written may hold lone surrogates."""
    return text.encode("utf-8", "replace").decode()


def missing(runs: Sequence[Stored]) -> Iterator[str]:
    """What to say of folders in which not all answers are there yet."""
    for run in runs:
        yield from run.lacking
        if run.lacking:
            continue
        wanted = len(run.problems) * len(run.settings["methods"]) * len(run.settings["models"])
        wanted *= run.settings.get("samples", 1)
        if len(run.rows) < wanted:
            yield f"{run.path} holds {len(run.rows):,} of {wanted:,} answers: its eval was stopped"
