"""The arms of the experiment: who answers, how, and how many answers a problem gets. None was chosen by results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ALPHA = 4  # of every sampler, as in the paper; never tuned here
STEPS = 20  # of the chain: what lab-sft was trained on
PARTICLES = 5  # of smc and of best-of-n: about the tokens that the chain draws
SEED = 1
ENDS = ("60", "150")  # steps of reinforcement learning at which rewards are compared
TIMING = "timing"  # the folder of the run that has every method in turn
FAMILIES = ("sum", "countdown", "chain")
# Chosen by cue.py on training problems, one for each family: an opening that does not depend on the problem.
CUES: Mapping[str, str] = {"sum": "4", "countdown": "7", "chain": "d"}

POWER = f"power:alpha={ALPHA}:steps={STEPS}"
SMC = f"smc:alpha={ALPHA}:particles={PARTICLES}"
BEST_OF_N = f"best-of-n:alpha={ALPHA}:n={PARTICLES}:temperature=1"
LOW_TEMPERATURE = f"low-temp:temperature={1 / ALPHA:g}"


@dataclass(frozen=True, slots=True)
class Mode:
    """How large a run is. limit: problems of each family. many to two: answers of an arm, by what it costs."""

    name: str
    limit: int
    many: int
    some: int
    few: int
    four: int = 4
    two: int = 2


QUICK = Mode("quick", 10, 8, 8, 8)
DEFAULT = Mode("default", 50, 64, 16, 8)
FULL = Mode("full", 50, 64, 64, 16)


@dataclass(frozen=True, slots=True)
class Arm:
    """One way of answering. size: which of a mode's numbers of answers it gets. prefixes: by family, of the answer."""

    name: str
    model: str
    method: str
    size: str = "some"
    prefixes: Mapping[str, str] = field(default_factory=dict)

    def parts(self) -> Iterator[tuple[str, tuple[str, ...], str | None]]:
        """Folder, tasks and opening of each eval that makes it: one, or one a family where openings differ."""
        if not self.prefixes:
            yield self.name, tuple(f"lab-{family}" for family in FAMILIES), None
            return
        for family, prefix in self.prefixes.items():
            yield f"{self.name}-{family}", (f"lab-{family}",), prefix or None


MAIN = (
    Arm("base", "lab-base", "base", "many"),
    Arm("cue", "lab-base", "base", prefixes=CUES),
    Arm("low-temp", "lab-base", LOW_TEMPERATURE),
    Arm("best-of-n", "lab-base", BEST_OF_N, "few"),
    Arm("power", "lab-base", POWER),
    Arm("smc", "lab-base", SMC, "few"),
    Arm("grpo", "lab-grpo", "base", "many"),
    Arm("grpo-low-temp", "lab-grpo", LOW_TEMPERATURE),
    Arm("sft", "lab-sft", "base"),
)
NAMES = tuple(arm.name for arm in MAIN)


def sweeps() -> tuple[Arm, ...]:
    """Accuracy against alpha, against steps and against cost by each cut law: base model, two answers each."""
    settings = {f"alpha-{alpha:g}": f"power:alpha={alpha:g}:steps={STEPS}" for alpha in (1.5, 2, 3, 6, 8)}
    for cuts in ("restart", "uniform", "entropy"):
        for steps in (1, 2, 5, 10, 20, 40):
            if (cuts, steps) != ("restart", STEPS):  # that is the arm power
                settings[f"{cuts}-{steps}"] = f"power:alpha={ALPHA}:steps={steps}:cuts={cuts}"
    for n in (2, 10, 20):
        settings[f"best-of-n-{n}"] = BEST_OF_N.replace(f"n={PARTICLES}", f"n={n}")
        settings[f"smc-{n}"] = SMC.replace(f"particles={PARTICLES}", f"particles={n}")
    return tuple(Arm(name, "lab-base", method, "two") for name, method in settings.items())


def trained(folder: Path | None) -> tuple[Arm, ...]:
    """The checkpoints that train_grpo.py left in a folder, controls among them; more answers of those in `ENDS`."""
    files = folder.glob("lab-grpo-*.gguf") if folder else []
    names = {file.stem.removeprefix("lab-"): file for file in sorted(files)}
    return tuple(
        Arm(name, str(file), "base", "few" if name.rpartition("-")[2] in ENDS else "four")
        for name, file in names.items()
        if name.rpartition("-")[2].isdigit()
    )
