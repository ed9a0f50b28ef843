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

_ASKED, _THOUGHT, _ANSWERED = "zqask", "zqthink", "zqsay"


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
    opens, closes = (marks_of(template, lambda _: None) if thoughts else None) or ("", "")
    thought = f"{opens}\n{_THOUGHT}\n{closes}\n\n" if opens else ""
    answered = f"{_ANSWERED}\n{call}".rstrip()
    ways = [{"content": thought + answered}]
    if thought:  # some templates take thoughts under a name of their own alone, others end them in the prompt
        ways += [{"content": answered, "reasoning_content": _THOUGHT}, {"content": answered}]
    asked, reply = {"role": "user", "content": _ASKED}, {"role": role, "content": told}
    answers = [{"role": "assistant", **way} for way in ways]
    once = [[asked, answer, reply] for answer in answers]
    twice = [[asked, answer, reply, answer, reply] for answer in answers]
    prompt, *texts = render_chats(template, [[asked], *once, *twice], bos=bos, eos=eos, arguments=arguments)
    pairs = list(zip(texts[: len(ways)], texts[len(ways) :], strict=True))
    begun = thought + answered
    if thought and prompt.rstrip().endswith(closes):
        begun, pairs = answered, pairs[2:]
    elif thought and prompt.rstrip().endswith(opens):
        begun, prompt = begun[len(opens) :].lstrip("\n"), prompt.rstrip("\n") + "\n"
    refused: list[ModelError] = []
    for pair in pairs[:2]:
        try:
            return _around(told, prompt + begun, begun, *pair, ends, thought and "thoughts")
        except ModelError as error:
            refused.append(error)
    raise refused[0]


def _around(
    told: str, turn: str, begun: str, once: str, twice: str, ends: Sequence[str], what: str
) -> tuple[str, str]:
    """turn: what the first rendering must begin with, of which the model's own is `begun`. Raises ModelError."""
    rest = once.removeprefix(turn)
    if rest == once:
        raise _rewrites(what)
    end = max((text for text in ends if text and rest.startswith(text)), key=len, default="")
    before, found, after = rest.removeprefix(end).partition(told)
    if not end or not found:
        raise ModelError(
            "the chat template of this model has no turn for what a tool answers",
            "--tool-format plain needs none",
        )
    if twice != once + begun + rest:
        raise _rewrites(what)
    return before, after


def _rewrites(what: str) -> ModelError:
    return ModelError(
        f"the chat template of this model rewrites earlier turns of the model{f' (their {what})' if what else ''}: "
        "a trace with tools needs one that keeps them",
        "--tool-format plain goes on without turns of the template"
        + (", and --no-think leaves thoughts out" if what else ""),
    )
