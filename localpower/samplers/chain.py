"""What every method that walks a chain shares: settings, what a run is expected to cost, the event of a step."""

from __future__ import annotations

from localpower.completion import Completion
from localpower.events import Stepped
from localpower.methods import SWITCH, Option, choice, number, whole
from localpower.samplers.cuts import CUTS, CutLaw, RestartCuts
from localpower.samplers.kernel import StepInfo

STEPS = 5  # a stage, where nobody says how many
CHAIN_OPTIONS = (
    Option(
        "cuts",
        choice(*CUTS),
        "restart",
        "Where a step cuts the answer: anywhere, at times at its very start, or where the entropy rises.",
    ),
    Option(
        "restart-weight",
        number(0.0, 1.0, below=True),
        RestartCuts().rho,
        "Weight of a cut at the first token, with cuts=restart.",
    ),
    Option("hot-cut", SWITCH, True, "Whether the token at the cut is drawn from p itself."),
    Option("block", whole(1), None, "Tokens by which the horizon grows.", "all of --max-tokens"),
)


def stages(longest: int, block: int) -> int:
    """How many stages a run has at most."""
    return -(-longest // block)


def expected_cost(cuts: CutLaw, steps: int, n_stages: int) -> float:
    """Plain answers of a draw and so many steps a stage, of half of what a plan sets aside for a step."""
    return 1.0 + steps * cuts.planned_cost / 2 * (n_stages + 1) / 2


def stepped(stage: int, index: int, horizon: int, x: Completion, info: StepInfo, member: int = 0) -> Stepped:
    """The event of a step from x."""
    suffix = info.proposal.tail(info.cut)
    return Stepped(
        stage=stage,
        step=index,
        horizon=horizon,
        cut=info.cut,
        divergence=info.divergence,
        n_x=x.n_drawn,
        n_y=info.proposal.n_drawn,
        log_u=info.log_u,
        log_w_x=info.log_w_x,
        log_w_y=info.log_w_y,
        log_kappa_x=info.log_kappa_x,
        log_kappa_y=info.log_kappa_y,
        log_ratio=info.log_ratio,
        accepted=info.accepted,
        free=info.divergence is None,
        decided_at=len(info.proposal),
        early=info.early,
        n_decoded=info.n_decoded,
        suffix=suffix,
        member=member,
    )
