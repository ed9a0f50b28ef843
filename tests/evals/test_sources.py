"""Problems from files as their authors publish them, and what is said when a file is not what it should be."""

from __future__ import annotations

import gzip
import json

import pytest

from localpower.errors import UserError
from localpower.evals import gpqa, loaders
from localpower.evals.gpqa import option_order
from localpower.evals.problem import Problem, subset
from localpower.evals.sources import Source, read_rows
from localpower.evals.tasks import TASKS, find_tasks
from tests.evals.files import PROGRAM, gpqa_csv, gpqa_rows, lines, locked_zip, source, task_file

MATH = {"problem": "What is 1+1?", "answer": "2", "unique_id": "test/made/1.json"}
MATH |= {"level": 3, "subject": "Algebra"}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("MATH500.jsonl", lines([MATH])),
        ("MATH500.json", json.dumps([MATH])),
        ("MATH500.json", json.dumps({"data": [MATH]}, indent=1)),
        ("MATH500.jsonl.gz", gzip.compress(lines([MATH]).encode())),
        ("m.csv", "problem,answer,unique_id,level\nWhat is 1+1?,2,test/made/1.json,3\n"),
        ("MATH500.jsonl", "\ufeff" + lines([MATH]).replace("\n", "\r\n")),
    ],
    ids=["jsonl", "json", "an object with a list", "gz", "csv", "bom and crlf"],
)
def test_a_file_is_read_in_every_form_it_is_published_in(tmp_path, name, data):
    (problem,) = loaders.math500(source(tmp_path, name, data))
    assert problem == Problem("math500/test/made/1.json", "What is 1+1?", "2", "level 3")


def test_the_reference_repositorys_fields_are_known_too(tmp_path):
    row = {"prompt": "What is 1+1?", "answer": "2", "source": "MATH", "id": 7}
    (problem,) = loaders.math500(source(tmp_path, "MATH500.json", json.dumps([row])))
    assert (problem.id, problem.text) == ("math500/7", "What is 1+1?")


def test_gsm8k_takes_the_number_after_the_marks(tmp_path):
    row = {"question": "How many?", "answer": "First 3. <<1+2=3>>\n#### 1,234"}
    (problem,) = loaders.gsm8k(source(tmp_path, "t.jsonl", [row]))
    assert (problem.id, problem.gold) == ("gsm8k/0", "1234")


@pytest.mark.parametrize("body", ["Ann has 3 pens.", "Ann has 3 pens"])
def test_svamp_joins_body_and_question(tmp_path, body):
    row = {"ID": "chal-1", "Body": body, "Question": "How many?", "Answer": 3.0, "Type": "Addition"}
    (problem,) = loaders.svamp(source(tmp_path, "SVAMP.json", json.dumps([row])))
    assert problem == Problem("svamp/chal-1", "Ann has 3 pens. How many?", "3", "Addition")


def test_humaneval_keeps_what_the_sandbox_needs(tmp_path):
    packed = gzip.compress(lines([PROGRAM]).encode())
    (problem,) = loaders.humaneval(source(tmp_path, "HumanEval.jsonl.gz", packed))
    assert problem.id == "HumanEval/0"
    assert set(problem.gold) == {"prompt", "entry_point", "test"}


def test_mbpp_is_the_authors_test_split(tmp_path):
    row = {"prompt": "Do.", "test_list": ["assert f() == 1"], "code": "x"}
    rows = [row | {"task_id": i} for i in (2, 11, 510, 511)]
    found = loaders.mbpp(source(tmp_path, "sanitized-mbpp.json", json.dumps(rows)))
    assert [problem.id for problem in found] == ["mbpp/11", "mbpp/510"]


def test_mbpp_keeps_what_is_to_be_run_before_the_tests_where_there_is_such(tmp_path):
    row = {"task_id": 11, "text": "Do.", "test_list": ["assert f(root)"], "test_setup_code": "root = 1"}
    rows = [row, row | {"task_id": 12, "test_setup_code": ""}]
    found = loaders.mbpp(source(tmp_path, "mbpp.jsonl", lines(rows)))
    assert [problem.gold.get("test_setup_code") for problem in found] == ["root = 1", None]


@pytest.mark.parametrize("field", ["test_imports", "test_setup_code"])
def test_mbpp_rows_of_another_form_are_named(tmp_path, field):
    row = {"task_id": 11, "prompt": "Do.", "test_list": ["assert f()"], field: 5}
    with pytest.raises(UserError, match=r"row 1 of m.json has no test_list of programs"):
        loaders.mbpp(source(tmp_path, "m.json", json.dumps([row])))


