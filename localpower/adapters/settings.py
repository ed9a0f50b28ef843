"""Settings as other programs hand them over: texts or values by name, read as the command line reads its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from localpower.api.request import NEUTRAL
from localpower.errors import UsageProblem
from localpower.methods import Method
from localpower.registry import split

if TYPE_CHECKING:
    from localpower.api.model import Model

_TARGET = "it would change the target: power sampling needs the model's whole distribution"


def refuse(given: Mapping[str, Any]) -> None:
    """Raise UsageProblem that names a setting that would change the target; values that change nothing may be given."""
    for name, idle in NEUTRAL.items():
        if given.get(name) is not None and given[name] not in idle:
            raise UsageProblem(f"{name}={given[name]} is refused: {_TARGET}", "leave it out, and use alpha")


def method_of(text: str | None, beside: Mapping[str, Any]) -> Method:
    """The method that a text such as `power:cuts=uniform` names, with settings beside it; None: power.

    Settings that are None are not given. Raises UsageProblem for a setting that the method does not have, for one that
    is given twice, and for a value that can never be right.
    """
    method, texts = split(text or "power")
    given = {key: value for key, value in beside.items() if value is not None}
    if twice := sorted(given.keys() & texts.keys()):
        raise UsageProblem(f"{twice[0]} is given twice: in the method {text!r} and beside it")
    return method.of(given | texts)


def refuse_others(given: Mapping[str, Any], hints: Mapping[str, str] | None = None) -> None:
    """Raise UsageProblem for arguments of a model that nobody knows. hints: by name."""
    refuse(given)
    for name in given:
        hint = (hints or {}).get(name, "docs/adapters.md lists them")
        raise UsageProblem(f"localpower has no model argument {name!r}", hint)


def loaded(name: str | None, threads: int | None, ctx: int | None, gpu_layers: int, fast: bool) -> Model:
    """The model of a name; None: the user's own default. Raises UserError."""
    from localpower.api.model import load
    from localpower.api.models import usual

    name = usual()[0] if name is None else name
    return load(name, threads=threads, ctx=ctx, gpu_layers=gpu_layers, exact=not fast)
