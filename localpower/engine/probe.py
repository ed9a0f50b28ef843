"""Finds the quickest exact settings for a model on this machine. Runs in a process of its own.

Because a damaged file can abort llama.cpp, and because one switch is read once per process.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localpower.engine.settings import Settings, exact_candidates, fast
from localpower.errors import EngineError
from localpower.subprocesses import tell

if TYPE_CHECKING:
    from localpower.engine.check import Checker, Difference

_SLACK = 1.1  # what the more faithful settings may cost
_SLACK_ALIKE = 1.3  # and those that are as faithful, but quicker on a long context
_LENGTHS = (100, 400)  # tokens before a lone row that is timed: attention costs little or much
_LOOK_S = 0.25  # in which others show whether they use the cores
_LARGE = 2 << 30  # bytes of a file whose long prompt would take too long to read
_STAGES = 5
_WIDTHS = (1, 2, 4, 8, 16)


def today() -> str:
    """As 2026-11-28."""
    return date.today().isoformat()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found. exact: every shape gave the same bits under `settings`.

    largest: the largest |difference in log p| seen under `settings`, nats. price: seconds of a lone row under
    `settings` over the same row under llama.cpp's own settings, both measured in turns past 256 cells.
    curve: seconds of a batch by its rows. shapes: difference by shape. tried: what was rejected and by which shape.
    timed: seconds of a lone row by settings, of those that were compared. dated: the day of the curve, "" if unknown.
    """

    exact: bool
    settings: Settings
    largest: float
    price: float
    shapes: dict[str, float] = field(default_factory=dict)
    tried: dict[str, str] = field(default_factory=dict)
    curve: dict[int, float] = field(default_factory=dict)
    timed: dict[str, float] = field(default_factory=dict)
    dated: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    @staticmethod
    def from_json(data: dict[str, Any]) -> Verdict:
        """What `to_json` wrote. Raises KeyError or TypeError for anything else."""
        curve = {int(rows): float(seconds) for rows, seconds in data["curve"].items()}
        verdict = Verdict(**(data | {"settings": Settings(**data["settings"]), "curve": curve}))
        if not all(rows >= 1 and 0 < seconds < math.inf for rows, seconds in curve.items()):
            raise TypeError("this is no curve")
        numbers = (verdict.largest, verdict.price, verdict.settings.batch, verdict.settings.threads)
        if not all(isinstance(number, int | float) and number >= 0 for number in numbers):
            raise TypeError("these are no measurements")
        if not 1 <= verdict.settings.min_rows <= verdict.settings.batch:
            raise TypeError("these are no settings")
        return verdict


def probe(
    path: Path,
    threads: int,
    gpu_layers: int = 0,
    say: Callable[[str], None] = lambda _: None,
    kv: int | None = None,
) -> Verdict:
    """The most faithful exact settings of the first group that has any; else llama.cpp's own, said to be inexact.

    kv: bits of keys and values, 8 or 16; None: whichever.
    """
    tried: dict[str, str] = {}
    for group in exact_candidates(threads, gpu_layers, kv):
        verdict = _Group(path, group, tried, say).verdict()
        if verdict is not None:
            return verdict
    return replace(_Group(path, fast(threads, gpu_layers, kv), {}, say).measured(), exact=False, tried=tried)


def probe_fast(
    path: Path,
    threads: int,
    gpu_layers: int = 0,
    say: Callable[[str], None] = lambda _: None,
    kv: int | None = None,
) -> Verdict:
    """llama.cpp's own numerics: how far do its log-probabilities move with the batch shape?"""
    return _Group(path, fast(threads, gpu_layers, kv), {}, say).measured()


