"""The text side of a GGUF, with or without its weights: tokens to text and back, the template, the end tokens."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from localpower.text.marks import spelling

if TYPE_CHECKING:  # llama_cpp takes a quarter of a second to import
    from localpower.engine.weights import Weights
    from localpower.text.vocabulary import Vocabulary


@dataclass
class GgufReader:
    """A model's vocabulary. piece: the cached bytes of a token, marks of thoughts included."""

    weights: Weights
    vocabulary: Vocabulary

    def __post_init__(self) -> None:
        """What is asked of the text side is the vocabulary's to say."""
        own = self.vocabulary
        self.piece = lru_cache(maxsize=None)(spelling(own))
        self.template, self.control_token, self.unspelled = own.template, own.control_token, own.unspelled
        self.written, self.following, self.apart = own.written, own.following, own.apart
        self.chat_text, self.read_chat, self.opener = own.chat_text, own.read_chat, own.opener

    @classmethod
    def open(cls, path: Path) -> GgufReader:
        """Raises ModelError for a file that cannot be used."""
        from localpower.engine.library import check_layout
        from localpower.engine.weights import Weights
        from localpower.text.vocabulary import Vocabulary

        check_layout()
        weights = Weights(path, vocab_only=True)
        return cls(weights, Vocabulary(weights))

    @property
    def eos(self) -> frozenset[int]:
        """Every token that ends a turn or a text."""
        return self.weights.eos

    @property
    def n_vocab(self) -> int:
        """How many tokens there are."""
        return self.weights.n_vocab

    def special(self, kind: str) -> str:
        """The text of bos or eos, '' if it has none."""
        return self.weights.special_token(kind)

    def close(self) -> None:
        """Free the memory."""
        self.weights.close()
