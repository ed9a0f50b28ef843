"""Prompts of task files: fields in braces, braces as text, and never the right answer; and where the rows lie."""

from __future__ import annotations

import pytest

from localpower.cli.main import main
from localpower.errors import UserError
from localpower.evals.sources import Source
from localpower.evals.tasks import find_tasks
from tests.evals.files import lines, task_file

ROW = {"question": "1+1", "answer": "2", "Correct Answer": "two", "n": 2.0, "listed": [1]}


def write(folder, prompt=None, *, rows=(ROW,), **said):
    return task_file(folder, rows, **said, **({} if prompt is None else {"prompt": prompt}))


def problem(folder, prompt=None, **more):
    (task,) = find_tasks((write(folder, prompt, **more),))
    (found,) = task.problems(Source())
    return found


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("{question} in {n} ways", "1+1 in 2 ways"),
        (r"{question} Put it within \boxed{{answer}}.", r"1+1 Put it within \boxed{answer}."),
        (r"\frac{{1}}{{{question}}} \boxed{{}}", r"\frac{1}{1+1} \boxed{}"),
        ('{question} As JSON: {{ "a": 1 }}', '1+1 As JSON: { "a": 1 }'),
        ("{Correct Answer}", "two"),
    ],
)
def test_a_field_stands_in_braces_and_a_doubled_brace_is_a_brace(tmp_path, prompt, text):
    assert problem(tmp_path, prompt).text == text


@pytest.mark.parametrize(
    ("prompt", "said"),
    [(r"{question} Put it within \boxed{answer}.", {}), ("{Correct Answer}", {"answer": "Correct Answer"})],
)
def test_a_prompt_that_would_tell_the_right_answer_is_refused_at_once(tmp_path, capsys, prompt, said):
    file, field = write(tmp_path, prompt, **said), said.get("answer", "answer")
    assert main(["eval", file, "-m", "nosuch", "--out", str(tmp_path / "out")]) == 1
    err = capsys.readouterr().err
    assert f"its prompt has {{{field}}}, the right answer, which the model must not see" in err
    assert f"write {{{{{field}}}}} for the text {{{field}}}" in err
    assert (err.count("\n"), (tmp_path / "out").exists()) == (1, False)


def test_the_field_of_the_right_answer_is_never_taken_for_the_prompt(tmp_path):
    row = {"prompt": "gold", "question": "asked"}
    assert problem(tmp_path, rows=[row], answer="prompt").text == "asked"


def test_an_open_task_has_no_right_answer_to_keep(tmp_path):
    assert problem(tmp_path, "Is {answer} right?", grader="open").text == "Is 2 right?"


@pytest.mark.parametrize("field", ["1", ' "a": 1 ', "Question", "question:>3"])
def test_a_field_that_no_row_has_is_refused_with_those_there_are_and_the_escape(tmp_path, capsys, field):
    file = write(tmp_path, f"{{question}} {{{field}}}", rows=[ROW])
    assert main(["eval", file, "-m", "nosuch", "--out", str(tmp_path / "out")]) == 1
    err = capsys.readouterr().err
    assert "row 1 of rows.jsonl has no field" in err
    assert "which the prompt names; it has question, answer" in err
    assert "write {{" + field + "}} for the text {" + field + "}" in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "prompt", [r"{question} \boxed{}", "{question}}", "{question", "{\n}", r"\text{\bf{x}}"]
)
def test_a_brace_by_itself_is_refused_with_how_to_write_it(tmp_path, prompt):
    with pytest.raises(UserError, match="has a single brace") as raised:
        find_tasks((write(tmp_path, prompt),))
    assert "write {{ and }} for the text" in raised.value.line()


def test_a_list_is_no_text_for_a_prompt(tmp_path):
    with pytest.raises(UserError, match=r"row 1 of rows.jsonl has no text in listed"):
        problem(tmp_path, "{listed}")


@pytest.mark.parametrize(
    ("answer", "answers"),
    [(2, ["2"]), (2.0, ["2"]), (0.00001, ["0.00001"]), (True, ["true"]), ([2.0, "two"], ["2", "two"])],
)
def test_a_right_answer_that_is_a_number_is_written_as_a_person_writes_it(tmp_path, answer, answers):
    assert problem(tmp_path, rows=[ROW | {"answer": answer}]).gold["answers"] == answers


@pytest.mark.parametrize("answer", [{"a": 1}, [[1]], [None]])
def test_an_object_is_no_right_answer(tmp_path, answer):
    with pytest.raises(UserError, match=r"row 1 of rows.jsonl has no text, number or list of them in answer"):
        problem(tmp_path, rows=[ROW | {"answer": answer}])


@pytest.mark.parametrize("answer", ["", " ", [""], ["2", ""]])
def test_an_empty_right_answer_is_refused(tmp_path, answer):
    with pytest.raises(UserError, match=r"row 1 of rows.jsonl has no right answer: answer is empty"):
        problem(tmp_path, rows=[ROW | {"answer": answer}])


