"""Which models this machine has, and what is known of one without running it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from localpower import catalogue, elsewhere
from localpower.api.config import values
from localpower.catalogue import DEFAULT, ENTRIES, NAMES, TOY
from localpower.engine.files import check_file, sha256
from localpower.engine.weights import Weights
from localpower.errors import ModelError, UserError
from localpower.loaded import usual_alpha

_QUANTIZATIONS: dict[int | None, str] = {  # llama_ftype
    **{0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 32: "BF16"},
    **{10: "Q2_K", 11: "Q3_K_S", 12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S"},
    **{17: "Q5_K_M", 18: "Q6_K", 19: "IQ2_XXS", 20: "IQ2_XS", 21: "Q2_K_S", 22: "IQ3_XS", 23: "IQ3_XXS"},
    **{
        24: "IQ1_S",
        25: "IQ4_NL",
        26: "IQ3_S",
        27: "IQ3_M",
        28: "IQ2_S",
        29: "IQ2_M",
        30: "IQ4_XS",
        31: "IQ1_M",
    },
}


@dataclass(frozen=True, slots=True)
class Known:
    """A model that -m takes by name. size: of its file, in words; None: it has none here."""

    name: str
    size: str | None
    licence: str | None
    note: str
    path: str | None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def known() -> list[Known]:
    """The catalogue's models, then those of other programs."""
    own = values("run").get("model")
    usual = str(own.value) if own else DEFAULT
    rows = []
    for name, entry in ENTRIES.items():
        note = "default" if name == usual else ""
        try:
            rows.append(Known(name, _size(entry.path()), entry.licence, note, str(entry.path())))
        except ModelError as error:
            rows.append(Known(name, None, entry.licence, error.line(), None))
    rows.append(Known(TOY, None, None, "a table of random numbers, for trying", None))
    for name, path in elsewhere.found().items():
        rows.append(Known(name, _size(path), None, "default" if name == usual else "", str(path)))
    return rows


def path_of(name: str | None) -> Path:
    """The file that -m NAME means. Raises ModelError where there is none."""
    own = values("run").get("model")
    _, path = catalogue.locate(name if name is not None else str(own.value) if own else None)
    if path is None:
        raise ModelError("the toy has no file")
    check_file(path, NAMES)
    return path


def describe(name: str | None) -> dict[str, Any]:
    """What a model's file says of itself, and what fits into this machine's memory. Raises UserError."""
    path = path_of(name)
    weights = Weights(path, vocab_only=True)
    try:
        template = weights.chat_template()
        context = _number(weights, "context_length")
        room = psutil.virtual_memory().available - path.stat().st_size
        fits = max(room // cell, 0) if (cell := _cell_bytes(weights)) else None
        return {
            "path": str(path),
            "sha256": sha256(path),
            "size": _size(path),
            "architecture": weights.metadata("general.architecture"),
            "title": weights.metadata("general.name"),
            "licence": weights.metadata("general.license"),
            "quantization": _QUANTIZATIONS.get(_file_type(weights)),
            "vocabulary": weights.n_vocab,
            "context": context,
            "context_that_fits": fits if context is None or fits is None else min(context, fits),
            "end_tokens": sorted(weights.token_text(token) for token in weights.eos),
            "suggested_alpha": usual_alpha(chat=template is not None),
            "chat_template": template,
        }
    finally:
        weights.close()


def _file_type(weights: Weights) -> int | None:
    said = weights.metadata("general.file_type")
    return int(said) if said is not None and said.isdecimal() else None


def _number(weights: Weights, key: str) -> int | None:
    """A number that the file says of its architecture. Of a model without its tensors llama.cpp itself knows none."""
    said = weights.metadata(f"{weights.metadata('general.architecture')}.{key}")
    return int(said) if said is not None and said.isdecimal() else None


def _cell_bytes(weights: Weights) -> int | None:
    """What 16-bit keys and values of one token take; None where the file does not say."""
    layers, width, heads = (
        _number(weights, k) for k in ("block_count", "embedding_length", "attention.head_count")
    )
    if not (layers and width and heads):
        return None
    head = _number(weights, "attention.key_length") or width // heads
    return 4 * layers * head * (_number(weights, "attention.head_count_kv") or heads)


def _size(path: Path) -> str:
    try:
        n = float(path.stat().st_size)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    for unit in ("B", "kB", "MB"):
        if n < 1000:
            return f"{n:.0f} {unit}"
        n /= 1000
    return f"{n:.1f} GB"
