"""Workers that are processes of this machine, its threads shared out among them."""

from __future__ import annotations

import base64
import json
import pickle
from collections.abc import Callable, Sequence

from localpower.api.cluster.work import Lost, Piece, Work, Worker
from localpower.errors import UserError
from localpower.evals.store import Row
from localpower.subprocesses import ChildError, Failed
from localpower.subprocesses import Worker as Process

_HAND = "localpower.api.cluster.hand"


class LocalWorker:
    """One process. Ctrl-C is for the coordinator: the process is in a session of its own, and ends with it."""

    def __init__(self, number: int, work: bytes, threads: int) -> None:
        self.name = f"worker {number}"
        self.threads = threads
        self._number, self._work = number, work
        self._process = Process(_HAND)
        self._told = False

    def make(self, piece: Piece, heard: Callable[[Row], None], stop: Callable[[], bool]) -> None:
        """As of `Worker`."""
        try:
            if not self._told:
                request = {"work": base64.b64encode(self._work).decode(), "threads": self.threads}
                self._process.ask(request, stop=stop)
                self._told = True
            text = base64.b64encode(pickle.dumps(piece)).decode()
            self._process.ask({"piece": text}, stop=stop, heard=lambda line: heard(json.loads(line)))
        except Failed as error:
            raise UserError(f"{self.name} failed: {error}") from None
        except ChildError as error:
            raise Lost(str(error)) from None

    def close(self) -> None:
        """As of `Worker`."""
        self._process.close()

    def again(self) -> LocalWorker:
        """One in its place."""
        return LocalWorker(self._number, self._work, self.threads)


class LocalWorkers:
    """So many processes. threads: of all together; every process has at least one."""

    def __init__(self, count: int, threads: int, work: Work) -> None:
        data = pickle.dumps(work)
        shares = [max(threads // count + (i < threads % count), 1) for i in range(count)]
        self._fresh = [LocalWorker(i + 1, data, share) for i, share in enumerate(shares)]
        self._all = list(self._fresh)

    def more(self) -> Sequence[Worker]:
        """As of `Workers`."""
        fresh, self._fresh = self._fresh, []
        return fresh

    def lost(self, worker: Worker) -> None:
        """As of `Workers`: another process takes its place."""
        worker.close()
        (old,) = [each for each in self._all if each is worker]
        self._all.remove(old)
        self._fresh.append(old.again())
        self._all.append(self._fresh[-1])

    def close(self) -> None:
        """As of `Workers`."""
        for worker in self._all:
            worker.close()
