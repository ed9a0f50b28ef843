"""`localpower.list_answers`: the law of whole answers, listed, with a bound on what is not listed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

from localpower.api.model import Model
from localpower.api.question import Prompt, ask, conversation_of
from localpower.api.request import PromptOptions, SamplingOptions, whole_number
from localpower.errors import UsageProblem
from localpower.model import Tokens
from localpower.readers import MOST_RUNS
from localpower.runs.listing import Listing, powered, search
from localpower.samplers.ancestral import Base
from localpower.text.stops import answer_text

_MOST = 2**31 - 1


class Bounds(NamedTuple):
    """A number that lies between the two for certain."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ListedAnswer:
    """finish: stop (it ended by itself) or length. log_p: of the tokens, the end token too, nats."""

    text: str
    tokens: Tokens
    finish: str
    log_p: float


@dataclass(frozen=True, slots=True)
class AnswerList:
    """Answers, the likeliest first, as an exact law with a remainder.

    missing: the probability of all answers that are not listed. log_p_missing: none of them has more than this, nats;
    -inf: there is none. rows: rows of the model that were evaluated.
    """

    answers: tuple[ListedAnswer, ...]
    missing: float
    log_p_missing: float
    rows: int

    def missing_at(self, alpha: float = 1.0) -> float:
        """At most this share of p^alpha is not listed: sum p^alpha <= missing * (largest p)^(alpha - 1).

        Raises UsageProblem below alpha = 1.
        """
        listed, rest = self._weights(alpha)
        whole = float(listed.sum()) + rest
        return rest / whole if whole else 1.0

    def share(self, wanted: Callable[[ListedAnswer], bool], alpha: float = 1.0) -> Bounds:
        """The share of p^alpha that wanted answers have. Exact accuracy, where `wanted` is a verifier."""
        listed, rest = self._weights(alpha)
        mine = float(listed[np.array([wanted(each) for each in self.answers], dtype=bool)].sum())
        others = float(listed.sum()) - mine
        low = mine / (mine + others + rest) if mine else 0.0
        high = 1.0 - others / (mine + others + rest) if others > 0 else 1.0
        return Bounds(low, max(low, high))

    def variation(self, drawn: Iterable[Tokens], alpha: float = 1.0) -> Bounds:
        """Total variation between answers that were drawn (their tokens) and p^alpha.

        Few draws are far from any law, exact draws too: compare with as many of those. Raises UsageProblem for none.
        """
        counts = Counter(map(tuple, drawn))
        n = counts.total()
        if not n:
            raise UsageProblem("there are no answers to compare with a law")
        listed, rest = self._weights(alpha)
        whole, seen = float(listed.sum()), np.array([counts[each.tokens] for each in self.answers]) / n
        if not whole:
            return Bounds(0.0, 1.0)
        alike = [float(np.minimum(seen, listed / total).sum()) for total in (whole, whole + rest)]
        # What draws may share with what is not listed.
        beside = min(1.0 - float(seen.sum()), rest / (whole + rest))
        return Bounds(max(1.0 - alike[0] - max(beside, 0.0), 0.0), max(1.0 - alike[1], 0.0))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; log_p_missing is None where nothing is missing."""
        log_p = self.log_p_missing
        return asdict(self) | {"log_p_missing": None if log_p == -math.inf else log_p}

    def _weights(self, alpha: float) -> tuple[np.ndarray[Any, np.dtype[np.float64]], float]:
        """p^alpha of each answer and at most of all others, over p^alpha of the likeliest."""
        if not 1.0 <= alpha < math.inf:
            raise UsageProblem(f"alpha must be a number from 1, got {alpha!r}")
        log_p = np.array([each.log_p for each in self.answers])
        return powered(log_p, self.missing, self.log_p_missing, alpha)


def list_answers(
    model: Model,
    prompt: Prompt,
    *,
    mass: float = 0.999,
    alpha: float = 1.0,
    max_tokens: int = 256,
    rows: int = 4096,
    at_once: int = 16,
    system: str | None = None,
    raw: bool = False,
    stops: Sequence[str] = (),
    template_args: Mapping[str, Any] | None = None,
) -> AnswerList:
    """The answers to a prompt, the likeliest first, until they have `mass` of p^alpha, or `rows` were spent.

    For models and prompts whose answers can be listed: small ones, and answers of a few tokens. A larger alpha needs
    fewer of them. An answer ends, or is exactly max_tokens long. rows: of the model, one for each prefix that is
    followed; at_once: of them in a batch. Of vocabularies of more than 1,024 tokens the 256 likeliest are followed,
    the others count as missing. Raises UserError for what the model cannot be asked, KeyboardInterrupt for Ctrl-C.
    """
    if not (isinstance(mass, int | float) and 0.0 < mass <= 1.0):
        raise UsageProblem(f"mass must be above 0 and at most 1, got {mass!r}")
    if not (isinstance(alpha, int | float) and 1.0 <= alpha < math.inf):
        raise UsageProblem(f"alpha must be a number from 1, got {alpha!r}")
    most = whole_number("rows", rows, 1, _MOST)
    at_once = whole_number("at_once", at_once, 1, MOST_RUNS)
    options = SamplingOptions(Base(), max_tokens, at_once)
    prompting = PromptOptions.of(system, raw, stops, template_args)
    with model.use() as interrupts:
        loaded = model.loaded
        question = ask(loaded, conversation_of(prompt), options, prompting)
        engine = model.room(question, interrupts)
        listing = Listing(engine, question.prompt, options.max_tokens, question.rules)
        search(listing, mass, alpha, most, at_once, interrupts.check)
        found = sorted(listing.answers, key=lambda each: -each.log_p)
        return AnswerList(
            tuple(
                ListedAnswer(
                    answer_text(each.tokens, loaded.piece, question.stops),
                    each.tokens,
                    "stop" if each.ended else "length",
                    each.log_p,
                )
                for each in found
            ),
            listing.missing,
            listing.likeliest_left,
            listing.rows,
        )
