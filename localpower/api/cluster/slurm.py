"""Shards as jobs of SLURM, through submitit: an array with a job for each shard, which goes on where it was stopped.

A job is `eval --shard I/N` and nothing else. When its time is over or it is preempted, submitit puts it into the queue
again, and it makes what its part of the folder lacks. Nothing needs this process: it tells how far the jobs are.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from localpower.api.cluster.spec import WorkersSpec
from localpower.api.cluster.work import portable, portable_tasks
from localpower.api.eval_models import Surroundings
from localpower.api.eval_request import EvalRequest
from localpower.errors import Interrupted, UserError
from localpower.evals import store
from localpower.evals.parts import Shard, has_any, read_run
from localpower.evals.problem import subset
from localpower.evals.task import Task
from localpower.loading import Request
from localpower.runs.interrupt import Interrupts

_LOOK_S, _WAIT_S = 2.0, 0.2
_PATIENCE = 10  # times what a look takes
_TIMEOUTS = 1000  # a job that runs out of time goes on so many times
_SLURM = {"account": "slurm_account", "qos": "slurm_qos", "constraint": "slurm_constraint"}


@dataclass
class ShardJob:
    """What a job runs: picklable, and asked by submitit what to do when the job is stopped."""

    request: EvalRequest

    def __call__(self, shard: Shard) -> int:
        """Make a shard; the number of answers that its folder holds."""
        from localpower.api.eval_run import run_eval
        from localpower.api.evaluate import watched_by_nobody

        request = replace(self.request, shard=shard)
        quiet = Interrupts(())  # signals are submitit's
        run_eval(request, Surroundings(quiet, watched_by_nobody, print))
        return len(store.read(request.out / store.PARTS / shard.name).rows)

    def checkpoint(self, shard: Shard) -> Any:
        """Time is over, or the job is preempted: the same again, which goes on."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self, shard)


def run_jobs(request: EvalRequest, tasks: Sequence[Task], around: Surroundings) -> bool:
    """Submit the shards and wait; False where it was interrupted: then the jobs are stopped. Raises UserError."""
    spec = request.workers
    assert spec is not None
    executor = _executor(spec, request.out / store.LOGS)
    before = read_run(request.out, around.say) if has_any(request.out) else None
    seed = request.seed_for(before)
    ask = cache(request.password)  # once, and then told to all jobs
    whole = replace(request, password=ask).problems(tasks, seed)
    problems = {name: subset(some, request.limit) for name, some in whole.items()}
    password = ask() if any(task.secret for task in tasks) else ""
    told = replace(
        request,
        seed=seed,
        workers=None,
        out=request.out.absolute(),
        password=partial(str, password),
        data=request.data and request.data.absolute(),
        tasks=portable_tasks(request.tasks),
        models=tuple(portable(each) if isinstance(each, Request) else each for each in request.models),
    )
    shards = [Shard(i, spec.count) for i in range(1, spec.count + 1)]
    there = [shard for shard in shards if any(shard.has(p.id) for some in problems.values() for p in some)]
    n_each = sum(map(len, problems.values())) * request.samples * max(len(request.models), 1)
    around.say(
        f"seed {seed} · answers go to {request.out}/{store.PARTS}, what jobs print to {request.out}/{store.LOGS}"
    )
    with around.interrupts:
        try:
            jobs = executor.map_array(ShardJob(told), there)
        except Exception as error:  # whatever submitit, sbatch or a shared disk has to say
            raise UserError(f"the jobs cannot be submitted: {_last_line(error)}") from None
        around.say(f"{len(jobs)} jobs: {jobs[0].job_id} and on" if len(jobs) > 1 else f"job {jobs[0].job_id}")
        try:
            _follow(request, tasks, n_each, jobs, around)
        except (Interrupted, KeyboardInterrupt):
            for job in jobs:
                with contextlib.suppress(Exception):  # one that has ended already
                    job.cancel()
            around.say(
                f"interrupted: the jobs are stopped, their answers are in {request.out}; the same command goes on"
            )
            return False
    failed = [(shard, job) for shard, job in zip(there, jobs, strict=True) if _problem(job)]
    for shard, job in failed:
        around.say(f"shard {shard.number}/{shard.of} failed: {_problem(job)}; {job.paths.stderr} says more")
    if failed:
        raise UserError(
            f"{len(failed)} of {len(jobs)} jobs failed", "the same command goes on with what is missing"
        )
    return True


def _executor(spec: WorkersSpec, logs: Path) -> Any:
    """Raises UserError where submitit is not installed, or there is no SLURM."""
    try:
        import submitit
    except ImportError:
        raise UserError(
            "--workers slurm needs submitit", "install it with pip install 'localpower[slurm]'"
        ) from None
    cluster, numbers = spec.texts.get("cluster", "slurm"), spec.numbers
    try:
        executor = submitit.AutoExecutor(logs, cluster=cluster, slurm_max_num_timeout=_TIMEOUTS)
        executor.update_parameters(
            name="localpower",
            timeout_min=numbers.get("time", 60 * 24),
            slurm_partition=spec.place,
            slurm_array_parallelism=spec.count,
            **({"cpus_per_task": numbers["cpus"]} if "cpus" in numbers else {}),
            **({"gpus_per_node": numbers["gpus"]} if "gpus" in numbers else {}),
            **({"mem_gb": numbers["mem"]} if "mem" in numbers else {}),
            **{_SLURM[name]: text for name, text in spec.texts.items() if name in _SLURM},
        )
    except (OSError, RuntimeError, ValueError) as error:
        raise UserError(
            f"there is no SLURM here: {_last_line(error)}",
            "start it where sbatch is; slurm:ANY,cluster=local tries it on this machine",
        ) from None
    return executor


def _follow(
    request: EvalRequest, tasks: Sequence[Task], n_each: int, jobs: Sequence[Any], around: Surroundings
) -> None:
    """Tell of answers as they come, until all jobs have ended. Raises Interrupted."""
    models = ", ".join(
        each.model or "the default" if isinstance(each, Request) else each.info.name
        for each in request.models
    )
    with around.watching() as watcher:
        seen = _rows(request.out)
        missing = max(n_each * len(request.labels) - len(seen), 0)
        names = ", ".join(task.name for task in tasks)
        watcher.begin(models or "the default", names, list(request.labels), list(seen.values()), n_each)
        watcher.start(missing, 0.0)
        while True:
            ended, begun = all([_ended(job) for job in jobs]), time.monotonic()
            for key, row in _rows(request.out).items():
                if key not in seen:
                    seen[key] = row
                    watcher.drew(row["decoded_tokens"])
                    watcher.made(row)
            if ended:
                return
            pause = max(_LOOK_S, _PATIENCE * (time.monotonic() - begun))
            while pause > 0:
                around.interrupts.check()
                time.sleep(min(_WAIT_S, pause))
                pause -= _WAIT_S


def _ended(job: Any) -> bool:
    """submitit's debug jobs run when they are asked."""
    return (job.job_id.startswith("DEBUG") and job.exception() is not None) or job.done()


def _rows(out: Path) -> dict[store.Key, store.Row]:
    """What is there, by key; what is being written just now is read the next time."""
    try:
        return {store.key(row): row for row in read_run(out).rows} if has_any(out) else {}
    except UserError:
        return {}


def _problem(job: Any) -> str:
    """Why a job failed; "": it did not."""
    error = job.exception()
    return "" if error is None else _last_line(error)


def _last_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip(" -")]
    return lines[-1] if lines else type(error).__name__
