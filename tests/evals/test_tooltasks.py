"""Tasks with tools: what their examples show is true, and the right calls fulfil them."""

from __future__ import annotations

import re

import pytest

from localpower.evals.grade import Grader
from localpower.evals.sources import Source
from localpower.evals.tasks import TASKS
from localpower.evals.tooltasks import LabCalculator
from localpower.tools.calls import Call
from localpower.tools.environment import environment_seed
from localpower.tools.executor import execute
from localpower.tools.plain import Plain


def opened(task, problem):
    environment = task.environment(problem)
    environment.reset(environment_seed(problem.id))
    return environment


@pytest.mark.parametrize("name", ["calc-word", "notes-sum"])
def test_the_examples_of_a_prompt_make_calls_that_give_what_they_say(name):
    task = TASKS[name]
    problem = task.problems(Source())[0]
    prompt = task.forms["plain"].write(problem)
    shown = re.findall(r"(Call: .*\n)Result: (.*)\n", prompt)
    environment = opened(task, problem)
    assert len(shown) >= 3
    for text, result in shown:
        (call,) = Plain().calls(text)
        if call.name == "read":  # a note of another problem
            continue
        assert execute(environment, call).text == result
    assert prompt.endswith(f"Question: {problem.text}\n")


def test_calc_word_is_right_where_its_expression_is_calculated():
    task = TASKS["calc-word"]
    problems = task.problems(Source())
    assert len({p.id for p in problems}) == len({p.text for p in problems}) == 180
    texts = {p.id: p for p in problems}
    one = texts["calc-word/product/0"]
    a, b = re.findall(r"\d+", one.text)
    found = execute(opened(task, one), Call("calculator", {"expression": f"{a} * {b}"}))
    with Grader() as grader:
        assert grader.fields("number", one.gold, f"Answer: {found.text}")["verdict"] == "right"
        assert grader.fields("number", one.gold, f"Answer: {found.text}", check=False)["verdict"] == "wrong"
        verdicts = [grader.fields("state", None, "", check=check)["verdict"] for check in (True, False, None)]
    assert verdicts == ["right", "wrong", "none"]


def test_notes_sum_is_fulfilled_by_the_sum_and_by_nothing_else():
    task = TASKS["notes-sum"]
    for problem in task.problems(Source())[:4]:
        environment = opened(task, problem)
        names = re.search(r"the notes (.*), write", problem.text)[1].replace(" and ", ", ").split(", ")
        total = sum(int(environment.call("read", {"name": name})) for name in names)
        assert str(total) == problem.gold
        environment.call("write", {"name": "total", "text": f"{total + 1}"})
        assert environment.check() is False
        environment.call("write", {"name": "total", "text": f" {total}"})
        assert environment.check() is True
        environment.reset(0)
        assert environment.check() is False


def test_the_lab_has_forty_held_out_products_of_every_level_which_its_calculator_solves():
    problems = TASKS["lab-product"].problems(Source())
    assert [p.group for p in problems].count("level 1") == 40
    assert len(problems) == 200
    with Grader() as grader:
        for problem in problems[::7]:
            product, _, rest = problem.text.removesuffix("?").partition("+")
            said = execute(LabCalculator(), Call("calculator", {"expression": product})).text
            if rest:
                said = execute(LabCalculator(), Call("calculator", {"expression": f"{said}+{rest}"})).text
            assert grader.fields("lab", problem.gold, f"[{product}]{said}>{said}")["verdict"] == "right"


@pytest.mark.parametrize("call", ["1*2*3", "12", "", "1-2", "9" * 10 + "*2", "1*", "*", "1*2 ", "[1*2"])
def test_the_labs_calculator_reads_two_numbers_and_a_sign(call):
    assert not execute(LabCalculator(), Call("calculator", {"expression": call})).ok
