"""Verdicts anew on the stored answers of an eval, without generating."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from localpower.api.opening import Say, Waiting, nobody, opened
from localpower.api.programs import allowed
from localpower.errors import UserError
from localpower.evals import store
from localpower.evals.grade import Grader
from localpower.evals.judge import Judge
from localpower.evals.judging import judge_all, matches
from localpower.evals.parts import members, read_run
from localpower.loaded import Loaded
from localpower.loading import Request, load
from localpower.runs.interrupt import Interrupts
from localpower.text.stops import answer_text

Heard = Callable[[int, int], None]


def regrade(
    path: Path,
    interrupts: Interrupts,
    say: Say,
    heard: Heard,
    *,
    grader: str | None = None,
    run_code: bool = False,
    packages: Sequence[str] = (),
    seconds: float = 10.0,
    judge: str | None = None,
    reference: str | None = None,
    waiting: Waiting = nobody,
) -> None:
    """Grade the answers in a folder again. grader: None: as before. judge: compares open answers, with `reference`.

    packages: that programs may import. heard: of pairs judged, and of how many. Raises UserError, Interrupted; then
    verdicts are as they were, but for those of programs that were run.
    """
    may_import = allowed(packages, run_code)
    with ExitStack() as held:
        folder = held.enter_context(store.Folder(path))
        found = {path: folder}  # with parts, each is written by itself
        found |= {part: held.enter_context(store.Folder(part)) for part in store.parts_in(path)}
        whole = read_run(path, say)
        how = grader or whole.settings["grader"]
        if judge is not None:
            _judge(whole, judge, reference, interrupts, say, heard, waiting)
        with Grader(how, run_code=run_code, seconds=seconds, packages=may_import) as verdicts:
            text_of = _texts(whole)
            graded = [
                (each, stored := store.read(place), _again(stored, each, verdicts, text_of, interrupts))
                for place in members(path)
                for each in (found[place],)
            ]
        for each, stored, fresh in graded:  # only now: until then verdicts are as they were
            each.rewrite(fresh)
            each.begin(stored.settings | {"grader": how}, list(stored.problems.values()))
    before = [row["verdict"] for _, stored, _ in graded for row in stored.rows]
    after = [row["verdict"] for _, _, fresh in graded for row in fresh]
    changed = sum(a != b for a, b in zip(before, after, strict=True))
    say(f"{len(after)} answers graded again by {how}; {changed} verdicts are others now")


def _again(
    stored: store.Stored,
    folder: store.Folder,
    verdicts: Grader,
    text_of: Callable[[store.Row], str],
    interrupts: Interrupts,
) -> list[store.Row]:
    """The answers of one folder with their verdicts anew; a program's verdict is written at once."""
    fresh = list[store.Row]()
    for row in stored.rows:
        interrupts.check()
        fresh.append(verdicts.regrade(row, stored, text_of))
        if verdicts.run_code and "isolation" in fresh[-1]:  # a program was run
            folder.add(fresh[-1])
    return fresh


def _judge(
    stored: store.Stored,
    model: str,
    reference: str | None,
    interrupts: Interrupts,
    say: Say,
    heard: Heard,
    waiting: Waiting,
) -> None:
    """Compare open answers with a model."""
    found = matches(stored, reference, say)
    loaded = opened(Request(model), interrupts, waiting)
    if loaded.info.sha256 in {one["sha256"] for one in stored.settings["models"].values()}:
        say("note: the judge is one of the models it judges, and models prefer their own answers")
    too_long = judge_all(stored, Judge(loaded, interrupts.check), loaded.info, found, heard)
    if too_long:
        say(f"note: {too_long} pairs are longer than the judge's context and were left out")


def _texts(stored: store.Stored) -> Callable[[store.Row], str]:
    """The text of an answer; one that was stored without is spelled by its model, which must still be there."""
    open_models: dict[str, Loaded] = {}

    def text_of(row: store.Row) -> str:
        if row["text"] is not None:
            return str(row["text"])
        label = row["model"]
        if label not in open_models:
            path = stored.settings["models"][label]["path"]
            try:
                open_models[label] = load(Request(path))
            except UserError as error:
                raise UserError(
                    f"answers were stored without their text, and their model cannot be read: {error.message}",
                    error.hint,
                ) from None
        asked = stored.problems[row["task"], row["id"]]["prompts"][label]
        stops, piece = [stop.encode() for stop in asked["stops"]], open_models[label].piece
        return str(asked.get("prefix", "")) + answer_text(tuple(row["tokens"]), piece, stops)

    return text_of
