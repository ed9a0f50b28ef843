"""What a chat template writes between a turn of the model that calls a tool and its next turn.

Turns of the model are never rendered again: what a template adds is put behind their very tokens. That is what the
template would have written only where it keeps earlier turns as they are, which two renderings tell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from localpower.errors import ModelError
from localpower.text.template import render_chats, variables
from localpower.text.thinking import marks_of

_ASKED, _ANSWERED = "zqask", "zqsay"


def knows_tools(template: str | None) -> bool:
    """Whether a template tells the model of the tools that it is given."""
    return "tools" in variables(template)[0]


def frame_of(
    template: str,
    told: str,
    role: str,
    call: str,
    ends: Sequence[str],
    *,
    bos: str = "",
    eos: str = "",
    arguments: Mapping[str, Any] | None = None,
    thoughts: bool = True,
) -> tuple[str, str]:
    """The text before and after `told`, a message of that role that follows a turn of the model; before: after its end.

    call: as a turn of the model holds one. ends: texts of the tokens that end a turn. thoughts: the model may think.
    Raises ModelError for a template that rewrites earlier turns, or has no place for such a message.
    """
    marks = marks_of(template, lambda _: None) if thoughts else None
    thought = f"{marks[0]}\nzqthink\n{marks[1]}\n\n" if marks else ""
    said = f"{thought}{_ANSWERED}\n{call}".rstrip()
    turns: list[dict[str, str]] = [{"role": "user", "content": _ASKED}]
    answer, reply = {"role": "assistant", "content": said}, {"role": role, "content": told}
    texts = render_chats(
        template,
        [turns, [*turns, answer, reply], [*turns, answer, reply, answer, reply]],
        bos=bos,
        eos=eos,
        arguments=arguments,
    )
    prompt, once, twice = texts
    opened = next((mark for mark in (marks or ())[:1] if prompt.rstrip().endswith(mark)), "")
    if opened:  # the prompt itself opens the thought
        begun = said[len(opened) :].lstrip("\n")
        prompt = prompt.rstrip("\n") + "\n"
    else:
        begun = said
    rest = once.removeprefix(prompt + begun)
    if rest == once:
        raise _rewrites(thought and "thoughts")
    end = max((text for text in ends if text and rest.startswith(text)), key=len, default="")
    before, found, after = rest.removeprefix(end).partition(told)
    if not end or not found:
        raise ModelError(
            "the chat template of this model has no turn for what a tool answers",
            "--tool-format plain needs none",
        )
    if twice != once + begun + rest:
        raise _rewrites(thought and "thoughts")
    return before, after


def _rewrites(what: str) -> ModelError:
    return ModelError(
        f"the chat template of this model rewrites earlier turns of the model{f' (their {what})' if what else ''}: "
        "a trace with tools needs one that keeps them",
        "--tool-format plain goes on without turns of the template"
        + (", and --no-think leaves thoughts out" if what else ""),
    )
