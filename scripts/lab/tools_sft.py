"""Fine-tunes lab-tools on exported traces by next-token prediction: no reward, observations without loss.

`python scripts/lab/tools_sft.py OUT/data NAME [--steps N]` with what `tools_traces.py` wrote, going on where it was
stopped. The rows are read as any trainer would: `input_ids`, and `labels` of -100 where the model did not draw.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from keeping import Kept, descend
from network import CONTEXT, export, load
from tools_corpus import EOS, SHAPE
from torch.nn import functional

ROOT = Path(__file__).resolve().parent.parent.parent
BATCH, RATE, KEEP_EVERY, IGNORED = 64, 3e-4, 20, -100


def calls(row: dict[str, list[int]]) -> bool:
    """Whether a tool has answered in it: something without loss stands after what the model wrote."""
    learned = [label != IGNORED for label in row["labels"]]
    return not all(learned[learned.index(True) :])


def rows_of(folder: Path, *, called: bool) -> tuple[np.ndarray, np.ndarray]:
    """Tokens and labels, (n, CONTEXT) each, of the traces that fit; called: of those in which a tool answered."""
    (file,) = folder.glob("tokens/train-*.jsonl")
    found = [json.loads(line) for line in file.read_text().splitlines()]
    found = [row for row in found if len(row["input_ids"]) <= CONTEXT and (not called or calls(row))]
    tokens, labels = np.full((len(found), CONTEXT), EOS), np.full((len(found), CONTEXT), IGNORED)
    for i, row in enumerate(found):
        tokens[i, : len(row["input_ids"])] = row["input_ids"]
        labels[i, : len(row["labels"])] = row["labels"]
    return tokens, labels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("name")
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--called", action="store_true", help="only traces in which a tool answered")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--base", type=Path, default=ROOT / "models" / "lab-tools.gguf")
    parser.add_argument("--folder", type=Path, default=Path(".cache/lab"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    tokens, labels = rows_of(options.data, called=options.called)
    print(f"{len(tokens)} traces")
    network = load(options.base, SHAPE)
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, betas=(0.9, 0.95), weight_decay=0.0)
    kept = Kept(options.folder, options.name, network, optimizer, KEEP_EVERY)
    for step in kept.steps(options.steps, "loss"):
        rng = np.random.default_rng([options.seed, step, 6])
        some = rng.integers(len(tokens), size=BATCH)
        for group in optimizer.param_groups:
            group["lr"] = RATE * (1 - step / options.steps)
        read, wanted = torch.from_numpy(tokens[some]), torch.from_numpy(labels[some])
        logits = network(read[:, :-1])
        loss = functional.cross_entropy(logits.flatten(0, 1), wanted[:, 1:].flatten(), ignore_index=IGNORED)
        descend(network, optimizer, loss)
        kept.values.append(loss.item())
    export(network, options.folder / f"{options.name}.gguf", options.name)


if __name__ == "__main__":
    main()
