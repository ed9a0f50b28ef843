"""How an answer came about, and what the answers of a chat cost, in lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from localpower.events import Chosen, Event, Extended, Stepped
from localpower.runs.answer import Answer
from localpower.runs.tally import Tally
from localpower.ui.view import Piece, spelled


def history(events: Iterable[Event], piece: Piece) -> Iterator[str]:
    """A line for each accepted state, with what was written anew, and one for steps in a row that changed nothing."""
    events = list(events)
    shown = next((event.member for event in reversed(events) if isinstance(event, Chosen)), 0)
    tally, idle, step, drawn = Tally(shown=shown), 0, 0, None
    for event in events:
        before, tally = tally, tally.add(event)
        if isinstance(event, Extended):
            if event.member == shown:
                drawn = event.kept if drawn is None else min(drawn, event.kept)
            continue
        if drawn is not None:
            yield _line("drawn", before, before, drawn, piece)
            drawn = None
        if not isinstance(event, Stepped):
            continue
        step += 1
        if event.member != shown or not event.accepted or event.free:
            idle += 1
            continue
        if idle:
            yield _idle(idle)
        idle = 0
        yield _line(f"step {step}", before, tally, event.divergence or 0, piece)
    if drawn is not None:
        yield _line("drawn", tally, tally, drawn, piece)
    if idle:
        yield _idle(idle)


def _line(what: str, before: Tally, after: Tally, kept: int, piece: Piece) -> str:
    log_p, change = after.state.total_log_p(), after.state.total_log_p() - before.state.total_log_p()
    text = " ".join(spelled(piece, after.state.tokens[kept:]).split())
    shown = f"log p {log_p:.2f}" + (f" ({change:+.2f})" if after is not before else "")
    return f"{what:<9} {shown} · from token {kept + 1}: {text}"


def _idle(n: int) -> str:
    return f"{'then':<9} {n} step{'s' if n != 1 else ''} changed nothing"


def table(answers: Sequence[Answer]) -> Iterator[str]:
    """What each answer cost."""
    yield "answer  prompt  evaluated  length  drawn   cost  accepted    log p  seconds"
    for i, answer in enumerate(answers, 1):
        cost, rate = answer.cost_multiple, answer.acceptance_rate
        yield (
            f"{i:6}  {answer.prompt_tokens:6}  {answer.prefill_tokens:9}  {answer.n_tokens:6}  "
            f"{answer.decoded_tokens:5}  {'-' if cost is None else f'{cost:.1f}x':>5}  "
            f"{'-' if rate is None else f'{100 * rate:.0f} %':>8}  {answer.log_p:7.1f}  {answer.seconds:7.1f}"
        )
