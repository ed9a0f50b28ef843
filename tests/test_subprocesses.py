"""A process that is asked: what it replies, what becomes of it, and that nothing of it is left."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys

import pytest

from localpower.errors import EngineError, Interrupted
from localpower.subprocesses import Died, Failed, Late, Worker, ask

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked for in Linux's /proc")
MODULE = "tests.stand_in"


def is_alive(process):
    """Whether it runs; a process that ended and waits for its parent's notice does not."""
    try:
        with open(f"/proc/{process}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def ends(process):
    """Waits for a process that is no child of ours; False if it is still there after a minute."""
    try:
        descriptor = os.pidfd_open(process)
    except ProcessLookupError:  # it is gone already
        return True
    ended = select.select([descriptor], [], [], 60)[0]
    os.close(descriptor)
    return bool(ended)


@pytest.fixture
def worker():
    with Worker(MODULE) as one:
        yield one


def test_one_process_does_all_requests_and_ends_with_the_block():
    with Worker(MODULE) as worker:
        first = worker.ask("pid")
        assert worker.ask("pid") == first != os.getpid()
        assert is_alive(first)
    assert not is_alive(first)


@pytest.mark.parametrize(
    ("request_", "error", "words"),
    [
        ("raise", Failed, "ValueError: no parser"),
        ("refuse", EngineError, "no memory"),
        ("eat", Failed, "it asked for more than 4096 MB"),
    ],
)
def test_what_the_module_raises_comes_through_and_the_process_stays(request_, error, words):
    with Worker(MODULE, memory=4 << 30) as worker:
        before = worker.ask("pid")
        with pytest.raises(error, match=words):
            worker.ask(request_)
        assert worker.ask("pid") == before


@pytest.mark.parametrize(
    ("request_", "error", "words"),
    [
        ("hang", Late, "longer than 0.2 s"),
        ("exit", Died, "its process ended"),
        ("babble", Died, "its process ended"),
        (["signal", int(signal.SIGSEGV)], Died, "killed by signal 11"),
        (["signal", int(signal.SIGINT)], KeyboardInterrupt, None),
    ],
)
def test_a_process_that_hangs_dies_or_babbles_costs_one_request(worker, request_, error, words):
    before = worker.ask("pid")
    with pytest.raises(error, match=words):
        worker.ask(request_, seconds=0.2 if request_ == "hang" else None)
    assert not is_alive(before)
    assert worker.ask("pid") != before


def test_what_a_library_prints_is_no_reply(worker):
    assert worker.ask("noise") == worker.ask("pid")


def test_what_a_library_reads_is_no_request(worker):
    assert worker.ask("listen", 60) == ["", ""]
    assert worker.ask("pid") == worker.ask("pid")


def test_whoever_asks_can_stop_and_a_process_that_died_meanwhile_is_no_other_trouble(worker):
    asked = []
    with pytest.raises(Interrupted):
        worker.ask("hang", seconds=60, stop=lambda: len(asked) > 2 or asked.append(1))
    with pytest.raises(Interrupted):
        worker.ask("exit", stop=lambda: True)


def test_ctrl_c_in_the_parent_ends_the_process(worker):
    before = worker.ask("pid")

    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        worker.ask("hang", seconds=60, stop=stop)
    assert not is_alive(before)


def test_a_request_larger_than_the_pipe_does_not_wait_for_ever_for_a_process_that_reads_nothing(worker):
    os.kill(worker.ask("pid"), signal.SIGSTOP)
    with pytest.raises(Late):
        worker.ask(["pid", "1" * 1_000_000], seconds=0.2)


def test_what_the_process_started_ends_with_it():
    with Worker(MODULE) as worker:
        grandchild = worker.ask("grandchild")
        assert is_alive(grandchild)
    assert ends(grandchild)


def test_the_process_ends_with_a_parent_that_was_killed():
    code = f"from localpower.subprocesses import Worker; w = Worker({MODULE!r}); print(w.ask('pid'), flush=True); w.ask('hang')"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        child = int(parent.stdout.readline())
        parent.kill()
    assert ends(child)


def test_a_module_that_cannot_be_imported_is_told():
    with pytest.raises(Failed, match="ModuleNotFoundError"):
        ask("localpower.no_such_module", None)
