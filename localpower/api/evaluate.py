"""`localpower.evaluate`: an eval from Python, quiet unless it is asked to speak."""

from __future__ import annotations

import secrets
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from localpower.api.cluster.spec import WorkersSpec
from localpower.api.compare import Report, compare
from localpower.api.eval_models import Surroundings
from localpower.api.eval_request import EvalRequest
from localpower.api.eval_run import run_eval
from localpower.api.labels import label_methods
from localpower.api.model import Model
from localpower.api.request import PromptOptions
from localpower.errors import Interrupted
from localpower.evals import store
from localpower.evals.parts import Shard, read_run
from localpower.evals.running import Watcher
from localpower.loading import Request
from localpower.methods import Method
from localpower.model import Tokens
from localpower.runs.forecast import Forecast
from localpower.runs.interrupt import Interrupts


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalAnswer:
    """verdict: right, wrong, none (nothing that could be an answer) or ungraded. extracted: what was graded.

    text: None: it was not stored; it begins with answer_prefix, where every answer was given one. tokens: those drawn.
    method: the label. token_log_p, token_entropy: of each token, nats. first_drawn: tokens of the draws before any
    step. Other fields are those of `Answer`; `to_dict` gives all that the line holds.
    """

    task: str
    id: str
    model: str
    method: str
    sample: int
    seed: int
    text: str | None
    tokens: Tokens
    finish: str
    verdict: str
    extracted: str | None
    grader: str
    log_p: float
    n_tokens: int
    decoded_tokens: int
    first_drawn: int
    seconds: float
    acceptance_rate: float | None
    token_log_p: tuple[float, ...]
    token_entropy: tuple[float, ...]
    answer_prefix: str | None
    thinking_tokens: int | None
    row: dict[str, Any]

    @classmethod
    def of(cls, row: dict[str, Any]) -> EvalAnswer:
        """From a line of answers.jsonl."""
        known = {each.name: row.get(each.name) for each in fields(cls)} | {"row": row}
        lists = {name: tuple(row[name]) for name in ("tokens", "token_log_p", "token_entropy")}
        return cls(**(known | lists))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return dict(self.row)


@dataclass(frozen=True, slots=True)
class EvalRun:
    """A folder of answers. settings: what it is about, as settings.json has it."""

    path: Path
    settings: dict[str, Any]
    answers: tuple[EvalAnswer, ...]

    @classmethod
    def read(cls, path: str | Path) -> EvalRun:
        """What a folder holds, with all its parts. Raises UserError for one that holds no run."""
        stored = read_run(Path(path))
        return cls(stored.path, stored.settings, tuple(map(EvalAnswer.of, stored.rows)))

    def report(self, baseline: str | None = None) -> Report:
        """Accuracy with intervals, paired differences, pass@k, costs and likelihoods."""
        return compare(self.path, baseline=baseline)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "path": str(self.path),
            "settings": self.settings,
            "answers": [answer.to_dict() for answer in self.answers],
        }


def evaluate(
    tasks: str | Sequence[str],
    models: Model | str | Path | Sequence[Model | str | Path] = (),
    methods: Method | str | Sequence[Method | str] = ("base", "low-temp", "power"),
    *,
    out: str | Path,
    seed: int | None = None,
    limit: int | None = None,
    samples: int = 1,
    max_tokens: int | None = None,
    form: str = "chat",
    system: str | None = None,
    raw: bool = False,
    stops: Sequence[str] = (),
    answer_prefix: str | None = None,
    think: bool | None = None,
    thinking_budget: int | None = None,
    template_args: Mapping[str, Any] | None = None,
    grader: str = "value",
    data: str | Path | None = None,
    since: str = "",
    until: str = "",
    parallel: int | None = None,
    save_text: bool = False,
    run_code: bool = False,
    packages: Sequence[str] = (),
    seconds: float = 10.0,
    cross_score: bool = False,
    shard: str | None = None,
    workers: str | None = None,
    copy_model: bool = False,
    max_turns: int | None = None,
    observation_tokens: int | None = None,
    fresh_environment: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> EvalRun:
    """Ask models the problems of tasks by several methods: the same folder and answers as by `localpower eval`.

    models: loaded ones, names or files; none: the default. out: the folder; a run that was stopped goes on there.
    answer_prefix: an opening that every answer is given: it is conditioned on and graded, and not drawn.
    think, thinking_budget: as of `generate`. since, until: dates of problems, YYYY, YYYY-MM or YYYY-MM-DD.
    packages: that programs may import, where run_code lets them run. cross_score: at the end every model reads the
    others' answers, for `compare(..., sharpening=True)`. shard: "I/N": only this part of the problems, into a part
    of the folder. workers: "local:K", "slurm:PARTITION" or "ray": who makes the answers (docs/cluster.md); copy_model:
    the models' files are copied to each machine's own disk first. max_turns, observation_tokens, fresh_environment: of
    tasks with tools (docs/tools.md). say: hears what a user should know. Raises UserError, and KeyboardInterrupt for
    Ctrl-C: every answer that was made stays.
    """
    models = (models,) if isinstance(models, Model | str | Path) else models
    methods = (methods,) if isinstance(methods, Method | str) else methods
    requests = tuple(each.loaded if isinstance(each, Model) else Request(str(each)) for each in models)
    request = EvalRequest(
        tasks=(tasks,) if isinstance(tasks, str) else tuple(tasks),
        labels=label_methods(methods, {}),
        out=Path(out),
        drawn=secrets.randbits(32),
        models=requests,
        seed=seed,
        limit=limit,
        samples=samples,
        max_tokens=max_tokens,
        form=form,
        prompting=PromptOptions.of(system, raw, stops, template_args, think, thinking_budget),
        answer_prefix=answer_prefix,
        grader=grader,
        data=None if data is None else Path(data),
        since=since,
        until=until,
        parallel=parallel,
        save_text=save_text,
        run_code=run_code,
        packages=tuple(packages),
        seconds=seconds,
        cross_score=cross_score,
        shard=None if shard is None else Shard.read(shard),
        workers=None if workers is None else WorkersSpec.read(workers),
        copy_model=copy_model,
        max_turns=max_turns,
        observation_tokens=observation_tokens,
        fresh_environment=fresh_environment,
    )
    interrupts = Interrupts((signal.SIGINT,))
    try:
        whole = run_eval(request, Surroundings(interrupts, watched_by_nobody, say))
    except Interrupted:
        whole = False
    if not whole:
        raise KeyboardInterrupt
    return EvalRun.read(request.out)


class Nobody:
    """Hears how a run goes, and says nothing."""

    def expect(self, forecasts: Sequence[Forecast]) -> None:
        """Nothing to say."""

    def begin(
        self, model: str, task: str, labels: Sequence[str], rows: Sequence[store.Row], n_each: int
    ) -> None:
        """Nothing to say."""

    def start(self, n: int, tokens: float) -> None:
        """Nothing to say."""

    def drew(self, tokens: int) -> None:
        """Nothing to say."""

    def made(self, row: store.Row) -> None:
        """Nothing to say."""

    def aside(self) -> AbstractContextManager[None]:
        """Nothing is shown."""
        return nullcontext()


def watched_by_nobody() -> AbstractContextManager[Watcher]:
    """Nobody hears how a run goes."""
    return nullcontext(Nobody())
