"""The process around a command: what is written is written whole, and signals end it with one line."""

from __future__ import annotations

import fcntl
import io
import os
import signal
import socket
import subprocess
import sys
import threading

import pytest

from localpower.cli.process import Patient
from localpower.runs.interrupt import ENDING, Interrupts
from tests.cli.terminal import BASE, Terminal

TOY = ["-m", "toy", "--seed", "1", "--max-tokens", "8"]
SAYS = {
    "run": ["run", *TOY, "hi"],
    "help": ["help", "run"],
    "explain": ["explain"],
    "methods": ["methods"],
    "nothing": [],
}


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", SAYS)
def test_a_full_disk_is_one_line_and_exit_code_1_buffered_or_not(command, unbuffered):
    environment = os.environ | {"PYTHONUNBUFFERED": unbuffered}
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*BASE, *SAYS[command]], stdout=full, stderr=subprocess.PIPE, env=environment, check=False
        )
    lines = [line for line in done.stderr.decode().splitlines() if line.startswith("localpower: ")]
    assert lines == ["localpower: No space left on device: stdout"]
    assert done.returncode == 1


def test_a_pipe_that_does_not_block_gets_every_byte():
    read, write = os.pipe()
    fcntl.fcntl(write, fcntl.F_SETFL, os.O_NONBLOCK)
    size = fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
    child = subprocess.Popen([*BASE, "help", "eval"], stdout=write)
    os.close(write)
    with open(read, "rb") as file:
        said = file.read()
    assert child.wait() == 0
    expected = subprocess.run([*BASE, "help", "eval"], capture_output=True, check=True).stdout
    assert len(expected) > size
    assert said == expected


@pytest.mark.parametrize("make", [os.pipe, lambda: [each.detach() for each in socket.socketpair()]])
def test_what_is_not_yet_in_a_stream_that_does_not_block_is_waited_for(make):
    read, write = make()
    os.set_blocking(read, False)
    file = io.BufferedReader(Patient(read))
    threading.Timer(0.2, os.write, (write, b"late\n")).start()
    assert file.readline() == b"late\n"
    os.close(write)
    assert file.read() == b""
    os.close(read)


