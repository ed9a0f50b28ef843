"""Total variation to p^alpha against evaluated tokens, exactly: `python scripts/measure/variation.py`.

Laws small enough to list: every answer of up to 5 letters of a GGUF with two letters and random weights, read through
llama.cpp, tables whose decisions are early, late or both, and tables of four tokens with answers of up to 3, where one
that ends at once is often hidden from proposals at 1/alpha. For each kernel all paths of a step are followed, so that
the law after k steps and the tokens evaluated until then are known to rounding; nothing is drawn.
One line a kernel: total variation after 1, 2, 3, 5, 10 and 20 steps, and the tokens (times a plain answer's) after
which it has come down to a tenth of a plain low-temperature draw's. At the end: what is left after 10 steps and at 3
plain answers' tokens of that draw's variation, the mean of each kind of law.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from localpower.completion import Completion, extend
from localpower.loading import Request, load
from localpower.model import Model, Tokens
from localpower.samplers.acceptance import StepVariant
from localpower.samplers.cuts import cut_law
from localpower.samplers.kernel import ChainState, Kernel, Optimizations
from localpower.testing import outcomes
from localpower.toy import ToyModel, power_law
from tests.gguf_files import write_llama

ALPHA, HORIZON, MOST = 4.0, 5, 200
OF_EACH, LEAST = 3, 0.2
SHOWN = (1, 2, 3, 5, 10, 20)
FOUR = ToyModel(("<end>", "a", "b", "c"), spread=1.0)


class Decided(ToyModel):
    """A table that is all but certain except at some positions of the answer."""

    def __init__(self, seed: int, positions: tuple[int, ...], start: int) -> None:
        super().__init__(words=("<end>", "a", "b"), seed=seed, spread=1.0, end_bias=-1.5)
        object.__setattr__(self, "_decides", {start + i for i in positions})

    def _row(self, context: Tokens) -> np.ndarray:
        row = super()._row(context)
        return row if len(context) in self._decides else row * 6.0


class Read:
    """The rows of a model, each evaluated once."""

    def __init__(self, engine: Model) -> None:
        self._engine, self._rows = engine, {}
        self.n_vocab, self.eos = engine.n_vocab, engine.eos

    def logits(self, contexts: list[Tokens]) -> list[np.ndarray]:
        for context in contexts:
            if context not in self._rows:
                self._rows[context] = np.array(self._engine.logits([context])[0], np.float64)
        return [self._rows[context] for context in contexts]

    def waste(self, rows: int) -> None:
        """Nobody counts."""

    def pin(self, context: Tokens) -> None:
        """Every row is kept."""

    def cost(self, rows: int) -> float:
        """One after another."""
        return float(rows)


def kernels() -> Iterator[tuple[str, Callable]]:
    """What is compared, by its words."""
    laws = {
        "uniform": cut_law("uniform"),
        "restart .3": cut_law("restart", 0.3),
        "restart .5": cut_law("restart", 0.5),
        "restart .7": cut_law("restart", 0.7),
        "entropy": cut_law("entropy"),
    }
    yield (
        "uniform, no optimizations",
        partial(Kernel, cuts=laws["uniform"], optimizations=Optimizations(skip=False, early=False)),
    )
    for words, cuts in laws.items():
        yield words, partial(Kernel, cuts=cuts)
        yield f"{words}, hot cut", partial(Kernel, cuts=cuts, variant=StepVariant(hot_cut=True))
    for hot in (False, True):
        variant = StepVariant(hot_cut=hot, metropolised=True)
        yield (
            f"restart .5, metropolised{', hot' * hot}",
            partial(Kernel, cuts=laws["restart .5"], variant=variant),
        )
    for temperature in (0.5, 0.7, 1.0):
        yield (
            f"restart .5, all at {temperature}",
            partial(Kernel, cuts=laws["restart .5"], temperature=temperature),
        )


def curve(model: Model, prompt: Tokens, horizon: int, kernel: Callable) -> tuple[list[float], list[float]]:
    """Total variation and tokens evaluated after 0, 1, ... steps from a low-temperature draw."""
    target = power_law(model, prompt, horizon, ALPHA)
    order = {tokens: i for i, tokens in enumerate(target)}
    pi = np.array(list(target.values()))
    settings = {"temperature": 1 / ALPHA, **kernel.keywords}
    chain = Kernel(alpha=ALPHA, **settings)
    law = start(model, prompt, horizon)[2]
    known = start(model, prompt, horizon, settings["temperature"])[1]
    lengths = np.array([len(tokens) for tokens in target])
    matrix, costs = np.zeros((len(pi), len(pi))), np.zeros(len(pi))
    for tokens, x in known.items():
        state = ChainState(x, horizon)
        for (after, info), probability in outcomes(
            lambda dice, state=state: chain.step(dice, state, model, prompt)
        ):
            matrix[order[tokens], order[after.completion.tokens]] += probability
            costs[order[tokens]] += probability * info.n_decoded
    variation, spent = [0.5 * np.abs(law - pi).sum()], [float(law @ lengths)]
    for _ in range(MOST):
        spent.append(spent[-1] + float(law @ costs))
        law = law @ matrix
        variation.append(0.5 * np.abs(law - pi).sum())
    plain = float(np.array(list(power_law(model, prompt, horizon, 1.0).values())) @ lengths)
    return variation, [tokens / plain for tokens in spent]


def laws() -> Iterator[tuple[str, Model, Tokens, int]]:
    """What is sampled: name, model, prompt, horizon. Those that a low-temperature draw misses by more than LEAST."""
    found = 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(1, 20):
            path = write_llama(Path(folder) / f"{seed}.gguf", "ab", seed=seed)
            engine = load(Request(str(path))).engine((0, 1), HORIZON, 1, lambda: None)
            model = Read(engine)
            if found < OF_EACH and start(model, (0, 1), HORIZON)[0] > LEAST:
                found += 1
                yield f"GGUF {seed}", model, (0, 1), HORIZON
    for name, positions in (("early", (0, 1)), ("late", (3, 4)), ("both", (0, 3, 4))):
        hard = (
            (f"{name} {seed}", model, (1, 2), HORIZON)
            for seed in range(1, 200)
            if start(model := Decided(seed, positions, 2), (1, 2), HORIZON)[0] > LEAST
        )
        yield from islice(hard, OF_EACH)
    hard = (
        (f"four {seed}", model, (1, 2), 3)
        for seed in range(1, 200)
        if start(model := replace(FOUR, seed=seed, _rows={}), (1, 2), 3)[0] > LEAST
    )
    yield from islice(hard, OF_EACH)


def start(
    model: Model, prompt: Tokens, horizon: int, temperature: float = 1 / ALPHA
) -> tuple[float, dict[Tokens, Completion], np.ndarray]:
    """A plain draw: its total variation, every answer it can give, and their probabilities."""
    target = power_law(model, prompt, horizon, ALPHA)
    known, law = {}, dict.fromkeys(target, 0.0)
    for x, probability in outcomes(
        lambda dice: extend(dice, model, prompt, Completion(), horizon, temperature=temperature)
    ):
        known[x.tokens] = x
        law[x.tokens] += probability
    drawn = np.array(list(law.values()))
    return 0.5 * float(np.abs(drawn - np.array(list(target.values()))).sum()), known, drawn


def reached(variation: list[float], spent: list[float], goal: float) -> float:
    """Tokens at which the curve comes down to the goal, between steps on a straight line; inf: not in so many."""
    for k in range(1, len(variation)):
        if variation[k] <= goal:
            share = (variation[k - 1] - goal) / (variation[k - 1] - variation[k])
            return spent[k - 1] + share * (spent[k] - spent[k - 1])
    return math.inf


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.parse_args()
    goals: dict[str, list[float]] = {}
    left: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for name, model, prompt, horizon in laws():
        print(name)
        for words, kernel in kernels():
            variation, spent = curve(model, prompt, horizon, kernel)
            goal = reached(variation, spent, variation[0] / 10)
            goals.setdefault(words, []).append(goal)
            shares = variation[10] / variation[0], float(np.interp(3.0, spent, variation)) / variation[0]
            left.setdefault(words, {}).setdefault(name.split()[0], []).append(shares)
            cells = " ".join(f"{variation[k]:.3f}@{spent[k]:<4.1f}" for k in SHOWN)
            print(
                f"  {words:<30} {variation[0]:.3f}@{spent[0]:<4.1f} {cells}  tenth at {goal:5.1f}x",
                flush=True,
            )
    print(
        "share of the low-temperature draw's variation that is left: after 10 steps | at 3 plain answers' tokens"
    )
    print(
        f"  {'':<30} " + " ".join(f"{kind:>11}" for kind in next(iter(left.values()))) + "  tenth at (median)"
    )
    for words, kinds in left.items():
        means = " ".join("{:5.3f}|{:5.3f}".format(*np.mean(values, axis=0)) for values in kinds.values())
        print(f"  {words:<30} {means}  {np.median(goals[words]):5.1f}x")


if __name__ == "__main__":
    main()
