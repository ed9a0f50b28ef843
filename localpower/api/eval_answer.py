"""An answer of an eval as a record: what answers.jsonl holds of it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from localpower.model import Tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalAnswer:
    """verdict: right, wrong, none (nothing that could be an answer) or ungraded. extracted: what was graded.

    text: None: it was not stored; it begins with answer_prefix, where every answer was given one. tokens: those drawn.
    method: the label. token_log_p, token_entropy: of each token, nats. first_drawn: tokens of the draws before any
    step. Other fields are those of `Answer`; `to_dict` gives all that the line holds.
    """

    task: str
    id: str
    model: str
    method: str
    sample: int
    seed: int
    text: str | None
    tokens: Tokens
    finish: str
    verdict: str
    extracted: str | None
    grader: str
    log_p: float
    n_tokens: int
    decoded_tokens: int
    first_drawn: int
    seconds: float
    acceptance_rate: float | None
    token_log_p: tuple[float, ...]
    token_entropy: tuple[float, ...]
    answer_prefix: str | None
    thinking_tokens: int | None
    row: dict[str, Any]

    @classmethod
    def of(cls, row: dict[str, Any]) -> EvalAnswer:
        """From a line of answers.jsonl."""
        known = {each.name: row.get(each.name) for each in fields(cls)} | {"row": row}
        lists = {name: tuple(row[name]) for name in ("tokens", "token_log_p", "token_entropy")}
        return cls(**(known | lists))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return dict(self.row)
