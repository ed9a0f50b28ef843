"""A right program is judged right in whatever form a model writes it, and nothing else is."""

from __future__ import annotations

import pytest

from localpower.grading.program import LIGHTER, REPAIRED
from localpower.grading.verdicts import grade_code
from tests.grading.test_code import TASK

TOTAL = "def total(xs):\n    return sum(xs)\n"


def judged(completion, task=TASK):
    return grade_code(task, completion, seconds=3.0).verdict


def fence(code, opening="```python", closing="```"):
    return f"Here:\n{opening}\n{code}{closing}\nDone."


def each(cases):
    return pytest.mark.parametrize("text", cases.values(), ids=cases.keys())


@each(
    {
        "a loop that fills a table": "T = []\nfor i in range(5):\n    T.append(i)\ndef total(xs):\n    return sum(T[x] for x in xs)\n",
        "an import with another in reserve": "try:\n    from nowhere import add\nexcept ImportError:\n    from operator import add\n"
        "def total(xs):\n    n = 0\n    for x in xs:\n        n = add(n, x)\n    return n\n",
        "a call that changes a setting": "import sys\nsys.setrecursionlimit(10000)\ndef deep(n):\n    return n and deep(n - 1)\n"
        "def total(xs):\n    return sum(xs) + deep(5000)\n",
        "a definition inside of if": "if len('ab') == 2:\n    def total(xs):\n        return sum(xs)\n",
        "with": "import contextlib\nwith contextlib.suppress(Exception):\n    ZERO = 0\ndef total(xs):\n    return sum(xs, ZERO)\n",
        "+=": "ZERO = 1\nZERO -= 1\ndef total(xs):\n    return sum(xs, ZERO)\n",
        "an attribute set afterwards": "class A: pass\nsetattr(A, 'zero', 0)\ndef total(xs):\n    return sum(xs, A.zero)\n",
        "a global that a call sets": "def begin():\n    global ZERO\n    ZERO = 0\nbegin()\ndef total(xs):\n    return sum(xs, ZERO)\n",
        "match": "match 1:\n    case 1:\n        ZERO = 0\ndef total(xs):\n    return sum(xs, ZERO)\n",
    }
)
def test_every_statement_at_the_margin_is_run(text):
    assert judged(fence(text)) == "right"


@each(
    {
        "a failing import": "import nowhere\n" + TOTAL,
        "a question": "T = []\nT.append(0)\nn = int(input())\n" + TOTAL.replace("xs)\n", "xs, T[0])\n"),
        "an exit": "import sys\nT = []\nT.append(0)\nsys.exit(0)\n" + TOTAL.replace("xs)\n", "xs, T[0])\n"),
    }
)
def test_a_statement_that_fails_stops_no_other(text):
    assert judged(fence(text)) == "right"


@each(
    {
        "a hard exit": "import os\nos._exit(0)\n",
        "a menu without end": "try:\n    while True:\n        pass\nexcept KeyboardInterrupt:\n    pass\n",
    }
)
def test_what_keeps_a_program_from_its_end_is_left_out_and_told(text):
    found = grade_code(TASK, fence(TOTAL + text), seconds=2.0)
    assert found.verdict == "right"
    assert found.extracted.startswith(LIGHTER)


def test_all_threads_are_the_programs_own():
    join = "import threading\nfor t in threading.enumerate():\n    if t is not threading.main_thread():\n        t.join()\nZERO = 0\n"
    table = "T = []\nT.append(0)\n"  # so that leaving statements out does not help
    assert judged(fence(join + table + "def total(xs):\n    return sum(xs, T[0])\n")) == "right"


FUTURE = "from __future__ import annotations\n"
DATACLASS = "from dataclasses import dataclass\n@dataclass\nclass A:\n    xs: 'list[int]'\ndef total(xs):\n    return sum(A(xs).xs)\n"


