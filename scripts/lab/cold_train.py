"""Trains the cold starts and then each of them by GRPO: `python scripts/lab/cold_train.py [START...]`, one at a time.

First next-token prediction on the rows that cold_data.py made, from lab-base, the loss on answers alone; then
`train_grpo.py` with the verifier's reward from there, and from lab-base itself: the same problems and seeds for all,
each held near where it began. Goes on where it was stopped, by the same bytes. FOLDER gets lab-cold-START-STEP.gguf;
0 is the start itself.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

from cold_rows import chosen, padded
from cold_start import BASE, CHECKPOINTS, GRPO_STEPS, NAMES, SFT_STEPS, name_at, rows_file
from keeping import Kept, descend
from network import CONTEXT, EOS, Network, export, load
from train_base import BATCH
from train_grpo import KEEP_EVERY, adam, optimise
from train_sft import RATE

PARTS = 8  # of like length, in which answers are read


def loss_of(network: Network, tokens: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy of the labels that are tokens, nats. tokens, labels: (n, length)."""
    return functional.cross_entropy(network(tokens[:, :-1]).transpose(1, 2), labels[:, 1:])


def fine_tuned(start: str, folder: Path, rows: Path, base: Path, seed: int) -> Path:
    """The model of a start before any reinforcement learning: made, unless it is there."""
    path = folder / f"lab-{name_at(start, 0)}.gguf"
    if start == BASE or path.exists():
        return base if start == BASE else path
    tokens, labels = padded(chosen(rows), CONTEXT, EOS)
    network = load(base)
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, betas=(0.9, 0.95), weight_decay=0.0)
    kept = Kept(folder, f"cold-{start}-sft", network, optimizer, SFT_STEPS)
    for step in kept.steps(SFT_STEPS, "loss"):
        picks = np.random.default_rng([seed, step, 3]).integers(len(tokens), size=BATCH)
        for group in optimizer.param_groups:
            group["lr"] = RATE * (1 - step / SFT_STEPS)
        loss = loss_of(network, torch.from_numpy(tokens[picks]), torch.from_numpy(labels[picks]))
        descend(network, optimizer, loss)
        kept.values.append(loss.item())
    written(network, path)
    return path


def written(network: Network, path: Path) -> None:
    """A GGUF, whole or not at all."""
    part = path.with_suffix(".part")
    export(network, part, path.stem)
    part.replace(path)


def reinforced(start: str, begin: Path, folder: Path, seed: int) -> None:
    """GRPO from a model, with a model written at each checkpoint."""
    reference = load(begin)
    network = copy.deepcopy(reference)
    kept = Kept(folder, f"cold-{start}", network, adam(network), KEEP_EVERY)

    def at(step: int) -> None:
        if step in CHECKPOINTS:
            written(network, folder / f"lab-{name_at(start, step)}.gguf")

    optimise(reference, kept, GRPO_STEPS, seed=seed, parts=PARTS, at=at)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("starts", nargs="*", metavar="START", help="[default: all]")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--base", type=Path, default=ROOT / "models" / "lab-base.gguf")
    parser.add_argument("--rows", type=Path, default=ROOT / ".cache" / "lab" / "cold")
    parser.add_argument("--folder", type=Path, default=ROOT / ".cache" / "lab")
    parser.add_argument("--sft-only", action="store_true", help="no reinforcement learning yet")
    options = parser.parse_args()
    if unknown := [name for name in options.starts if name not in NAMES]:
        parser.error(f"there is no start {unknown[0]}: there are {', '.join(NAMES)}")
    torch.set_num_threads(1)
    options.folder.mkdir(parents=True, exist_ok=True)
    for start in options.starts or NAMES:
        begin = fine_tuned(start, options.folder, rows_file(options.rows, start), options.base, options.seed)
        if not options.sft_only:
            print(f"{start} from {begin.name}", file=sys.stderr, flush=True)
            reinforced(start, begin, options.folder, options.seed)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except (OSError, ValueError, json.JSONDecodeError) as error:
        sys.exit(f"cold_train.py: {error}")
