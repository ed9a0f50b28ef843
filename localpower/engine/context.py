"""A KV cache and its decoder, each C call guarded. Rows in, logits out: which rows is for the planner to say."""

from __future__ import annotations

import ctypes
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from localpower.engine.library import L, clear_errors, get_logits, last_error
from localpower.engine.settings import Settings
from localpower.engine.weights import Weights
from localpower.errors import EngineError, ModelError

MAX_SEQUENCES = 256  # LLAMA_MAX_SEQ of the tested build


@dataclass(frozen=True, slots=True)
class RowSpec:
    """One token of a batch: where it goes, and whether its logits are wanted."""

    sequence: int
    position: int
    token: int
    wanted: bool


class _Batch:
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
        n = len(rows)
        self.token[:n] = [row.token for row in rows]
        self.position[:n] = [row.position for row in rows]
        self.sequence[:n, 0] = [row.sequence for row in rows]
        self.wanted[:n] = [i in outputs for i in range(n)]
        self.struct.n_tokens = n
        return self.struct


class Context:
    """A KV cache and its decoder over `Weights`. Sequences are numbered 0..n_sequences-1."""

    def __init__(self, weights: Weights, settings: Settings, *, n_cells: int, n_sequences: int) -> None:
        """Raises EngineError when the cache cannot be made (usually: not enough memory)."""
        if not 1 <= n_sequences < MAX_SEQUENCES:
            raise EngineError(f"{n_sequences} sequences, expected 1 to {MAX_SEQUENCES - 1}")
        self.settings = settings
        self.n_sequences = n_sequences
        self._scratch = n_sequences  # one more than the caller knows of, for padding rows
        self.padded_rows = 0
        self.n_vocab = weights.n_vocab
        params = L.llama_context_default_params()
        params.n_ctx = n_cells
        params.n_ubatch = settings.batch
        params.n_batch = max(settings.batch, n_sequences + 1)  # fewer than sequences aborts
        params.n_seq_max = n_sequences + 1
        params.n_threads = settings.threads
        params.n_threads_batch = settings.threads
        params.flash_attn_type = 1 if settings.flash else -1
        params.type_k = params.type_v = settings.kv_type
        params.kv_unified = True
        params.swa_full = True
        clear_errors()
        self._context = L.llama_init_from_model(weights.handle, params)
        if not self._context:
            raise EngineError(
                f"llama.cpp cannot make a context of {n_cells} cells: {last_error()}",
                "a smaller --ctx, --max-tokens or --chains needs less memory",
            )
        self._memory = L.llama_get_memory(self._context)
        if not self._memory:
            self.close()
            raise ModelError("this model has no memory to decode into", "encoders cannot answer")
        self.n_cells = int(L.llama_n_ctx(self._context))
        self._batch = _Batch(settings.batch)
        self._row_type = ctypes.c_float * self.n_vocab

    def close(self) -> None:
        """Free the cache."""
        if self._context:
            L.llama_free(self._context)
            self._context = None

    def _check_sequence(self, sequence: int) -> None:
        if not self._context:
            raise EngineError("the context has been closed")
        if not 0 <= sequence < self.n_sequences:
            raise EngineError(f"sequence {sequence} is outside 0..{self.n_sequences - 1}")

    def decode(self, rows: Sequence[RowSpec], at_least: int = 0) -> list[NDArray[np.float32]]:
        """Evaluate a batch. Returns the wanted rows of logits in order: views, valid until the next decode.

        Padded on the scratch sequence to max(at_least, settings.min_rows) rows, and to as many outputs: the
        last layer runs on the output rows alone, so one output among many rows is a lone row there.
        """
        at_least = max(at_least, self.settings.min_rows)
        if not 1 <= len(rows) <= self.settings.batch:
            raise EngineError(f"a batch of {len(rows)} rows, expected 1 to {self.settings.batch}")
        for row in rows:
            self._check_sequence(row.sequence)
            if not 0 <= row.token < self.n_vocab:
                raise EngineError(f"token {row.token} is outside the vocabulary of {self.n_vocab}")
            if not 0 <= row.position < self.n_cells:
                raise EngineError(f"position {row.position} is outside the context of {self.n_cells}")
        pads = max(0, at_least - len(rows))
        self.padded_rows += pads
        padded = [*rows, *(RowSpec(self._scratch, i, rows[0].token, False) for i in range(pads))]
        outputs = {i for i, row in enumerate(padded) if row.wanted}
        if outputs:
            spare = (i for i in reversed(range(len(padded))) if i not in outputs)
            outputs |= {i for i, _ in zip(spare, range(at_least - len(outputs)), strict=False)}
        code = L.llama_decode(self._context, self._batch.fill(padded, outputs))
        if pads:
            L.llama_memory_seq_rm(self._memory, self._scratch, -1, -1)
        if code != 0:
            raise EngineError(f"llama_decode failed with code {code}: {last_error()}")
        return [self._logits(i) for i, row in enumerate(rows) if row.wanted]

    def _logits(self, index: int) -> NDArray[np.float32]:
        address = get_logits(self._context, index)
        if not address:
            raise EngineError(f"llama.cpp has no logits for row {index}")
        view: NDArray[np.float32] = np.ctypeslib.as_array(self._row_type.from_address(address))
        view.flags.writeable = False
        return view

    def copy(self, source: int, target: int, upto: int) -> None:
        """Make `target` hold the first `upto` tokens of `source`: metadata only, no cell is copied."""
        self._check_sequence(target)
        L.llama_memory_seq_rm(self._memory, target, -1, -1)
        self.share(source, target, upto)

    def share(self, source: int, target: int, upto: int) -> None:
        """Put the first `upto` tokens of `source` before what `target` holds."""
        self._check_sequence(source)
        self._check_sequence(target)
        if upto > 0:
            L.llama_memory_seq_cp(self._memory, source, target, 0, upto)

    def trim(self, sequence: int, upto: int) -> None:
        """Forget all tokens of `sequence` from position `upto` on."""
        self._check_sequence(sequence)
        if not L.llama_memory_seq_rm(self._memory, sequence, upto, -1):
            raise EngineError("this model's memory cannot be rolled back to a position")

    def release(self, sequence: int, position: int) -> None:
        """Free the cell in which `sequence` holds `position`, unless another sequence shares it."""
        self._check_sequence(sequence)
        L.llama_memory_seq_rm(self._memory, sequence, position, position + 1)

    def save(self, sequence: int, start: int, stop: int) -> bytes:
        """The KV of positions start..stop-1 as llama.cpp serialises it (no logits, no tokens, no model identity)."""
        self._check_sequence(sequence)
        if not 0 <= start < stop:
            raise EngineError(f"positions {start}..{stop} are no range to save")
        L.llama_memory_seq_cp(self._memory, sequence, self._scratch, start, stop)
        try:
            size = L.llama_state_seq_get_size(self._context, self._scratch)
            buffer = (ctypes.c_uint8 * size)()
            written = L.llama_state_seq_get_data(self._context, buffer, size, self._scratch)
            return bytes(memoryview(buffer)[:written])
        finally:
            L.llama_memory_seq_rm(self._memory, self._scratch, -1, -1)

    def restore(self, sequence: int, state: bytes) -> None:
        """Put a saved KV into `sequence`, wherever cells are free. Raises EngineError when refused."""
        self._check_sequence(sequence)
        L.llama_memory_seq_rm(self._memory, sequence, -1, -1)
        buffer = (ctypes.c_uint8 * len(state)).from_buffer_copy(state)
        if not L.llama_state_seq_set_data(self._context, buffer, len(state), sequence):
            raise EngineError("llama.cpp refused a saved state")
