"""The harder benchmarks: problems from files in their authors' formats, and what is said of other files."""

from __future__ import annotations

import json

import pytest

from localpower.errors import UsageProblem, UserError
from localpower.evals import arc, bbh, evalplus, ifeval, livecodebench, loaders, mmlu_pro, olympiad
from localpower.evals.dates import check_date, dated
from localpower.evals.grade import Grader
from localpower.evals.problem import Problem
from localpower.evals.sources import Source
from localpower.evals.tasks import TASKS
from tests.evals import harder_files as made
from tests.evals.files import source


def verdict(task, problem, text, **grading):
    with Grader(**grading) as grader:
        return grader.grade(TASKS[task].kind, problem.gold, text).verdict


def test_mmlu_pro_has_ten_letters(tmp_path):
    (problem,) = mmlu_pro.problems(source(tmp_path, "m.jsonl", [made.MMLU_PRO]))
    assert (problem.id, problem.group, problem.gold) == ("mmlu-pro/70", "math", {"answer": "I", "last": "J"})
    found = [verdict("mmlu-pro", problem, f"So the answer is ({letter}).") for letter in "IJK"]
    assert found == ["right", "wrong", "none"]


def test_mmlu_pro_is_put_as_its_authors_put_it(tmp_path):
    row = made.MMLU_PRO | {"options": ["x", "y"], "answer": "B"}
    (problem,) = mmlu_pro.problems(source(tmp_path, "m.jsonl", [row]))
    assert TASKS["mmlu-pro"].forms["authors"].write(problem) == (
        "The following are multiple choice questions (with answers) about math. Think step by step and then finish your "
        'answer with "the answer is (X)" where X is the correct letter choice.\n\n'
        "Question:\nWhich number is zorbly?\nOptions:\nA. x\nB. y\nAnswer: Let's think step by step."
    )


def test_humaneval_plus_is_graded_by_its_authors_tests_which_import_numpy(tmp_path):
    (problem,) = evalplus.humaneval_plus(source(tmp_path, "h.jsonl", [made.HUMANEVAL_PLUS]))
    assert verdict("humaneval-plus", problem, "    return n / 2\n", run_code=True) == "right"
    assert verdict("humaneval-plus", problem, "    return n // 2\n", run_code=True) == "wrong"


def test_mbpp_plus_finds_the_function_that_its_tests_call(tmp_path):
    (problem,) = evalplus.mbpp_plus(source(tmp_path, "m.jsonl", [made.MBPP_PLUS]))
    assert problem.gold["entry_point"] == "twice"
    for value, said in (("n + n", "right"), ("4", "wrong")):
        text = f"```python\ndef twice(n):\n    return {value}\n```"
        assert verdict("mbpp-plus", problem, text, run_code=True) == said


def test_a_file_of_inputs_without_tests_is_refused_with_the_one_that_has_them(tmp_path):
    row = {key: value for key, value in made.HUMANEVAL_PLUS.items() if key != "test"} | {"plus_input": [[4]]}
    with pytest.raises(UserError, match="inputs and no tests") as error:
        evalplus.humaneval_plus(source(tmp_path, "h.jsonl", [row]))
    assert "OriginFmt" in error.value.line()


@pytest.mark.parametrize(
    ("since", "until", "found"),
    [
        ("", "", ["abc001_a", "3001"]),
        ("2024-09", "", ["3001"]),
        ("", "2024-08", ["abc001_a"]),
        ("2024", "2024", ["abc001_a"]),
        ("2025-01-04", "2025-01-04", ["3001"]),
    ],
)
def test_livecodebench_takes_the_problems_between_two_dates(tmp_path, since, until, found):
    rows = source(tmp_path, "t.jsonl", [made.LCB_STDIN, made.LCB_FUNCTION], since=since, until=until)
    ids = [problem.id for problem in livecodebench.problems(rows)]
    assert ids == [f"livecodebench/{name}" for name in found]


def test_a_range_without_problems_is_refused(tmp_path):
    with pytest.raises(UserError, match="no problem between 2030 and the last"):
        livecodebench.problems(source(tmp_path, "t.jsonl", [made.LCB_STDIN], since="2030"))


