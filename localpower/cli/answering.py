"""One run from a loaded model to the JSON object of its answer, watched and recorded on the way."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localpower import __version__
from localpower.chance import StreamDice
from localpower.cli import terminal
from localpower.cli.asking import Question
from localpower.events import Event, Started
from localpower.loaded import Loaded
from localpower.model import Tokens
from localpower.runs.gather import Engine
from localpower.runs.interrupt import Interrupts
from localpower.runs.record import Recorder
from localpower.runs.repetition import LOOPING
from localpower.runs.result import RunContext, describe
from localpower.runs.session import Listener, pick, run_chains
from localpower.runs.tally import Tally
from localpower.text.stops import answer_text
from localpower.text.vocabulary import readable
from localpower.ui.board import Cost
from localpower.ui.views import view_on


@dataclass(frozen=True, slots=True)
class Job:
    """Everything that decides an answer."""

    loaded: Loaded
    engine: Engine
    question: Question
    seed: int
    n_chains: int
    how: str  # --pick
    prompt_cache: Path | None = None
    listeners: Sequence[Listener] = ()

    def text(self, tally: Tally) -> str:
        """The answer's text, without the stop that ended it."""
        return answer_text(tally.state.tokens, self.loaded.piece, self.question.stops)


class _Tap:
    """Passes events on to a recorder."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def event(self, chain: int, event: Event) -> None:
        """Write it down."""
        self._recorder.write(chain, event)

    def asked(self, chain: int, context: Tokens) -> None:
        """Requests are no events."""


def answer(job: Job, interrupts: Interrupts, recorder: Recorder | None, *, redraw: bool) -> dict[str, Any]:
    """Run the chains and describe the answer. `redraw`: a live view on stderr, else plain lines."""
    question = job.question
    sampler = question.sampler
    settings = _settings(job)
    if recorder:
        recorder.write(
            None,
            Started(
                sampler.method,
                settings,
                job.loaded.identity,
                question.prompt,
                job.n_chains,
                __version__,
            ),
        )
    dice = StreamDice(job.seed)
    done = job.loaded.work(job.engine)
    start = time.perf_counter()
    question.pace.start(question.seconds)

    def plain_seconds(n_tokens: int) -> float | None:
        return question.pace.plain_seconds(n_tokens, job.engine.cost)

    with view_on(
        None if redraw else terminal.notes(),
        job.loaded.piece,
        settings,
        job.n_chains,
        len(question.prompt),
        plain_seconds=plain_seconds,
        explain=terminal.legend() if redraw else None,
    ) as view:
        job.engine.watch(view.read)
        warm = job.loaded.warm(job.engine, question.prompt, job.prompt_cache) if job.prompt_cache else []
        tallies = run_chains(
            job.engine,
            sampler,
            question.prompt,
            dice,
            job.n_chains,
            listeners=[view, *([_Tap(recorder)] if recorder else []), *job.listeners],
            interrupts=interrupts,
            pace=question.pace,
        )
    seconds = time.perf_counter() - start
    for note in warm:
        terminal.say(f"note: {note}")
    prefill, padded, wasted = (
        now - before for now, before in zip(job.loaded.work(job.engine), done, strict=True)
    )
    return describe(
        tallies,
        pick(tallies, job.how, dice),
        job.how,
        RunContext(
            sampler,
            question.alpha,
            job.seed,
            seconds,
            job.loaded.exactness,
            job.loaded.identity,
            prefill,
            padded,
            wasted,
            question.budget,
            plain_seconds=plain_seconds,
        ),
        job.text,
    )


def _settings(job: Job) -> dict[str, Any]:
    """Everything that the answer depends on besides model and prompt, for the record and the view."""
    question = job.question
    return question.sampler.settings() | {
        "method": question.sampler.method,
        "alpha": question.alpha,
        "seed": job.seed,
        "pick": job.how,
        "stops": [readable(stop) for stop in question.stops],
        "exactness": job.loaded.exactness,
        "budget": question.budget,
    }


def words(result: dict[str, Any]) -> str:
    """The text for stdout: the picked answer, or with --pick all every chain's under a heading."""
    if result.get("pick") != "all":
        return str(result["text"])
    parts = [f"--- chain {i}\n{chain['text']}" for i, chain in enumerate(result["chains"])]
    return "\n".join(parts)


FINISHES = {
    "stop": "ended by itself",
    "length": "stopped at --max-tokens {max_tokens}",
    "budget": "stopped by --budget {budget}",
    "interrupted": "interrupted",
}


def summary(result: dict[str, Any]) -> list[str]:
    """What to know about an answer, for stderr: what it is, what it cost, what must be said."""
    n, first = result["n_tokens"], result["first_n_tokens"]
    length = f"{n} token{'s' if n != 1 else ''}"
    if first is not None and first != n:
        length += f" (the first draw had {first})"
    method = [result["method"]]
    if result["method"] == "low-temp":
        method.append(f"temperature {result['temperature']:g}")
    elif result["alpha"] != 1.0:
        method.append(f"alpha {result['alpha']:g}")
    what = [
        f"seed {result['seed']}",
        FINISHES[result["finish"]].format(**result),
        length,
        f"log p {result['log_p']:.2f}",
        f"{result['model']['name']}, {', '.join(method)}",
    ]
    cost = [f"{result['seconds']:.1f} s"]
    if result["n_steps"]:
        cost.append(_proposals(result))
    if (result["cost_multiple"] or 0.0) > 1.0:
        cost.append(str(Cost(result["cost_multiple"], result["time_multiple"], result["plain_answer"])))
    if result["tokens_per_second"] is not None:
        cost.append(f"{result['tokens_per_second']:.0f} tokens drawn a second")
    return [" · ".join(what), " · ".join(cost), *_notes(result)]


def _proposals(result: dict[str, Any]) -> str:
    """What came of the steps: a proposal that repeats the answer is neither accepted nor rejected."""
    moves = result["n_steps"] - result["n_free"]
    repeated = f", {result['n_free']} repeated the answer" if result["n_free"] else ""
    return f"{result['n_accepted']} of {moves} proposals accepted{repeated}"


def _notes(result: dict[str, Any]) -> list[str]:
    drawn = result["n_tokens"] > 0
    lines = []
    if result["finish"] in ("budget", "interrupted") and drawn:
        state = "the last accepted state" if result["n_steps"] else "what was drawn until then"
        lines.append(f"note: this is {state}; nothing is claimed of its law")
    if (result["repetition"] or 0.0) >= LOOPING:
        lines.append(
            f"note: the answer repeats itself ({100 * result['repetition']:.0f} % of its runs of 4 tokens stood there "
            "before): a likely answer need not be a good one, and a lower --alpha repeats less"
        )
    if result["planned_steps"] == 0:
        start = "what the chain begins with" if result["n_started"] > 1 else "a low-temperature draw"
        lines.append(f"note: the budget has no room for a step: this is {start}")
    if result.get("pick") == "logp" or result["settings"].get("select") == "logp":
        lines.append("note: this is the most likely of several answers, not a draw from p^alpha")
    return lines
