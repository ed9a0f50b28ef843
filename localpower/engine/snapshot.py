"""The memory of a token prefix as a value: moved to another context, or kept on disk."""

from __future__ import annotations

from dataclasses import dataclass

from localpower.model import Tokens


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a context remembers of `tokens`. pieces: as `engine.memory.Memory` saves them, in order."""

    tokens: Tokens
    pieces: tuple[bytes, ...]
