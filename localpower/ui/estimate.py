"""What an eval will take, in words: answers, tokens, and the time for one worker and for several."""

from __future__ import annotations

from collections.abc import Sequence

from localpower.runs.forecast import Forecast
from localpower.ui.eval_progress import spell_seconds

_SHOWN = (1, 2, 4, 8)  # workers, where nobody says how many


def lines(found: Sequence[Forecast], kind: str | None, workers: int | None) -> list[str]:
    """A line for each task, and the time in all. kind: local, slurm, ray; None: one process."""
    if not found:
        return ["all answers are there"]
    told = [
        f"{each.task} on {each.model}: {each.n:,} answers, about {each.tokens:,.0f} tokens, "
        f"{spell_seconds(each.tokens / each.rate)} at {each.rate:.0f} tok/s, {each.at_once} at once"
        for each in found
    ]
    n, tokens = sum(each.n for each in found), sum(each.tokens for each in found)
    seconds = sum(each.tokens / each.rate for each in found)
    told.append(
        f"in all: {n:,} answers, about {tokens:,.0f} tokens, {spell_seconds(seconds)} for this machine alone"
    )
    if kind == "local":
        told.append("local workers share this machine's cores: what they gain is in docs/cluster.md")
        return told
    shown = _SHOWN if workers is None else (workers,)
    times = (f"{spell_seconds(seconds / k)} by {k} worker{'' if k == 1 else 's'}" for k in shown if k > 1)
    told += [f"machines like this one: {', '.join(times)}"] if max(shown) > 1 else []
    return told
