"""Samplers: `ancestral` draws token by token, `mh` walks a chain towards p^alpha. Follow either to add one."""

from localpower.samplers.ancestral import Ancestral
from localpower.samplers.base import Sampler
from localpower.samplers.best_of_n import BestOfNSampler
from localpower.samplers.budget import Budget
from localpower.samplers.lookahead import LookaheadSampler
from localpower.samplers.mh import PowerMH
from localpower.samplers.smc import PowerSMC

__all__ = ["Ancestral", "BestOfNSampler", "Budget", "LookaheadSampler", "PowerMH", "PowerSMC", "Sampler"]
