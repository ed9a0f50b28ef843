"""Total variation to p^alpha against evaluated tokens, exactly: `python scripts/measure/variation.py`.

Laws small enough to list: every answer of up to 5 letters of a GGUF with two letters and random weights, read through
llama.cpp, and tables whose decisions are early, late or both. For each kernel all paths of a step are followed, so that
the law after k steps and the tokens evaluated until then are known to rounding; nothing is drawn.
One line a kernel: total variation after 1, 2, 3, 5, 8, 12 and 20 steps, and the tokens (times a plain answer's) after
which it has come down to a tenth of a plain low-temperature draw's.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from localpower.completion import Completion, extend
from localpower.loading import Request, load
from localpower.model import Model, Tokens
from localpower.samplers.cuts import cut_law
from localpower.samplers.kernel import ChainState, Savers, step
from localpower.samplers.race import Form
from localpower.toy import ToyModel, power_law
from tests.exact import outcomes
from tests.gguf_files import write_llama

ALPHA, HORIZON, MOST = 4.0, 5, 200
OF_EACH, LEAST = 3, 0.2
SHOWN = (1, 2, 3, 5, 8, 12, 20)


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
    for cuts in ("uniform", "restart", "entropy"):
        yield cuts, partial(step, cuts=cut_law(cuts))
    yield "uniform, no savers", partial(step, cuts=cut_law("uniform"), savers=Savers(skip=False, early=False))
    for cuts in ("uniform", "restart"):
        yield f"{cuts}, metropolised", partial(step, cuts=cut_law(cuts), form=Form(metropolised=True))


def curve(model: Model, prompt: Tokens, kernel: Callable) -> tuple[list[float], list[float]]:
    """Total variation and tokens evaluated after 0, 1, ... steps from a low-temperature draw."""
    target = power_law(model, prompt, HORIZON, ALPHA)
    order = {tokens: i for i, tokens in enumerate(target)}
    pi = np.array(list(target.values()))
    settings = {"temperature": 1 / ALPHA}
    _, known, law = start(model, prompt)
    lengths = np.array([len(tokens) for tokens in target])
    matrix, costs = np.zeros((len(pi), len(pi))), np.zeros(len(pi))
    for tokens, x in known.items():
        state = ChainState(x, HORIZON)
        for (after, info), probability in outcomes(
            lambda dice, state=state: kernel(dice, state, model, prompt, alpha=ALPHA, **settings)
        ):
            matrix[order[tokens], order[after.completion.tokens]] += probability
            costs[order[tokens]] += probability * info.n_decoded
    variation, spent = [0.5 * np.abs(law - pi).sum()], [float(law @ lengths)]
    for _ in range(MOST):
        spent.append(spent[-1] + float(law @ costs))
        law = law @ matrix
        variation.append(0.5 * np.abs(law - pi).sum())
    plain = float(np.array(list(power_law(model, prompt, HORIZON, 1.0).values())) @ lengths)
    return variation, [tokens / plain for tokens in spent]


def laws() -> Iterator[tuple[str, Model, Tokens]]:
    """What is sampled: name, model, prompt. Those that a plain low-temperature draw misses by more than LEAST."""
    found = 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(1, 20):
            path = write_llama(Path(folder) / f"{seed}.gguf", "ab", seed=seed)
            engine = load(Request(str(path))).engine((0, 1), HORIZON, 1, lambda: None)
            model = Read(engine)
            if found < OF_EACH and start(model, (0, 1))[0] > LEAST:
                found += 1
                yield f"GGUF {seed}", model, (0, 1)
    for name, positions in (("early", (0, 1)), ("late", (3, 4)), ("both", (0, 3, 4))):
        hard = (
            (f"table {seed}, decided {name}", model, (1, 2))
            for seed in range(1, 200)
            if start(model := Decided(seed, positions, 2), (1, 2))[0] > LEAST
        )
        yield from islice(hard, OF_EACH)


def start(model: Model, prompt: Tokens) -> tuple[float, dict[Tokens, Completion], np.ndarray]:
    """A plain low-temperature draw: its total variation, every answer it can give, and their probabilities."""
    target = power_law(model, prompt, HORIZON, ALPHA)
    known, law = {}, dict.fromkeys(target, 0.0)
    for x, probability in outcomes(
        lambda dice: extend(dice, model, prompt, Completion(), HORIZON, temperature=1 / ALPHA)
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
    found: dict[str, list[float]] = {}
    for name, model, prompt in laws():
        print(name)
        for words, kernel in kernels():
            variation, spent = curve(model, prompt, kernel)
            goal = reached(variation, spent, variation[0] / 10)
            found.setdefault(words, []).append(goal)
            cells = " ".join(f"{variation[k]:.3f}@{spent[k]:<4.1f}" for k in SHOWN)
            print(
                f"  {words:<24} {variation[0]:.3f}@{spent[0]:<4.1f} {cells}  tenth at {goal:5.1f}x",
                flush=True,
            )
    print(
        "tokens until a tenth of the low-temperature draw's error, times a plain answer's: median, and by law"
    )
    for words, goals in found.items():
        print(f"  {words:<24} {np.median(goals):5.1f}  " + " ".join(f"{goal:5.1f}" for goal in goals))


if __name__ == "__main__":
    main()
