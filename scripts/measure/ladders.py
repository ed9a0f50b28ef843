"""Parallel tempering against other methods on laws that can be listed: `python scripts/measure/ladders.py`.

Tempering (Theodoropoulos et al., arXiv 2609.38104): chains at exponents alpha = a_1 > ... > a_K. A round is a step of
each; then neighbours exchange their answers, from the lowest pair up, with probability
min(1, exp((a_k - a_(k+1)) (log p(x_(k+1)) - log p(x_k)))). The joint law has an axis a rung and is followed exactly;
tokens of all rungs count, swaps are free. best-of-n is exact too, by an integral. Only smc is drawn, RUNS times (noise:
what as many exact draws show); a chain that begins with its choice is followed exactly.
Laws: three of variation.py that chains without hot cuts do not leave; two where the likely first token leads to many
answers and a rare one, or two rare ones in a row, to one that weighs as much as all the others. Printed: total
variation at 3, 5, 10, 20 plain answers' tokens, and the tokens at which a tenth of a low-temperature draw's is left.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache, partial, reduce
from itertools import product
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from localpower.chance import StreamDice
from localpower.model import Model, Tokens
from localpower.runs.tally import Tally
from localpower.samplers import PowerSMC
from localpower.samplers.acceptance import HOT_CUT, PLAIN_STEP, StepVariant
from localpower.samplers.cuts import cut_law
from localpower.samplers.kernel import ChainState, Kernel
from localpower.testing import outcomes
from localpower.toy import ToyModel, power_law
from scripts.measure.variation import ALPHA, HORIZON, laws, reached, start

HARD, RUNS, COLD = ("both 4", "four 1", "four 2"), 4000, 1 / ALPHA
SHOWN, ROUNDS = (3.0, 5.0, 10.0, 20.0), {1: 300, 2: 120, 3: 50, 4: 12}
LADDERS = ((4.0, 2.0), (4.0, 1.0), (4.0, 2.83, 2.0), (4.0, 2.0, 1.0), (4.0, 3.17, 2.52, 2.0))
Curve = Iterator[tuple[np.ndarray, float]]  # laws of answers, and the tokens that they cost


def two_modes(*rare: float) -> tuple[Model, Tokens, int]:
    """Answers of a and b. Those that begin with any other tokens than the rare ones are even after them."""
    rows = {}
    for answer in (answer for n in range(HORIZON) for answer in product((1, 2), repeat=n)):
        b = 0.5 if 1 in answer[: len(rare)] else (*rare, *(1e-13,) * HORIZON)[len(answer)]
        rows[1, 2, *answer] = np.log((1e-13, 1.0 - b, b))
    return ToyModel(("<end>", "a", "b"), _rows=rows), (1, 2), HORIZON


class Law:
    """All answers of a model, in one order, and the laws of what draws them."""

    def __init__(self, *where: Model | Tokens | int) -> None:
        self._where = where
        base = power_law(*where, 1.0)
        self._order = {tokens: i for i, tokens in enumerate(base)}
        self.log_p, self._n = np.log(list(base.values())), np.array([len(tokens) for tokens in base])
        self.plain = float(np.exp(self.log_p) @ self._n)
        self.pi = np.array(list(power_law(*where, ALPHA).values()))

    def variation(self, law: np.ndarray) -> float:
        return 0.5 * float(np.abs(law - self.pi).sum())

    def draw(self, temperature: float) -> tuple[np.ndarray, float]:
        law = start(*self._where, temperature)[2]
        return law, float(law @ self._n)

    @cache  # noqa: B019
    def kernel(self, alpha: float, temperature: float, variant: StepVariant) -> tuple[np.ndarray, np.ndarray]:
        """A step's matrix, and the tokens drawn from each state."""
        model, prompt, horizon = self._where
        kernel = Kernel(alpha, temperature, cut_law("restart"), variant=variant)
        matrix, costs = np.zeros((len(self.pi),) * 2), np.zeros(len(self.pi))
        for tokens, x in start(*self._where, temperature)[1].items():
            i, state = self._order[tokens], ChainState(x, horizon)
            for (after, info), probability in outcomes(
                partial(kernel.step, state=state, model=model, prompt=prompt)
            ):
                matrix[i, self._order[after.completion.tokens]] += probability
                costs[i] += probability * info.n_decoded
        return matrix, costs

    def smc(self, particles: int, ramp: int) -> tuple[np.ndarray, float]:
        sampler = PowerSMC(ALPHA, self._where[2], particles, ramp)
        runs = (sampler.run(*self._where[:2], StreamDice(1, (i,))) for i in range(RUNS))
        found = [reduce(Tally.add, run, Tally()) for run in runs]
        counts = np.bincount([self._order[one.state.tokens] for one in found], minlength=len(self.pi))
        return counts / RUNS, sum(one.n_decoded for one in found) / RUNS

    def best_of(self, n: int, temperature: float) -> tuple[np.ndarray, float]:
        """P(x) = n q(x) w(x) int exp(-w(x) t) (E exp(-w t))^(n-1) dt, since 1/a = int exp(-a t) dt."""
        q, tokens = self.draw(temperature)
        w = np.exp(ALPHA * self.log_p) / q
        t = np.exp(np.arange(-40.0 - np.log(w.max()), 6.0 - np.log(w.min()), 0.02))
        decay = np.exp(-np.multiply.outer(w, t))
        return n * q * w * (decay * (q @ decay) ** (n - 1) * t).sum(axis=1) * 0.02, n * tokens

    def rounds(self, rungs: tuple, firsts: list, kernels: list, every: int = 1, sweeps: int = 1) -> Curve:
        """The first rung's law after 0, 1, ... rounds; so many sweeps after every so many."""
        axes, cost = range(len(rungs)), sum(tokens for _, tokens in firsts)
        joint = reduce(np.multiply.outer, [law for law, _ in firsts])
        yield firsts[0][0], cost
        for index in range(1, ROUNDS[len(rungs)] + 1):
            for k, (matrix, costs) in enumerate(kernels):
                cost += float(joint.sum(axis=tuple(i for i in axes if i != k)) @ costs)
                joint = np.moveaxis(np.tensordot(joint, matrix, (k, 0)), -1, k)
            for k in [*reversed(axes[:-1])] * sweeps * (index % every == 0):
                rises = (rungs[k + 1] - rungs[k]) * np.subtract.outer(self.log_p, self.log_p)
                shape = [len(self.pi) if i in (k, k + 1) else 1 for i in axes]
                moved = joint * np.exp(np.minimum(rises, 0.0)).reshape(shape)
                joint = joint - moved + np.swapaxes(moved, k, k + 1)
            yield joint.sum(axis=tuple(axes[1:])), cost