@pytest.mark.parametrize(
    ("grader", "answers"),
    {"letter": (2, "E", "B and C"), "number": ("ten", True, "3,5", "1e3", ["2", "two"])}.items(),
)
def test_a_right_answer_that_its_grader_can_find_in_no_text_is_refused(tmp_path, grader, answers):
    for answer in answers:
        with pytest.raises(UserError, match=f"in which the grader {grader} finds no {grader}"):
            problem(tmp_path, rows=[ROW | {"answer": answer}], grader=grader)


@pytest.mark.parametrize(
    ("grader", "answers"),
    {"letter": ("b", "(C)"), "number": ("1,002", "$5", -0.0, "12 %", "5 km", "−5")}.items(),
)
def test_a_right_answer_that_its_grader_finds_is_taken(tmp_path, grader, answers):
    assert all(problem(tmp_path, rows=[ROW | {"answer": each}], grader=grader).gold for each in answers)


def test_a_folder_that_is_named_has_the_rows_first_and_the_task_files_own_come_next(tmp_path):
    (tmp_path / "data").mkdir()
    (task,) = find_tasks((write(tmp_path),))
    assert task.problems(Source(tmp_path / "data"))[0].text == "1+1"
    (tmp_path / "data" / "rows.jsonl").write_text(lines([ROW | {"question": "2+2"}]))
    assert task.problems(Source(tmp_path / "data"))[0].text == "2+2"
    assert task.problems(Source())[0].text == "1+1"


def test_rows_that_are_not_beside_the_task_file_are_looked_for_in_the_data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LOCALPOWER_DATA", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    file = write(tmp_path)
    (tmp_path / "rows.jsonl").rename(tmp_path / "data" / "rows.jsonl")
    assert find_tasks((file,))[0].problems(Source())[0].text == "1+1"


def test_data_that_is_not_there_is_not_passed_over(tmp_path):
    (task,) = find_tasks((write(tmp_path),))
    with pytest.raises(UserError, match="none does not exist"):
        task.problems(Source(tmp_path / "none"))


def test_the_letters_of_an_ending_may_be_capitals(tmp_path):
    (tmp_path / "T.TOML").write_text("")
    assert find_tasks((str(tmp_path / "T.TOML"),))[0].name == "T"


def test_a_task_file_names_an_environment_whose_files_lie_beside_it(tmp_path):
    (tmp_path / "house.py").write_text('def add(a: int, b: int) -> int:\n    """Adds."""\n    return a + b\n')
    (task,) = find_tasks((write(tmp_path, environment=["notes", "house.py"], tool_format="plain"),))
    assert (task.tools, task.tool_format, task.runs_code) == ("notes and house.py", "plain", True)
    opened = task.environment(task.problems(Source())[0])
    assert [tool.name for tool in opened.tools] == ["list", "read", "write", "remove", "add"]


def test_calculator_runs_no_code_and_the_state_may_be_the_judge(tmp_path):
    (task,) = find_tasks((write(tmp_path, environment="calculator", grader="state"),))
    assert (task.runs_code, task.kind, task.problems(Source())[0].gold) == (False, "state", None)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"grader": "state"}, "needs an environment"),
        ({"environment": [3]}, "environment must be"),
        ({"environment": 3}, "environment cannot be"),
        ({"environment": "notes", "tool_format": "xml"}, "none of hermes"),
    ],
)
def test_an_environment_that_cannot_be_meant_is_refused(tmp_path, fields, said):
    with pytest.raises(UserError, match=said):
        find_tasks((write(tmp_path, **fields),))


def test_a_state_that_nothing_judges_is_refused_before_an_answer_is_drawn(tmp_path, capsys):
    file = write(tmp_path, environment=["calculator"], grader="state")
    assert main(["eval", file, "-m", "toy", "--out", str(tmp_path / "out")]) == 1
    err = capsys.readouterr().err
    assert "check() of calculator says neither true nor false (an environment of a class" in err
    assert not (tmp_path / "out").exists()


def test_a_run_does_not_go_on_with_a_file_of_tools_that_changed(tmp_path, capsys):
    tools = tmp_path / "mine.py"
    tools.write_text('def double(n: int) -> int:\n    """Doubles."""\n    return 2 * n\n')
    file = write(tmp_path, environment=["mine.py"])
    more = ("-m", "toy", "--run-code", "--method", "base", "--seed", "1", "--max-tokens", "4")
    command = ["eval", file, *more, "--out", str(tmp_path / "out")]
    assert main(command) == 0
    tools.write_text(tools.read_text().replace("2 * n", "3 * n"))
    capsys.readouterr()
    assert main([*command, "--samples", "2"]) == 1
    assert "was begun with other settings: tasks.t.tools_sha256 was" in capsys.readouterr().err
