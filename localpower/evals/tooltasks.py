"""Tasks with an environment, generated from a seed: word problems, sums over notes, the lab's products.

A problem and its environment are made by its number alone, so that nothing but the problem's id has to be kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from localpower.evals.forms import Form, Forms
from localpower.evals.laboratory import of_levels
from localpower.evals.problem import Problem
from localpower.evals.sources import Source
from localpower.lab.products import calculated, draw_product
from localpower.tools.calculator import Calculator
from localpower.tools.calls import Call
from localpower.tools.combined import Combined
from localpower.tools.environment import Environment, Json, Stateless, Tool
from localpower.tools.notes import Notes
from localpower.tools.plain import Plain

_SEED = 20261127
_EACH = 60  # problems of a kind
_DRAWN = 60  # of the lab's, from which those of a level are taken
_STOPS = ("\n\n", "\nQuestion:")

_WORDS: Mapping[str, tuple[tuple[str, str], ...]] = {  # kind: (text, expression)
    "product": (
        ("A mill grinds {a} sacks of grain a day. How many sacks does it grind in {b} days?", "{a} * {b}"),
        ("A box holds {a} screws. How many screws are in {b} boxes?", "{a} * {b}"),
        ("A printer earns {a} euros for each of {b} books. How many euros is that?", "{a} * {b}"),
    ),
    "rest": (
        ("A farm has {c} eggs and fills {b} crates of {d} eggs. How many eggs are left?", "{c} - {b} * {d}"),
        ("Of {c} seats, {b} rows of {d} seats are taken. How many seats are free?", "{c} - {b} * {d}"),
    ),
    "both": (
        (
            "A ship carries {b} crates of {d} cups and {a} loose cups. How many cups is that?",
            "{b} * {d} + {a}",
        ),
        ("A town has {b} streets of {d} houses and {a} more. How many houses is that?", "{b} * {d} + {a}"),
    ),
}


def calc_word(source: Source) -> list[Problem]:
    """Word problems whose numbers are too large for the head. Gold: the number."""
    found = []
    for kind, forms in _WORDS.items():
        rng = np.random.Generator(np.random.PCG64([_SEED, len(kind)]))
        for i in range(_EACH):
            a, b, d = (int(rng.integers(low, high)) for low, high in ((1213, 9876), (123, 987), (123, 987)))
            numbers = {"a": a, "b": b, "c": b * d + a, "d": d}
            text, expression = forms[i % len(forms)]
            gold = _value(expression.format(**numbers))
            found.append(Problem(f"calc-word/{kind}/{i}", text.format(**numbers), gold, kind))
    return found


def _value(expression: str) -> str:
    return Calculator().call("calculator", {"expression": expression})


@dataclass(frozen=True, slots=True)
class _Ledger:
    """notes: all; asked: the names whose numbers are to be added."""

    notes: Mapping[str, str]
    asked: tuple[str, ...]

    @property
    def total(self) -> str:
        return str(sum(int(self.notes[name]) for name in self.asked))


_THINGS = (
    *("bread", "coal", "flour", "honey", "iron", "linen", "paper", "rope", "salt", "timber"),
    *("wax", "wool"),
)


def _ledger(number: int) -> _Ledger:
    """Five notes, two or three of which are asked for."""
    rng = np.random.Generator(np.random.PCG64([_SEED, 1, number]))
    names = [str(name) for name in rng.choice(_THINGS, 5, replace=False)]
    notes = {name: str(int(rng.integers(10_123, 98_765))) for name in names}
    return _Ledger(notes, tuple(names[: 2 + number % 2]))


def notes_sum(source: Source) -> list[Problem]:
    """Numbers in notes are to be added and the sum to be noted. Gold: the sum; the notes must hold it as well."""
    found = []
    for i in range(_EACH):
        ledger = _ledger(i)
        names = " and ".join((", ".join(ledger.asked[:-1]), ledger.asked[-1]))
        text = f"Add the numbers in the notes {names}, write the sum into a note called total, and say it."
        found.append(Problem(f"notes-sum/{i}", text, ledger.total, f"{len(ledger.asked)} notes"))
    return found


def notes_of(problem: Problem) -> Environment:
    """The notes of the problem, and a calculator."""
    ledger = _ledger(int(problem.id.rpartition("/")[2]))
    notes = Notes(ledger.notes, wanted={"total": ledger.total})
    return Combined({"notes": notes, "calculator": Calculator()})


class LabCalculator(Stateless):
    """Of the lab: two numbers and one sign, and nothing that its models have no character for."""

    tools = (
        Tool(
            "calculator",
            "The value of a*b or a+b.",
            {"type": "object", "properties": {"expression": {"type": "string"}}, "required": ["expression"]},
        ),
    )

    def call(self, name: str, arguments: Mapping[str, Json]) -> str:
        """Raises ValueError for what it cannot read."""
        found = calculated(str(arguments["expression"]))
        if found is None:
            raise ValueError("no sum or product of two numbers")
        return found


def products(source: Source) -> list[Problem]:
    """Held-out problems of the lab's fourth family, forty of each level. Gold: as of the other families."""
    return of_levels(partial(draw_product, held_out=True), (_SEED, 2), _DRAWN)


Step = tuple[str, Mapping[str, Json], str]  # tool, arguments, result


def _shown(examples: Sequence[tuple[str, Sequence[Step], str]], ending: str) -> Forms:
    """Examples in the plain format for models without a template; the question and how to end for those with one."""
    plain = Plain()
    pages = []
    for question, steps, answer in examples:
        page = f"Question: {question}\n"
        for name, arguments, result in steps:
            page += plain.written(Call(name, arguments)) + f"Result: {result}\n"
        pages.append(f"{page}Answer: {answer}\n\n")
    head = "".join(pages)
    return {
        "chat": Form(lambda p: f"{p.text}\n\n{ending}", template=True),
        "plain": Form(lambda p: f"{head}Question: {p.text}\n", stops=_STOPS),
    }


def _calculation(question: str, expression: str) -> tuple[str, Sequence[Step], str]:
    result = _value(expression)
    return question, [("calculator", {"expression": expression}, result)], result


CALC_WORD = _shown(
    [
        _calculation("A baker sells 2314 rolls a week. How many rolls are that in 186 weeks?", "2314 * 186"),
        _calculation(
            "Of 91532 tiles, 214 rows of 377 tiles are laid. How many are left?", "91532 - 214 * 377"
        ),
        _calculation("A hall has 365 rows of 148 chairs and 2906 more. How many chairs?", "365 * 148 + 2906"),
    ],
    "Use the calculator. End with a line that begins with Answer: and has the number alone.",
)
NOTES_SUM = _shown(
    [
        (
            "Add the numbers in the notes glass and tar, write the sum into a note called total, and say it.",
            [
                ("read", {"name": "glass"}, "23418"),
                ("read", {"name": "tar"}, "70155"),
                ("calculator", {"expression": "23418 + 70155"}, _value("23418 + 70155")),
                ("write", {"name": "total", "text": "93573"}, "written"),
            ],
            "93573",
        )
    ],
    "Use the tools. End with a line that begins with Answer: and has the number alone.",
)
