"""math-verify in a process that is killed when it hangs: the process with a stand-in, the verdicts with the package."""

from __future__ import annotations

import os
import sys

import pytest

from localpower.errors import UserError
from localpower.grading import math_verify
from localpower.grading.math_verify import MathVerify, require
from localpower.grading.verdicts import NONE, Verdict

STAND_IN = """
import json, os, sys, time
print(json.dumps({"error": None}), flush=True)
for line in sys.stdin:
    job = json.loads(line)
    text = job["answer"] or job["completion"]
    if text == "hang":
        time.sleep(600)
    if text == "exit":
        os._exit(1)
    if text == "noise":
        print("this is no reply", flush=True)
    if text == "leave":
        print(json.dumps({"verdict": "right", "extracted": str(os.getpid())}), flush=True)
        os._exit(0)
    print(json.dumps({"verdict": "right", "extracted": str(os.getpid())}), flush=True)
"""
WORKER = [sys.executable, "-c", STAND_IN]


def is_alive(process):
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    return True


def test_one_process_does_all_jobs_and_ends_with_the_block():
    with MathVerify(WORKER) as grader:
        first, second = (grader.grade("1", answer="1").extracted for _ in range(2))
        assert first == second
        assert is_alive(first)
    assert not is_alive(first)


def test_nothing_starts_before_the_first_job_and_an_empty_answer_is_none():
    with MathVerify(["/no/such/program"]) as grader:
        assert grader.grade("1", answer="  ") == NONE
        assert grader.grade("1", completion="") == NONE
        assert grader.grade("1") == NONE


def test_a_job_that_hangs_is_wrong_its_process_is_killed_and_the_next_job_works():
    with MathVerify(WORKER) as grader:
        before = grader.grade("1", answer="1").extracted
        assert grader.grade("1", answer="hang", seconds=0.2) == Verdict("wrong", "hang")
        assert not is_alive(before)
        after = grader.grade("1", answer="1")
        assert after.verdict == "right"
        assert after.extracted != before


def test_of_a_completion_that_hangs_nothing_was_extracted():
    with MathVerify(WORKER) as grader:
        assert grader.grade("1", completion="hang", seconds=0.2) == Verdict("wrong", None)


@pytest.mark.parametrize("trouble", ["exit", "noise"])
def test_a_process_that_dies_or_babbles_costs_one_job(trouble):
    with MathVerify(WORKER) as grader:
        before = grader.grade("1", answer="1").extracted
        assert grader.grade("1", answer=trouble) == Verdict("wrong", trouble)
        assert grader.grade("1", answer="1").extracted != before


def test_a_job_larger_than_the_pipe_does_not_block_for_ever():
    deaf = [
        sys.executable,
        "-c",
        "import time; print('{\"error\": null}', flush=True); time.sleep(600)",
    ]
    with MathVerify(deaf) as grader:
        assert grader.grade("1", completion="1" * 1_000_000, seconds=0.2).verdict == "wrong"


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ('print(\'{"error": "no parser"}\')', "no parser"),
        ("raise SystemExit(1)", "its process ended"),
    ],
)
def test_a_package_that_does_not_work_is_no_verdict(code, says):
    with MathVerify([sys.executable, "-c", code]) as grader, pytest.raises(UserError, match=says):
        grader.grade("1", answer="1")


def test_a_missing_package_is_told(monkeypatch):
    monkeypatch.setattr(math_verify.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="needs the package math-verify"):
        require()
    with pytest.raises(UserError, match="needs the package math-verify"):
        MathVerify()


@pytest.fixture(scope="module")
def real():
    with MathVerify() as grader:
        yield grader


@pytest.mark.parametrize(
    ("gold", "answer", "verdict"),
    [
        (r"\frac{1}{2}", r"\frac{2}{4}", "right"),
        ("1024", "2^{10}", "right"),
        ("-2,1", "1,-2", "right"),
        (r"\tan^2(y)+1", r"\sec^2(y)", "right"),
        (r"\sqrt{3}", "1.732", "wrong"),
        ("50", "0.5", "wrong"),
        ("10", r"10\%", "right"),  # with antlr 4.13.2
        ("5m", "5", "right"),  # a fault
    ],
)
def test_the_packages_own_verdicts(real, gold, answer, verdict):
    assert real.grade(gold, answer=answer) == Verdict(verdict, answer)


def test_a_completion_is_searched_in_the_packages_own_way(real):
    assert real.grade("7", completion=r"So it is \boxed{7}.") == Verdict("right", "7")
    assert real.grade("7", completion="The answer is 8") == Verdict("wrong", "8")
    assert real.grade("7", completion="I do not know.").verdict == "none"


@pytest.mark.parametrize("text", ["9**9**9**9", "99999999!", "\ud800", "(" * 100_000, "1" * 1_000_000])
def test_hostile_texts_cost_no_more_than_their_seconds(real, text):
    for field in ("answer", "completion"):
        assert real.grade("7", **{field: text}, seconds=1).verdict in ("wrong", "none")
    assert real.grade("7", answer="7").verdict == "right"
