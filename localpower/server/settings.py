"""What a server allows, as plain values."""

from __future__ import annotations

from dataclasses import dataclass

MOST_CONTEXT = 4096  # tokens of a prompt and its answer, unless a user says otherwise: each row may need it


@dataclass(frozen=True, slots=True)
class Limits:
    """rows: answers that are drawn at once, where an answer of several particles counts as several. queue: those that
    wait beside them. context: tokens of a prompt and its answer; None: the model's, and MOST_CONTEXT at most.

    max_tokens: of an answer where the request does not say. most_answers: n of a request. body: bytes of a request.
    seconds: of a request from its arrival on. grace: seconds that runs may still take when the server is stopped.
    slow: seconds within which the headers of a request, and then its body, must have arrived.
    """

    rows: int = 8
    queue: int = 32
    context: int | None = None
    max_tokens: int = 256
    most_answers: int = 8
    body: int = 1 << 20
    seconds: float = 600.0
    grace: float = 10.0
    slow: float = 20.0
    connections: int = 256


@dataclass(frozen=True, slots=True)
class Access:
    """Who may ask. keys: one of them is required; none: nobody is asked for one. hosts: names that a request may call
    the server by; None: any. origins: of web pages of other addresses that may ask, "*" for all.
    """

    keys: tuple[str, ...] = ()
    hosts: frozenset[str] | None = None
    origins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Manner:
    """lenient: parameters that would change the target are ignored with a warning instead of refused. prompts: logs
    hold prompts and answers. watch: whoever may ask may also watch the answers of others being drawn.
    """

    lenient: bool = False
    prompts: bool = False
    watch: bool = False
