"""Describes a model's file, in a process of its own (`localpower.subprocesses`): a damaged one may abort llama.cpp."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psutil

from localpower.engine.header import FILE_TYPES
from localpower.engine.weights import Weights


def answer(request: str) -> dict[str, Any]:
    """What the file at a path says of itself. Raises ModelError."""
    path = Path(request)
    weights = Weights(path, vocab_only=True)
    try:
        context = _number(weights, "context_length")
        room = psutil.virtual_memory().available - path.stat().st_size
        fits = max(room // cell, 0) if (cell := _cell_bytes(weights)) else None
        return {
            "architecture": weights.metadata("general.architecture"),
            "title": weights.metadata("general.name"),
            "licence": weights.metadata("general.license"),
            "quantization": FILE_TYPES.get(_whole(weights.metadata("general.file_type"))),
            "vocabulary": weights.n_vocab,
            "memory": weights.memory_kind(),
            "context": context,
            "context_that_fits": fits if context is None or fits is None else min(context, fits),
            "end_tokens": sorted(weights.token_text(token) for token in weights.eos),
            "chat_template": weights.chat_template(),
        }
    finally:
        weights.close()


def _whole(said: str | None) -> int | None:
    return int(said) if said is not None and said.isdecimal() else None


def _number(weights: Weights, key: str) -> int | None:
    """A number that the file says of its architecture. Of a model without its tensors llama.cpp itself knows none."""
    return _whole(weights.metadata(f"{weights.metadata('general.architecture')}.{key}"))


def _cell_bytes(weights: Weights) -> int | None:
    """What 16-bit keys and values of one token take; None where the file does not say."""
    layers, width, heads = (
        _number(weights, k) for k in ("block_count", "embedding_length", "attention.head_count")
    )
    if not (layers and width and heads):
        return None
    head = _number(weights, "attention.key_length") or width // heads
    return 4 * layers * head * (_number(weights, "attention.head_count_kv") or heads)
