"""Three verdicts: right, wrong, none. By value, with what was extracted kept beside."""

from __future__ import annotations

from dataclasses import dataclass

from localpower.grading.equality import equal
from localpower.grading.extract import boxed, letter_answer, math_answer, number_answer


@dataclass(frozen=True, slots=True)
class Verdict:
    """verdict: right, wrong or none (nothing that could be an answer). lenient: taken without any mark of an answer."""

    verdict: str
    extracted: str | None
    lenient: bool = False


NONE = Verdict("none", None)


def grade_math(gold: str, *, answer: str | None = None, completion: str | None = None) -> Verdict:
    """An answer by itself, or one to be found in a completion."""
    whole = (answer or "").strip() or None
    found = boxed(answer) or whole if answer is not None else math_answer(completion or "")
    if found is None:
        return NONE
    wanted = boxed(gold) or gold
    return Verdict("right" if equal(wanted, found) else "wrong", found)


def grade_number(gold: str, *, answer: str | None = None, completion: str | None = None) -> Verdict:
    """GSM8K and its like: numbers, commas and dollars aside."""
    found, lenient = number_answer(answer if answer is not None else completion or "")
    if found is None:
        return NONE if not (answer or "").strip() else Verdict("wrong", answer)
    wanted, _ = number_answer(gold)
    return Verdict("right" if equal(wanted or gold, found) else "wrong", found, lenient)


def grade_letter(gold: str, *, answer: str | None = None, completion: str | None = None) -> Verdict:
    """GPQA: the letters A to D."""
    wanted = gold.strip().strip("()").upper()
    if answer is not None:
        bare = (boxed(answer) or answer).strip().strip("().").strip()
        found = bare if len(bare) == 1 and bare in "ABCD" else letter_answer(answer)
        if found is None:
            return Verdict("wrong", answer.strip()) if answer.strip() else NONE
    else:
        found = letter_answer(completion or "")
        if found is None:
            return NONE
    return Verdict("right" if found == wanted else "wrong", found)
