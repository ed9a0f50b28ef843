"""The environments that come with the package: what they give, and that none of them can be made to hang or flood."""

from __future__ import annotations

import itertools

import pytest

from localpower.errors import UserError
from localpower.tools.calculator import Calculator, value
from localpower.tools.calls import Call
from localpower.tools.countdown import CountdownCheck
from localpower.tools.environment import Environment
from localpower.tools.executor import execute
from localpower.tools.names import SHIPPED, open_tools
from localpower.tools.notes import Notes
from localpower.tools.python import Python
from localpower.tools.sqlite import Sqlite


def said(environment, tool, /, **arguments):
    return execute(environment, Call(tool, arguments)).text


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_environment_fulfils_the_contract_and_copies_itself(name):
    one = open_tools([name], run_code=True)
    assert isinstance(one, Environment)
    one.reset(3)
    assert one.fork().state() == one.state()
    assert all(tool.parameters["type"] == "object" and tool.description for tool in one.tools)


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("12*34", "408"),
        ("12 × 3 =", "36"),
        ("1,234*2", "2468"),
        ("1/3", "0.333333333333"),
        ("0.1+0.2", "0.3"),
        ("2^100", "1267650600228229401496703205376"),
        ("10^50", "1e+50"),
        ("1.5e3", "1500"),
        ("sqrt(2)", "1.41421356237"),
        ("sqrt(16)", "4"),
    ],
)
def test_the_calculator_is_exact_where_it_can_be(expression, result):
    assert value(expression) == result


@pytest.mark.parametrize(
    "expression", ["", "(((", "x+1", "1/0", "9^9^9", "200!", "sqrt(0-1)", "1" * 10**6, "(" * 5000]
)
def test_what_has_no_value_is_an_observation(expression):
    found = execute(Calculator(), Call("calculator", {"expression": expression}))
    assert (found.ok, found.executed) == (False, True)
    assert len(found.text) < 300


def test_python_runs_in_the_sandbox_and_tells_both_streams_and_the_last_value():
    python = Python(seconds=5)
    code = "import sys\nprint('a')\nprint('b', file=sys.stderr)\n6 * 7"
    assert sorted(said(python, "python", code=code).split()) == ["42", "a", "b"]
    assert said(python, "python", code="x = 1\n1 / 0") == "ZeroDivisionError: division by zero"
    assert said(python, "python", code="def f(:").startswith("SyntaxError")
    assert said(python, "python", code="import os; os._exit(3)") == "(no text)"
    assert len(said(python, "python", code="print('a' * 10**7)")) < 2100


def test_a_program_that_does_not_end_is_stopped():
    assert "took longer than 0.3 s" in said(Python(seconds=0.3), "python", code="while True: pass")


def test_python_is_refused_without_run_code():
    with pytest.raises(UserError, match="programs that the model writes"):
        open_tools(["python"])


def test_notes_are_written_read_listed_and_removed():
    notes = Notes({"a": "1"}, wanted={"b": "2"})
    assert (said(notes, "list"), said(notes, "read", name="a")) == ("a", "1")
    assert said(notes, "read", name="b") == "Error: ValueError: there is no note 'b'"
    copy = notes.fork()
    assert (said(notes, "write", name="b", text=" 2 "), notes.check(), copy.check()) == (
        "written",
        True,
        False,
    )
    assert said(notes, "remove", name="a") == "removed: 1"
    assert (notes.state(), copy.state()) == ({"b": " 2 "}, {"a": "1"})
    notes.reset(0)
    assert notes.state() == {"a": "1"}


TABLE = "create table t(a, b); insert into t values (1, 'x'), (2, 'y');"


def test_sqlite_shows_rows_keeps_changes_and_copies_them():
    base = Sqlite(TABLE, check=lambda db: db.execute("select count(*) from t").fetchone() == (3,))
    assert said(base, "sql", statement="select * from t") == "a | b\n1 | x\n2 | y"
    copy = base.fork()
    assert said(base, "sql", statement="insert into t values (3, null)") == "done (1 rows changed)"
    assert (base.check(), copy.check()) == (True, False)
    assert said(base, "sql", statement="select * from t where a > 5") == "a | b\n(no rows)"
    base.reset(0)
    assert base.state() == copy.state()


@pytest.mark.parametrize(
    "statement",
    [
        "attach 'x.db' as y",
        "vacuum into 'y.db'",
        "pragma max_page_count = 100000000",
        "select random()",
        "select datetime('now')",
        "create table n (t default current_timestamp); insert into n default values",
        "create temp table n (a)",
        "select load_extension('x')",
        "select hex(zeroblob(10000000))",
        "select 1; select 2",
        "selec",
    ],
)
def test_sqlite_refuses_files_chance_clocks_and_floods_and_changes_nothing(statement, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    base = Sqlite(TABLE)
    before = base.state()
    assert not execute(base, Call("sql", {"statement": statement})).ok
    assert (base.state(), list(tmp_path.iterdir())) == (before, [])


def test_a_statement_that_does_not_end_is_stopped_and_undone():
    base = Sqlite(TABLE, clock=itertools.count().__next__)
    endless = (
        "with recursive c(x) as (select 1 union all select x + 1 from c) insert into t select x, x from c"
    )
    assert "took longer than 2 s" in said(base, "sql", statement=endless)
    assert base.state() == Sqlite(TABLE).state()


def test_a_database_that_fills_its_memory_is_an_error():
    many = "with recursive c(x) as (select 1 union all select x + 1 from c limit 300) select zeroblob(100000) from c"
    assert "full" in said(Sqlite(), "sql", statement=f"create table big as {many}")


def test_a_long_result_shows_its_beginning():
    many = "with recursive c(x) as (select 1 union all select x + 1 from c limit 99) select x from c"
    lines = said(Sqlite(), "sql", statement=many).splitlines()
    assert (len(lines), lines[-1]) == (52, "... (the first 50 rows)")


def test_countdown_check_tells_what_is_wrong_and_keeps_that_it_was_solved():
    checks = CountdownCheck([3, 5, 7], 22)
    assert said(checks, "check", expression="3*5") == "15, but the numbers must be 3, 5, 7, each used once"
    assert said(checks, "check", expression="3+5+7") == "15, not 22"
    assert not checks.check()
    assert (said(checks, "check", expression="3*5+7"), checks.check()) == ("22, right", True)
    assert said(checks, "check", expression="__import__('os')").startswith("Error")
    assert said(CountdownCheck(), "check", expression="1+1") == "2"
