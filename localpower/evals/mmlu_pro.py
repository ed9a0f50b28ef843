"""MMLU-Pro (Wang et al. 2024, arXiv 2406.01574): multiple choice with up to ten options."""

from __future__ import annotations

from localpower.errors import UserError
from localpower.evals.forms import Form, Forms
from localpower.evals.problem import Problem
from localpower.evals.sources import Needs, Source, as_text, own_id, rows_of, texts
from localpower.evals.task import Task

NEEDS = Needs(
    ("mmlu_pro.parquet", "mmlu_pro.jsonl", "mmlu_pro.json", "test-00000-of-00001.parquet"),
    "the dataset TIGER-Lab/MMLU-Pro on the Hugging Face hub (data/test-00000-of-00001.parquet)",
    folder="MMLU-Pro",
)
LETTERS = "ABCDEFGHIJ"
_STEP = "Let's think step by step."


def problems(source: Source) -> list[Problem]:
    """Question, options in the file's order, and the letter of the right one; by category. Raises UserError."""
    found = []
    for row, place, i in rows_of("mmlu-pro", NEEDS, source):
        question, options = as_text(row, ("question",), place), row.get("options")
        if not texts(options) or not 2 <= len(options) <= len(LETTERS):
            raise UserError(f"{place} has no options, a list of 2 to {len(LETTERS)} texts")
        answer = as_text(row, ("answer",), place).strip()
        if len(answer) != 1 or answer not in LETTERS[: len(options)]:
            raise UserError(f"{place} has the answer {answer!a}, and {len(options)} options")
        category = str(row.get("category") or "")
        found.append(
            Problem(
                own_id("mmlu-pro", row, ("question_id", "id"), i),
                question,
                {"answer": answer, "last": LETTERS[len(options) - 1]},
                category,
                tuple(options),
                tuple(range(len(options))),
                authors=_authors(question, options, category),
            )
        )
    return found


def _authors(question: str, options: list[str], category: str) -> str:
    about = f" about {category}" if category else ""
    return (
        f"The following are multiple choice questions (with answers){about}. Think step by step and then finish your "
        'answer with "the answer is (X)" where X is the correct letter choice.\n\n'
        f"Question:\n{question}\nOptions:\n{_listed(options)}\nAnswer: {_STEP}"
    )


def _listed(options: list[str] | tuple[str, ...]) -> str:
    return "\n".join(f"{letter}. {option}" for letter, option in zip(LETTERS, options, strict=False))


def _asked(problem: Problem) -> str:
    return (
        f"{problem.text}\n\n{_listed(problem.options)}\n\nReason step by step, then finish with "
        '"the answer is (X)", where X is the letter of the right option.'
    )


FORMS: Forms = {
    "chat": Form(_asked, template=True),
    "plain": Form(lambda p: f"Question: {_asked(p)}\nAnswer: {_STEP}", stops=("\nQuestion:",)),
    "authors": Form(lambda p: p.authors, stops=("Question:",)),
}
TASK = Task(
    *("mmlu-pro", "choice", problems, FORMS, 2048),
    "multiple choice, ten letters",
    licence="MIT",
    needs=NEEDS,
    size=12_032,
    noise="The authors go on correcting options and answers: name the version of the file that you used.",
)
