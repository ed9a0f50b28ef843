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
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from keeping import Kept, descend
from network import export, load
from sampling import draw_answers, token_log_p

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
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, betas=(0.9, 0.95), weight_decay=0.0)
    name = "grpo" if options.reward == "verifier" else f"grpo-{options.reward}"
    kept = Kept(options.folder, name, network, optimizer, KEEP_EVERY)
    for step in kept.steps(options.steps, "reward"):
        problems = problems_of(options.seed, step)
        generator = torch.Generator().manual_seed(options.seed * 1_000_003 + step)
        drawn = draw_answers(network, [problem.prompt for problem in problems], 1.0, generator)
        right = torch.tensor(
            [float(verify(p, text)) for p, text in zip(problems, drawn.texts(), strict=True)]
        )
        mask = drawn.mask()
        with torch.no_grad():
            old, near = token_log_p(network, drawn.tokens), token_log_p(base, drawn.tokens)
        rewards = rewards_of(options.reward, right, (near * mask).sum(1), generator)
        gain = advantages(rewards)
        for _ in range(EPOCHS):
            loss = loss_of(token_log_p(network, drawn.tokens), old, near, gain, mask)
            descend(network, optimizer, loss)
        kept.values.append(float(rewards.mean()))
        kept.right.append(float(right.mean()))
        if step + 1 in options.checkpoints:
            at = f"lab-{name}-{step + 1}"
            export(network, options.folder / f"{at}.gguf", at)
    export(network, options.folder / f"lab-{name}.gguf", f"lab-{name}")


if __name__ == "__main__":
    main()