@each(
    {
        "future": FUTURE + "def total(xs: Nowhere):\n    return sum(xs)\n",
        "future in brackets": "from __future__ import (\n    annotations,\n)\ndef total(xs: Nowhere):\n    return sum(xs)\n",
        "future after a docstring": f'"""A sum."""\n{FUTURE}{TOTAL}',
        "dataclass": DATACLASS,
        "future and dataclass": FUTURE + DATACLASS,
        "pickle": "import pickle\nclass A:\n    def __init__(self, xs): self.xs = xs\ndef total(xs):\n    return sum(pickle.loads(pickle.dumps(A(xs))).xs)\n",
        "type hints": "import typing\nclass A:\n    x: 'B'\nclass B: pass\ndef total(xs):\n    return sum(xs) if typing.get_type_hints(A) else 0\n",
        "enum": "import enum, pickle\nclass E(enum.Enum):\n    ZERO = 0\ndef total(xs):\n    return sum(xs, pickle.loads(pickle.dumps(E.ZERO)).value)\n",
        "its own module": "import sys\nf = sum\ndef total(xs):\n    return sys.modules[__name__].f(xs)\n",
    }
)
def test_a_program_is_a_module_as_python_knows_them(text):
    assert judged(fence(text)) == "right"


def test_what_a_program_does_as_a_script_stays_undone():
    assert judged(fence(TOTAL + "if __name__ == '__main__':\n    total = None\n")) == "right"


TAGS = ("py3", "PYTHON", "{python}", "{.python}", "python title='a.py'", "python:a.py", "Python 3", "ipython")


@pytest.mark.parametrize("tag", TAGS)
def test_a_fence_may_be_tagged_as_it_likes(tag):
    code = "SIX = 6\n" + TOTAL + "\n\nprint('no more')\n"
    assert judged(f"```{tag}\n{code}```") == "right"


ADD, ADDING = "def add(xs):\n    return sum(xs)\n", TOTAL.replace("sum", "add")
DOCUMENTED = "def total(xs):\n{0}'''Sum.\n\n{0}```{1}\n{0}total([1])\n{0}```\n{0}'''\n{0}return sum(xs)\n"


@each(
    {
        "tildes": fence(TOTAL, "~~~python", "~~~"),
        "in a list": "1. Do:\n\n   ```python\n   def total(xs):\n       return sum(xs)\n   ```\n2. Done",
        "on the line of an item": "- ```python\n  def total(xs):\n      return sum(xs)\n  ```",
        "in a quotation": "> ```python\n> def total(xs):\n>     return sum(xs)\n> ```",
        "indented within": fence("    def total(xs):\n        return sum(xs)\n"),
        "left over after a body": "    return sum(xs)\n```\nThis works.",
        "left over after a bare word": "return sum(xs)\n```\nDone",
        "in a docstring": fence(DOCUMENTED.format("    ", "")),
        "tagged in a docstring": fence(DOCUMENTED.format("    ", "python")),
        "in a docstring two in": fence(DOCUMENTED.format("  ", "")),
        "old line ends": fence(TOTAL).replace("\n", "\r"),
        "a helper in another": f"{fence(ADD)}\n{fence(ADDING)}",
        "a helper in a later one": f"{fence(ADDING)}\n{fence(ADD)}",
        "another version of a helper in a later one": fence(ADD + ADDING)
        + fence(ADD.replace("sum(xs)", "0")),
        "an example of use in another": fence(TOTAL) + fence("total = total([1])\n"),
        "after a byte order mark": "\ufeff" + TOTAL,
        "indented with wide blanks": fence("def total(xs):\n\u00a0\u00a0\u00a0\u00a0return sum(xs)\n"),
        "before a mark of the end": TOTAL.rstrip() + "</s>",
        "none, in prose": f"Sure, here it is:\n\nfrom math import pi\n\n{TOTAL}\nIt's a sum.",
        "none, indented": "Here is the code:\n\n    def total(xs):\n        return sum(xs)\n\nIt's a sum.",
    }
)
def test_code_is_found_in_fences_of_every_form(text):
    assert judged(text) == "right"


