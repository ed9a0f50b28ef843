"""What every method that walks a chain shares: settings, what a run is expected to cost, the event of a step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from localpower.completion import Completion
from localpower.events import Stepped
from localpower.methods import Method, alpha_setting, setting, steps_setting
from localpower.readers import SWITCH, choice, number, whole
from localpower.samplers.cuts import CUTS, CutLaw, RestartCuts, cut_law
from localpower.samplers.kernel import StepInfo

STEPS = 5  # a stage, where nobody says how many


def cuts_setting(usual: str) -> Any:
    """The law of the cuts."""
    words = "Where a step cuts the answer: anywhere, at times at its very start, or where the entropy rises."
    return setting(usual, choice(*CUTS), words)


def restart_weight_setting() -> Any:
    """What the restart law has beside it."""
    usual = RestartCuts().rho
    return setting(
        usual, number(0.0, 1.0, below=True), "Weight of a cut at the first token, with cuts=restart."
    )


def unread_weight(cuts: str, weight: float) -> list[str]:
    """A note on a weight that the cut law does not read."""
    unread = weight != RestartCuts().rho and cuts != "restart"
    return [f"restart-weight means nothing to cuts={cuts}"] if unread else []


@dataclass(frozen=True, kw_only=True)
class ChainMethod(Method):
    """Settings of every method that walks a chain."""

    alpha: float | None = alpha_setting()
    steps: int | None = steps_setting()
    cuts: str = cuts_setting("restart")
    restart_weight: float = restart_weight_setting()
    hot_cut: bool = setting(True, SWITCH, "Whether the token at the cut is drawn from p itself.")
    block: int | None = setting(None, whole(1), "Tokens by which the horizon grows.", "all of --max-tokens")

    def notes(self) -> list[str]:
        """A weight that no cut law reads."""
        return unread_weight(self.cuts, self.restart_weight)

    @property
    def cut_law(self) -> CutLaw:
        """The law of the cuts."""
        return cut_law(self.cuts, self.restart_weight)


def stages(longest: int, block: int) -> int:
    """How many stages a run has at most."""
    return -(-longest // block)


def expected_cost(cuts: CutLaw, steps: int, n_stages: int) -> float:
    """Plain answers of a draw and so many steps a stage, of half of what a plan sets aside for a step."""
    return 1.0 + steps * cuts.planned_cost / 2 * (n_stages + 1) / 2


def stepped(stage: int, index: int, horizon: int, x: Completion, info: StepInfo, member: int = 0) -> Stepped:
    """The event of a step from x."""
    told = info._asdict()
    y = told.pop("proposal")
    del told["undecided"]
    return Stepped(
        stage=stage,
        step=index,
        horizon=horizon,
        n_x=x.n_drawn,
        n_y=y.n_drawn,
        free=info.divergence is None,
        decided_at=len(y),
        suffix=y.tail(info.cut),
        member=member,
        **told,
    )
