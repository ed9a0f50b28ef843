"""The text side of a GGUF without its weights: tokens to text and back, the template, the end tokens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from localpower.model import Tokens
from localpower.text.marks import spelling

if TYPE_CHECKING:  # llama_cpp takes a quarter of a second to import
    from localpower.engine.weights import Weights
    from localpower.text.vocabulary import Vocabulary


@dataclass(frozen=True)
class GgufReader:
    """A model's vocabulary."""

    weights: Weights
    vocabulary: Vocabulary
    piece: Callable[[int], bytes]

    @classmethod
    def open(cls, path: Path) -> GgufReader:
        """Raises ModelError for a file that cannot be used."""
        from localpower.engine.library import check_layout
        from localpower.engine.weights import Weights
        from localpower.text.vocabulary import Vocabulary

        check_layout()
        weights = Weights(path, vocab_only=True)
        vocabulary = Vocabulary(weights)
        return cls(weights, vocabulary, lru_cache(maxsize=None)(spelling(vocabulary)))

    @property
    def template(self) -> str | None:
        """The model's own."""
        return self.vocabulary.template

    @property
    def eos(self) -> frozenset[int]:
        """Every token that ends a turn or a text."""
        return self.weights.eos

    @property
    def n_vocab(self) -> int:
        """How many tokens there are."""
        return self.weights.n_vocab

    def written(self, text: str) -> Tokens:
        """Tokens of a text in which control texts are control tokens."""
        return self.vocabulary.written(text)

    def control_token(self, text: str) -> int | None:
        """The id of a control token with exactly this text."""
        return self.vocabulary.control_token(text)

    def special(self, kind: str) -> str:
        """The text of bos or eos, '' if it has none."""
        return self.weights.special_token(kind)

    def close(self) -> None:
        """Free the memory."""
        self.weights.close()
