"""Trains lab-sft: the base, fine-tuned by plain next-token prediction on its own power samples. No reward, no verifier.

`python scripts/lab/train_sft.py SAMPLES.jsonl [--steps N]` with what `power_samples.py` wrote, going on where it was
stopped. Can sampling from p^alpha take the place of reinforcement learning's cold start?
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from keeping import Kept, descend
from network import BOS, CONTEXT, EOS, encode, export, load
from train_base import BATCH, loss_of

from localpower import jsonl

RATE, KEEP_EVERY = 3e-4, 50


def pages(file: Path) -> np.ndarray:
    """Problems and answers that ended, (n, CONTEXT), filled up with the end token."""
    samples = jsonl.kept(file, dict, "sample", print)
    ended = [sample for sample in samples if sample["ended"]]
    rows = np.full((len(ended), CONTEXT), EOS)
    for row, sample in zip(rows, ended, strict=True):
        tokens = [BOS, *encode(sample["prompt"] + sample["answer"])]
        row[: len(tokens)] = tokens
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("samples", type=Path)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--base", type=Path, default=ROOT / "models" / "lab-base.gguf")
    parser.add_argument("--folder", type=Path, default=Path(".cache/lab"))
    options = parser.parse_args()
    rows = pages(options.samples)
    network = load(options.base)
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, betas=(0.9, 0.95), weight_decay=0.0)
    kept = Kept(options.folder, "sft", network, optimizer, KEEP_EVERY)
    for step in kept.steps(options.steps, "loss"):
        rng = np.random.default_rng([options.seed, step, 3])
        batch = torch.from_numpy(rows[rng.integers(len(rows), size=BATCH)])
        for group in optimizer.param_groups:
            group["lr"] = RATE * (1 - step / options.steps)
        loss = loss_of(network, batch)
        descend(network, optimizer, loss)
        kept.values.append(loss.item())
    export(network, options.folder / "lab-sft.gguf", "lab-sft")


if __name__ == "__main__":
    main()