def test_a_chat_reads_a_pipe_that_does_not_block_to_its_end():
    read, write = os.pipe()
    os.set_blocking(read, False)
    child = subprocess.Popen(
        [*BASE, "chat", *TOY], stdin=read, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    os.close(read)
    for part in (b"hi\nyo", b"u\n"):
        child.stderr.readline()  # the note, then the numbers of the first answer
        os.write(write, part)
    os.close(write)
    assert len(child.communicate()[0].splitlines()) == 2


@pytest.mark.parametrize("command", [["run", *TOY, "hi"], ["run", *TOY], ["chat", *TOY]])
def test_a_stdin_that_cannot_be_read_is_one_line(command, tmp_path):
    with (tmp_path / "written").open("w") as stdin:
        done = subprocess.run([*BASE, *command], stdin=stdin, capture_output=True, check=False, timeout=60)
    lines = [line for line in done.stderr.decode().splitlines() if line.startswith("localpower: ")]
    assert (done.returncode, lines) == (1, ["localpower: Bad file descriptor: stdin"])


@pytest.mark.parametrize("closed", ["2>&-", "2>/dev/full", "0<&-", "0<&- 2>&-"])
def test_a_closed_stream_puts_nothing_into_the_answer(closed):
    line = " ".join([*BASE, *SAYS["run"]])
    whole = subprocess.run(["sh", "-c", f"{line} </dev/null"], capture_output=True, check=True).stdout
    done = subprocess.run(["sh", "-c", f"{line} {closed}"], stdout=subprocess.PIPE, check=True)
    assert done.stdout == whole


def test_a_closed_stdout_is_one_line():
    line = " ".join([*BASE, *SAYS["methods"]])
    done = subprocess.run(["sh", "-c", f"{line} >&-"], stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (1, b"localpower: stdout is closed\n")


def run_interrupted(tmp_path, code):
    (tmp_path / "halfway.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    start = "from localpower.cli.process import catch_interrupts; catch_interrupts()\n"
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{start}{code}"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_ctrl_c_within_an_import_ends_the_process_at_once_for_half_a_module_is_of_no_use(tmp_path):
    done = run_interrupted(tmp_path, "try:\n import halfway\nfinally:\n print('went on')")
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "localpower: interrupted\n")


def test_ctrl_c_elsewhere_is_a_keyboard_interrupt(tmp_path):
    code = "import os\ntry:\n os.kill(os.getpid(), 2)\nexcept KeyboardInterrupt:\n print('caught')"
    assert run_interrupted(tmp_path, code).stdout == "caught\n"


@pytest.mark.parametrize("number", ENDING)
def test_a_closed_terminal_ends_a_run_as_sigterm_does(number):
    with Interrupts() as interrupts:
        os.kill(os.getpid(), number)
        assert (interrupts.requested, interrupts.terminated) == (True, True)


@pytest.mark.parametrize("number", [signal.SIGINT, *ENDING])
def test_a_signal_is_one_line_and_exit_code_130_also_where_no_run_hears_it(number):
    read, write = os.pipe()
    command = [*BASE, "run", *TOY, "-"]  # waits for a prompt
    child = subprocess.Popen(command, stdin=read, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(1.5)
        child.send_signal(number)
        assert (child.communicate()[1], child.returncode) == (b"localpower: interrupted\n", 130)
    finally:
        os.close(write)
        os.close(read)


@pytest.mark.parametrize("number", ENDING)
def test_a_selftest_that_is_ended_leaves_no_terminal_half_drawn(number):
    terminal = Terminal("selftest", "-m", "toy")
    terminal.wait_until(lambda t: "Part 2 of 3" in t.text)
    assert terminal.cursor_hidden
    terminal.child.kill(number)
    assert terminal.finish() == 130
    assert not terminal.cursor_hidden
    assert "Part 2 of 3" not in terminal.text


def test_a_run_under_nohup_goes_on():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interrupts() as interrupts:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not interrupts.requested
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_answer_survives_its_terminal(tmp_path):
    out = tmp_path / "answer"
    script = f"{' '.join(BASE)} run -m toy --seed 1 --max-tokens 64 --steps 100000 x > {out}"
    terminal = Terminal(program=["sh", "-c", script])
    terminal.wait_until(lambda t: "step 9" in t.text)
    child = terminal.child
    os.killpg(os.getpgid(child.pid), signal.SIGHUP)
    child.close()
    assert out.read_text(), "the last accepted state"


def test_ctrl_z_gives_the_terminal_back_and_fg_goes_on():
    import pexpect

    shell = pexpect.spawn("bash", ["--norc", "--noprofile", "-i"], timeout=60, encoding="utf-8")
    shell.sendline(f"{' '.join(BASE)} run -m toy --seed 1 --max-tokens 64 --steps 100000 x; echo left $?")
    shell.expect("step 9")
    shell.send("\x1a")
    shell.expect("Stopped")
    shell.sendline("stty -a")
    shell.expect(r"[ -]echo ")
    assert shell.after == " echo "
    shell.sendline("fg")
    shell.expect("step 9")
    shell.send("\x03")
    shell.expect("interrupted")
    shell.sendline("exit")
    shell.close()


DIES = """
import ctypes, os, sys
from localpower.cli.crash import tell_of_crashes
from localpower.doing import doing
tell_of_crashes()
doing("reading a text of 30,000 bytes")
"""


@pytest.mark.parametrize(
    ("how", "line"),
    [
        (
            "ctypes.string_at(0)",
            "localpower: the process crashed (Segmentation fault) while reading a text of 30,000",
        ),
        ("os.abort()", "localpower: the process crashed (Aborted) while reading a text of 30,000"),
        ("os.kill(os.getpid(), 9)", ""),
        ("sys.exit(3)", ""),
    ],
)
def test_a_crash_is_one_line_that_names_what_was_read_and_a_kill_is_none(how, line):
    done = subprocess.run([sys.executable, "-c", DIES + how], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert done.stderr.startswith(line)
    assert len(done.stderr.splitlines()) == bool(line)
