"""math-verify in a process that is killed when it hangs: what becomes of a job with a stand-in, verdicts with the package."""

from __future__ import annotations

import pytest

from localpower.errors import UserError
from localpower.grading import math_verify
from localpower.grading.math_verify import MathVerify, require
from localpower.grading.verdicts import NONE, Verdict
from localpower.subprocesses import Died, Failed, Late


@pytest.fixture
def replying(monkeypatch):
    """A grader whose worker is asked nothing: `ask(request)` replies or raises."""

    def make(ask):
        monkeypatch.setattr(math_verify, "require", lambda: None)
        monkeypatch.setattr(math_verify.Worker, "ask", lambda _, request, seconds: ask(request))
        return MathVerify()

    return make


def test_an_empty_answer_is_none_and_nobody_is_asked(replying):
    grader = replying(pytest.fail)
    assert grader.grade("1", answer="  ") == grader.grade("1", completion="") == grader.grade("1") == NONE


@pytest.mark.parametrize("trouble", [Late("too long"), Died(9), Failed("RecursionError")])
def test_a_job_that_hangs_dies_or_raises_is_wrong_and_the_next_one_is_graded(replying, trouble):
    def ask(request):
        if "bad" in request:
            raise trouble
        return ["right", request[1]]

    grader = replying(ask)
    assert grader.grade("1", answer="bad") == Verdict("wrong", "bad")
    assert grader.grade("1", completion="bad") == Verdict("wrong", None)
    assert grader.grade("1", answer="1") == Verdict("right", "1")


@pytest.mark.parametrize("trouble", [Failed("no parser"), Died(0), None])
def test_a_package_that_does_not_work_is_no_verdict(replying, trouble):
    def ask(_request):
        if trouble:
            raise trouble
        return ["wrong", "0.5"]

    with pytest.raises(UserError, match=str(trouble or "1/2 is 0.5")):
        replying(ask).grade("1", answer="1")


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