def test_programs_of_livecodebench_are_judged_by_what_they_write(tmp_path):
    (problem,) = livecodebench.problems(source(tmp_path, "t.jsonl", [made.LCB_STDIN]))
    right = "Here:\n```python\nimport sys\nn, *xs = map(int, sys.stdin.read().split())\nprint(sum(xs))\n```\n"
    public_alone = "```python\ninput()\nprint(3 if input() == '1 2' else 0)\n```"
    found = [verdict("livecodebench", problem, text, run_code=True) for text in (right, public_alone, "")]
    assert found == ["right", "wrong", "none"]


def test_functions_of_livecodebench_are_called_with_each_line_as_an_argument(tmp_path):
    (problem,) = livecodebench.problems(source(tmp_path, "t.jsonl", [made.LCB_FUNCTION]))
    text = "```python\nclass Solution:\n    def add(self, a: int, b: List[int]) -> int:\n        return a + sum(b)\n```"
    assert verdict("livecodebench", problem, text, run_code=True) == "right"
    assert verdict("livecodebench", problem, text.replace("a + sum(b)", "6"), run_code=True) == "wrong"


def test_olympiadbench_says_what_kind_of_answer_is_wanted(tmp_path):
    (problem,) = olympiad.olympiadbench(source(tmp_path, "o.jsonl", [made.OLYMPIAD]))
    assert problem.authors == (
        "The following is an open-ended problem from an International Math competition. The problem has multiple "
        "answers, each of them should be a numerical value. Please calculate the answer according to the given "
        "requirements and the information provided. Please use LaTeX format to represent the variables and formulas "
        "used in the solution process and results. Please end your solution with "
        r'"So the final answer is \boxed{multiple answers connected with commas}." and give the result explicitly.'
        "\nFind all $x$ with $x^{2}=4$."
    )
    assert verdict("olympiadbench", problem, r"So the final answer is \boxed{-2, 2}.") == "right"
    assert verdict("olympiadbench", problem, r"So the final answer is \boxed{2}.") == "wrong"


def test_problems_with_pictures_are_left_out_of_olympiadbench(tmp_path):
    row = made.OLYMPIAD | {"image_1": {"bytes": "x", "path": None}}
    with pytest.raises(UserError, match="without pictures"):
        olympiad.olympiadbench(source(tmp_path, "o.jsonl", [row]))


def test_hmmt_takes_its_year_from_the_files_name(tmp_path):
    (problem,) = olympiad.hmmt(source(tmp_path, "hmmt_feb_2025.jsonl", [made.HMMT]))
    assert (problem.id, problem.gold) == ("hmmt/3", "\\frac{1}{2}")
    assert (problem.group, problem.date) == ("Algebra, Geometry", "2025")


@pytest.mark.parametrize(
    ("row", "date"),
    [
        ({"id": 60, "year": "2024"}, "2024"),
        ({"ID": "2023-II-4"}, "2023"),
        ({"ID": "1983-1", "Year": 1983, "Problem Number": 1}, "1983"),
        ({"problem_idx": 1}, ""),
    ],
)
def test_aime_has_the_year_that_its_file_says(tmp_path, row, date):
    (problem,) = loaders.aime(source(tmp_path, "a.jsonl", [row | {"problem": "How many?", "answer": 7}]))
    assert problem.date == date


def test_bbh_reads_the_authors_folder_and_their_worked_examples(tmp_path):
    (tmp_path / "bbh").mkdir()
    (tmp_path / "cot-prompts").mkdir()
    (tmp_path / "bbh" / "zorbs.json").write_text(json.dumps(made.BBH))
    shots = "Zorb it.\n\nQ: a\nA: So the answer is b.\n"
    (tmp_path / "cot-prompts" / "zorbs.txt").write_text(f"A canary.\n-----\n{shots}")
    first, second = bbh.problems(Source(tmp_path))
    assert (first.id, first.group) == ("bbh/zorbs/0", "zorbs")
    assert first.authors == f"{shots}\nQ: not ( True ) is\nA: Let's think step by step."
    assert verdict("bbh", first, "True is not. So the answer is False.") == "right"
    assert verdict("bbh", second, "So the answer is (B) two.") == "right"
    assert verdict("bbh", second, "So the answer is (A).") == "wrong"


