"""Messages to prompt text by the model's own template, within caps on time and size."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from localpower.errors import ModelError
from localpower.subprocesses import ChildError, Failed, ask

_SECONDS = 5.0
_MEMORY = 1 << 30
_MAX_GROWTH = 1 << 20  # characters a template may add to the messages

Message = dict[str, str]  # role, content


def render_chats(
    template: str,
    conversations: Sequence[Sequence[Message]],
    *,
    bos: str = "",
    eos: str = "",
    arguments: Mapping[str, Any] | None = None,
    now: datetime.datetime | None = None,
) -> list[str]:
    """For each conversation the prompt text that ends where the answer begins.

    arguments: extra template variables such as enable_thinking. now: what `strftime_now` tells the template.
    Raises ModelError, naming what went wrong, when the template fails, loops or floods.
    """
    request = {
        "template": template,
        "conversations": [list(messages) for messages in conversations],
        "bos": bos,
        "eos": eos,
        "arguments": dict(arguments or {}),
        "now": (now or datetime.datetime.now()).isoformat(),
    }
    hint = "--raw sends your text as it is"
    if any(message["role"] == "system" for messages in conversations for message in messages):
        hint = f"leave --system out, or {hint}"  # many templates refuse one
    try:
        texts = [str(text) for text in ask("localpower.text.render", request, _SECONDS, _MEMORY)]
    except Failed as error:
        raise ModelError(f"the chat template failed: {error}", hint) from None
    except ChildError:
        raise ModelError("the chat template ran out of its time or memory", hint) from None
    for text, messages in zip(texts, conversations, strict=True):
        if len(text) > _MAX_GROWTH + 4 * sum(len(message["content"]) for message in messages):
            raise ModelError(f"the chat template wrote {len(text)} characters", hint)
    return texts
