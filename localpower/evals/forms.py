"""How problems are put to a model: the paper's texts, a chat message, and a text for models without a template.

paper        as Karan & Du 2025 send it (appendix and code), without any template
paper-chat   the same where the paper uses a chat template; for HumanEval the text it uses for Phi, without one
chat         one message for the model's chat template
plain        what `chat` becomes for a model without a template, or with --raw
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from localpower.evals.problem import Problem


@dataclass(frozen=True, slots=True)
class Form:
    """template: through the model's chat template. stops: texts that end an answer inside the sampler.

    alone: its model reads one problem and nothing else, so that no expert's answer can be shown to it.
    """

    write: Callable[[Problem], str]
    template: bool = False
    stops: tuple[str, ...] = ()
    alone: bool = False

    def shown(self, problem: Problem, *, chat: bool) -> str:
        """The prompt that shows the expert's answer too. chat: it goes through a template."""
        text = self.write(problem)
        if self.alone:
            return text
        if chat:
            return f"{text}\n\n{_SOLUTION}\n\n{problem.worked}\n\n{_OWN_WORDS}"
        return f"{text}{self.before(text, chat=False)}{problem.worked}\n\n{text}"

    def before(self, text: str, *, chat: bool) -> str:
        """What parts an answer from the end of a prompt's text: a space, where a text just goes on."""
        return "" if chat or self.alone or text[-1:].isspace() else " "


_SOLUTION = "Here is a correct solution, which an expert wrote:"
_OWN_WORDS = "Now solve it yourself, in your own words."


Forms = Mapping[str, Form]
_NEXT = ("\nQuestion:", "\nProblem:", "\nQ:")
AUTHORS = Form(lambda p: p.authors, template=True)
IN_BLOCK = "Answer with the code in one code block."
_MUST_PASS = "The code must pass this test:"
AFTER_CODE = ("\nclass ", "\ndef ", "\nif ", "\nprint(", "\n@", "\nassert ", "\n```")


def asking(instruction: str = "") -> Forms:
    """A question with an instruction after it."""
    tail = f"\n\n{instruction}" if instruction else ""
    return {
        "chat": Form(lambda p: p.text + tail, template=True),
        "plain": Form(lambda p: f"Question: {p.text}{tail}\nAnswer:", stops=_NEXT),
    }


_BOXED = r"Reason step by step, and put the final answer within \boxed{}."
_PAPER_MATH = (
    r" Please reason step by step, and put your final answer within \boxed{{}}."  # braces as published
)


def _paper_math(problem: Problem) -> str:
    return f"Can you solve the following math problem? {problem.text}{_PAPER_MATH}"


MATH: Forms = {
    **asking(_BOXED),
    "plain": Form(lambda p: f"Problem: {p.text}\n\n{_BOXED}\n\nSolution:", stops=_NEXT),
    "paper": Form(_paper_math),
    "paper-chat": Form(_paper_math, template=True),
}
NUMBER = asking(r"Reason step by step, and put the final number within \boxed{}.")
AIME = asking(r"The answer is a whole number from 0 to 999. " + _BOXED)
TINY = asking("Give only the answer.")
COUNTDOWN = asking()


def _choices(problem: Problem) -> str:
    return "\n".join(f"{letter}) {option}" for letter, option in zip("ABCD", problem.options, strict=True))


def _paper_gpqa(problem: Problem) -> str:
    return (
        "Answer the following multiple choice question. The last line of your response should be of the following "
        r"format: '\boxed{$LETTER}' (without quotes) where LETTER is one of ABCD (ex. '\boxed{A}'). "
        f"Think step by step before answering.\n\n{problem.text}\n\n{_choices(problem)}"
    )


_BOXES = r"\boxed{A}, \boxed{B}, \boxed{C} or \boxed{D}"
_ONE_LETTER = f"Reason step by step, then give the answer's letter as {_BOXES}."
GPQA: Forms = {
    "chat": Form(lambda p: f"{p.text}\n\n{_choices(p)}\n\n{_ONE_LETTER}", template=True),
    "plain": Form(lambda p: f"Question: {p.text}\n\n{_choices(p)}\n\n{_ONE_LETTER}\nAnswer:", stops=_NEXT),
    "paper": Form(_paper_gpqa),
    "paper-chat": Form(_paper_gpqa),
}


def _paper_phi(problem: Problem) -> str:
    """Signature, docstring, prompt."""
    signature = re.search(r"def\s+(\w+\(.*?\)(?:\s*->\s*[^:\n]+)?)\s*:", problem.text, re.DOTALL)
    docstring = re.search(r'("""|\'\'\')(.*?)\1', problem.text, re.DOTALL)
    lines = docstring.group(2).strip().splitlines() if docstring else []
    told = "\n".join(line.strip() for line in lines)
    name = signature.group(1) if signature else ""
    return f"Write a Python function `{name}` to solve the following problem:\n{told}\n{problem.text}"


HUMANEVAL: Forms = {
    "chat": Form(
        lambda p: (
            "Complete this Python function. Answer with the whole function in one code block.\n\n"
            f"```python\n{p.text}```"
        ),
        template=True,
    ),
    "plain": Form(lambda p: p.text, stops=AFTER_CODE),
    "paper": Form(lambda p: p.text),
    "paper-chat": Form(_paper_phi),
}


def _first_test(problem: Problem) -> str:
    return str(problem.gold["test_list"][0])


MBPP: Forms = {
    "chat": Form(lambda p: f"{p.text}\n{_MUST_PASS}\n{_first_test(p)}\n{IN_BLOCK}", template=True),
    "plain": Form(
        lambda p: f'"""\n{p.text}\n{_first_test(p)}\n"""\n',
        stops=('\n"""', "\nassert", "\nprint", "\nif ", "\n```"),
    ),
}
OPEN: Forms = {
    "chat": Form(lambda p: p.text, template=True),
    "plain": Form(lambda p: p.text),
    "paper": Form(lambda p: p.text),
    "paper-chat": Form(lambda p: p.text, template=True),
}
BARE: Forms = {"chat": Form(lambda p: p.text, alone=True), "plain": Form(lambda p: p.text, alone=True)}
