"""Runs beside other work: `python scripts/measure/beside.py [--model FILE] [--max-tokens 256]`.

Tokens a second of plain answers alone, two and three at once, beside processes that keep cores busy, and (as root,
where control groups are mounted) under a quota of CPUs; each beside what a fair share of the speed alone is.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent.parent
QUESTION = "Write a long story about a river that wanted to climb a mountain."
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run(options: argparse.Namespace, n: int, *extra: str, group: Path | None = None) -> list[float]:
    """Tokens a second of n answers at once, each in a process of its own."""
    words = [sys.executable, "-m", "localpower", "run", "--method", "base", "--json"]
    words += ["--max-tokens", str(options.max_tokens), *extra]
    words += ["-m", options.model] if options.model else []
    if group:  # a shell joins the group, and becomes the command
        words = ["sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"', str(group), *words]
    children = []
    for seed in range(n):
        child = subprocess.Popen(
            [*words, "--seed", str(options.seed + seed), QUESTION],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=HOME,
        )
        children.append(child)
    return [json.loads(child.communicate()[0])["tokens_per_second"] for child in children]


@contextlib.contextmanager
def busy(n: int) -> Iterator[None]:
    """So many processes that never rest."""
    children = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(n)]
    try:
        yield
    finally:
        for child in children:
            child.kill()
            child.wait()


@contextlib.contextmanager
def quota(cpus: float) -> Iterator[Path | None]:
    """A control group that allows so many CPUs; None where it cannot be made."""
    period = 100_000
    first, second = Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup")
    folder = (first if first.is_dir() else second) / f"localpower-{os.getpid()}"
    try:
        folder.mkdir()
        if first.is_dir():
            (folder / "cpu.cfs_period_us").write_text(str(period), "utf-8")
            (folder / "cpu.cfs_quota_us").write_text(str(int(cpus * period)), "utf-8")
        else:
            (folder / "cpu.max").write_text(f"{int(cpus * period)} {period}", "utf-8")
    except OSError:
        yield None
        return
    try:
        yield folder
    finally:
        with contextlib.suppress(OSError):
            folder.rmdir()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model")
    parser.add_argument("--max-tokens", type=int, default=256)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    run(options, 1)  # the check, and the page cache
    alone = statistics.median(rate for _ in range(3) for rate in run(options, 1))
    print(f"{CORES} cores; alone {alone:.1f} tok/s")

    def tell(what: str, rates: list[float], share: float) -> None:
        each = ", ".join(f"{rate:.1f}" for rate in rates)
        worst = min(rates) / (alone * share)
        print(f"{what:<28} {each} tok/s; the slowest has {worst:.2f} of a share of {share:.2f}", flush=True)

    for n in (2, 3):
        tell(f"{n} at once", run(options, n), 1 / n)
    for n in (1, CORES):
        with busy(n):
            tell(f"beside {n} busy processes", run(options, 1), min(1.0, CORES / (n + CORES)))
    for cpus in (1.0, 1.5):
        with quota(cpus) as group:
            if group is None:
                print("no control groups here: quotas not tried")
                break
            tell(f"quota of {cpus} CPUs", run(options, 1, group=group), min(1.0, cpus / CORES))
            for threads in range(1, CORES + 1):
                tell(
                    f"  with --threads {threads}",
                    run(options, 1, "--threads", str(threads), group=group),
                    min(1.0, cpus / CORES),
                )


if __name__ == "__main__":
    main()
