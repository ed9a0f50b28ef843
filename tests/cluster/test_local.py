"""`--workers local:K`: processes of this machine make the very rows that one process makes."""

from __future__ import annotations

import os
import signal

from localpower.api.cluster import local
from localpower.runs.interrupt import Interrupts
from tests.cluster import made
from tests.cluster.made import Listener, evaluated, rows_of


def test_two_processes_make_the_rows_of_one_on_a_gguf(tmp_path):
    options = {"model": "lab-base", "task": "lab-chain", "limit": 4, "samples": 2}
    assert evaluated(tmp_path / "one", **options)
    assert evaluated(tmp_path / "two", "local:2", **options)
    assert len(rows_of(tmp_path / "one")) == 16
    assert rows_of(tmp_path / "two") == rows_of(tmp_path / "one")


def test_a_process_that_is_killed_loses_what_it_had_not_handed_over_and_another_makes_it(
    tmp_path, monkeypatch
):
    """The worker is killed right after the coordinator has heard of the fifth answer."""
    workers = []
    begin = local.LocalWorkers.__init__

    def watched(self, *arguments):
        begin(self, *arguments)
        workers.append(self)

    monkeypatch.setattr(local.LocalWorkers, "__init__", watched)

    def heard(n):
        if n == 5:
            os.kill(workers[0]._all[0]._process._child.pid, signal.SIGKILL)

    listener = Listener(heard)
    assert evaluated(tmp_path / "one", limit=20)
    assert evaluated(tmp_path / "two", "local:1", limit=20, listener=listener)
    assert rows_of(tmp_path / "two") == rows_of(tmp_path / "one")
    assert (tmp_path / "two" / "answers.jsonl").read_bytes().count(b"\n") == 40
    assert [each for each in listener.said if "is lost (its process was killed by signal 9)" in each]


def test_ctrl_c_stops_the_workers_and_keeps_what_was_made(tmp_path, monkeypatch):
    def heard(n):
        if n == 3:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(made, "Interrupts", lambda _signals: Interrupts((signal.SIGINT,)))
    assert not evaluated(tmp_path / "run", "local:1", limit=20, listener=Listener(heard))
    kept = rows_of(tmp_path / "run")
    assert 3 <= len(kept) < 40
    assert evaluated(tmp_path / "run", "local:1", limit=20)
    evaluated(tmp_path / "one", limit=20)
    assert kept.items() <= rows_of(tmp_path / "run").items()
    assert rows_of(tmp_path / "run") == rows_of(tmp_path / "one")
