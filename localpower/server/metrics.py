"""What a server has done, as Prometheus reads it."""

from __future__ import annotations

import bisect
from collections import Counter
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
        found, so_far = [f"# HELP {name} {help}", f"# TYPE {name} histogram"], 0
        for bound, count in zip((*map(str, _BOUNDS), "+Inf"), self.counts, strict=True):
            so_far += count
            found.append(f'{name}_bucket{{le="{bound}"}} {so_far}')
        return [*found, f"{name}_sum {self.total:.6f}", f"{name}_count {so_far}"]


@dataclass(slots=True)
class Metrics:
    """requests: by path and status. seconds: of answered requests. first: until their first byte."""

    requests: Counter[tuple[str, int]] = field(default_factory=Counter)
    seconds: Histogram = field(default_factory=Histogram)
    first: Histogram = field(default_factory=Histogram)

    def text(self, scheduler: Scheduler) -> str:
        """All of it."""
        counts, desk = scheduler.counts, scheduler.desk
        lines = [
            "# HELP localpower_requests_total Requests by path and status.",
            "# TYPE localpower_requests_total counter",
        ]
        lines += [
            f'localpower_requests_total{{path="{path}",status="{status}"}} {n}'
            for (path, status), n in sorted(self.requests.items())
        ]
        lines += self.seconds.lines("localpower_request_seconds", "Seconds of a request that was answered.")
        lines += self.first.lines(
            "localpower_first_byte_seconds", "Seconds until the first byte of a stream."
        )
        for name, value, help in (
            ("prompt_tokens", counts.prompt_tokens, "Tokens of prompts."),
            ("answer_tokens", counts.answer_tokens, "Tokens of answers."),
            ("decoded_tokens", counts.decoded_tokens, "Tokens drawn, rejected proposals included."),
            ("answers", counts.answers, "Answers told."),
            ("steps", counts.steps, "Steps of chains."),
            ("accepted_steps", counts.accepted, "Steps that moved a chain."),
            ("batches", counts.batches, "Batches evaluated."),
            ("rows", counts.rows, "Rows of these batches."),
            ("cancelled", counts.cancelled, "Answers whose client had left."),
            ("cut_off", counts.over, "Answers ended by a budget, the time limit or the end of the server."),
            ("failed", counts.failed, "Answers that failed."),
        ):
            lines += [f"# HELP localpower_{name}_total {help}", f"# TYPE localpower_{name}_total counter"]
            lines.append(f"localpower_{name}_total {value}")
        for name, number, help in (
            ("running", len(scheduler.live), "Answers being drawn."),
            ("waiting", len(desk), "Answers that wait."),
            ("rows_busy", desk.rows_busy, "Rows of the batch that are taken."),
            ("rows_limit", scheduler.limits.rows, "Rows of the batch."),
            ("resident_bytes", psutil.Process().memory_info().rss, "Resident memory."),
        ):
            lines += [
                f"# HELP localpower_{name} {help}",
                f"# TYPE localpower_{name} gauge",
                f"localpower_{name} {number}",
            ]
        model = scheduler.loaded.info.name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
        lines += ["# HELP localpower_info The version and the model.", "# TYPE localpower_info gauge"]
        lines.append(f'localpower_info{{version="{__version__}",model="{model}"}} 1')
        return "\n".join(lines) + "\n"
