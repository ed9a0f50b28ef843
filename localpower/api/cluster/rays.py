"""Workers on the machines of a Ray cluster: one for each machine, or for each GPU. Rows come back through Ray.

A worker is an actor that is never restarted by Ray: what it had not handed over is known here, and given to others. A
machine that joins later gets a worker too.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from localpower.api.cluster.spec import WorkersSpec
from localpower.api.cluster.work import Lost, Piece, Work, Worker
from localpower.errors import Interrupted, UserError
from localpower.evals.store import Row

_WAIT_S = 0.2
_TRIES = 3  # workers of a place that are lost before it is left alone


class RayWorker:
    """An actor at `place`: a node, and a number on it."""

    def __init__(self, name: str, place: tuple[str, int], actor: Any) -> None:
        self.name, self.place, self._actor = name, place, actor

    def make(self, piece: Piece, heard: Callable[[Row], None], stop: Callable[[], bool]) -> None:
        """As of `Worker`."""
        import ray
        from ray.exceptions import RayActorError, RayError, RayTaskError

        try:
            rows = self._actor.make.remote(piece)
            while True:
                ready, _ = ray.wait([rows], timeout=_WAIT_S)
                if stop():
                    raise Interrupted
                if ready:
                    heard(ray.get(next(rows)))
        except StopIteration:
            return
        except RayTaskError as error:
            cause = error.cause if isinstance(error.cause, UserError) else None
            raise cause or UserError(f"{self.name} failed: {str(error.cause).splitlines()[-1:]}") from None
        except RayActorError:
            raise Lost("its process or its machine is gone") from None
        except RayError as error:
            raise Lost(type(error).__name__) from None

    def close(self) -> None:
        """As of `Worker`."""
        import ray

        ray.kill(self._actor)


class RayWorkers:
    """Workers on every machine that is alive. cpus, gpus: of each worker; per-node: workers of a machine."""

    def __init__(self, spec: WorkersSpec, work: Work) -> None:
        """Raises UserError where no cluster answers."""
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
        import ray

        self._spec, self._mine = spec, not ray.is_initialized()
        if self._mine:
            try:
                ray.init(
                    address=spec.place or None,
                    namespace="localpower",
                    log_to_driver=False,
                    logging_level="error",
                    include_dashboard=None if spec.place else False,
                )
            except (ConnectionError, ValueError, RuntimeError, OSError) as error:
                where = spec.place or "this machine"
                raise UserError(
                    f"no Ray cluster answers at {where}: {str(error).splitlines()[0]}",
                    "start one by `ray start --head`, and `ray start --address=HEAD:6379` on the others",
                ) from None
        self._actor = ray.remote(max_restarts=0, max_concurrency=1)(_Actor)
        self._work = ray.put(work)
        self._there: dict[tuple[str, int], RayWorker] = {}
        self._lost: dict[tuple[str, int], int] = {}

    def more(self) -> Sequence[Worker]:
        """As of `Workers`."""
        import ray

        alive = {
            node["NodeID"]: node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")
        }
        fresh = []
        for node in alive.values():
            for place in ((node["NodeID"], i) for i in range(self._count(node))):
                if place not in self._there and self._lost.get(place, 0) < _TRIES:
                    self._there[place] = self._begin(node, place)
                    fresh.append(self._there[place])
        if not self._there:
            raise UserError(
                "no machine of the Ray cluster can take a worker", "`ray status` shows what there is"
            )
        return fresh

    def lost(self, worker: Worker) -> None:
        """As of `Workers`: its place is filled again while its machine is there."""
        assert isinstance(worker, RayWorker)
        del self._there[worker.place]
        self._lost[worker.place] = self._lost.get(worker.place, 0) + 1

    def close(self) -> None:
        """As of `Workers`."""
        import ray

        for worker in self._there.values():
            worker.close()
        if self._mine:
            ray.shutdown()

    def _count(self, node: dict[str, Any]) -> int:
        """Workers of a machine: as said, else one for each GPU that is asked for, else one."""
        gpus = self._spec.numbers.get("gpus")
        if gpus:
            return int(node["Resources"].get("GPU", 0) // gpus)
        return self._spec.numbers.get("per-node", 1)

    def _begin(self, node: dict[str, Any], place: tuple[str, int]) -> RayWorker:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        n, cores = self._count(node), int(node["Resources"]["CPU"])
        cpus = self._spec.numbers.get("cpus", max(cores // n, 1))
        options = {
            "num_cpus": cpus,
            "num_gpus": self._spec.numbers.get("gpus", 0),
            "scheduling_strategy": NodeAffinitySchedulingStrategy(node["NodeID"], soft=False),
        }
        threads = cpus if "cpus" in self._spec.numbers or n > 1 else None
        name = f"worker {place[1] + 1} on {node['NodeManagerAddress']}"
        return RayWorker(name, place, self._actor.options(**options).remote(self._work, threads))


class _Actor:
    """A worker's own side, in a process of Ray's."""

    def __init__(self, work: Work, threads: int | None) -> None:
        from localpower.api.cluster.hand import Hand

        self._hand = Hand(work, threads or work.threads)

    def make(self, piece: Piece) -> Iterator[Row]:
        """Rows as they are made: a generator, which Ray hands over one by one."""
        yield from self._hand.make(piece)
