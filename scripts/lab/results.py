"""What the stored answers of the experiment say, in few numbers: what docs/lab.json holds, and nothing else is needed.

Of each arm and problem how many answers there are and how many are right; of each arm what an answer costs, how many
differ, and how likely the base holds them. Everything on docs/lab.md is computed from that by tables.py.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from arms import FAMILIES, NAMES, TIMING, Arm
from exact import problems
from truth import Truth, truth_of

from localpower.errors import UserError
from localpower.evals.coverage import distinct_at
from localpower.evals.groups import Group, groups
from localpower.evals.likelihood import likelihoods
from localpower.evals.scoring import Scorer
from localpower.evals.store import Stored, read
from localpower.loading import Request, load

PLAIN = "base"  # the method of plain draws
DISTINCT_OF = 8  # answers among which different ones are counted: the fewest that an arm has


@dataclass(frozen=True, slots=True)
class ArmResult:
    """n, right: answers and right ones of each problem, in the order of `Results.problems`.

    tokens: drawn for an answer; length: of it; seconds: for it, beside other answers. distinct: expected among
    DISTINCT_OF. log_p: mean over answers of log p under the base, nats; log_p_right: of the right ones; quartiles: of
    log p, by family. likely, confident: histograms of mean log p and minus mean entropy of a token under the base
    (edges: `Results`). Of plain draws, whose law is the model's: entropy: mean over drawn tokens, nats; kl: mean over
    answers of log p under the model less log p under the base, nats.
    """

    model: str
    method: str
    n: tuple[int, ...]
    right: tuple[int, ...]
    tokens: float
    length: float
    seconds: float
    distinct: float | None = None
    log_p: float | None = None
    log_p_right: float | None = None
    quartiles: tuple[tuple[float, ...], ...] = ()
    likely: tuple[int, ...] = ()
    confident: tuple[int, ...] = ()
    entropy: float | None = None
    kl: float | None = None


@dataclass(frozen=True, slots=True)
class Results:
    """problems: id, family and level. truth: by model, of each problem. curves: of trainings, by name.

    times: seconds of an answer by arm, over a plain answer's, one at a time in one run.
    """

    made: str
    problems: tuple[tuple[str, str, int], ...]
    arms: dict[str, ArmResult]
    likely_edges: tuple[float, ...] = ()
    confident_edges: tuple[float, ...] = ()
    truth: dict[str, Truth] = field(default_factory=dict)
    curves: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    times: dict[str, float] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Results:
        """From a file that `write` wrote."""
        raw = json.loads(path.read_text("utf-8"))
        arms = {
            name: ArmResult(**{k: _tuples(v) for k, v in each.items()}) for name, each in raw["arms"].items()
        }
        truth = {name: Truth.of(each) for name, each in raw["truth"].items()}
        problems = tuple((name, family, level) for name, family, level in raw["problems"])
        edges = tuple(raw["likely_edges"]), tuple(raw["confident_edges"])
        return cls(raw["made"], problems, arms, *edges, truth, raw["curves"], raw["times"])

    def write(self, path: Path) -> None:
        """As JSON, an arm a line."""
        raw = asdict(self)
        lines = [f'"{key}": {_compact(raw[key])}' for key in raw if key not in ("arms", "truth")]
        for key in ("arms", "truth"):
            inner = ",\n".join(f'  "{name}": {_compact(each)}' for name, each in raw[key].items())
            lines.append(f'"{key}": {{\n{inner}\n}}')
        path.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")

    def places(self, family: str | None = None, level: int | None = None) -> list[int]:
        """Of the problems of a family and level; None: of all."""
        return [i for i, (_, f, g) in enumerate(self.problems) if family in (None, f) and level in (None, g)]


def gather(out: Path, arms: Sequence[Arm], made: str, trainings: Path | None = None) -> Results:
    """Read what was made of the arms in a folder. lab-base reads the answers of the other models, once.

    Raises UserError where nothing was made.
    """
    runs = {arm.name: stored for arm in arms if (stored := _stored(out, arm))}
    if not runs:
        raise UserError(f"there are no answers in {out} yet")
    loaded = load(Request("lab-base", 1))
    scorer = Scorer(loaded, lambda: None)
    for each in runs.values():
        for run in each:
            scorer.read_all(run)
    merged = {name: _merged(name, each) for name, each in runs.items()}
    asked = {name for group in merged.values() for name in group.items}
    posed = [each for each in problems(None) if each.id in asked]
    order = sorted(
        ((each.id, each.gold["family"], int(each.group.removeprefix("level "))) for each in posed),
        key=lambda key: (FAMILIES.index(key[1]), key[2], key[0]),
    )
    main = [group for name, group in merged.items() if name in NAMES]
    shapes = {shape["label"]: shape for shape in likelihoods(main, scorer.scores)}
    found = {name: _result(group, order, scorer, shapes.get(name)) for name, group in merged.items()}
    first = next(iter(shapes.values()), {"log_p": {"edges": []}, "confidence": {"edges": []}})
    curves = {}
    for file in sorted(trainings.glob("grpo*.json")) if trainings else []:
        raw = json.loads(file.read_text("utf-8"))
        curves[file.stem] = {
            key: [round(value, 4) for value in raw[key]] for key in ("values", "right") if raw.get(key)
        }
    truth = {
        file.stem: truth_of(file, [key[0] for key in order], merged)
        for file in sorted((out / "exact").glob("*.jsonl"))
    }
    edges = [tuple(round(edge, 4) for edge in first[name]["edges"]) for name in ("log_p", "confidence")]
    return Results(made, tuple(order), found, *edges, truth, curves, _times(out, arms))


def _times(out: Path, arms: Sequence[Arm]) -> dict[str, float]:
    if not (out / TIMING / "answers.jsonl").exists():
        return {}
    found: dict[str, list[float]] = {}
    for row in read(out / TIMING).rows:
        found.setdefault(row["method"], []).append(row["seconds"])
    plain = fmean(found["base"])
    mine = (arm for arm in arms if arm.model == "lab-base" and not arm.prefixes and arm.method in found)
    return {arm.name: round(fmean(found[arm.method]) / plain, 2) for arm in mine}


def _stored(out: Path, arm: Arm) -> list[Stored]:
    return [read(out / folder) for folder, _, _ in arm.parts() if (out / folder / "answers.jsonl").exists()]


def _merged(name: str, runs: Sequence[Stored]) -> Group:
    """The answers of an arm to all families as one group."""
    parts = groups(runs)
    items = {key: rows for part in parts for key, rows in part.items.items()}
    return Group("lab", name, parts[0].model, parts[0].method, parts[0].run, items)


def _result(
    group: Group, order: Sequence[tuple[str, str, int]], scorer: Scorer, shape: dict[str, Any] | None
) -> ArmResult:
    rows = group.rows
    right = group.right()
    log_p = [(row, sum(known[0])) for row in rows if (known := scorer.scores(group.run, row)) is not None]
    counts = [Counter(str(row["text"]) for row in each) for each in group.items.values()]
    enough = [list(count.values()) for count in counts if count.total() >= DISTINCT_OF]
    ours = [value for row, value in log_p if row["verdict"] == "right"]
    plain = log_p if group.method == PLAIN else []
    return ArmResult(
        group.model,
        group.method,
        tuple(len(right.get(key, ())) for key, _, _ in order),
        tuple(sum(right.get(key, ())) for key, _, _ in order),
        round(fmean(row["decoded_tokens"] for row in rows), 2),
        round(fmean(row["n_tokens"] for row in rows), 2),
        round(fmean(row["seconds"] for row in rows), 5),
        round(fmean(distinct_at(each, DISTINCT_OF) for each in enough), 3) if enough else None,
        round(fmean(value for _, value in log_p), 3) if log_p else None,
        round(fmean(ours), 3) if ours else None,
        tuple(_quartiles([value for row, value in log_p if row["task"] == f"lab-{f}"]) for f in FAMILIES),
        tuple(shape["log_p"]["counts"]) if shape and shape["log_p"] else (),
        tuple(shape["confidence"]["counts"]) if shape and shape["confidence"] else (),
        round(fmean(value for row, _ in plain for value in row["token_entropy"]), 4) if plain else None,
        round(fmean(sum(row["token_log_p"]) - value for row, value in plain), 4) if plain else None,
    )


def _quartiles(values: Sequence[float]) -> tuple[float, ...]:
    return tuple(round(float(value), 2) for value in np.quantile(values, (0.25, 0.5, 0.75))) if values else ()


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