def methods(law: Law) -> Iterator[tuple[str, Curve]]:
    """What is compared, by its words."""
    forms = ((COLD, HOT_CUT), (COLD, PLAIN_STEP), (1.0, PLAIN_STEP))
    hot, cold, warm = (partial(law.rounds, (ALPHA,), kernels=[law.kernel(ALPHA, *form)]) for form in forms)
    yield "power", hot([law.draw(COLD)])
    yield "power, start smc:4", hot([law.smc(4, 32)])
    yield "power, no hot cut", cold([law.draw(COLD)])
    yield "power, all at 1", warm([law.draw(1.0)])
    for ramp in (HORIZON, 32):
        yield f"smc, ramp {ramp}", (law.smc(n, ramp) for n in (2, 4, 8, 16))
    for temperature in (COLD, 1.0):
        yield f"best-of-n at {temperature:g}", (law.best_of(n, temperature) for n in range(1, 41))
    for rungs in LADDERS:
        both = [law.draw(1 / a) for a in rungs], [law.kernel(a, 1 / a, HOT_CUT) for a in rungs]
        for sweeps, every in ((1, 1), (1, 3), (3, 1))[: 3 if len(rungs) < 4 else 1]:
            words = f"tempering {' '.join(f'{a:g}' for a in rungs)}, {sweeps} sweeps every {every}"
            yield words, law.rounds(rungs, *both, every, sweeps)


def main() -> None:
    found = [each for each in laws() if each[0] in HARD]
    found += [("one rare", *two_modes(0.11)), ("two rare", *two_modes(0.3, 0.3))]
    for name, *where in found:
        law = Law(*where)
        goal = law.variation(law.draw(COLD)[0]) / 10
        noise = [*map(law.variation, np.random.default_rng(0).multinomial(RUNS, law.pi, 100) / RUNS)]
        print(f"{name}: low-temp {10 * goal:.3f}, noise {np.mean(noise):.4f}")
        for words, curve in methods(law):
            points = [(law.variation(answers), tokens / law.plain) for answers, tokens in curve]
            variation, spent = map(list, zip(*points, strict=True))
            cells = "".join(f"{x:8.4f}" for x in np.interp(SHOWN, spent, variation, np.nan, np.nan))
            print(f"  {words:<44}{cells}  tenth at {reached(variation, spent, goal):5.1f}x", flush=True)


if __name__ == "__main__":
    main()
