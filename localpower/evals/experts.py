"""Experts' answers to the problems of an eval, for methods that begin with one: who may begin, and who judges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from localpower.errors import UserError
from localpower.evals.grade import Grader
from localpower.evals.jobs import RenderedProblem
from localpower.grading.thoughts import OPENED
from localpower.loaded import Loaded
from localpower.methods import Expert
from localpower.model import Tokens
from localpower.samplers.project import Projection
from localpower.text.stops import answer_text

UNVERIFIED = {  # by kind
    "code": "programs, which are run when all answers are made",
    "open": "open answers, which a judge compares",
    "state": "answers that the state of an environment judges",
}
_SOME_END = frozenset({-1})  # stands for the model's end tokens, none of which a text spells
_NAMED = 3  # problems in a note


def expert_of(asked: RenderedProblem, loaded: Loaded, grader: Grader) -> Expert:
    """What a sampler may know of a problem; the verifier is the grader of its row. The problem has a worked answer."""
    stops = [stop.encode() for stop in asked.stops]

    def accepts(tokens: Tokens) -> bool:
        text = OPENED * asked.thinking + answer_text(tokens, loaded.piece, stops)
        return grader.grade(asked.task.kind, asked.problem.gold, text).verdict == "right"

    return Expert(asked.shown or (), asked.worked or (), accepts)


def usable(
    asked: Sequence[RenderedProblem], loaded: Loaded, grader: Grader
) -> tuple[list[RenderedProblem], list[str]]:
    """The problems, those whose worked answer is no beginning of a chain without it; and notes that name these.

    Raises UserError where none is left.
    """
    found, why = [], dict[str, str]()
    for question in asked:
        reason = _refusal(question, loaded, grader)
        if reason:
            why[question.problem.id] = reason
        found.append(replace(question, shown=None, worked=None) if reason else question)
    if not why:
        return found, []
    named = "; ".join(f"{name}: {reason}" for name, reason in list(why.items())[:_NAMED])
    more = f"; and {len(why) - _NAMED} more" if len(why) > _NAMED else ""
    if len(why) == len(found):
        raise UserError(f"no worked answer can begin a chain of --method project: {named}{more}")
    return found, [f"left out of --method project: {named}{more}"]


def _refusal(question: RenderedProblem, loaded: Loaded, grader: Grader) -> str:
    """Why a chain cannot begin with a problem's worked answer; "": it can."""
    if question.worked is None:
        return "it has no worked answer"
    expert = expert_of(question, loaded, grader)
    chain = Projection(expert, max_tokens=question.max_tokens, rules=question.rules)
    try:
        chain.kernel.read(_SOME_END, question.max_tokens)
    except UserError as error:
        return error.message
    return "" if expert.accepts(expert.answer) else "the verifier rejects the expert's answer"