def test_ifeval_is_right_where_every_instruction_is_followed(tmp_path):
    (problem,) = ifeval.problems(source(tmp_path, "i.jsonl", [made.IFEVAL]))
    found = [verdict("ifeval", problem, text) for text in ("zorb quux", "zorb, quux", "zorb")]
    assert found == ["right", "wrong", "wrong"]


def test_nulls_of_parquet_are_no_arguments(tmp_path):
    row = made.IFEVAL | {"kwargs": [{"num_words": None, "relation": None}, made.IFEVAL["kwargs"][1]]}
    (problem,) = ifeval.problems(source(tmp_path, "i.jsonl", [row]))
    assert problem.gold["rules"][0] == {"id": "punctuation:no_comma", "arguments": {}}


def test_arc_has_a_problem_for_each_test_grid(tmp_path):
    folder = tmp_path / "data" / "evaluation"
    folder.mkdir(parents=True)
    (folder / "00abc.json").write_text(json.dumps(made.ARC))
    first, second = arc.problems(Source(tmp_path))
    assert (first.id, first.gold, second.id) == ("arc/00abc/0", [[3, 2]], "arc/00abc/1")
    assert first.text == "Input:\n0 1\n\nOutput:\n1 0\n\nInput:\n2 3\n\nOutput:"
    assert verdict("arc", first, "They swap.\n3 2") == "right"
    assert verdict("arc", first, "[[2, 3]] becomes [[3,2]]") == "right"
    assert verdict("arc", first, "3 2 2") == "wrong"


WRONG = [  # a loader, what is changed in a good row, and what is said
    (mmlu_pro.problems, made.MMLU_PRO, {"answer": "K"}, "has the answer 'K', and 10 options"),
    (mmlu_pro.problems, made.MMLU_PRO, {"options": "x"}, "has no options"),
    (evalplus.mbpp_plus, made.MBPP_PLUS, {"code": "def other(): pass"}, "calls no function of its code"),
    (livecodebench.problems, made.LCB_STDIN, {"private_test_cases": "!"}, "neither JSON nor packed"),
    (livecodebench.problems, made.LCB_FUNCTION, {"metadata": "{}"}, "no func_name"),
    (olympiad.olympiadbench, made.OLYMPIAD, {"final_answer": None}, "has no final_answer"),
    (ifeval.problems, made.IFEVAL, {"instruction_id_list": ["a:b", "c:d"]}, "the instruction a:b"),
    (ifeval.problems, made.IFEVAL, {"kwargs": [{}]}, "has no kwargs"),
    (ifeval.problems, made.IFEVAL, {"kwargs": [{}, {"num_words": 2}]}, "without relation"),
]


@pytest.mark.parametrize(("load", "row", "change", "message"), WRONG)
def test_a_row_that_cannot_be_used_is_named_with_its_file(tmp_path, load, row, change, message):
    with pytest.raises(UserError, match=message) as error:
        load(source(tmp_path, "rows.jsonl", [row | change]))
    assert "row 1 of rows.jsonl" in error.value.line()


@pytest.mark.parametrize("name", [name for name, task in TASKS.items() if task.needs and name != "gpqa"])
def test_the_file_of_another_task_is_refused_in_one_line(tmp_path, name):
    foreign = [{"zorb": 1, "quux": "x"}]
    with pytest.raises(UserError) as error:
        TASKS[name].problems(source(tmp_path, "other.jsonl", foreign))
    assert "other.jsonl" in error.value.line()
    assert "\n" not in error.value.line()


@pytest.mark.parametrize("value", ["2024-13", "24", "2024-8", "yesterday", "2024-08-32"])
def test_what_is_no_date_is_refused(value):
    with pytest.raises(UsageProblem, match="--since is a date such as 2024"):
        check_date("--since", value)


def test_dates_of_problems_that_have_none_are_refused():
    with pytest.raises(UserError, match="--since and --until need dates, and tiny/1 of tiny has none"):
        dated("tiny", [Problem("tiny/1", "?", "!")], "2024", "")
