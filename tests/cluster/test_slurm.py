"""`--workers slurm`: shards as jobs, by submitit's own executors for a machine without SLURM."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

pytest.importorskip("submitit", reason="needs localpower[slurm]")

from localpower.api.cluster import slurm
from localpower.errors import UserError
from localpower.evals.parts import Part, Shard, members
from tests.cluster.made import Listener, evaluated, rows_of


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """The rows that one process makes."""
    out = tmp_path_factory.mktemp("one")
    evaluated(out / "run", limit=8)
    return rows_of(out / "run")


@pytest.mark.parametrize("cluster", ["debug", "local"])
def test_jobs_make_the_rows_of_one_process(tmp_path, one, cluster):
    listener = Listener()
    assert evaluated(tmp_path / "run", f"slurm:any,cluster={cluster},jobs=2", limit=8, listener=listener)
    assert rows_of(tmp_path / "run") == one
    assert [each.name for each in members(tmp_path / "run")] == ["1-of-2", "2-of-2"]
    assert listener.n == 16


def test_a_job_that_is_preempted_goes_on_where_it_stopped(tmp_path, one, monkeypatch):
    """submitit's handler ends the program in the midst of an answer, and puts what `checkpoint` says into the queue."""
    request = []
    monkeypatch.setattr(
        slurm, "_executor", lambda *_: SimpleNamespace(map_array=lambda job, _: request.append(job))
    )
    with pytest.raises(TypeError):  # nothing was submitted
        evaluated(tmp_path / "run", "slurm:any,jobs=1", limit=8)

    @contextmanager
    def until_the_fifth():
        yield Listener(lambda n: n == 5 and sys.exit(-1))

    with monkeypatch.context() as patch:
        patch.setattr("localpower.api.evaluate.watched_by_nobody", until_the_fifth)
        with pytest.raises(SystemExit):
            request[0](Shard(1, 1))
    assert len(rows_of(tmp_path / "run")) == 5
    assert request[0].checkpoint(Shard(1, 1)).result() == 16
    assert rows_of(tmp_path / "run") == one


def test_where_there_is_no_slurm_one_line_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UserError, match="there is no SLURM here"):
        evaluated(tmp_path / "run", "slurm:any")
    assert not (tmp_path / "run" / "parts").exists()


def test_a_job_that_fails_is_named_and_the_answers_of_the_others_stay(tmp_path):
    with Part(tmp_path / "run", Shard(2, 2)), pytest.raises(UserError, match="1 of 2 jobs failed"):
        evaluated(tmp_path / "run", "slurm:any,cluster=debug,jobs=2", limit=8, listener=(heard := Listener()))
    assert [each for each in heard.said if each.startswith("shard 2/2 failed: another run writes to")]
    assert len(rows_of(tmp_path / "run")) > 0
