"""Is what was said in the rendered prompt? A template may leave messages out, or want their texts in another form.

Each text is replaced by words that stand nowhere else, and looked for: what a template does to texts (strip, quote,
drop thoughts) it does to words too. Then the texts themselves are looked for, word by word, because a template may
choose by what a text says; of the model's own turns it may drop what it likes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from localpower.errors import ModelError

Messages = Sequence[dict[str, Any]]
Render = Callable[[Messages], str]


@dataclass(frozen=True, slots=True)
class Form:
    """How a template is given messages. parts: roles whose texts it wants as lists of parts.

    missing: messages that it seems to leave out in every form.
    """

    parts: frozenset[str] = frozenset()
    missing: frozenset[int] = frozenset()

    def of(self, messages: Messages) -> Messages:
        """The messages in this form."""
        return [m | {"content": [_part(m)]} if m["role"] in self.parts else m for m in messages]


def form_for(messages: Messages, render: Render) -> Form:
    """The first in which nothing is missing: texts as they are, parts for roles that were missing, parts for all."""
    missing = _missing(messages, Form(), render)
    roles = [message["role"] for message in messages]
    for parts in (frozenset(), frozenset(roles[i] for i in missing), frozenset(roles)):
        if not missing or (parts and not _missing(messages, Form(parts), render)):
            return Form(parts)
    return Form(missing=missing)


def _missing(messages: Messages, form: Form, render: Render) -> frozenset[int]:
    words = [(f"zq{i}vq", f"kj{i}zw") for i in range(len(messages))]
    probes = [message | {"content": " ".join(two)} for message, two in zip(messages, words, strict=True)]
    try:
        text = render(form.of(probes))
    except Exception:  # what a template raises for these words it need not raise for the text
        return frozenset(range(len(messages)))
    for probe in probes:  # a part that is written as Python shows it is no text
        text = text.replace(str(_part(probe)), "")
    text = text.casefold()
    return frozenset(i for i, two in enumerate(words) if not any(word in text for word in two))


def _part(message: dict[str, Any]) -> dict[str, Any]:
    return {"type": "text", "text": message["content"]}


def checked(text: str, messages: Messages, form: Form) -> str:
    """The rendered text. Raises ModelError that names the role of a message which is not in it."""
    seen = set(_words(text))
    for i, message in enumerate(messages):
        said, role = message["content"].strip(), message["role"]
        there = said in text
        if i not in form.missing:
            quoted = any(_mostly(_words(each), seen) for each in (said, json.dumps(said)))
            there = there or quoted or role == "assistant"
        if not there:
            hint = "leave --system out, or " if role == "system" else ""
            raise ModelError(
                f"the chat template leaves out the {role} message", f"{hint}--raw sends your text as it is"
            )
    return text


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def _mostly(words: Sequence[str], seen: set[str]) -> bool:
    """Half of them: a template may quote a text, or cut words of its own off it."""
    different = set(words)
    return 2 * len(different & seen) >= len(different)
