"""How many threads a decode should use now: what the machine allows this process, less what others are using.

Two threads that meet hundreds of times in a decode are slower than one as soon as somebody else wants one of their
cores. So the share of the cores that others use is read off the system's counters a few times a second. Nothing is
agreed upon between processes: what is suspended uses nothing, whatever it had reserved.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import psutil

_LOOK_S = 0.2  # the counters have ticks of 10 ms: a shorter look sees noise
_STALE_S = 1.0  # without a decode: what others did meanwhile says nothing of now
_MARGIN = 0.1  # of a core, around the half at which the number of threads changes
_FRACTION = 0.2  # of a core in a quota that is worth a thread more
_SHORTEST_S, _LONGEST_S = 0.4, 30.0  # how long a core must have been free before it is taken


class Usage(NamedTuple):
    """Seconds so far: the clock, of all allowed cores together while busy, and of this process."""

    clock: float
    busy: float
    own: float


def allowed_cores() -> int:
    """Cores that this process may use: by affinity and by the quota of its control group."""
    return max(min(len(_affinity()), quota_cores(cpu_quota())), 1)


def physical_cores() -> int:
    """At most as many as the machine has cores, each counted once however many threads it runs, where that is told."""
    return max(min(psutil.cpu_count(logical=False) or len(_affinity()), allowed_cores()), 1)


def quota_cores(quota: float) -> int:
    """Threads that use a quota of CPUs best: a fraction of one is worth a thread of its own from about a fifth on."""
    if math.isinf(quota):
        return 1 << 16
    return max(math.floor(quota) + (quota - math.floor(quota) >= _FRACTION), 1)


def cpu_quota(root: Path = Path("/")) -> float:
    """CPUs that the control groups of this process allow it (versions 1 and 2), inf without a limit."""
    limits = [math.inf]
    try:
        lines = (root / "proc/self/cgroup").read_text("utf-8", "replace").splitlines()
    except OSError:
        return math.inf
    for line in lines:
        number, controllers, path = ([*line.split(":", 2), "", ""])[:3]
        if number == "0":
            limits += [_limit(folder / "cpu.max") for folder in _above(root / "sys/fs/cgroup", path)]
        elif "cpu" in controllers.split(","):
            for name in ("cpu", controllers):
                limits += [
                    _limit(folder / "cpu.cfs_quota_us", folder / "cpu.cfs_period_us")
                    for folder in _above(root / "sys/fs/cgroup" / name, path)
                ]
    return min(limits)


def _above(mount: Path, path: str) -> list[Path]:
    """A group's folder and all that hold it. Inside a container the path may not exist: then the mount is the group."""
    folder = mount / path.lstrip("/")
    return [mount, *(p for p in (folder, *folder.parents) if mount in p.parents)]


def _limit(*files: Path) -> float:
    try:
        words = " ".join(file.read_text("utf-8", "replace") for file in files).split()
        quota, period = float(words[0]), float(words[1])
    except (OSError, ValueError, IndexError):
        return math.inf  # "max 100000", or no such file
    return quota / period if quota > 0 and period > 0 else math.inf


def _affinity() -> list[int]:
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def usage() -> Usage | None:
    """What the system counts; None where it does not tell."""
    try:
        times = psutil.cpu_times(percpu=True)
        cores = [times[i] for i in _affinity() if i < len(times)]
    except (OSError, RuntimeError, NotImplementedError):
        return None
    # Time of guests is counted in `user` already; time stolen by other machines is busy: it is not ours.
    busy = sum(
        sum(getattr(core, name, 0.0) for name in ("user", "nice", "system", "irq", "softirq", "steal"))
        for core in cores
    )
    return Usage(time.perf_counter(), busy, time.process_time()) if cores else None


@dataclass
class Governor:
    """The number of threads to decode with, from 1 to `most`. look: the system's counters; cores: that they tell of.

    Threads are given up as soon as others use their cores, and taken back after a while in which they did not; a while
    that doubles each time it was too early, so that several programs of this kind do not swing together.
    """

    most: int
    look: Callable[[], Usage | None] = usage
    cores: int = field(default_factory=lambda: len(_affinity()))

    def __post_init__(self) -> None:
        """Begin with all of them: what others do is known after the first look."""
        self.threads = self.most
        self.lowered = False  # ever
        self._last = self.look() if self.most > 1 else None
        self._free_since: float | None = None
        self._patience, self._raised = _SHORTEST_S, -math.inf
        self._ended = time.perf_counter()

    def ended(self) -> None:
        """To be called after every decode."""
        self._ended = time.perf_counter()

    def now(self) -> int:
        """To be called before every decode; looks at the system only now and then."""
        last, clock = self._last, time.perf_counter()
        if last is None or clock - last.clock < _LOOK_S:
            return self.threads
        found = self.look()
        between_runs = clock - self._ended > _STALE_S
        span = found.clock - last.clock if found is not None else 0.0
        if found is not None and span > 0.0 and not between_runs:
            self._decide(found.clock, max(found.busy - last.busy - (found.own - last.own), 0.0) / span)
        self._last = found
        return self.threads

    def _decide(self, clock: float, others: float) -> None:
        """others: cores that they used since the last look."""
        free = self.cores - others
        down, up = max(round(free + _MARGIN), 1), min(round(free - _MARGIN), self.most)
        if down < self.threads:
            if clock - self._raised < 3 * _LOOK_S:
                self._patience = min(2 * self._patience, _LONGEST_S)
            self.threads, self._free_since, self.lowered = down, None, True
        elif up > self.threads:
            self._free_since = clock if self._free_since is None else self._free_since
            if clock - self._free_since >= self._patience:
                self.threads, self._free_since, self._raised = up, None, clock
        else:
            self._free_since = None
            if clock - self._raised > 4 * self._patience:
                self._patience = max(self._patience / 2, _SHORTEST_S)
