"""Does an environment answer what a record says it did? Every call is made again, turn by turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from localpower.completion import Completion
from localpower.errors import UserError
from localpower.model import Tokens
from localpower.tools.environment import Environment
from localpower.tools.exchange import CHANCES, Exchange, Reseeded, Spelling
from localpower.tools.executor import readable
from localpower.tools.formats import Frame, find

_CUT = "... (cut: "


class Recheck:
    """recorded: what the record says of tools. text: of tokens. n: observations that were compared.

    opening: text of the prompt that belongs to the first turn.
    """

    def __init__(
        self,
        environment: Environment,
        recorded: Mapping[str, Any],
        text: Callable[[Tokens], str],
        opening: str = "",
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
        self._exchange.opening = opening
        self._exchange.begin()

    def problems(self, trace: Completion, since: int) -> list[str]:
        """What of the observations that begin at token `since` or later the environment does not answer."""
        found: list[str] = []
        for i, (begin, end) in enumerate(trace.rounds):
            try:
                self._exchange.reply(trace.head(begin), int(trace.world[begin]))
            except UserError as error:
                return [*found, error.message]
            if begin < since:
                continue
            self.n += 1
            said = self._text(trace.tokens[begin:end])
            for text in map(str.strip, self._exchange.told(trace.head(end))):
                if not (text in said or (_CUT in said and text[:1] in said)):
                    shown = readable(said.strip(), 60)
                    found.append(f"observation {i + 1} is {text[:60]!r} now, recorded as {shown!r}")
        return found