def test_aime_answers_are_whole_numbers(tmp_path):
    good = source(tmp_path, "aime.jsonl", [{"Problem": "Find n.", "Answer": "070", "ID": "2024-I-1"}])
    assert loaders.aime(good)[0] == Problem("aime/2024-I-1", "Find n.", "70", date="2024")
    with pytest.raises(UserError, match=r"the answer .1/2."):
        loaders.aime(source(tmp_path, "aime.jsonl", [{"problem": "Find n.", "answer": "1/2"}]))


def test_an_alpaca_instruction_has_an_id_by_its_text(tmp_path):
    rows = [{"instruction": "Say hi.", "output": "Hi", "dataset": "koala"}] * 2
    (problem,) = loaders.alpaca(source(tmp_path, "alpaca_eval.json", json.dumps(rows)))
    assert problem.id.startswith("alpaca/")
    assert (problem.text, problem.gold, problem.group) == ("Say hi.", None, "koala")


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("x.jsonl", '{"a": 1}\nnot json\n', "line 2 of x.jsonl is no JSON object"),
        ("x.jsonl", "", "holds no problems"),
        ("x.jsonl", '{"problem": "p"}', "row 1 of x.jsonl has no field answer"),
        ("x.jsonl", '{"problem": "p", "answer": ["2"]}', "has no text in answer"),
        ("x.jsonl", '{"problem": "   ", "answer": "2"}', "has nothing in problem"),
        ("x.json", "[1, 2]", "no list of JSON objects"),
        ("x.json", "[" * 100_000, "is no JSON object"),
        ("x.jsonl", b"\xff\xfe\x00", "no UTF-8 text"),
        ("x.jsonl.gz", gzip.compress(lines([MATH] * 50).encode())[:-9], "is damaged"),
        ("x.csv", 'problem,answer\n"a', "no CSV file"),
        ("x.csv", "problem,answer\n", "holds no problems"),
    ],
)
def test_a_file_that_is_something_else_gets_one_line(tmp_path, name, data, words):
    with pytest.raises(UserError) as raised:
        loaders.math500(source(tmp_path, name, data))
    assert words in raised.value.line()
    assert "\n" not in raised.value.line()


def test_a_missing_file_is_named_with_its_authors_and_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("LOCALPOWER_DATA", str(tmp_path))
    with pytest.raises(UserError) as raised:
        loaders.humaneval(Source())
    for words in ("HumanEval.jsonl.gz", "github.com/openai/human-eval", "--data", str(tmp_path)):
        assert words in raised.value.line()


def test_the_data_folder_is_looked_in_by_every_usual_name(tmp_path, monkeypatch):
    monkeypatch.setenv("LOCALPOWER_DATA", str(tmp_path))
    (tmp_path / "math500.jsonl").write_text(lines([MATH]))
    assert len(loaders.math500(Source())) == 1


def test_a_file_of_any_name_is_taken_when_it_is_named(tmp_path):
    assert len(loaders.math500(source(tmp_path, "whatever", [MATH]))) == 1


def test_gpqa_is_read_from_a_csv_with_nothing_but_its_own_columns(tmp_path):
    found = gpqa.problems(source(tmp_path, "gpqa_diamond.csv", gpqa_csv()))
    assert len(found) == 198
    for problem, row in zip(found, gpqa_rows(), strict=True):
        assert problem.options["ABCD".index(problem.gold)] == row["Correct Answer"]
        assert sorted(problem.options) == sorted(str(v).strip() for k, v in row.items() if "nswer" in k)
        assert "canary" not in json.dumps([problem.text, *problem.options])


@pytest.mark.parametrize("folder", [b"", b"dataset/"])
def test_gpqa_is_decrypted_in_memory(tmp_path, folder):
    archive = locked_zip(folder + b"gpqa_diamond.csv", gpqa_csv(), b"open sesame")
    file = source(tmp_path, "dataset.zip", archive)
    found = gpqa.problems(Source(file.path, password=lambda: "open sesame"))
    assert found == gpqa.problems(source(tmp_path, "gpqa_diamond.csv", gpqa_csv()))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dataset.zip", "gpqa_diamond.csv"]


@pytest.mark.parametrize(
    ("password", "words"), {"wrong": "could not be decrypted", "": "no password was given"}.items()
)
def test_a_wrong_password_says_where_the_right_one_is(tmp_path, password, words):
    file = source(tmp_path, "dataset.zip", locked_zip(b"gpqa_diamond.csv", gpqa_csv(), b"open sesame"))
    with pytest.raises(UserError) as raised:
        gpqa.problems(Source(file.path, password=lambda: password))
    assert words in raised.value.line()
    assert "their README" in raised.value.line()


@pytest.mark.parametrize(("n", "words"), [(448, "looks like the main set"), (3, "it has 3 rows")])
def test_another_set_of_gpqa_is_named(tmp_path, n, words):
    with pytest.raises(UserError, match=words):
        gpqa.problems(source(tmp_path, "gpqa.csv", gpqa_csv(n)))