class _Group:
    """Settings that share loaded weights. tried: why some were rejected, added to. say: hears of every stage."""

    def __init__(
        self, path: Path, group: list[Settings], tried: dict[str, str], say: Callable[[str], None]
    ) -> None:
        from localpower.engine.cores import Governor
        from localpower.engine.weights import Weights

        self._say = say
        self._stage(1, "the model is loaded")
        group[0].set_environment()
        self._group, self._tried = group, tried
        governor = Governor(group[0].threads)
        self._lengths = _LENGTHS if _n_bytes(path) < _LARGE else _LENGTHS[:1]
        self._weights = Weights(path, repack=group[0].repack, gpu_layers=group[0].gpu_layers)
        time.sleep(_LOOK_S)
        self._threads = governor.now()  # the same for all: that a machine is busy changes no choice
        self._open: list[Checker] = []

    def verdict(self) -> Verdict | None:
        """The most faithful exact settings, unless others are quicker by a tenth; None: there are none."""
        try:
            made = {}
            for i, settings in enumerate(self._group, 1):
                self._stage(2, f"engine settings {i} of {len(self._group)} are set up")
                if (checker := self._make(settings)) is not None:
                    made[settings] = checker
            alive, found = list(made), None
            while alive and not (found := self._whole(alive[0], made[alive[0]], stop=True)).exact:
                alive.pop(0)
            if not alive or found is None:
                return None
            seconds = self._time(made)
            while (settings := choose(alive, seconds)) != found.settings:
                quicker = self._whole(settings, made[settings], stop=True)
                if quicker.exact:
                    found = quicker
                    break
                alive.remove(settings)
            return self._finished(found, made[found.settings], seconds)
        finally:
            self._close()

    def measured(self) -> Verdict:
        """The first settings that can be set up, with every shape, exact or not. Raises EngineError when none can."""
        try:
            for settings in self._group:
                checker = self._make(settings)
                if checker is not None:
                    seconds = self._time({settings: checker})
                    return self._finished(self._whole(settings, checker, stop=False), checker, seconds)
            raise EngineError(next(iter(self._tried.values()), "no settings to try"))
        finally:
            self._close()

    def _make(self, settings: Settings) -> Checker | None:
        """None for keys or a memory of a kind that this model does not allow, or where there is no room."""
        from localpower.engine.check import Checker

        try:
            self._open.append(Checker(self._weights, settings, self._threads))
        except EngineError as error:
            self._tried[settings.words()] = error.line()
            return None
        return self._open[-1]

    def _time(self, checkers: Mapping[Settings, Checker]) -> dict[Settings, float]:
        """Seconds of a lone row."""
        from localpower.engine.check import lone_row_seconds

        self._stage(4, f"{len(checkers)} engine settings are timed")
        return dict(zip(checkers, lone_row_seconds(list(checkers.values()), self._lengths), strict=True))

    def _whole(self, settings: Settings, checker: Checker, *, stop: bool) -> Verdict:
        """Every shape, up to the first that differs if `stop`."""
        shapes: dict[str, float] = {}
        for difference in checker.differences():
            self._stage(3, f"answers are compared, {difference.shape}")
            shapes[difference.shape] = difference.log_p
            if not self._passes(settings, difference) and stop:
                break
        largest = max(shapes.values())
        return Verdict(largest == 0.0, settings, largest, 1.0, shapes)

    def _passes(self, settings: Settings, difference: Difference) -> bool:
        if difference.log_p > 0:
            self._tried[settings.words()] = f"{difference.shape}: {difference.log_p:.2g} nats"
        return difference.log_p == 0

    def _finished(self, found: Verdict, checker: Checker, seconds: Mapping[Settings, float]) -> Verdict:
        self._stage(5, "how fast batches of several answers are")
        own = seconds.get(self._group[0], min(seconds.values()))
        return replace(
            found,
            price=seconds[found.settings] / own,
            tried=dict(self._tried),
            curve=checker.curve(_WIDTHS),
            dated=today(),
            timed={settings.words(): value for settings, value in seconds.items()},
        )

    def _stage(self, k: int, what: str) -> None:
        self._say(f"stage {k} of {_STAGES}: {what}")

    def _close(self) -> None:
        for checker in self._open:
            checker.close()
        self._weights.close()


def _n_bytes(path: Path) -> int:
    from localpower.engine.parts import parts_of

    return sum(part.stat().st_size for part in parts_of(path))


def choose(good: Sequence[Settings], seconds: Mapping[Settings, float]) -> Settings:
    """The first, unless a later one is quicker by more than a tenth; of those the first again.

    Where all keep keys and values alike, the later ones have nothing but speed on a short context for them, and it
    must be more than chance.
    """
    slack = _SLACK if len({settings.kv_type for settings in good}) > 1 else _SLACK_ALIKE
    least = min(seconds[settings] for settings in good)
    return next(settings for settings in good if seconds[settings] <= slack * least)


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """What `localpower.subprocesses` asks for: path, threads, gpu_layers, exact, kv. Raises UserErrors."""
    search = probe if request["exact"] else probe_fast
    path, threads, gpu_layers = Path(request["path"]), request["threads"], request["gpu_layers"]
    return search(path, threads, gpu_layers, tell, request["kv"]).to_json()
