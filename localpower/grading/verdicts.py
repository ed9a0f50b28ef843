"""Three verdicts: right, wrong, none. By value, with what was extracted kept beside."""

from __future__ import annotations

import builtins
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from localpower.grading.cases import grade_cases
from localpower.grading.countdown import expression_answer, solves
from localpower.grading.equality import equal, numbers
from localpower.grading.extract import amount, boxed, math_answer, number_answer
from localpower.grading.grids import grid_answer
from localpower.grading.instructions import followed
from localpower.grading.letters import letter_answer
from localpower.grading.phrases import phrase_answer, same_phrase
from localpower.grading.program import lighter, program
from localpower.grading.sandbox import passes, with_packages
from localpower.grading.short import list_answer, same_text, text_answer
from localpower.grading.thoughts import of_what_is_said


@dataclass(frozen=True, slots=True)
class Verdict:
    """verdict: right, wrong or none (nothing that could be an answer). lenient: taken without any mark of an answer."""

    verdict: str
    extracted: str | None
    lenient: bool = False


NONE = Verdict("none", None)


@of_what_is_said
def grade_math(gold: str, *, answer: str | None = None, completion: str | None = None) -> Verdict:
    """An answer by itself, or one to be found in a completion."""
    whole = (answer or "").strip() or None
    found = boxed(answer) or whole if answer is not None else math_answer(completion or "")
    if found is None:
        return NONE
    wanted = boxed(gold) or gold
    return Verdict("right" if equal(wanted, found) else "wrong", found)


@of_what_is_said
def grade_number(gold: str, *, answer: str | None = None, completion: str | None = None) -> Verdict:
    """GSM8K and its like: numbers, commas and dollars aside; all of an answer such as 1/2 or 5, 3 by its value."""
    wanted, _ = number_answer(gold)
    text = answer if answer is not None else completion or ""
    whole = boxed(answer) or answer if answer is not None else math_answer(text)
    if "####" not in text and whole and numbers(whole := amount(whole)):
        return Verdict("right" if equal(wanted or gold, whole) else "wrong", whole.strip())
    found, lenient = number_answer(text)
    if found is None:
        return NONE if not (answer or "").strip() else Verdict("wrong", answer)
    return Verdict("right" if equal(wanted or gold, found) else "wrong", found, lenient)


@of_what_is_said
def grade_letter(
    gold: str, *, answer: str | None = None, completion: str | None = None, last: str = "D"
) -> Verdict:
    """A letter from A to `last`: GPQA's D, MMLU-Pro's J."""
    wanted = gold.strip().strip("()").upper()
    if answer is not None:
        bare = (boxed(answer) or answer).strip().strip("().").strip()
        found = bare if len(bare) == 1 and "A" <= bare <= last else letter_answer(answer, last)
        if found is None:
            return Verdict("wrong", answer.strip()) if answer.strip() else NONE
    else:
        found = letter_answer(completion or "", last)
        if found is None:
            return NONE
    return Verdict("right" if found == wanted else "wrong", found)


@of_what_is_said
def grade_short(form: str, answers: Sequence[str], completion: str) -> Verdict:
    """A short answer. form: number, text or list; answers: what is right, the usual one first."""
    if form == "number":
        found = [grade_number(answer, completion=completion) for answer in answers]
        return next((each for each in found if each.verdict == "right"), found[0])
    if form == "list":
        numbers = list_answer(completion)
        if numbers is None:
            return NONE
        wanted = [list_answer(answer) or [answer] for answer in answers]
        right = any(list(map(float, numbers)) == list(map(float, each)) for each in wanted if _numeric(each))
        return Verdict("right" if right else "wrong", ", ".join(numbers))
    said = text_answer(completion)
    return Verdict("right" if same_text(answers, said) else "wrong", said[0]) if said else NONE


def _numeric(parts: Sequence[str]) -> bool:
    return all(re.fullmatch(r"-?\d{1,99}(?:\.\d{1,99})?", part) for part in parts)


@of_what_is_said
def grade_phrase(gold: str, completion: str) -> Verdict:
    """The words after "the answer is", case and a final full stop aside: BIG-Bench Hard's exact match."""
    said = phrase_answer(completion)
    if said is None:
        return NONE
    return Verdict("right" if same_phrase(gold, said) else "wrong", said)


@of_what_is_said
def grade_grid(gold: Sequence[Sequence[int]], completion: str) -> Verdict:
    """The last grid of digits in an answer, cell by cell."""
    found = grid_answer(completion)
    if found is None:
        return NONE
    shown = "\n".join(" ".join(map(str, row)) for row in found)
    return Verdict("right" if found == [list(row) for row in gold] else "wrong", shown)


@of_what_is_said
def grade_instructions(gold: Sequence[Mapping[str, Any]], prompt: str, completion: str) -> Verdict:
    """Right where every instruction is followed. The extracted text names those that are not."""
    missed = [rule["id"] for rule in gold if not followed(rule["id"], rule["arguments"], prompt, completion)]
    return Verdict("wrong" if missed else "right", ", ".join(missed) or "all followed")


@of_what_is_said
def grade_countdown(numbers: Sequence[int], target: int, completion: str) -> Verdict:
    """An expression of the numbers, each used once, that makes the target."""
    found = expression_answer(completion)
    if found is None:
        return NONE
    return Verdict("right" if solves(found, numbers, target) else "wrong", found)


@of_what_is_said
def grade_code(
    task: Mapping[str, Any], completion: str, seconds: float = 10.0, packages: Mapping[str, str] | None = None
) -> Verdict:
    """HumanEval (prompt, entry_point, test) and MBPP (prompt, test_list, test_imports, test_setup_code).

    Runs what the completion says. packages: that it may import, as `passes` takes them; a task may bring more that its
    tests need, and may have a test that is a program rather than a function `check`. none: no reading of the
    completion defines what is asked for. Raises KeyError for a task of another form.
    """
    if "cases" in task:
        run = grade_cases(task, completion, seconds, packages or {})
        return NONE if run is None else Verdict("right" if run.passed else "wrong", run.program)
    if "test_list" in task:
        prompt, names = "", _called("\n".join(task["test_list"]))
        setup = "\n".join([*(task.get("test_imports") or ()), task.get("test_setup_code") or ""])
        checks = "\n".join([*(task.get("test_imports") or ()), *task["test_list"]])
    else:
        prompt, names, setup = task["prompt"], [task["entry_point"]], ""
        checks = task["test"] if task.get("whole") else f"{task['test']}\ncheck({task['entry_point']})"
    packages = with_packages(packages, task.get("packages", ()))
    name, source = next(
        ((each, found) for each in names if (found := program(prompt, completion, each))), ("", "")
    )
    if not source:
        return NONE
    for each in filter(None, (source, lighter(source))):
        around = (setup, each, setup)  # it may need what the answer defines, and the answer what it defines
        if passes(checks, seconds, program=around, tested=[name], packages=packages):
            return Verdict("right", each)
    return Verdict("wrong", source)


def _called(tests: str) -> list[str]:
    """Names that tests call, the most telling first: not as an attribute, and no builtin."""
    found = re.findall(r"(?<![\w.])([A-Za-z_]\w*)\s*\(", tests)
    return sorted(dict.fromkeys(found), key=lambda name: hasattr(builtins, name))
