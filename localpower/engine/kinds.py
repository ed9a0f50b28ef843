"""Which engine serves a model in some settings."""

from __future__ import annotations

from localpower.engine.base import GgufEngine
from localpower.engine.llama import LlamaModel
from localpower.engine.recurrent import RecurrentModel
from localpower.engine.settings import Settings
from localpower.engine.streams import StreamModel
from localpower.engine.weights import Weights


def engine_class(weights: Weights, settings: Settings) -> type[GgufEngine]:
    """By the model's memory, and by whether each sequence has a stream to itself."""
    if settings.streams:
        return StreamModel
    return RecurrentModel if weights.is_recurrent() else LlamaModel
