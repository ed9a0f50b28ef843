"""A training run that can be stopped at any moment and goes on from its last kept step."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from network import Network


def descend(network: Network, optimizer: torch.optim.Optimizer, loss: torch.Tensor) -> None:
    """One step down the gradient, whose norm is held at 1."""
    optimizer.zero_grad()
    loss.backward()
    follow(network, optimizer)


def follow(network: Network, optimizer: torch.optim.Optimizer) -> None:
    """One step down the gradient that was gathered, whose norm is held at 1."""
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()


class Kept:
    """Network, optimizer, a value a step (loss or reward) and the seconds spent, in FOLDER/NAME.pt.

    right: the share of right answers a step, where answers are drawn.
    """

    def __init__(
        self, folder: Path, name: str, network: Network, optimizer: torch.optim.Optimizer, every: int
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path, self._every = folder / f"{name}.pt", every
        self.network, self.optimizer = network, optimizer
        self.values: list[float] = []
        self.right: list[float] = []
        self.seconds = 0.0
        if self._path.exists():
            state = torch.load(self._path, weights_only=True)
            network.load_state_dict(state["network"])
            optimizer.load_state_dict(state["optimizer"])
            self.values, self.right = state["values"], state.get("right", [])
            self.seconds = state["seconds"]

    def steps(self, last: int, word: str) -> Iterator[int]:
        """Numbers of the steps that are left; the caller appends a value in each. Keeps and reports on the way."""
        start = time.perf_counter() - self.seconds
        for step in range(len(self.values), last):
            yield step
            if (step + 1) % self._every == 0 or step + 1 == last:
                self.seconds = time.perf_counter() - start
                self._save()
                recent = self.values[-self._every :]
                mean = sum(recent) / len(recent)
                print(f"step {step + 1}/{last} · {word} {mean:.4f} · {self.seconds:.0f} s", file=sys.stderr)

    def _save(self) -> None:
        state = {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "values": self.values,
            "right": self.right,
            "seconds": self.seconds,
        }
        part = self._path.with_suffix(".part")
        torch.save(state, part)
        part.replace(self._path)
        curve = {"values": self.values, "right": self.right, "seconds": self.seconds}
        self._path.with_suffix(".json").write_text(json.dumps(curve))
