"""Log-probabilities of an answer's tokens in OpenAI's two forms. They are the model's own, at alpha 1, in nats."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import Any, NamedTuple

from localpower.completion import Completion
from localpower.server.tops import Top, Tops
from localpower.text.stops import Piece

_LOWEST = -9999.0  # stands for log 0, which JSON cannot hold


class Place(NamedTuple):
    """A token of an answer. offset: characters of the text before it. log_p: None where the token was given."""

    token: int
    offset: int
    log_p: float | None
    tops: tuple[Top, ...]


def places(state: Completion, tops: Tops, piece: Piece, since: int, text_bytes: int) -> Iterator[Place]:
    """The tokens from number `since` on that begin within the text: not the end token, nor those of a stop."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    n_bytes = n_characters = 0
    for i, token in enumerate(state.tokens):
        if n_bytes >= text_bytes:
            return
        if i >= since:
            log_p = None if state.given[i] else float(state.log_p[i])
            yield Place(token, n_characters, log_p, tops.at(state.tokens, i))
        n_bytes += len(piece(token))
        n_characters += len(decoder.decode(piece(token)))


def chat_form(found: list[Place], piece: Piece) -> dict[str, Any]:
    """As in chat completions."""

    def one(token: int, log_p: float | None) -> dict[str, Any]:
        data = piece(token)
        number = 0.0 if log_p is None else max(log_p, _LOWEST)
        return {"token": data.decode("utf-8", "replace"), "logprob": number, "bytes": list(data)}

    content = [
        one(place.token, place.log_p) | {"top_logprobs": [one(*top) for top in place.tops]} for place in found
    ]
    return {"content": content, "refusal": None}


def completion_form(found: list[Place], piece: Piece) -> dict[str, Any]:
    """As in completions. Two tokens of one text share an entry of `top_logprobs`, as the form has it."""

    def text(token: int) -> str:
        return piece(token).decode("utf-8", "replace")

    return {
        "tokens": [text(place.token) for place in found],
        "token_logprobs": [0.0 if place.log_p is None else max(place.log_p, _LOWEST) for place in found],
        "top_logprobs": [{text(top.token): max(top.log_p, _LOWEST) for top in place.tops} for place in found],
        "text_offset": [place.offset for place in found],
    }
