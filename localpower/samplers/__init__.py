"""Samplers: `ancestral` draws token by token, `mh` walks a chain towards p^alpha. Follow either to add one."""

from localpower.samplers.ancestral import Ancestral
from localpower.samplers.base import Sampler
from localpower.samplers.mh import PowerMH

__all__ = ["width", "METHODS", "PLANNED", "Ancestral", "PowerMH", "Sampler"]

METHODS = ("power", "base", "low-temp")
PLANNED = ("best-of-n", "smc", "tempering", "lookahead")  # of the literature; refused by name until built


def width(sampler: Sampler) -> int:
    """Most contexts that one run of a sampler asks for at a time."""
    return sampler.prefetch * sampler.form.tries if isinstance(sampler, PowerMH) else 1
