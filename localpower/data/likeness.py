"""When two answers say the same, and when a text repeats a problem of a benchmark. Words are compared, not letters.

near duplicates   the same words, numbers and signs, whatever their case, spaces and punctuation (. , : ; ? and
                  quotation marks); or, of texts of at least 8 of them, a Jaccard index of at least .9 of their sets of
                  runs of 8
overlap           a run of 8 words, letters and digits alone, that stands in both texts; of a problem with fewer words
                  the whole problem, in which signs count too. Source of the rule of 8: Muennighoff et al. 2025 (s1)
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

RUN = 8  # words
NEAR = 0.9  # of the Jaccard index
_PARTS = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d]+|[^\w\s.,:;?'\"`‘’“”]")
_WORDS = re.compile(r"\w+")

Words = tuple[str, ...]
Runs = frozenset[str]


def parts(text: str) -> Words:
    """Words, numbers and signs of a text, in one case."""
    return tuple(_PARTS.findall(unicodedata.normalize("NFKC", text).casefold()))


def runs(words: Words) -> Runs:
    """All runs of 8 words, as texts; of fewer words all of them as one."""
    return frozenset(" ".join(words[i : i + RUN]) for i in range(max(len(words) - RUN + 1, 1)))


def likeness(a: Runs, b: Runs) -> float:
    """Jaccard index of two sets of runs: 0 to 1."""
    shared = len(a & b)
    return shared / (len(a) + len(b) - shared)


class Overlap:
    """Problems that no training data may repeat."""

    def __init__(self, problems: Iterable[str]) -> None:
        self._runs: set[str] = set()
        self._short: set[Words] = set()
        for text in problems:
            words = _words(text)
            if len(words) < RUN:
                self._short.add(parts(text))
            else:
                self._runs |= runs(words)

    def repeats(self, question: str, answer: str) -> bool:
        """Whether the question is one of them, or the question or the answer shares a run of 8 words with one."""
        return parts(question) in self._short or any(
            len(words) >= RUN and not self._runs.isdisjoint(runs(words))
            for words in (_words(question), _words(answer))
        )


def _words(text: str) -> Words:
    return tuple(_WORDS.findall(unicodedata.normalize("NFKC", text).casefold()))
