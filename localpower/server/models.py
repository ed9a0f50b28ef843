"""Models as clients name them: the served one, with a method behind a colon where a client can only choose a name."""

from __future__ import annotations

import re
from typing import Any

from localpower.errors import UsageProblem
from localpower.registry import find, names, split
from localpower.server.problems import ApiError, in_words, invalid

Settings = dict[str, Any]
_SHOWN_ALPHA = "4"


def methods() -> list[str]:
    """Names of the methods that a server can run: not those that need a problem's right answer."""
    found = []
    for name in names():
        try:
            if not find(name).needs_expert:
                found.append(name)
        except UsageProblem:  # a package that is broken offers nothing
            continue
    return found


def listed(name: str) -> list[str]:
    """The served model and its spellings with a method. `power-4` stands for any alpha."""
    return [
        name,
        f"{name}:power-{_SHOWN_ALPHA}",
        *(f"{name}:{method}" for method in methods() if method != "power"),
    ]


def chosen(model: str, served: str) -> tuple[str, Settings] | None:
    """The method that a model's name asks for, and its settings' texts; None: the name says nothing of it.

    Raises ApiError for another model and for a method that there is not.
    """
    if model in ("", served):
        return None
    if not model.startswith(f"{served}:"):
        known = ", ".join(listed(served))
        raise ApiError(
            404, f"this server has no model {model!r}; it has {known}", param="model", code="model_not_found"
        )
    try:
        return method_of(model.removeprefix(f"{served}:"))
    except UsageProblem as error:
        raise ApiError(404, in_words(error), param="model", code="model_not_found") from None


def method_of(text: str) -> tuple[str, Settings]:
    """`power`, `power-4` (its alpha), or as the command line writes methods. Raises UsageProblem, ApiError."""
    name, _, rest = text.partition(":")
    alpha = None
    if name not in names() and (found := re.fullmatch(r"(.+)-(\d+(?:\.\d+)?)", name)):
        name, alpha = found[1], found[2]
    if name not in methods():
        raise invalid(f"method {name!r} is none of {', '.join(methods())}", "localpower.method")
    method, settings = split(f"{name}:{rest}" if rest else name)
    if alpha is not None:
        if "alpha" in settings:
            raise UsageProblem(f"{text} has alpha twice")
        if method.option("alpha") is None:
            raise UsageProblem(f"{name} has no alpha")
        settings["alpha"] = alpha
    return name, dict(settings)
