"""What `--method project` costs and gives: `python scripts/measure/project.py [--model FILE] [--baselines] [--lab N]`.

Four made-up word problems with worked answers of about 200 tokens (worked.jsonl), put to the model as `eval gsm8k`
puts them. For each proposal temperature: tokens drawn and scored a step, shares of steps that moved, that were free and
whose proposal the verifier rejected, log p of the last answer beside the expert's, and seconds over those of a plain
answer of the expert's length, drawn in the same run. --baselines: beside each chain two that may take as many tokens as
it drew and scored: rewrites (plain draws under the prompt that shows the answer; right ones are scored), of which the
likeliest right one under the plain prompt is kept, and plain draws, of which right ones are kept.

--lab N: instead, N chains on problems of lab-base beside N draws of the law itself: a plain draw that the verifier
accepts is an exact draw of p restricted to right answers. For each problem a G-test of the two samples.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

import numpy as np

from localpower.completion import Completion
from localpower.evals.asking import Wording, ask
from localpower.evals.experts import expert_of, usable
from localpower.evals.grade import Grader
from localpower.evals.jobs import RenderedProblem
from localpower.evals.problem import subset
from localpower.evals.running import engine_for
from localpower.evals.sources import Source
from localpower.evals.tasks import TASKS
from localpower.loaded import Loaded
from localpower.loading import Request, load
from localpower.methods import Expert
from localpower.model import Tokens
from localpower.runs.gather import Engine
from localpower.runs.many import Job, side_by_side
from localpower.runs.tally import Tally
from localpower.samplers import Ancestral
from localpower.samplers.project import Projection

PROBLEMS = Path(__file__).parent / "worked.jsonl"  # as GSM8K's authors publish theirs
PUBLISHED = 269_120  # tokens generated a trace: T^2 N / (4 B) at T = 1856, N = 10, B = 32
Timed = tuple[Tally, float, float]  # a chain, its seconds, and those of a plain answer of the expert's length
SCHEDULE = 580  # its steps: N at each of T / B horizons


@dataclass(frozen=True)
class Bed:
    """One problem of a model that is open, and an engine with room for both of its prompts."""

    loaded: Loaded
    engine: Engine
    asked: RenderedProblem
    expert: Expert

    def chain(self, temperature: float, steps: int) -> Projection:
        most, rules = self.asked.max_tokens, self.asked.rules
        return Projection(
            self.expert, 1.0, temperature, most, steps, rules=rules, ahead=self.loaded.goes_ahead()
        )

    def run(self, prompt: Tokens, sampler: Projection | Ancestral, seed: int) -> tuple[Tally, float]:
        start = time.perf_counter()
        (one,) = side_by_side(self.engine, [Job(prompt, sampler, seed)], 1, check=lambda: None)
        return one.tally, time.perf_counter() - start

    def log_p(self, x: Completion) -> float:
        """Under the plain prompt, of an answer that another one drew."""
        return float(self.engine.score(self.asked.tokens, x.tokens).sum())

    def log_p_of_expert(self) -> float:
        """Of the answer that a chain begins with."""
        return self.run(self.asked.tokens, self.chain(1.0, 0), 0)[0].state.total_log_p()


def beds(loaded: Loaded, task: str, data: Path | None, limit: int) -> list[Bed]:
    """The problems that a chain can begin with, an engine for all."""
    problems = subset(TASKS[task].problems(Source(data)), limit)
    grader = Grader()
    asked, notes = usable(ask(TASKS[task], problems, loaded, Wording(), None, show=True), loaded, grader)
    for note in notes:
        print(note)
    asked = [each for each in asked if each.worked is not None]
    engine = engine_for(loaded, asked, 1, 2, lambda: None, None, prompts=2)
    return [Bed(loaded, engine, each, expert_of(each, loaded, grader)) for each in asked]


def word_problems(options: argparse.Namespace) -> None:
    loaded = load(Request(options.model, options.threads, fast=options.fast))
    found = beds(loaded, "gsm8k", PROBLEMS, options.limit)
    for temperature in options.temperatures:
        chains = []
        for bed in found:
            for seed in range(options.seeds):
                chains.append(_chain(bed, temperature, options.steps, seed))
                tally = chains[-1][0]
                n, before = len(bed.asked.worked or ()) + 1, bed.log_p_of_expert()
                print(
                    f"  {bed.asked.problem.id}: {n} tokens, log p {before:.1f}, {before / n:.2f} a token -> "
                    f"{_per_token(tally.state)}",
                    flush=True,
                )
                if options.baselines:
                    _baselines(bed, temperature, tally.n_decoded + tally.n_scored)
        _summary(temperature, options.steps, chains)


def _summary(temperature: float, steps: int, chains: Sequence[Timed]) -> None:
    tallies = [tally for tally, _, _ in chains]
    n = sum(tally.n_steps for tally in tallies)
    moves = n - sum(tally.n_free for tally in tallies)
    drawn, scored = (sum(getattr(each, name) for each in tallies) / n for name in ("n_decoded", "n_scored"))
    print(
        f"temperature {temperature:g}: {n} steps in {len(chains)} chains; a step draws {drawn:.1f} tokens and scores "
        f"{scored:.1f}, the start among them; accepted {sum(t.n_accepted for t in tallies) / moves:.3f} of proposals, "
        f"rejected by the verifier {sum(t.n_refused for t in tallies) / moves:.3f}; free {1 - moves / n:.3f} of steps"
    )
    shares = [seconds / plain for _, seconds, plain in chains]
    print(
        f"  {SCHEDULE} steps: {drawn * SCHEDULE:,.0f} tokens drawn, {PUBLISHED / (drawn * SCHEDULE):.1f} times fewer "
        f"than {PUBLISHED:,}, and {scored * SCHEDULE:,.0f} scored; {steps} steps take the seconds of "
        f"{statistics.mean(shares):.1f} plain answers",
        flush=True,
    )


def _chain(bed: Bed, temperature: float, steps: int, seed: int) -> Timed:
    n = len(bed.asked.worked or ())
    plain, took = bed.run(bed.asked.tokens, Ancestral("base", 1.0, n), seed)
    tally, seconds = bed.run(bed.asked.tokens, bed.chain(temperature, steps), seed)
    return tally, seconds, took * n / max(len(plain.state), 1)


def _per_token(x: Completion) -> str:
    return f"{len(x)} tokens, log p {x.total_log_p():.1f}, {x.total_log_p() / len(x):.2f} a token"


def _baselines(bed: Bed, temperature: float, tokens: int) -> None:
    for words, prompt, own in (
        ("rewrites", bed.expert.prompt, temperature),
        ("plain draws", bed.asked.tokens, 1.0),
    ):
        left, n, right = tokens, 0, list[tuple[float, int]]()
        while left > 0:
            sampler = Ancestral("base", own, bed.asked.max_tokens, bed.asked.rules)
            x = bed.run(prompt, sampler, 1000 + n)[0].state
            left, n = left - len(x), n + 1
            if bed.expert.accepts(x.tokens):
                right.append((bed.log_p(x), len(x)))
                left -= len(x) if prompt != bed.asked.tokens else 0
        best = max(right, default=None)
        said = (
            "none"
            if best is None
            else f"{best[1]} tokens, log p {best[0]:.1f}, {best[0] / best[1]:.2f} a token"
        )
        print(f"    {words}: {len(right)} of {n} right; the likeliest: {said}", flush=True)


def lab(n: int, steps: int, limit: int) -> None:
    loaded = load(Request("lab-base"))
    for family in ("lab-sum", "lab-countdown", "lab-chain"):
        for bed in beds(loaded, family, None, limit):
            exact, tries = Counter[Tokens](), 0
            while exact.total() < n:
                sampler = Ancestral("base", 1.0, bed.asked.max_tokens)
                batch = [Job(bed.asked.tokens, sampler, 10_000 + tries + i) for i in range(16)]
                for one in side_by_side(bed.engine, batch, 1, check=lambda: None):
                    tries += 1
                    if bed.expert.accepts(one.tally.state.tokens) and exact.total() < n:
                        exact[one.tally.state.tokens] += 1
                if tries > 200 * n:
                    break
            ends, drawn = Counter[Tokens](), 0
            for seed in range(n):
                tally, _ = bed.run(bed.asked.tokens, bed.chain(1.0, steps), seed)
                ends[tally.state.tokens] += 1
                drawn += tally.n_decoded + tally.n_scored
            fit, variation = _compared(exact, ends)
            print(
                f"{bed.asked.problem.id}: right by a plain draw {exact.total() / tries:.3f}; {len(exact)} and "
                f"{len(ends)} different answers; variation {variation:.3f}; chance {np.exp(fit):.2g}; "
                f"{drawn / n:.0f} tokens a chain",
                flush=True,
            )


def _compared(a: Counter[Tokens], b: Counter[Tokens]) -> tuple[float, float]:
    """log of the chance that two samples of one law differ so much, by a G-test; their total variation."""
    keys = sorted(a.keys() | b.keys())
    counts = np.array([[one[key] for key in keys] for one in (a, b)], float)
    rare = counts.sum(0) < 10
    pooled = np.concatenate((counts[:, ~rare], counts[:, rare].sum(1, keepdims=True)), axis=1)
    pooled = pooled[:, pooled.sum(0) > 0]
    shares = counts / counts.sum(1, keepdims=True)
    variation = 0.5 * float(np.abs(shares[0] - shares[1]).sum())
    if pooled.shape[1] < 2:
        return 0.0, variation
    from scipy.stats import chi2_contingency

    return float(np.log(chi2_contingency(pooled, lambda_="log-likelihood").pvalue)), variation


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", help="a GGUF file or a catalogue name; else the default model")
    parser.add_argument("--threads", type=int, help="of llama.cpp; else as many as there are cores")
    parser.add_argument("--fast", action="store_true", help="llama.cpp's own numerics")
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--temperatures", type=float, nargs="*", default=[1.0, 0.7, 0.5])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--limit", type=int, default=4)
    parser.add_argument("--baselines", action="store_true")
    parser.add_argument("--lab", type=int, metavar="N")
    options = parser.parse_args()
    if options.lab:
        lab(options.lab, options.steps, options.limit)
    else:
        word_problems(options)


if __name__ == "__main__":
    main()
