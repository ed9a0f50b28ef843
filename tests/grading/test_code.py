"""Code is run apart: what is taken for the program, right verdicts on hostile ones, and nothing left behind."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from localpower.cli.main import main
from localpower.grading.program import program
from localpower.grading.sandbox import folder_of, isolation, passes
from localpower.grading.verdicts import grade_code
from tests.evals.files import lines

TASK = {
    "id": "Test/0",
    "prompt": "from typing import List\n\n\ndef total(xs: List[int]) -> int:\n    '''Sum.'''\n",
    "entry_point": "total",
    "test": "def check(candidate):\n    assert candidate([1, 2]) == 3\n    assert candidate([]) == 0\n",
}
RIGHT = {
    "a continuation": "    return sum(xs)\n",
    "a fence": "Here:\n```python\ndef total(xs):\n    return sum(xs)\n```\nDone.",
    "the last of two fences": "```python\ndef total(xs):\n    return 0\n```\nNo:\n```\ndef total(xs):\n    return sum(xs)\n```",
    "an unclosed fence": "```py\ndef total(xs):\n    return sum(xs)\n",
    "carriage returns": "```python\r\ndef total(xs):\r\n    return sum(xs)\r\n```",
    "a helper after it": "    return helper(xs)\n\ndef helper(xs):\n    return sum(xs)\n",
    "a comment at the margin": "    # first\n# second\n    return sum(xs)\n",
    "a lambda": "```python\ntotal = lambda xs: sum(xs)\n```",
    "run-on text": "    return sum(xs)\n\nThis function sums. It's simple!\n",
    "its own tests after it": "    return sum(xs)\n\nprint(total([1]))\nassert total([1]) == 2\n",
    "prose before a definition": "def total(xs: List[int]) -> int:\n    return sum(xs)\n",
}
WRONG = {
    "another value": "    return 1\n",
    "an exit": "    import sys\n    sys.exit(0)\n",
    "a hard exit": "    import os\n    os._exit(0)\n",
    "an exit at the top": "    return 0\nimport os\ndef check(c): pass\nos._exit(0)\n",
    "a loop": "    while True:\n        pass\n",
    "a long sleep": "    import time\n    time.sleep(10**6)\n",
    "swallowed signals": "    import signal\n    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n    while True:\n        try:\n"
    "            while True: pass\n        except BaseException: pass\n",
    "a forked child": "    import os, time\n    if os.fork() == 0:\n        time.sleep(60)\n    os._exit(0)\n",
    "a daemon": "    import os, time\n    if os.fork() == 0:\n        os.setsid()\n        time.sleep(60)\n    os._exit(0)\n",
    "a flood": "    import sys\n    while True: sys.stdout.write('x' * 10000)\n",
    "memory": "    return len([bytearray(10**8) for _ in range(100)])\n",
    "a full disk": "    open('big', 'w').write('x' * 10**8)\n    return 0\n",
    "words of success": "    print('passed')\n    return 0\n",
    "noise on every descriptor": "    import os\n    for fd in range(3, 64):\n        try: os.write(fd, b'0' * 32)\n"
    "        except OSError: pass\n    os._exit(0)\n",
    "frames": "    import sys, os\n    f = sys._getframe()\n    while f:\n        for v in list(f.f_locals.values()):\n"
    "            if isinstance(v, str) and len(v) == 32: os.write(3, v.encode())\n        f = f.f_back\n    os._exit(0)\n",
    "reading": "    return int(input())\n",
    "recursion": "    return total(xs)\n",
    "big numbers": "    return 10 ** 10 ** 10\n",
}


@pytest.mark.parametrize("completion", RIGHT.values(), ids=RIGHT.keys())
def test_a_right_program_is_right_however_it_is_written(completion):
    assert grade_code(TASK, completion).verdict == "right"


def drivers():
    """Processes that still run the driver; on Linux, where they can be listed."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if b"grading/driver.py" in (folder / "cmdline").read_bytes():
                found.add(folder.name)
    return found


UNTIL_STOPPED = {"a loop", "a long sleep", "swallowed signals", "a flood", "memory", "big numbers"}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_or_hostile_program_is_wrong_and_leaves_nothing_running(name):
    seconds = 1.0 if name in UNTIL_STOPPED else 3.0
    assert grade_code(TASK, WRONG[name], seconds=seconds).verdict == "wrong"
    wait_until(
        lambda: not drivers()
    )  # those of tests beside this one end soon; what is left running does not


def test_a_program_that_leaves_a_thread_running_is_judged_by_what_it_did():
    assert passes(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()\n", seconds=5.0
    )


def test_without_the_function_there_is_no_answer():
    assert grade_code(TASK, "I cannot do this.").verdict == "none"
    assert program(TASK["prompt"], "", "total") is None


def test_the_working_folder_is_empty_and_the_environment_bare():
    source = "import os\nassert os.listdir('.') == []\nassert set(os.environ) <= {'PATH', 'LANG', 'HOME', 'PYTHONHASHSEED', "
    assert passes(source + "'LOCALPOWER_RUN', 'LC_CTYPE'}\n")


def test_where_namespaces_are_there_is_no_network():
    source = "import socket\nsocket.create_connection(('127.0.0.1', 9), timeout=1)\n"
    if isolation() == "namespaces":
        source = "import socket\ntry: socket.create_connection(('192.0.2.1', 9), timeout=1)\n"
        source += "except OSError as error: assert error.errno == 101, error\n"
        assert passes(source)
    else:
        assert not passes(source)


