"""An eval's answers made by workers: the same rows in the same folder as by one process."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from importlib.util import find_spec

from localpower.api.cluster.crew import Crew
from localpower.api.cluster.local import LocalWorkers
from localpower.api.cluster.spec import WorkersSpec
from localpower.api.cluster.work import Work, Workers
from localpower.api.eval_models import EvalModels
from localpower.errors import UserError
from localpower.evals.running import Running
from localpower.evals.store import Key


def require_workers(spec: WorkersSpec | None) -> None:
    """Raises UserError where what the workers need is not installed, before a model is opened."""
    if spec is not None and spec.kind == "ray" and find_spec("ray") is None:
        raise UserError(
            "--workers ray needs Ray", "install it with pip install 'localpower[ray]' on every machine"
        )


def crew_of(spec: WorkersSpec, work: Work, say: Callable[[str], None]) -> Crew:
    """Workers of a kind. Raises UserError where there can be none."""
    return Crew(_workers(spec, work, say), say)


def _workers(spec: WorkersSpec, work: Work, say: Callable[[str], None]) -> Workers:
    if spec.kind == "ray":
        from localpower.api.cluster.rays import RayWorkers

        return RayWorkers(spec, work)
    from localpower.engine.cores import physical_cores

    threads = work.threads or physical_cores()
    if threads < spec.count:
        say(f"note: {spec.count} workers share {threads} thread{'' if threads == 1 else 's'}: each has one")
    return LocalWorkers(spec.count, threads, work)


def share(running: Running, model: str, models: EvalModels, crew: Crew) -> None:
    """Let workers make all answers of a model that are missing. What the run's check raises ends it; all is kept."""
    running.expect(model, models.open(model))
    free = [method for method in running.methods if method.matched is None]
    bound = [method for method in running.methods if method.matched is not None]
    tasks = running.asked[model]
    for methods in filter(None, (free, bound)):
        models.open(model)  # samplers are made by what it is good for
        keys, tokens = list[Key](), 0.0
        for task in tasks:
            running.match(model, task, methods)
            if missing := running.missing(model, task, methods):
                keys += [job.key for job in missing]
                tokens += running.expected(task, missing)
        models.release()  # the workers need the memory
        mine = [row for row in running.rows.values() if row["model"] == model]
        n_each = sum(map(len, tasks.values())) * running.samples
        labels = [method.label for method in methods]
        running.watcher.begin(model, ", ".join(tasks), labels, mine, n_each)
        if keys:
            running.watcher.start(len(keys), tokens)
            matched = {
                (task, label): mean for (m, task, label), mean in running.matched.items() if m == model
            }
            with closing(crew.make(model, keys, matched, running.check)) as rows:
                for row in rows:
                    running.watcher.drew(row["decoded_tokens"])
                    running.keep(row)
