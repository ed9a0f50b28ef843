"""Does an environment answer what a record says it did? Every call is made again, turn by turn."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from localpower.completion import Completion
from localpower.errors import UserError
from localpower.model import Tokens
from localpower.tools.calls import Observation
from localpower.tools.environment import Environment
from localpower.tools.exchange import CHANCES, NO_ROOM, Exchange, Reseeded, Spelling
from localpower.tools.executor import readable
from localpower.tools.formats import Frame, find

_NO_NUMBER, _NUMBER_ENDS = r"(?<![\d.-])", r"(?![\d.])"


class Recheck:
    """recorded: what the record says of tools. text: of tokens. n: observations that were compared."""

    def __init__(
        self, environment: Environment, recorded: Mapping[str, Any], text: Callable[[Tokens], str]
    ) -> None:
        """Raises UserError for a format that is not known, or an environment that cannot begin."""
        self.n = 0
        self._text = text
        self._exchange = Exchange(
            environment,
            find(recorded["format"]),
            Frame(),
            Spelling(text, lambda before, pieces: (0,)),
            seed=recorded["seed"],
            turns=recorded["turns"],
            tokens=recorded["observation_tokens"],
            chances=CHANCES if recorded["fresh"] and isinstance(environment, Reseeded) else 1,
        )
        self._exchange.begin()

    def problems(self, trace: Completion, since: int) -> list[str]:
        """What of the observations that begin at token `since` or later the environment does not answer."""
        found: list[str] = []
        for i, (begin, end) in enumerate(trace.rounds):
            try:
                self._exchange.reply(trace.head(begin), int(trace.world[begin]))
            except UserError as error:
                return [*found, error.message]
            observations = self._exchange.rounds(trace.head(end))[-1].observations
            if begin < since or not observations:  # none: the record has no text of the tokens that call
                continue
            self.n += 1
            said = self._text(trace.tokens[begin:end])
            if not self._tells(said, observations):
                now = " ".join(self._exchange.told(trace.head(end))).strip()
                shown = readable(said.strip(), 60)
                found.append(f"observation {i + 1} is {now[:60]!r} now, recorded as {shown!r}")
        return found

    def _tells(self, said: str, observations: Sequence[Observation]) -> bool:
        """Whether a recorded text says these, as they are or cut to what an observation may have.

        Where a template wrote around them, which is not recorded, their texts stand somewhere in it, in order, and not
        as parts of longer numbers.
        """
        if self._says(said, observations):
            return True
        return any(
            self._says(said, [replace(each, text=readable(each.text, k)) for each in observations])
            for k in _lengths(said, [each.text for each in observations])
        ) or self._says(said, [Observation(NO_ROOM, ok=False, executed=False)])

    def _says(self, said: str, observations: Sequence[Observation]) -> bool:
        pieces = self._exchange.format.opening(observations, Frame())
        if not self._exchange.format.role:
            return "".join(piece.text for piece in pieces).strip() == said.strip()
        place = 0
        for text in (piece.text.strip() for piece in pieces if not piece.control):
            found = re.compile(rf"{_NO_NUMBER}{re.escape(text)}{_NUMBER_ENDS}").search(said, place)
            if found is None:
                return False
            place = found.end()
        return True


def _lengths(said: str, texts: Sequence[str]) -> Iterator[int]:
    """To how many characters texts may have been cut, where one says that it was."""
    for text in texts:
        place = said.find(f"... (cut: {len(text):,} characters)")
        yield from (k for k in range(1, min(place, len(text)) + 1) if said.startswith(text[:k], place - k))
