"""The answers that an export takes: read with the model's own vocabulary where its file is still there, and chosen."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import NamedTuple

from localpower.catalogue import locate
from localpower.data.agreement import agreement, refuse_foreign_ids
from localpower.data.likeness import Overlap
from localpower.data.samples import Sample, Source
from localpower.data.selection import Selection, Step, select
from localpower.errors import ModelError, UserError
from localpower.evals.store import Stored
from localpower.grading.thoughts import OPENED
from localpower.loaded.reader import GgufReader
from localpower.text.thinking import marks_of


class Selected(NamedTuple):
    """all: every answer. left: those that are written. ended: of these end with an end token; None: unknown."""

    all: list[Sample]
    left: list[Sample]
    steps: Sequence[Step]
    ended: int | None
    notes: list[str]


def selected(
    samples: list[Sample],
    stored: Sequence[Stored],
    source: Source,
    how: Selection,
    benchmarks: dict[str, Overlap],
) -> Selected:
    """What is left of the answers. Raises UserError where nothing is, and for ids of another model."""
    reader, notes = _reader(source)
    ended = None
    with ExitStack() as opened:
        if reader is not None:
            opened.callback(reader.close)
            refuse_foreign_ids(samples, reader.piece, reader.n_vocab)
            samples = [_opened(each, reader) for each in samples]
        left, steps = select(samples, how, benchmarks)
        if not left:
            raise UserError(
                "no answer is left", "; ".join(f"{step.name}: {step.dropped}" for step in steps[1:])
            )
        if reader is not None:
            ended = sum(bool(each.tokens) and each.tokens[-1] in reader.eos for each in left)
            for i, run in enumerate(stored):
                now = datetime.datetime.fromisoformat(run.settings["created"])
                mine = [each for each in left if each.run == i]
                notes += agreement(mine, reader, run.settings["template_args"], now).notes()
    return Selected(samples, left, steps, ended, notes)


def _reader(source: Source) -> tuple[GgufReader | None, list[str]]:
    """The vocabulary of the very model that answered, where its file is still there."""
    from localpower.engine.files import sha256

    if source.sha256 is None:
        return None, []
    for name in (source.path, source.name):
        if name is None:
            continue
        try:
            _, path = locate(name)
            if path is not None and path.is_file() and sha256(path) == source.sha256:
                return GgufReader.open(path), []
        except (ModelError, OSError):
            continue
    return None, [
        f"the file of {source.name} is not where it was: whether its template writes messages as they were asked was "
        "not looked at"
    ]


def _opened(sample: Sample, reader: GgufReader) -> Sample:
    """With the thought that the prompt opened begun by the model's own mark."""
    if not sample.asked.get("thinking"):
        return sample
    marks = marks_of(reader.template, reader.control_token)
    if marks is None or OPENED.startswith(marks[0]):
        return sample
    return replace(sample, answer=f"{marks[0]}\n{sample.answer.removeprefix(OPENED)}")
