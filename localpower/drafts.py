"""NgramDrafter: the next tokens guessed from what was written before, their rows asked for in one batch.

Each token is drawn from its own row and its own stream as always; while it is the one that was guessed, the next row is
there already. So an answer is the same with and without drafts, bit for bit, and a wrong guess costs only its rows.
Guesses come from the prompt, this answer and everything drawn before it, rejected proposals included: what followed
the last few tokens when they were last written, else what the chain's state has at this place.
Source: prompt look-up decoding; the rule "compare with the target's own draw" accepts a draft with its probability.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from localpower.model import Model, Tokens, context_of, weighed
from localpower.numerics import TokenDistribution
from localpower.width import best_width

Mode = Literal["off", "auto", "on"]

_ORDERS = (4, 3, 2)  # tokens that must agree with an earlier place, the longest first
_ALIGNED = 0  # the state's token at the same place
_LONGEST = 7  # rows ahead
_REVIEW = 8  # guesses after which their worth is weighed again
_ALWAYS = 4  # rows ahead where they are wanted whatever they cost


@dataclass(slots=True)
class NgramDrafter:
    """What has been written so far, for one chain.

    always: guesses are asked for whatever rows cost; else as many as the model's cost and the hits make worth it.
    """

    prompt: Tokens
    always: bool = False
    state: Tokens = ()
    _places: dict[Tokens, tuple[list[int], int]] = field(default_factory=dict)
    _counts: dict[int, list[int]] = field(default_factory=dict)  # source: hits, misses
    # source: guesses until then, rows ahead
    _widths: dict[int, tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read the prompt."""
        text: list[int] = []
        for token in self.prompt:
            text.append(token)
            self.wrote(text)

    def wrote(self, text: list[int]) -> None:
        """The last token of a text (prompt and answer) that grows in place is new."""
        i = len(text) - 1
        for n in _ORDERS:
            if i >= n:
                self._places[tuple(text[i - n : i])] = text, i

    def guess(self, text: list[int]) -> tuple[int, Tokens]:
        """(source, tokens) that may follow a text; none where nothing like it was seen."""
        for n in _ORDERS:
            found = self._places.get(tuple(text[-n:])) if len(text) >= n else None
            if found is not None:
                return n, tuple(found[0][found[1] : found[1] + _LONGEST])
        here = len(text) - len(self.prompt)
        return _ALIGNED, self.state[here : here + _LONGEST]

    def width(self, source: int, model: Model) -> int:
        """How many guessed tokens are worth a row."""
        if self.always:
            return _ALWAYS
        hits, misses = self._counts.get(source, (0, 0))
        known, width = self._widths.get(source, (-_REVIEW, 0))
        if hits + misses - known >= _REVIEW:
            width = best_width(model.cost, (misses + 1) / (hits + misses + 2), 1 + _LONGEST) - 1
            self._widths[source] = hits + misses, width
        return width

    def was(self, source: int, *, hit: bool) -> None:
        """A guess turned out right or wrong."""
        self._counts.setdefault(source, [0, 0])[0 if hit else 1] += 1


class Ahead:
    """The rows of one answer while it grows, some of them asked for ahead."""

    def __init__(
        self, model: Model, drafts: NgramDrafter | None, text: list[int], temperature: float
    ) -> None:
        """text: prompt and answer so far; it grows with the answer. temperature: at which the rows are weighed."""
        self._model, self._drafts, self._temperature = model, drafts, temperature
        self._text = text
        self._source, self._guess = _ALIGNED, deque[int]()
        self._rows = deque[TokenDistribution]()

    def row(self, most: int) -> TokenDistribution:
        """The row after the text, valid until the next one. most: tokens that may still be drawn, this one included."""
        if self._rows:
            return self._rows.popleft()
        if self._drafts is None:
            return self._weighed([context_of(self._model, self._text)])[0]
        self._source, guess = self._drafts.guess(self._text)
        self._guess = deque(guess)
        ahead = min(len(guess), self._drafts.width(self._source, self._model) if guess else 0, most - 1)
        ends = next((i for i, token in enumerate(guess) if token in self._model.eos), ahead)
        lengths = range(1, min(ahead, ends) + 1)
        context = context_of(self._model, self._text)
        first, *rest = self._weighed([context, *(context + guess[:n] for n in lengths)])
        self._rows.extend(rest)
        return first

    def _weighed(self, contexts: list[Tokens]) -> Sequence[TokenDistribution]:
        return weighed(self._model, contexts, self._temperature)

    def wrote(self, token: int, *, given: bool = False) -> None:
        """The text goes on with this token. given: it was not drawn, so that nobody took a row for it."""
        self._text.append(token)
        if self._drafts is None:
            return
        self._drafts.wrote(self._text)
        hit = bool(self._guess) and self._guess[0] == token
        if self._guess and not given:
            self._drafts.was(self._source, hit=hit)
        if hit and not given:
            self._guess.popleft()
        else:
            self._guess.clear()
            self.close()

    def close(self) -> None:
        """What was asked for ahead is not needed."""
        if self._rows:
            self._model.waste(len(self._rows))
            self._rows.clear()
