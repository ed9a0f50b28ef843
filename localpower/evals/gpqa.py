"""GPQA: read from the authors' encrypted archive or a user's copy, never stored in clear.

Its authors ask that no question be shown in plain text: rows of a run carry the record's id, the order of the options
and letters, nothing of the text.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from pathlib import Path

import numpy as np

from localpower.errors import UserError
from localpower.evals.problem import Problem
from localpower.evals.rows import Row
from localpower.evals.sources import Needs, Source, find, parse_rows, pick, read_bytes

NEEDS = Needs(
    ("dataset.zip", "gpqa_diamond.csv", "gpqa_diamond.jsonl", "gpqa_diamond.json"),
    "github.com/idavidrein/gpqa (dataset.zip, or gpqa_diamond.csv from the authors' dataset page)",
)
LETTERS = "ABCD"
_SIZES = {198: "diamond", 448: "main", 546: "extended"}
_MEMBER = "gpqa_diamond.csv"


def problems(source: Source) -> list[Problem]:
    """The 198 questions of diamond. Raises UserError for another file, and for a wrong password."""
    path = find("gpqa", NEEDS, source)
    data, name = read_bytes(path), path.name
    if zipfile.is_zipfile(io.BytesIO(data)):
        data, name = _unlocked(data, path, source), _MEMBER
    rows = parse_rows(data, name)
    if (n := len(rows)) != 198:
        looks = f"it looks like the {_SIZES[n]} set" if n in _SIZES else f"it has {n} rows"
        raise UserError(f"{path} is not GPQA diamond, which has 198 questions: {looks}")
    return [_problem(row, f"row {i + 1} of {name}", source.seed) for i, row in enumerate(rows)]


def _unlocked(data: bytes, path: Path, source: Source) -> bytes:
    """The member, decrypted in memory."""
    password = source.password()
    if not password:
        raise UserError(
            f"{path.name} is encrypted and no password was given",
            "the authors print it in their README; give it by --gpqa-password or LOCALPOWER_GPQA_PASSWORD",
        )
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [name for name in archive.namelist() if name.split("/")[-1] == _MEMBER]
            if not members:
                raise UserError(f"{path} holds no {_MEMBER}", f"it is published at {NEEDS.where}")
            return archive.read(members[0], pwd=password.encode())
    except (RuntimeError, zipfile.BadZipFile, zlib.error, NotImplementedError):
        raise UserError(
            f"{path.name} could not be decrypted: the password is wrong, or the file is damaged",
            "the authors print it in their README",
        ) from None


def _problem(row: Row, place: str, seed: int) -> Problem:
    record = str(pick(row, ("Record ID", "id"), place)).strip()
    question = str(pick(row, ("Question",), place)).strip()
    names = ("Correct Answer", "Incorrect Answer 1", "Incorrect Answer 2", "Incorrect Answer 3")
    choices = [str(pick(row, (name,), place)).strip() for name in names]
    order = option_order(record, seed)
    return Problem(
        f"gpqa/{record}",
        question,
        LETTERS[order.index(0)],
        str(row.get("High-level domain") or "").strip(),
        tuple(choices[i] for i in order),
        order,
    )


def option_order(record: str, seed: int) -> tuple[int, ...]:
    """Which option of the file stands at each letter: a function of the record's id and the seed alone."""
    key = hashlib.sha256(f"{seed}/{record}".encode()).digest()
    generator = np.random.Generator(np.random.Philox(key=int.from_bytes(key[:16], "little")))
    return tuple(int(i) for i in generator.permutation(4))
