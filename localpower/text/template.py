"""Messages to prompt text by the model's own template, within caps on time and size."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from localpower.errors import ModelError
from localpower.subprocesses import ChildError, Failed, Worker

_SECONDS = 5.0
_MEMORY = 1 << 30
_MAX_GROWTH = 1 << 20  # characters a template may add to the messages
_MODULE = "localpower.text.render"

Message = dict[str, str]  # role, content


class _Kept:
    """The process that renders, where one is kept; one request at a time."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.worker: Worker | None = None


_kept = _Kept()


@contextmanager
def keeping() -> Iterator[None]:
    """Meanwhile one process renders for all, which saves the start of one for each: what a server does."""
    with Worker(_MODULE, _MEMORY) as worker:
        _kept.worker = worker
        try:
            yield
        finally:
            with _kept.lock:
                _kept.worker = None


def _ask(request: Any) -> Any:
    if _kept.worker is not None:
        with _kept.lock:
            if _kept.worker is not None:
                return _kept.worker.ask(request, _SECONDS)
    with Worker(_MODULE, _MEMORY) as worker:
        return worker.ask(request, _SECONDS)


def variables(template: str | None) -> tuple[set[str], set[str]]:
    """Names that a template reads, and those that it sets; none of one that cannot be parsed.

    A name that is only set to a value of its own, as where it has a default, is not counted as set.
    """
    from jinja2 import Environment, TemplateError, nodes

    from localpower.text.render import EXTENSIONS

    try:  # it is parsed and no more: to compile foreign code may take for ever
        tree = Environment(extensions=EXTENSIONS).parse(template or "")
        names = list(tree.find_all(nodes.Name))
        own = {
            id(each.target)
            for each in tree.find_all(nodes.Assign)
            if isinstance(each.target, nodes.Name)
            and each.target.name in {name.name for name in each.node.find_all(nodes.Name)}
        }
    except (TemplateError, RecursionError):
        return set(), set()
    read = {name.name for name in names if name.ctx == "load"}
    return read, {name.name for name in names if name.ctx != "load" and id(name) not in own}


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
        texts = [str(text) for text in _ask(request)]
    except Failed as error:
        raise ModelError(f"the chat template failed: {error}", hint) from None
    except ChildError:
        raise ModelError("the chat template ran out of its time or memory", hint) from None
    for text, messages in zip(texts, conversations, strict=True):
        if len(text) > _MAX_GROWTH + 4 * sum(len(message["content"]) for message in messages):
            raise ModelError(f"the chat template wrote {len(text)} characters", hint)
    return texts