def test_a_task_with_a_list_of_tests():
    task = {"test_list": ["assert double(2) == 4", "assert double(0) == 0"], "test_imports": ["import math"]}
    assert grade_code(task, "```python\ndef double(x):\n    return 2 * x\n```").verdict == "right"
    assert grade_code(task, "def double(x):\n    return x + 2\n").verdict == "wrong"


def rows_file(tmp_path, rows):
    (tmp_path / "rows.jsonl").write_text(lines(rows), "utf-8")
    return str(tmp_path / "rows.jsonl")


def test_code_is_only_run_when_asked(tmp_path, capsys):
    path = rows_file(tmp_path, [{"task": TASK, "completion": "    return sum(xs)\n"}])
    assert main(["grade", "--kind", "code", path]) == 2
    assert "--run-code" in capsys.readouterr().err
    assert main(["grade", "--kind", "code", "--run-code", path]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["verdict"] == "right"
    assert "isolation of kind" in err


def test_rows_of_code_that_are_none(tmp_path, capsys):
    rows = [{"task": TASK, "completion": value} for value in (None, 3, "", "hm")]
    assert main(["grade", "--kind", "code", "--run-code", rows_file(tmp_path, rows)]) == 0
    verdicts = [json.loads(line)["verdict"] for line in capsys.readouterr().out.splitlines()]
    assert verdicts == ["none", "none", "none", "wrong"]


@pytest.mark.parametrize(
    "task",
    [
        5,
        {},
        TASK | {"prompt": 3},
        TASK | {"test": None},
        {"test_list": 5},
        {"test_list": [5]},
        {"test_list": "assert f()"},
        {"test_list": ["assert f()"], "test_imports": 5},
        {"test_list": ["assert f()"], "test_setup_code": ["root = 1"]},
    ],
)
def test_a_task_of_another_form_is_named_in_one_line(tmp_path, capsys, task):
    rows = [{"task": TASK, "completion": ""}, {"task": task, "completion": "def f(): return 1"}]
    path = rows_file(tmp_path, rows)
    assert main(["grade", "--kind", "code", "--run-code", path]) == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"localpower: line 2 of {path} is no row")


def test_a_task_may_say_null_for_no_imports(tmp_path, capsys):
    task = {"test_list": ["assert f() == 1"], "test_imports": None}
    path = rows_file(tmp_path, [{"task": task, "completion": "def f(): return 1"}])
    assert main(["grade", "--kind", "code", "--run-code", path]) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "right"


def test_the_driver_runs_under_an_isolated_interpreter():
    assert passes("import sys\nassert sys.flags.isolated and sys.flags.no_site\n")


NUMPY = "import numpy\n\ndef total(xs):\n    return numpy.sum(xs)\n"


def test_a_package_is_imported_where_the_user_allows_it_and_no_other(tmp_path, capsys):
    rows = [{"task": TASK, "completion": code} for code in (NUMPY, NUMPY.replace("numpy", "click"))]
    path = rows_file(tmp_path, rows)
    for options, verdicts in (([], ["wrong", "wrong"]), (["--allow-import", "numpy"], ["right", "wrong"])):
        assert main(["grade", "--kind", "code", "--run-code", *options, path]) == 0
        said = capsys.readouterr().out.splitlines()
        assert [json.loads(line)["verdict"] for line in said] == verdicts


@pytest.mark.parametrize("name", ["nowhere", "json", "__main__", "numpy.linalg", ""])
def test_a_package_that_is_not_installed_is_refused_in_one_line(tmp_path, capsys, name):
    path = rows_file(tmp_path, [{"task": TASK, "completion": ""}])
    assert main(["grade", "--kind", "code", "--run-code", "--allow-import", name, path]) == 2
    assert f"{name!r} is no package that is installed here" in capsys.readouterr().err.splitlines()[-1]


def test_a_script_beside_other_modules_is_no_package(tmp_path, monkeypatch):
    (tmp_path / "__main__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    assert folder_of("__main__") is None


@pytest.mark.parametrize("command", [["eval", "tiny"], ["regrade"]])
def test_packages_go_with_programs_that_are_run(tmp_path, capsys, command):
    made = ["eval", "lab-chain", "-m", "lab-base", "--limit", "1", "--method", "base", "--out"]
    main([*made, str(tmp_path / "run")])
    capsys.readouterr()
    where = ["--out", str(tmp_path / "new")] if command[0] == "eval" else [str(tmp_path / "run")]
    assert main([*command, "--allow-import", "numpy", *where]) == 2
    assert "--run-code" in capsys.readouterr().err


@pytest.mark.skipif(isolation() != "namespaces", reason="elsewhere nothing is sure to end with its parent")
def test_a_program_ends_when_localpower_is_killed():
    source = "from localpower.grading.sandbox import passes; passes('import time; time.sleep(300)', 300)"
    with subprocess.Popen([sys.executable, "-c", source]) as process:
        wait_until(lambda: drivers() & below(process.pid))
        ours = drivers() & below(process.pid)
        process.kill()
    wait_until(lambda: not drivers() & ours)


def below(pid):
    """The processes that this one has started."""
    return {str(each.pid) for each in psutil.Process(pid).children(recursive=True)}


def wait_until(true):
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)