def test_the_order_of_options_is_a_function_of_id_and_seed():
    orders = [option_order(f"rec{i}", 1) for i in range(2400)]
    assert orders == [option_order(f"rec{i}", 1) for i in range(2400)]
    assert orders != [option_order(f"rec{i}", 2) for i in range(2400)]
    counts = [orders.count(order) for order in set(orders)]
    assert len(counts) == 24
    assert 50 < min(counts) <= max(counts) < 160  # 100 each; six standard deviations


def test_a_smaller_subset_lies_within_a_larger_whatever_the_files_order():
    problems = [Problem(f"x/{i}", "") for i in range(300)]
    large = subset(problems, 100)
    assert subset(problems[::-1], 50) == large[:50]
    assert subset(problems, None)[:100] == large
    assert [p.id for p in large[:3]] == ["x/35", "x/167", "x/87"]  # by sha256, on every machine


def test_ids_must_be_unique():
    with pytest.raises(UserError, match="two problems have the id a"):
        subset([Problem("a", "1"), Problem("b", "2"), Problem("a", "3")], None)


def test_text_that_is_no_unicode_is_told_by_its_problem():
    for wrong in (["\ud800"], ["2", {"answers": ["\ud800"]}], ["2", "4", "\ud800"]):
        with pytest.raises(UserError, match="'b' is not valid Unicode"):
            subset([Problem("a", "1"), Problem("b", *wrong)], None)


def test_a_gpqa_file_without_its_header_shows_no_question(tmp_path):
    headless = b"\n".join(gpqa_csv(199).split(b"\r\n")[1:])
    with pytest.raises(UserError) as raised:
        gpqa.problems(source(tmp_path, "gpqa_diamond.csv", headless))
    assert "Zorblax" not in raised.value.line()


def test_an_unknown_task_is_answered_with_those_that_exist():
    with pytest.raises(UserError) as raised:
        find_tasks(("maths500",))
    assert all(name in raised.value.line() for name in [*TASKS, "lab", "FILE.toml"])


def test_a_group_names_its_tasks_once():
    names = [task.name for task in find_tasks(("lab", "lab-sum", "tiny"))]
    assert names == ["lab-sum", "lab-countdown", "lab-chain", "tiny"]


@pytest.mark.parametrize("name", ["tiny", "countdown", "lab-sum", "lab-countdown", "lab-chain"])
def test_generated_problems_are_the_same_every_time_and_all_different(name):
    problems = TASKS[name].problems(Source())
    assert problems == TASKS[name].problems(Source(seed=5))
    assert len({problem.text for problem in problems}) == len(problems) == TASKS[name].size


def test_a_task_file_describes_rows_of_ones_own(tmp_path):
    row = {"q": "Where is {x}?", "a": ["Rome", "Roma"], "key": "k1"}
    said = {"prompt": "Q: {q}", "answer": "a", "id": "key", "max_tokens": 9, "stops": ["\n"]}
    (task,) = find_tasks((task_file(tmp_path, [row], **said),))
    (problem,) = task.problems(Source())
    assert (task.name, task.max_tokens, task.forms["chat"].stops) == ("t", 9, ("\n",))
    assert (problem.id, problem.text) == ("k1", "Q: Where is {x}?")
    assert problem.gold == {"form": "text", "answers": ["Rome", "Roma"]}


def test_a_task_file_has_its_own_rows_beside_a_folder_of_authors_files(tmp_path):
    (tmp_path / "t.jsonl").write_text(lines([{"question": "?", "answer": "1"}]))
    (tmp_path / "t.toml").write_text("max_tokens = 4")
    (task,) = find_tasks((str(tmp_path / "t.toml"),))
    assert len(task.problems(Source(tmp_path))) == 1


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("data = ", "cannot read the task file"),
        ("promt = 'x'", "says promt, which no task file does"),
        ("max_tokens = 0", "max_tokens cannot be 0"),
        ("max_tokens = true", "max_tokens cannot be True"),
        ("grader = 'guess'", "there is no grader guess"),
        ("stops = ['']", "none of them empty"),
        ("name = 'tiny'", "which another one is called"),
        ("name = ''", "a task's name cannot be ''"),
        ('name = "a\\nb"', "a task's name cannot be"),
        ("max_tokens = " + "9" * 5000, "cannot read the task file"),
        ("stops = " + "[" * 100_000, "cannot read the task file"),
    ],
)
def test_a_task_file_that_cannot_be_right_is_refused(tmp_path, toml, words):
    (tmp_path / "t.toml").write_text(toml)
    with pytest.raises(UserError) as raised:
        find_tasks((str(tmp_path / "t.toml"),))
    assert words in raised.value.line()


def test_rows_are_read_without_a_name_that_says_what_they_are(tmp_path):
    (tmp_path / "x").write_text('{"a": 1}')
    assert read_rows(tmp_path / "x") == [{"a": 1}]
