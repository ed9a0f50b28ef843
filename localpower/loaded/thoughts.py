"""From a model and what is asked of it to its thoughts: switched on or off, found in an answer, limited."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from localpower.completion import PLAIN
from localpower.errors import UsageProblem
from localpower.loaded import Loaded
from localpower.model import Tokens
from localpower.runs.answer import Answer
from localpower.text.thinking import HANDOVER, Thought, marks_of, switch_of

_NONE = "this model is not known to write thoughts"


def switched(
    template: str | None, arguments: Mapping[str, Any], think: bool | None
) -> tuple[Mapping[str, Any], list[str]]:
    """The template's variables, and what to say of a switch that it does not have. Raises UsageProblem.

    template: None: the prompt goes through none. think: as in `PromptOptions`.
    """
    if think is None:
        return arguments, []
    switch = switch_of(template)
    if switch is None:
        name = "--think" if think else "--no-think"
        return arguments, [f"{name} is not used: the chat template has no switch for thoughts"]
    if switch in arguments:
        raise UsageProblem(f"--template-arg {switch} and --think or --no-think exclude each other")
    return {**arguments, switch: think}, []


def thought_of(loaded: Loaded, prompt: Tokens, n_prefix: int = 0) -> Thought | None:
    """How thoughts lie in the answers to a prompt; None: the model is not known to have any.

    n_prefix: how many of its last tokens are an opening of the answer itself, which may open or close a thought.
    """
    marks = marks_of(loaded.template, loaded.control_token)
    return Thought.after(marks, prompt, loaded.piece, n_prefix) if marks else None


def limit(
    loaded: Loaded, thought: Thought | None, most: int | None
) -> tuple[Callable[[Tokens], int | None], list[str]]:
    """The rule that leads a thought of `most` tokens to its answer, and what to say where there are no thoughts."""
    if most is None:
        return PLAIN.given, []
    if thought is None:
        return PLAIN.given, [f"--thinking-budget is not used: {_NONE}"]
    return thought.limited(most, loaded.written(f"{HANDOVER}{thought.marks[1]}\n\n")), []


def with_thoughts(answer: Answer, thought: Thought | None) -> Answer:
    """The answer, and each of its chains, with the length of its thought."""
    if thought is None:
        return answer
    chains = tuple(with_thoughts(chain, thought) for chain in answer.chains)
    return replace(answer, thinking_tokens=thought.length(answer.tokens), chains=chains)
