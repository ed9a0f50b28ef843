"""Messages to prompt text by the model's own template, within caps on time and size."""

from __future__ import annotations

import datetime
import json
import signal
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

from localpower.children import command
from localpower.errors import ModelError

TIMEOUT_S = 10.0
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
    try:
        done = subprocess.run(
            command("localpower.text.render"),
            input=json.dumps(request),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
            start_new_session=True,  # Ctrl-C is for this process to handle
        )
    except subprocess.TimeoutExpired:
        raise ModelError(f"the chat template ran for over {TIMEOUT_S:g} s", hint) from None
    if done.returncode == -signal.SIGINT:  # Ctrl-C met the child before it had its own session
        raise KeyboardInterrupt
    if done.returncode != 0:
        raise ModelError("the chat template ran out of its time or memory", hint)
    answer = json.loads(done.stdout)
    if "error" in answer:
        raise ModelError(f"the chat template failed: {answer['error']}", hint)
    texts = [str(text) for text in answer["texts"]]
    for text, messages in zip(texts, conversations, strict=True):
        if len(text) > _MAX_GROWTH + 4 * sum(len(message["content"]) for message in messages):
            raise ModelError(f"the chat template wrote {len(text)} characters", hint)
    return texts
