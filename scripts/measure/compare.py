"""Total variation to p^alpha against evaluated tokens, for every sampler: `python scripts/measure/compare.py`.

On GGUFs with two letters and random weights, every answer of up to 5 letters listed and read through llama.cpp. Each
setting is run many times; its answers are counted against the exact law. noise: the variation that so many exact draws
show on average. front: no other setting is both cheaper and nearer on the average of the laws. --plot draws it (extra:
localpower[plots]).
"""

from __future__ import annotations

import argparse
import sys
from itertools import islice
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from localpower.chance import StreamDice
from localpower.model import Model, Tokens
from localpower.runs.tally import Tally
from localpower.samplers import Ancestral, BestOfNSampler, LookaheadSampler, PowerMH, PowerSMC, Sampler
from localpower.samplers.acceptance import HOT_CUT, PLAIN_STEP, StepVariant
from localpower.samplers.cuts import cut_law
from localpower.samplers.start import DRAW, Start
from localpower.toy import power_law
from scripts.measure.variation import ALPHA, HORIZON, OF_EACH, laws


def samplers() -> dict[str, Sampler]:
    """What is compared, by its words."""

    def chain(cuts: str, steps: int, variant: StepVariant = HOT_CUT, start: Start = DRAW) -> PowerMH:
        return PowerMH(ALPHA, 1 / ALPHA, HORIZON, HORIZON, steps, cut_law(cuts), variant=variant, start=start)

    found: dict[str, Sampler] = {"low-temp": Ancestral("low-temp", 1 / ALPHA, HORIZON)}
    for cuts in ("uniform", "restart", "entropy"):
        for steps in (3, 10, 30):
            found[f"power {cuts} {steps}"] = chain(cuts, steps)
    for steps in (3, 10, 30):
        found[f"power restart {steps}, no hot cut"] = chain("restart", steps, PLAIN_STEP)
        found[f"power restart {steps} metropolised"] = chain("restart", steps, StepVariant(True, True))
    for n in (2, 4):
        for steps in (3, 10):
            found[f"power restart {steps}, start smc:{n}"] = chain("restart", steps, start=Start("smc", n))
    for n in (2, 4, 8, 16):
        found[f"best-of-n {n}"] = BestOfNSampler(ALPHA, 1 / ALPHA, HORIZON, n)
        found[f"best-of-n {n} T=1"] = BestOfNSampler(ALPHA, 1.0, HORIZON, n)
        found[f"smc {n} no ramp"] = PowerSMC(ALPHA, HORIZON, n, 0)
        found[f"smc {n} ramp 5"] = PowerSMC(ALPHA, HORIZON, n, 5)
    for candidates, rollouts in ((2, 1), (4, 1), (4, 4), (8, 8)):
        words = f"lookahead {candidates} {rollouts}"
        found[words] = LookaheadSampler(ALPHA, 1 / ALPHA, HORIZON, 2, candidates, rollouts)
    return found


def measured(
    sampler: Sampler, model: Model, prompt: Tokens, law: dict[Tokens, float], runs: int
) -> tuple[float, float]:
    """Total variation and tokens drawn a run."""
    counts, drawn = dict.fromkeys(law, 0), 0
    for i in range(runs):
        tally = Tally()
        for event in sampler.run(model, prompt, StreamDice(1, (i,))):
            tally = tally.add(event)
        counts[tally.state.tokens] += 1
        drawn += tally.n_decoded
    return 0.5 * sum(abs(counts[x] / runs - p) for x, p in law.items()), drawn / runs


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=1500)
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    found: dict[str, list[tuple[float, float]]] = {}
    noise = []
    for name, model, prompt, _ in islice(laws(), OF_EACH):
        law = power_law(model, prompt, HORIZON, ALPHA)
        plain = sum(len(x) * p for x, p in power_law(model, prompt, HORIZON, 1.0).items())
        p = np.array(list(law.values()))
        draws = np.random.default_rng(0).multinomial(options.runs, p, 200) / options.runs
        noise.append(0.5 * np.abs(draws - p).sum(axis=1).mean())
        for words, sampler in samplers().items():
            variation, drawn = measured(sampler, model, prompt, law, options.runs)
            found.setdefault(words, []).append((drawn / plain, variation))
            print(f"{name} {words:<32} {drawn / plain:6.1f}x  {variation:.3f}", flush=True)
    means = {words: tuple(np.mean(values, axis=0)) for words, values in found.items()}
    print(f"means over the laws; noise {np.mean(noise):.3f}")
    for words, (cost, variation) in sorted(means.items(), key=lambda item: item[1]):
        front = not any(c < cost and v < variation for c, v in means.values())
        print(f"{words:<32} {cost:6.1f}x  {variation:.3f} {'front' if front else ''}")
    if options.plot:
        plot(means, float(np.mean(noise)), options.plot)


def plot(means: dict[str, tuple[float, float]], noise: float, path: Path) -> None:
    """Cost and variation of every setting, one colour a method."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axis = figure.subplots()
    for method in dict.fromkeys(words.split()[0] for words in means):
        points = sorted(point for words, point in means.items() if words.split()[0] == method)
        axis.plot(*zip(*points, strict=True), "o", label=method)
    axis.axhline(noise, color="grey", linewidth=0.8)
    axis.set(
        xscale="log",
        yscale="log",
        xlabel="tokens drawn, times a plain answer",
        ylabel="total variation to p^alpha",
    )
    axis.legend()
    figure.savefig(path)


if __name__ == "__main__":
    main()
