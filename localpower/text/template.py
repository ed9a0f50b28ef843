"""Messages to prompt text by the model's own template, within caps on time and size."""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from localpower.errors import ModelError

TIMEOUT_S = 10.0
_MAX_GROWTH = 1 << 20  # characters a template may add to the messages

Message = dict[str, str]  # role, content


def render_chat(
    template: str,
    messages: Sequence[Message],
    *,
    bos: str = "",
    eos: str = "",
    arguments: Mapping[str, Any] | None = None,
    now: datetime.datetime | None = None,
) -> str:
    """The prompt text that ends where the answer begins.

    arguments: extra template variables such as enable_thinking. now: what `strftime_now` tells the template.
    Raises ModelError, naming what went wrong, when the template fails, loops or floods.
    """
    request = {
        "template": template,
        "messages": list(messages),
        "bos": bos,
        "eos": eos,
        "arguments": dict(arguments or {}),
        "now": (now or datetime.datetime.now()).isoformat(),
    }
    hint = "--raw sends your text as it is"
    try:
        done = subprocess.run(
            [sys.executable, "-m", "localpower.text.render"],
            input=json.dumps(request),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ModelError(f"the chat template ran for over {TIMEOUT_S:g} s", hint) from None
    if done.returncode != 0:
        raise ModelError("the chat template ran out of its time or memory", hint)
    answer = json.loads(done.stdout)
    if "error" in answer:
        raise ModelError(f"the chat template failed: {answer['error']}", hint)
    text = str(answer["text"])
    if len(text) > _MAX_GROWTH + 4 * sum(len(m["content"]) for m in messages):
        raise ModelError(f"the chat template wrote {len(text)} characters", hint)
    return text
