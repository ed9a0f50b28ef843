"""Who hears of an eval, and its models, which are opened in turn."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from localpower.api.cluster.copying import own_copy
from localpower.api.opening import Waiting, nobody, opened
from localpower.errors import UsageProblem
from localpower.evals.running import Watcher
from localpower.inputs import readable
from localpower.loaded import Loaded
from localpower.loading import Request
from localpower.runs.interrupt import Interrupts


@dataclass
class Surroundings:
    """Who hears of an eval and may stop it; nobody, unless they are named."""

    interrupts: Interrupts
    watching: Callable[[], AbstractContextManager[Watcher]]
    say: Callable[[str], None] = lambda _: None
    waiting: Waiting = nobody
    heard: Callable[[int, int], None] = lambda _done, _of: None  # of answers that a model reads


@dataclass
class EvalModels:
    """The models by label, one of them open at a time. copy: from a copy of its file on this machine's own disk."""

    around: Surroundings
    copy: bool = False
    open_one: tuple[str, Loaded] | None = None
    requests: dict[str, Request | Loaded] = field(default_factory=dict)
    known: dict[str | None, str] = field(default_factory=dict)  # labels by sha256

    def open(self, label: str) -> Loaded:
        """The model of a label."""
        if self.open_one is None or self.open_one[0] != label:
            self.open_one = None  # its memory is free before the next one needs some
            self.open_one = (label, self._load(self.requests[label]))
        return self.open_one[1]

    def release(self) -> None:
        """Free the memory of the model that is open."""
        self.open_one = None

    def learn(self, request: Request | Loaded) -> tuple[str, Loaded]:
        """Open a model for the first time; its label is its name, or its path where two are called the same."""
        self.open_one = None
        loaded = self._load(request)
        info = loaded.info
        if info.sha256 in self.known:
            raise UsageProblem(f"-m {info.path or info.name} is the same model as {self.known[info.sha256]}")
        label = readable(info.path or info.name) if info.name in self.requests else info.name
        self.known[info.sha256] = label
        self.requests[label], self.open_one = request, (label, loaded)
        return label, loaded

    def _load(self, request: Request | Loaded) -> Loaded:
        if not isinstance(request, Request):
            return request
        at = own_copy(request) if self.copy else None
        return opened(request, self.around.interrupts, self.around.waiting, at)
