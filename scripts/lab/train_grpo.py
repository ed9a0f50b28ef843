"""Trains lab-grpo: the base after reinforcement learning with the verifier as its only reward; and two controls.

`python scripts/lab/train_grpo.py [--steps N] [--reward verifier|random|log-p]`, going on where it was stopped. Group
relative policy optimisation (Shao et al. 2024, arXiv 2402.03300): each problem is answered GROUP times, an answer's
advantage is its reward less the group's mean over the group's deviation, the ratio to the sampling policy is clipped,
and a KL term holds the policy near the base.

verifier: 1 for a right answer. random: a fair coin, which knows nothing. log-p: log p of the whole answer under the
base as it was, nats: sharpening by reinforcement learning, with no verifier anywhere. The model at each of
`--checkpoints` steps is written beside the last one.
"""

from __future__ import annotations

import argparse
import copy
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from keeping import Kept, follow
from network import Network, export, load
from sampling import Drawn, draw_answers, token_log_p

from localpower.lab.problems import FAMILIES, LEVELS, Problem, draw, verify

PROBLEMS, GROUP, EPOCHS, CLIP, KL, RATE, KEEP_EVERY = 24, 16, 2, 0.2, 0.04, 2e-4, 10
REWARDS = ("verifier", "random", "log-p")


def problems_of(seed: int, step: int) -> list[Problem]:
    """Training problems of a step, each GROUP times in a row."""
    rng = np.random.default_rng([seed, step, 1])
    found = [
        draw(str(rng.choice(FAMILIES)), int(rng.choice(LEVELS)), rng, held_out=False) for _ in range(PROBLEMS)
    ]
    return [problem for problem in found for _ in range(GROUP)]


def advantages(rewards: torch.Tensor) -> torch.Tensor:
    """(n,) in groups: less the group's mean, over its deviation; 0 where all are alike."""
    groups = rewards.view(-1, GROUP)
    centred = groups - groups.mean(1, keepdim=True)
    return (centred / (groups.std(1, keepdim=True) + 1e-6)).flatten()


def loss_of(new: torch.Tensor, old: torch.Tensor, base: torch.Tensor, gain: torch.Tensor, mask: torch.Tensor):
    """The clipped surrogate and the KL estimate exp(d) - d - 1, a mean over tokens and then over answers."""
    ratio = (new - old).exp()
    surrogate = torch.minimum(ratio * gain[:, None], ratio.clamp(1 - CLIP, 1 + CLIP) * gain[:, None])
    gap = base - new
    per_token = surrogate - KL * (gap.exp() - gap - 1)
    return -((per_token * mask).sum(1) / mask.sum(1)).mean()


def rewards_of(
    reward: str, right: torch.Tensor, log_p: torch.Tensor, generator: torch.Generator
) -> torch.Tensor:
    """(n,) of answers that are right (n,) and have log_p (n,) under the base."""
    if reward == "random":
        return torch.randint(0, 2, right.shape, generator=generator).float()
    return log_p if reward == "log-p" else right


def adam(network: Network) -> torch.optim.Optimizer:
    """The optimiser of every run here."""
    return torch.optim.AdamW(network.parameters(), lr=RATE, betas=(0.9, 0.95), weight_decay=0.0)


def by_length(drawn: Drawn, parts: int) -> list[torch.Tensor]:
    """Places of the answers in so many parts, the short ones first. One part: all in their order."""
    order = drawn.lengths.argsort(stable=True) if parts > 1 else torch.arange(len(drawn.lengths))
    return list(order.tensor_split(parts))


def widest(drawn: Drawn, part: torch.Tensor, parts: int) -> int:
    """Columns of a part that hold anything; one part: all of the context, padding too."""
    return int(drawn.lengths[part].max()) if parts > 1 else drawn.tokens.shape[1]


def optimise(
    base: Network,
    kept: Kept,
    steps: int,
    *,
    reward: str = REWARDS[0],
    seed: int = 1,
    parts: int = 1,
    at: Callable[[int], None] = lambda step: None,
) -> None:
    """So many steps of the network that is kept, held near the base. at: is called after each, with their number.

    parts: answers of like length are read together, so many at a time: less padding is computed. It changes the last
    bits of sums, and with them, in the end, which answers are drawn.
    """
    network, optimizer = kept.network, kept.optimizer
    for step in kept.steps(steps, "reward"):
        problems = problems_of(seed, step)
        generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
        drawn = draw_answers(network, [problem.prompt for problem in problems], 1.0, generator)
        right = torch.tensor(
            [float(verify(p, text)) for p, text in zip(problems, drawn.texts(), strict=True)]
        )
        mask = drawn.mask()
        places = by_length(drawn, parts)
        cuts = [widest(drawn, part, parts) for part in places]
        old: list[torch.Tensor] = []
        near, log_p = [], torch.zeros(len(right))
        for part, cut in zip(places, cuts, strict=True):
            with torch.no_grad():
                near.append(token_log_p(base, drawn.tokens[part, :cut]))
            log_p[part] = (near[-1] * mask[part, : cut - 1]).sum(1)
        rewards = rewards_of(reward, right, log_p, generator)
        gain = advantages(rewards)
        for _ in range(EPOCHS):
            optimizer.zero_grad()
            for i, (part, cut) in enumerate(zip(places, cuts, strict=True)):
                new = token_log_p(network, drawn.tokens[part, :cut])
                if len(old) == i:  # nothing has changed yet since these were drawn
                    old.append(new.detach())
                loss = loss_of(new, old[i], near[i], gain[part], mask[part, : cut - 1])
                (loss * (len(part) / len(right))).backward()
            follow(network, optimizer)
        kept.values.append(float(rewards.mean()))
        kept.right.append(float(right.mean()))
        at(step + 1)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--reward", choices=REWARDS, default=REWARDS[0])
    parser.add_argument("--checkpoints", type=int, nargs="*", default=[])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--base", type=Path, default=ROOT / "models" / "lab-base.gguf")
    parser.add_argument("--folder", type=Path, default=Path(".cache/lab"))
    options = parser.parse_args()
    base = load(options.base)
    network = copy.deepcopy(base)
    name = "grpo" if options.reward == "verifier" else f"grpo-{options.reward}"
    kept = Kept(options.folder, name, network, adam(network), KEEP_EVERY)

    def at(step: int) -> None:
        if step in options.checkpoints:
            name_at = f"lab-{name}-{step}"
            export(network, options.folder / f"{name_at}.gguf", name_at)

    optimise(base, kept, options.steps, reward=options.reward, seed=options.seed, at=at)
    export(network, options.folder / f"lab-{name}.gguf", f"lab-{name}")


if __name__ == "__main__":
    main()
