"""What must hold whatever the input: a result, or a UserError that says in one line what is wrong. Nothing else.

Each property is a strategy for inputs, which are plain JSON values, and a check. The suite tries a few of each, always
the same; `scripts/fuzz` tries as many as there is time for, and keeps what it finds in corpus.jsonl, which the suite
tries first.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from localpower.api.grade import grade_file
from localpower.catalogue import ENTRIES
from localpower.cli.main import main
from localpower.engine.weights import Weights
from localpower.errors import UserError
from localpower.evals.sources import parse_rows
from localpower.evals.taskfile import read as read_task
from localpower.grading.paper import grade_paper
from localpower.grading.verdicts import (
    grade_code,
    grade_countdown,
    grade_letter,
    grade_math,
    grade_number,
    grade_short,
)
from localpower.loading import Request, load
from localpower.runs.trace import read_trace
from localpower.runs.verify import verify
from localpower.text.conversation import Conversation
from localpower.text.render import answer as render
from localpower.text.vocabulary import Vocabulary
from tests.gguf_files import TEMPLATE, write_llama

VERDICTS = {"right", "wrong", "none"}


@dataclass(frozen=True)
class Property:
    """inputs: a strategy. check: raises for an input that is served badly. examples: how many the suite tries."""

    inputs: st.SearchStrategy
    check: Callable[[Any], None]
    examples: int


def _one_line(error: UserError) -> None:
    assert error.message
    assert len(error.line().splitlines()) == 1


def pieces(*known: str, most: int = 12) -> st.SearchStrategy[str]:
    """Texts of what a reader knows, mixed with any letters, runs of one and controls."""
    run = st.builds(lambda letter, n: letter * n, st.sampled_from("9a \n\t\u0301("), st.integers(1, 400))
    part = st.one_of(st.sampled_from(known), st.text(max_size=6), run)
    return st.lists(part, max_size=most).map("".join)


# ---- what a model says

ANSWERS = pieces(
    *(
        "\\boxed{",
        "}",
        "{",
        "\\boxed",
        "####",
        "The answer is ",
        "**Answer**: ",
        "Answer:",
        "Final Answer:",
        "(B)",
        "[C]",
        "A",
        "B.",
    ),
    *(
        "<think>",
        "</think>",
        "<|channel|>",
        "\\frac{1}{2}",
        "\\frac",
        "\\sqrt",
        "\\sin 2x",
        "^{",
        "_",
        "\\text{",
        "\\left(",
        "|",
    ),
    *(
        "3+4=7",
        "3 3/4",
        "1,000",
        "-",
        ".",
        "%",
        "$",
        "\\(",
        "\\)",
        "\\pm",
        "\\cdot",
        "\\le",
        "[1,2)",
        ",",
        "e",
        "!",
        "\\pi",
        "/0",
    ),
    *(
        "\nProblem:",
        "\nQuestion:",
        "```",
        "```python\n",
        "~~~",
        "def f(x):\n",
        "    return x\n",
        "from __future__ import annotations\n",
    ),
)


def _graded(case: list[str]) -> None:
    gold, said = case
    for grade in (grade_math, grade_paper, grade_number, grade_letter):
        for found in (grade(gold, completion=said), grade(gold, answer=said), grade(said, completion=gold)):
            assert found.verdict in VERDICTS
            assert (found.extracted is None) == (found.verdict == "none")
    for form in ("number", "text", "list"):
        assert grade_short(form, [gold or "x"], said).verdict in VERDICTS
    assert grade_countdown([3, 4], 7, said).verdict in VERDICTS


def _program(said: str) -> None:
    task = {
        "prompt": "def f(x):\n",
        "entry_point": "f",
        "test": "def check(f):\n    assert f(1) == object()\n",
    }
    assert grade_code(task, said, 2.0).verdict in ("wrong", "none")


# ---- what goes into a prompt

PROMPTS = pieces(
    "<|im_start|>",
    "<|endoftext|>",
    "<s>",
    "[INST]",
    "\ud800",
    "\u200d",
    "👩🏽",
    "क्ष",
    "\x00",
    "\x1b[2J",
    "ﷺ",
    "\ufeff",
)


@cache
def _vocabulary(name: str) -> Vocabulary:
    return Vocabulary(Weights(ENTRIES[name].path(), vocab_only=True))


def _read(text: str) -> None:
    """A vocabulary may lack letters, but it adds none and changes no order."""
    for name in ("smollm2", "lab-base"):
        try:
            spelled = _vocabulary(name).text(_vocabulary(name).raw_prompt(Conversation.of(text)))
        except UserError as error:
            _one_line(error)
            continue
        whole = iter(text.encode())
        assert all(byte in whole for byte in spelled)


PARTS = pieces(
    *(
        "{% for m in messages %}",
        "{% endfor %}",
        "{{ m.content }}",
        "{{ m['role'] }}",
        "{{ messages[0].content }}",
        "{{ bos_token }}",
    ),
    *(
        "{% if tools is not none %}",
        "{% if add_generation_prompt %}",
        "{% endif %}",
        "{% else %}",
        "{{ m.content | tojson }}",
    ),
    *(
        "{{ raise_exception('x') }}",
        "{% generation %}",
        "{% endgeneration %}",
        "{% set x = 1 %}",
        "{{ strftime_now('%Y') }}",
    ),
    *(
        "{% for p in m.content %}",
        "{{ p.text }}",
        "{%- ",
        "-%}",
        "{{ ''.join(",
        "{#",
        "#}",
        "{% macro f() %}",
        "{{ 9**9 }}",
        "{% break %}",
    ),
)


def _rendered(case: list[str]) -> None:
    template, *texts = case
    roles = ("user", "assistant")
    messages = [{"role": roles[i % 2], "content": text} for i, text in enumerate(texts)]
    request = {
        "template": template,
        "conversations": [messages],
        "bos": "<s>",
        "eos": "</s>",
        "arguments": {},
    }
    try:  # as in the process that renders: whatever it raises is told as the template's fault
        (text,) = render(request | {"now": "2026-01-02T03:04:05"})
    except Exception:
        return
    assert isinstance(text, str)


# ---- files

LINES = pieces(
    *'{}[]":,',
    "\n",
    "\r\n",
    ";",
    "\t",
    '"question": ',
    '"answer": ',
    "question,answer\n",
    "1e999",
    "NaN",
    "\ufeff",
    "null",
    "\\u2028",
)


def _rows(case: list[str]) -> None:
    text, name = case
    try:
        rows = parse_rows(text.encode("utf-8", "surrogatepass"), name)
    except UserError as error:
        _one_line(error)
        return
    assert all(isinstance(row, dict) for row in rows)


def _in_a_file(text: str, name: str, use: Callable[[Path], Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        try:
            use(path)
        except UserError as error:
            _one_line(error)


TASKS = pieces(
    *(
        "prompt = ",
        "answer = ",
        "grader = ",
        '"text"',
        "stops = ",
        "[",
        "]",
        "max_tokens = ",
        "\n",
        '"',
        "{question}",
        "{answer}",
        "{{",
        "12",
        "true",
    )
)


def _task(text: str) -> None:
    _in_a_file(text, "x.toml", read_task)


def _grade_rows(case: list[Any]) -> None:
    kind, rows = case
    text = "".join(json.dumps(row) + "\n" for row in rows)
    _in_a_file(text, "x.jsonl", lambda path: list(grade_file(path, kind, "value", 1.0)))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
GRADE_ROWS = st.lists(
    st.fixed_dictionaries(
        {}, optional={"gold": VALUES, "answer": VALUES, "completion": VALUES, "task": VALUES}
    ),
    max_size=3,
)


# ---- damage to files of ours and to models: [place as a share of the file, what is put there, bytes taken out]

DAMAGE = st.lists(
    st.tuples(st.floats(0, 1), st.binary(max_size=8).map(lambda data: data.hex()), st.integers(0, 64)),
    min_size=1,
    max_size=4,
).map(lambda parts: [list(part) for part in parts])


def _damaged(data: bytes, damage: list[list[Any]]) -> bytes:
    for share, put, taken in damage:
        at = int(share * len(data))
        data = data[:at] + bytes.fromhex(put) + data[at + taken :]
    return data


@cache
def _recording() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.jsonl"
        main(
            [
                "run",
                *["-m", "toy", "--seed", "1", "--max-tokens", "8", "--quiet", "hello", "--events"],
                str(path),
            ]
        )
        return path.read_bytes()


def _replayed(damage: list[list[Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.jsonl"
        path.write_bytes(_damaged(_recording(), damage))
        try:
            verify(read_trace(path), None, lambda: None)
        except UserError as error:
            _one_line(error)


@cache
def _model() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return Path(write_llama(Path(folder) / "model.gguf", template=TEMPLATE)).read_bytes()


def _opened(damage: list[list[Any]]) -> None:
    """The header and what it says of the model are damaged; the weights are numbers, and any will do."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.gguf"
        path.write_bytes(_damaged(_model()[:4096], damage) + _model()[4096:])
        try:
            loaded = load(Request(str(path)))
        except UserError as error:
            _one_line(error)
        else:
            loaded.close()


PROPERTIES = {
    "answers": Property(st.lists(ANSWERS, min_size=2, max_size=2), _graded, 75),
    "programs": Property(ANSWERS, _program, 8),
    "prompts": Property(PROMPTS, _read, 150),
    "templates": Property(st.tuples(PARTS, PROMPTS, PROMPTS).map(list), _rendered, 150),
    "rows": Property(
        st.tuples(LINES, st.sampled_from(["x.json", "x.jsonl", "x.csv", "x.TSV"])).map(list), _rows, 200
    ),
    "tasks": Property(TASKS, _task, 150),
    "grade rows": Property(
        st.tuples(st.sampled_from(["math", "gsm8k", "gpqa"]), GRADE_ROWS).map(list), _grade_rows, 150
    ),
    "recordings": Property(DAMAGE, _replayed, 150),
    "models": Property(DAMAGE, _opened, 8),
}
