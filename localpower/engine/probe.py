"""Finds the quickest exact settings for a model on this machine. Runs in a process of its own.

`python -m localpower.engine.probe MODEL --threads N --gpu-layers N [--fast]` prints one JSON object. A process of
its own because a damaged file can abort llama.cpp, and because one switch is read once per process.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from localpower.engine.settings import Settings, exact_candidates, fast


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found. exact: every shape gave the same bits under `settings`.

    largest: the largest |difference in log p| seen under `settings`, nats. price: seconds of a lone row under
    `settings` over the same row under llama.cpp's own settings, both measured in turns past 256 cells.
    curve: seconds of a batch by its rows. shapes: difference by shape. tried: what was rejected and by which shape.
    """

    exact: bool
    settings: Settings
    largest: float
    price: float
    shapes: dict[str, float] = field(default_factory=dict)
    tried: dict[str, str] = field(default_factory=dict)
    curve: dict[int, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "exact": self.exact,
            "settings": self.settings.to_json(),
            "largest": self.largest,
            "price": self.price,
            "shapes": self.shapes,
            "tried": self.tried,
            "curve": self.curve,
        }

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


def probe(path: Path, threads: int, gpu_layers: int = 0) -> Verdict:
    """Try repacked weights first (never slower), then weights as stored; among exact ones take the quickest."""
    closest: Verdict | None = None
    tried: dict[str, str] = {}
    candidates = exact_candidates(threads, gpu_layers)
    for repack in (True, False):
        group = [settings for settings in candidates if settings.repack == repack]
        verdict = _probe_group(path, group, tried)
        if verdict.exact:
            return verdict
        if closest is None or verdict.largest < closest.largest:
            closest = verdict
    assert closest is not None
    measured = _probe_group(path, [closest.settings], {}, whole=True)
    return replace(measured, price=closest.price, tried=tried)


def probe_fast(path: Path, threads: int, gpu_layers: int = 0) -> Verdict:
    """llama.cpp's own numerics: how far do its log-probabilities move with the batch shape?"""
    return _probe_group(path, [fast(threads, gpu_layers)], {}, whole=True)


def _probe_group(path: Path, group: list[Settings], tried: dict[str, str], *, whole: bool = False) -> Verdict:
    """Settings that share loaded weights, quickest first, up to the first that is exact.

    whole: measure every shape of settings that are not exact too. Raises EngineError when none can be set up.
    """
    from localpower.engine.check import AnyChecker, Checker, lone_row_seconds
    from localpower.engine.check_recurrent import RecurrentChecker
    from localpower.engine.weights import Weights
    from localpower.errors import EngineError

    group[0].set_environment()
    weights = Weights(path, repack=group[0].repack, gpu_layers=group[0].gpu_layers)
    make: Callable[[Weights, Settings], AnyChecker] = RecurrentChecker if weights.is_recurrent() else Checker
    checkers: dict[Settings, AnyChecker] = {}
    problem = EngineError("no settings to try")
    try:
        for settings in group:
            try:
                checkers[settings] = make(weights, settings)
            except (
                EngineError
            ) as error:  # a KV type that this model's heads do not allow, or no memory for it
                problem = error
                tried[settings.words()] = error.line()
        if not checkers:
            raise problem
        seconds = dict(zip(checkers, lone_row_seconds(list(checkers.values())), strict=True))
        own = seconds.get(group[0], min(seconds.values()))  # one row, f16 KV: llama.cpp's own way
        closest: Verdict | None = None
        for settings in sorted(checkers, key=lambda s: seconds[s]):
            checkers[settings].close()
            checker = make(weights, settings)
            shapes = {}
            for difference in checker.differences():
                shapes[difference.shape] = difference.log_p
                if difference.log_p > 0 and not whole:
                    break
            checker.close()
            largest = max(shapes.values())
            price = seconds[settings] / own
            verdict = Verdict(largest == 0.0, settings, largest, price, shapes, dict(tried))
            if verdict.exact:
                checkers[settings] = checker = make(weights, settings)
                return replace(verdict, curve=checker.curve())
            tried[settings.words()] = f"{difference.shape}: {largest:.2g} nats"
            if closest is None or largest < closest.largest:
                closest = verdict
        assert closest is not None
        return closest
    finally:
        for checker in checkers.values():
            checker.close()
        weights.close()


def main() -> None:
    """Command line of the child process; problems the user can fix come back as JSON too."""
    from localpower.errors import UserError

    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--gpu-layers", type=int, default=0)
    parser.add_argument("--fast", action="store_true")
    options = parser.parse_args()
    search = probe_fast if options.fast else probe
    try:
        out = search(options.model, options.threads, options.gpu_layers).to_json()
    except UserError as error:
        out = {"error": error.message, "hint": error.hint}
    print(json.dumps(out))


if __name__ == "__main__":
    main()
