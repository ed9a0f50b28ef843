"""Settings as other programs hand them over: texts or values by name, read as the command line reads its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localpower.errors import UsageProblem
from localpower.methods import EVERYDAY, Method
from localpower.registry import split

BESIDE = (*EVERYDAY, "budget")  # settings of a method that programs offer beside it
_TARGET = "it would change the target: power sampling needs the model's whole distribution"
REFUSED: dict[str, tuple[Any, ...]] = {  # with the values that change nothing
    "top_p": (1,),
    "top_k": (0, -1),
    "min_p": (0,),
    "typical_p": (1,),
    "repeat_penalty": (1,),
    "repetition_penalty": (1,),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "logit_bias": ({},),
}


def refuse(given: Mapping[str, Any]) -> None:
    """Raise UsageProblem that names a setting that would change the target; values that change nothing may be given."""
    for name, idle in REFUSED.items():
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
