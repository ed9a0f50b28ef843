"""Rows of a batch, and the llama_batch that holds them."""

from __future__ import annotations

import ctypes
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from localpower.engine.library import L


@dataclass(frozen=True, slots=True)
class RowSpec:
    """One token of a batch: where it goes, and whether its logits are wanted."""

    sequence: int
    position: int
    token: int
    wanted: bool


class Batch:
    """A llama_batch over numpy arrays of our own: filled without ctypes, copied by llama_decode at once."""

    def __init__(self, capacity: int) -> None:
        self.token = np.zeros(capacity, np.int32)
        self.position = np.zeros(capacity, np.int32)
        self.n_sequences = np.ones(capacity, np.int32)
        self.sequence = np.zeros((capacity, 1), np.int32)
        self.wanted = np.zeros(capacity, np.int8)
        step = np.uint64(self.sequence.strides[0])
        base = np.uint64(self.sequence.ctypes.data)
        self._pointers = base + np.arange(capacity, dtype=np.uint64) * step

        def pointer(array: NDArray[Any], kind: Any) -> Any:
            return array.ctypes.data_as(ctypes.POINTER(kind))

        rows = ctypes.POINTER(ctypes.POINTER(ctypes.c_int32))
        self.struct = L.llama_batch(
            n_tokens=0,
            token=pointer(self.token, ctypes.c_int32),
            embd=None,
            pos=pointer(self.position, ctypes.c_int32),
            n_seq_id=pointer(self.n_sequences, ctypes.c_int32),
            seq_id=ctypes.cast(self._pointers.ctypes.data, rows),
            logits=pointer(self.wanted, ctypes.c_int8),
        )

    def fill(self, rows: Sequence[RowSpec], outputs: Collection[int]) -> Any:
        """The struct with these rows; logits are made for those numbered in `outputs`."""
        n = len(rows)
        self.token[:n] = [row.token for row in rows]
        self.position[:n] = [row.position for row in rows]
        self.sequence[:n, 0] = [row.sequence for row in rows]
        self.wanted[:n] = [i in outputs for i in range(n)]
        self.struct.n_tokens = n
        return self.struct
