"""A problem of a benchmark, and which of them a small run takes."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from localpower.errors import UserError


@dataclass(frozen=True, slots=True)
class Problem:
    """text: what is asked. gold: what its grader needs, plain JSON. group: level, subject or kind.

    options, order: of a multiple choice, as shown, and which of the file's options each of them is. worked: a right
    answer with its reasons, as an expert wrote it; "": nobody did. authors: the whole prompt as the benchmark's authors
    put it; "": they put the text alone, or say nothing of it. date: when it was published, YYYY, YYYY-MM or YYYY-MM-DD.
    """

    id: str
    text: str
    gold: Any = None
    group: str = ""
    options: tuple[str, ...] = ()
    order: tuple[int, ...] = ()
    worked: str = ""
    authors: str = ""
    date: str = ""


def subset(problems: Sequence[Problem], limit: int | None) -> list[Problem]:
    """The first `limit` by sha256 of the id: the same whatever the file's order, 50 of them within 100.

    Raises UserError for ids that are not unique, and for text that is none.
    """
    for problem in problems:
        try:
            json.dumps(asdict(problem), ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise UserError(f"{problem.id!a} is not valid Unicode: it holds a lone surrogate") from None
    by_id = {problem.id: problem for problem in problems}
    if len(by_id) < len(problems):
        twice = next(name for name, n in Counter(problem.id for problem in problems).items() if n > 1)
        raise UserError(f"two problems have the id {twice}", "results are kept by id: make them unique")
    return sorted(by_id.values(), key=lambda problem: hashlib.sha256(problem.id.encode()).digest())[:limit]
