"""What to expect of training on these answers. Accuracy alone misleads: cold starts fail by losing variety."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from localpower.data.likeness import parts
from localpower.data.samples import Sample
from localpower.runs.repetition import loops

STEEP = 2.0  # alphas above it are for answering, not for data
LITTLE_DISTINCT = 0.5  # share of a problem's answers
LITTLE_ENTROPY = 0.18  # nats a token; source: arXiv 2606.18487, below it later RL found less
LITTLE_COVERAGE = 0.9  # of that of all answers


@dataclass(frozen=True, slots=True)
class Expectation:
    """Of the answers of one method. None: not known.

    accuracy: share of graded answers that are right. coverage: share of problems with a right one. distinct: mean over
    problems with several answers of the share of them that differ, as words; answers_each: different final answers to
    such a problem, on average. entropy: mean of the model's at each drawn token, nats. log_p: mean of a token, nats.
    loops: share that repeat themselves.
    """

    method: str
    alpha: float
    n_answers: int
    n_problems: int
    n_tokens: int
    accuracy: float | None
    coverage: float | None
    distinct: float | None
    answers_each: float | None
    entropy: float | None
    log_p: float | None
    loops: float


def expectations(samples: Sequence[Sample], of: Sequence[Sample] | None = None) -> list[Expectation]:
    """One for each method, in the order of their first answers. of: all answers; coverage is of their problems."""
    tried: dict[str, set[tuple[str, str]]] = {}
    for each in samples if of is None else of:
        tried.setdefault(each.method, set()).update({each.place} if each.verdict != "ungraded" else ())
    found: dict[str, list[Sample]] = {}
    for each in samples:
        found.setdefault(each.method, []).append(each)
    return [_expectation(method, some, len(tried[method])) for method, some in found.items()]


def _expectation(method: str, samples: list[Sample], tried: int) -> Expectation:
    problems: dict[tuple[str, str], list[Sample]] = {}
    for each in samples:
        problems.setdefault(each.place, []).append(each)
    graded = [each for each in samples if each.verdict != "ungraded"]
    right = [each.place for each in graded if each.verdict == "right"]
    several = [some for some in problems.values() if len(some) > 1]
    finals = [{x.extracted for x in some if x.extracted is not None} for some in several]
    drawn = [i for each in samples for i in range(len(each.tokens)) if i not in each.given]
    entropy = [h for each in samples for i, h in enumerate(each.entropy) if i not in each.given]
    log_p = [value for each in samples for i, value in enumerate(each.log_p) if i not in each.given]
    return Expectation(
        method,
        samples[0].alpha,
        len(samples),
        len(problems),
        len(drawn),
        len(right) / len(graded) if graded else None,
        len(set(right)) / tried if tried else None,
        fmean(len({parts(x.answer) for x in some}) / len(some) for some in several) if several else None,
        fmean(map(len, finals)) if finals else None,
        fmean(entropy) if entropy else None,
        fmean(log_p) if log_p else None,
        fmean(loops(each.tokens) for each in samples),
    )


def warnings(before: Sequence[Expectation], after: Sequence[Expectation]) -> list[str]:
    """What to say where an alpha above 2 leaves little variety. before: of all answers, after: of those that stay."""
    kept = {each.method: each for each in after}
    found = []
    for all_of in before:
        stays = kept.get(all_of.method)
        if stays is None or all_of.alpha <= STEEP:
            continue
        reasons = []
        if all_of.distinct is not None and all_of.distinct < LITTLE_DISTINCT:
            differ = f"{all_of.distinct:.0%} of the answers to a problem differ"
            reasons.append(f"{differ}, less than {LITTLE_DISTINCT:.0%}")
        if stays.entropy is not None and stays.entropy < LITTLE_ENTROPY:
            reasons.append(f"the entropy is {stays.entropy:.2f} nats a token, less than {LITTLE_ENTROPY}")
        covered, of = stays.coverage, all_of.coverage
        if covered is not None and of and covered < LITTLE_COVERAGE * of:
            first = f"{of:.0%} before the selection"
            reasons.append(f"{covered:.0%} of the problems have a right answer, {first}")
        if reasons:
            found.append(
                f"alpha {all_of.alpha:g} of {all_of.method} leaves little variety: {'; '.join(reasons)}. RL that "
                "begins from such data finds less; data are usually drawn at alpha 1.5 to 2"
            )
    return found
