"""What a server has done, as Prometheus reads it."""

from __future__ import annotations

import bisect
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import psutil

from localpower import __version__
from localpower.server.scheduler import Scheduler

_BOUNDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)  # seconds


@dataclass(slots=True)
class Histogram:
    """Of seconds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(_BOUNDS) + 1))
    total: float = 0.0

    def add(self, seconds: float) -> None:
        """One more."""
        self.counts[bisect.bisect_left(_BOUNDS, seconds)] += 1
        self.total += seconds

    def lines(self, name: str, help: str) -> list[str]:
        """In Prometheus' text."""
        found, so_far = [], 0
        for bound, count in zip((*map(str, _BOUNDS), "+Inf"), self.counts, strict=True):
            so_far += count
            found.append(f'{name}_bucket{{le="{bound}"}} {so_far}')
        found += [f"{name}_sum {self.total:.6f}", f"{name}_count {so_far}"]
        return _family(name, "histogram", help, found)


def _family(name: str, kind: str, help: str, samples: Iterable[str]) -> list[str]:
    return [f"# HELP {name} {help}", f"# TYPE {name} {kind}", *samples]


@dataclass(slots=True)
class Metrics:
    """requests: by path and status. seconds: of answered requests. first: until their first byte."""

    requests: Counter[tuple[str, int]] = field(default_factory=Counter)
    seconds: Histogram = field(default_factory=Histogram)
    first: Histogram = field(default_factory=Histogram)

    def text(self, scheduler: Scheduler) -> str:
        """All of it."""
        counts, desk = scheduler.counts, scheduler.desk
        requests = (
            f'localpower_requests_total{{path="{path}",status="{status}"}} {n}'
            for (path, status), n in sorted(self.requests.items())
        )
        lines = _family("localpower_requests_total", "counter", "Requests by path and status.", requests)
        lines += self.seconds.lines("localpower_request_seconds", "Seconds of a request that was answered.")
        lines += self.first.lines(
            "localpower_first_byte_seconds", "Seconds until the first byte of a stream."
        )
        for name, number, help in (
            ("prompt_tokens_total", counts.prompt_tokens, "Tokens of prompts."),
            ("answer_tokens_total", counts.answer_tokens, "Tokens of answers."),
            ("decoded_tokens_total", counts.decoded_tokens, "Tokens drawn, rejected proposals included."),
            ("answers_total", counts.answers, "Answers told."),
            ("steps_total", counts.steps, "Steps of chains."),
            ("accepted_steps_total", counts.accepted, "Steps that moved a chain."),
            ("batches_total", counts.batches, "Batches evaluated."),
            ("rows_total", counts.rows, "Rows of these batches."),
            ("cancelled_total", counts.cancelled, "Answers whose client had left."),
            (
                "cut_off_total",
                counts.over,
                "Answers ended by a budget, the time limit or the end of the server.",
            ),
            ("failed_total", counts.failed, "Answers that failed."),
            ("running", len(scheduler.live), "Answers being drawn."),
            ("waiting", len(desk), "Answers that wait."),
            ("rows_busy", desk.rows_busy, "Rows of the batch that are taken."),
            ("rows_limit", scheduler.limits.rows, "Rows of the batch."),
            ("resident_bytes", psutil.Process().memory_info().rss, "Resident memory."),
        ):
            kind = "counter" if name.endswith("_total") else "gauge"
            lines += _family(f"localpower_{name}", kind, help, [f"localpower_{name} {number}"])
        model = scheduler.loaded.info.name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
        info = f'localpower_info{{version="{__version__}",model="{model}"}} 1'
        lines += _family("localpower_info", "gauge", "The version and the model.", [info])
        return "\n".join(lines) + "\n"
