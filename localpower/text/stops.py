"""Stop strings as terminal events inside the sampler: a predicate over the bytes of the drawn tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from localpower.model import Tokens
from localpower.text.vocabulary import readable

Piece = Callable[[int], bytes]


def stop_predicate(stops: Sequence[bytes], piece: Piece) -> Callable[[Tokens], bool]:
    """Whether the last of these tokens completes one of `stops` (non-empty).

    A stop may begin in the middle of one token and end in the middle of another. Only the last token's bytes
    can complete it: earlier ones were asked before.
    """
    longest = max((len(stop) for stop in stops), default=0)

    def ended(tokens: Tokens) -> bool:
        if not stops or not tokens:
            return False
        last = piece(tokens[-1])
        before = b""
        for i in range(len(tokens) - 2, -1, -1):
            if len(before) >= longest - 1:
                break
            before = piece(tokens[i]) + before
        window = before[-(longest - 1) :] + last if longest > 1 else last
        return any(stop in window for stop in stops)

    return ended


def ends(
    stops: Sequence[bytes], piece: Piece, control_token: Callable[[str], int | None]
) -> Callable[[Tokens], bool]:
    """Whether the last of these tokens ends an answer: by a stop's bytes, or as a control token that is one."""
    controls = {control_token(readable(stop)) for stop in stops} - {None}
    return _Ends(frozenset(controls), stop_predicate(stops, piece))


class _Ends:
    """The predicate of `ends`: it looks at the last few tokens alone."""

    grows = True  # it reads `Growing` runs

    def __init__(self, controls: frozenset[int | None], by_bytes: Callable[[Tokens], bool]) -> None:
        self._controls, self._by_bytes = controls, by_bytes

    def __call__(self, run: Tokens) -> bool:
        return run[-1] in self._controls or self._by_bytes(run)


def answer_text(tokens: Tokens, piece: Piece, stops: Sequence[bytes]) -> str:
    """What is shown of an answer: its text, without the stop that ended it, or a last character that has no end."""
    text = b"".join(map(piece, tokens))
    longest = max(map(len, stops), default=0)
    if longest and tokens:  # the last token alone completes one; what is given (a handover) may hold others
        since = max(len(text) - len(piece(tokens[-1])) - longest + 1, 0)
        text = text[:since] + cut_at_stop(text[since:], stops)
    return readable(text, final=False)


def cut_at_stop(text: bytes, stops: Sequence[bytes]) -> bytes:
    """The text before the first stop: what is shown of an answer that ended on one."""
    found = [at for stop in stops if (at := text.find(stop)) >= 0]
    return text[: min(found)] if found else text
