"""The coordinator, with workers of the test's own: who does what, and what becomes of the work of one that is lost."""

from __future__ import annotations

import io
import threading
from contextlib import ExitStack
from itertools import count

import pytest

from localpower.api.cluster import sharing
from localpower.api.cluster.crew import Crew
from localpower.api.cluster.spec import WorkersSpec
from localpower.api.cluster.work import Lost
from localpower.errors import Interrupted, UsageProblem, UserError
from localpower.ui.progress import Progress
from tests.cluster.made import evaluated

KEYS = [("t", f"p{i}", "m", "base", 0) for i in range(100)]
FIELDS = ("task", "id", "model", "method", "sample")


def row(key):
    return dict(zip(FIELDS, key, strict=True))


def in_order(piece, heard):
    for key in piece.keys:
        heard(row(key))


class Stand:
    """make(piece, heard): as a worker does."""

    def __init__(self, name, make=in_order):
        self.name, self.pieces, self._make = name, [], make

    def make(self, piece, heard, stop):
        self.pieces.append(piece.keys)
        self._make(piece, heard)

    def close(self):
        pass


class Stands:
    """Workers that are there at first, and those that take the place of lost ones."""

    def __init__(self, *workers, later=()):
        self._fresh, self._later, self.lost_ones = list(workers), list(later), []

    def more(self):
        fresh, self._fresh = self._fresh, []
        return fresh

    def lost(self, worker):
        self.lost_ones.append(worker.name)
        self._fresh += self._later[:1]
        del self._later[:1]

    def close(self):
        pass


def made(workers, check=lambda: None, say=lambda _: None):
    rows = Crew(workers, say).make("m", KEYS, {}, check)
    return [tuple(each[name] for name in FIELDS) for each in rows]


def test_every_answer_is_made_once_and_pieces_shrink_towards_the_end():
    one = Stand("one")
    assert sorted(made(Stands(one))) == sorted(KEYS)
    sizes = [len(piece) for piece in one.pieces]
    assert sizes == sorted(sizes, reverse=True)
    assert (sizes[0], sizes[-1] <= 4) == (50, True)


def test_a_slow_worker_holds_up_nobody():
    """The slow one sits on its first piece until the other has made all the rest."""
    rest = threading.Event()

    def slowly(piece, heard):
        rest.wait(60)
        in_order(piece, heard)

    slow, quick = Stand("slow", slowly), Stand("quick")

    def check():
        if sum(map(len, quick.pieces)) + sum(map(len, slow.pieces)) == len(KEYS):
            rest.set()

    assert sorted(made(Stands(slow, quick), check)) == sorted(KEYS)
    assert len(slow.pieces) == 1
    assert sum(map(len, quick.pieces)) == len(KEYS) - len(slow.pieces[0])


def dies_after(n):
    def make(piece, heard):
        for key in piece.keys[:n]:
            heard(row(key))
        raise Lost("killed")

    return make


def test_what_a_lost_worker_had_not_made_goes_to_another_and_its_answers_count():
    bad, good, said = Stand("bad", dies_after(3)), Stand("good"), []
    workers = Stands(bad, later=[good])
    assert sorted(made(workers, say=said.append)) == sorted(KEYS)
    assert workers.lost_ones == ["bad"]
    assert not set(bad.pieces[0][:3]) & {key for piece in good.pieces for key in piece}
    assert said == ["note: bad is lost (killed): 47 answers go to others"]


def test_an_answer_that_two_workers_made_counts_once():
    def twice(piece, heard):
        in_order(piece, heard)
        in_order(piece, heard)

    assert sorted(made(Stands(Stand("one", twice)))) == sorted(KEYS)


def test_work_that_every_worker_dies_of_ends_the_run_in_one_line():
    workers = Stands(*[Stand("w", dies_after(0))], later=[Stand("w", dies_after(0)) for _ in range(9)])
    with pytest.raises(UserError, match="lost 3 times at p0"):
        made(workers)


def test_a_worker_that_fails_for_a_reason_ends_the_run_with_it():
    def refuse(piece, heard):
        raise UserError("the model is another one here")

    with pytest.raises(UserError, match="another one here"):
        made(Stands(Stand("one", refuse)))


def test_ctrl_c_keeps_what_was_made_until_then():
    """check raises once the worker has handed everything over: nothing of it is lost."""
    done = threading.Event()

    def all_at_once(piece, heard):
        in_order(piece, heard)
        done.set()

    calls, rows = count(), []

    def check():
        if next(calls):
            done.wait(60)
            raise Interrupted

    each = Crew(Stands(Stand("one", all_at_once)), print).make("m", KEYS[:8], {}, check)
    with pytest.raises(Interrupted):
        rows.extend(each)
    assert len(rows) == 4


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("local:4", WorkersSpec("local", "", 4)),
        ("slurm:gpu", WorkersSpec("slurm", "gpu", 4)),
        (
            "slurm:gpu,jobs=9,gpus=1,time=60,qos=low",
            WorkersSpec("slurm", "gpu", 9, {"gpus": 1, "time": 60}, {"qos": "low"}),
        ),
        ("ray", WorkersSpec("ray")),
        ("ray:10.0.0.1:6379,per-node=2", WorkersSpec("ray", "10.0.0.1:6379", 1, {"per-node": 2})),
    ],
)
def test_workers_are_read_from_a_text(text, found):
    assert WorkersSpec.read(text) == found


@pytest.mark.parametrize(
    "text",
    [
        *("", "dask", "local", "local:0", "local:x", "local:2,gpus=1", "local:²", "local:99999999999"),
        *("slurm", "slurm:a,b", "slurm:a,jobs=0", "slurm:a,jobs=1,jobs=2", "slurm:a,cluster=moon"),
        "ray:x,gpus=",
    ],
)
def test_a_text_that_names_no_workers_is_refused(text):
    with pytest.raises(UsageProblem):
        WorkersSpec.read(text)


def test_without_ray_one_line_says_so_before_a_model_is_opened(tmp_path, monkeypatch):
    monkeypatch.setattr(sharing, "find_spec", lambda _: None)
    monkeypatch.setattr("localpower.loading.load", lambda *_, **__: pytest.fail("a model was opened"))
    with pytest.raises(UserError, match="--workers ray needs Ray"):
        evaluated(tmp_path / "run", "ray")
    assert not (tmp_path / "run").exists()


def test_what_is_told_in_mid_run_is_not_drawn_over():
    """On a terminal the drawing is taken away, and drawn anew below the line."""
    console = io.StringIO()
    progress = Progress(console, redraw=True)
    progress._draw = lambda: setattr(progress, "_terminal", ExitStack())
    progress.start(8, 100.0)
    drawn = progress._terminal
    with progress.aside():
        assert progress._terminal is None
    assert progress._terminal not in (None, drawn)