LOOP = "s = 0\nfor x in xs:\n    s += x\nreturn s\n"
BODY = "    s = 0\n    for x in xs:\n        s += x\n    return s\n"


@each(
    {
        "of the first line": BODY.lstrip(),
        "one space of the first line": BODY[1:],
        "of all lines": LOOP,
        "one space of all lines": BODY.replace("\n ", "\n")[1:],
        "of all but the first": "    " + LOOP,
        "of a line with a return": "if not xs: return 0\nreturn sum(xs)\n",
        "in a fence": fence(LOOP),
        "before prose": LOOP + "\nThis is a sum, isn't it?\n",
        "of a fenced body": fence(BODY.lstrip()),
        "to tabs": BODY.replace("    ", "\t"),
    }
)
def test_a_body_that_lost_its_indentation_gets_it_back_and_that_is_told(text):
    found = grade_code(TASK, text, seconds=3.0)
    assert found.verdict == "right"
    assert found.extracted.startswith(REPAIRED)


def test_a_definition_that_gained_indentation_loses_it():
    assert judged("    def total(xs):\n        return sum(xs)\n") == "right"


def test_where_a_model_runs_on_and_writes_the_function_again_the_first_counts():
    assert judged("    return sum(xs)\n\n\ndef total(xs):\n    return 0\n") == "right"


def test_functions_that_the_prompt_defines_are_there():
    task = TASK | {"prompt": "def add(xs):\n    '''Add.'''\n    return sum(xs)\n\n\n" + TASK["prompt"]}
    assert judged(fence(TOTAL.replace("sum", "add")), task) == "right"


@each(
    {
        "a function of another name": "def sums(xs):\n    return sum(xs)\n",
        "inside of a function": "def outer(xs):\n    def total(xs):\n        return sum(xs)\n    return total(xs)\n",
        "inside of a class": "class Solution:\n    def total(self, xs):\n        return sum(xs)\n",
        "inside of a string": f"TEXT = '''\n{TOTAL}'''\n",
        "a comment": "# " + TOTAL.replace("\n", "\n# "),
        "what runs as a script": "if __name__ == '__main__':\n    def total(xs):\n        return sum(xs)\n",
        "a word": "print('passed')\n",
    }
)
def test_what_is_no_function_of_that_name_is_not_right(text):
    assert judged(fence(text)) != "right"
    assert judged(text) != "right"


LISTED = {"test_list": ["assert set(shared([1, 2], [2])) == set([2])"]}


@each({"by name": "set = lambda _: 1\n", "in their module": "import builtins\nbuiltins.set = lambda _: 1\n"})
def test_a_program_cannot_change_the_builtins_of_its_tests(text):
    assert judged("def shared(a, b):\n    return 1\n" + text, LISTED) == "wrong"


def test_a_function_may_have_the_name_of_a_builtin_where_that_is_asked_for():
    task = {"test_list": ["assert sum(1, 2) == 3"]}
    assert judged(fence("def sum(a, b):\n    return a + b\n"), task) == "right"


NODE = "class Node:\n    def __init__(self, value): self.value = value\n"
VALUE = "def value(node: Node):\n    return node.value if isinstance(node, Node) else 0\n"


@pytest.mark.parametrize(("code", "more"), [(NODE + VALUE, ""), (VALUE, NODE)])
def test_the_setup_of_a_list_of_tests_knows_the_program_and_the_program_the_setup(code, more):
    task = {"test_list": ["assert value(root) == 1"], "test_setup_code": more + "root = Node(1)"}
    assert judged(fence(code), task) == "right"


def test_a_program_of_unusual_depth_is_graded():
    assert judged("    x = " + "+".join(["0"] * 900) + "\n    return sum(xs)\nprint(total([1]))\n") == "right"
