"""Where two curves of pass@k cross, in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from localpower.evals.coverage import Crossing

Spell = Callable[[Crossing], str]


def crossed(found: Sequence[Crossing], spell: Spell) -> str:
    """Where the mean curves change places; that they may do so by chance is for the intervals to say."""
    if not found:
        return "the mean curves do not cross"
    told = [f"{spell(each)} ({leader(each.leader == 1)} is above before)" for each in found]
    return f"the mean curves cross {', '.join(told)}"


def leader(tuned: bool) -> str:
    """What the model that is ahead is called."""
    return "the tuned model" if tuned else "the base"


def at_sample(each: Crossing) -> str:
    """At equal k."""
    return f"between k = {each.before:.0f} and {each.after:.0f}"


def at_token(each: Crossing) -> str:
    """At equal tokens."""
    return f"at {each.x:.0f} tokens"
