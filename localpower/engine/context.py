"""A KV cache and its decoder, each C call guarded. Rows in, logits out: which rows is for the planner to say."""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from localpower.engine.batch import Batch, RowSpec
from localpower.engine.cores import Governor
from localpower.engine.library import L, clear_errors, get_logits, last_error
from localpower.engine.memory import Memory
from localpower.engine.settings import Settings
from localpower.engine.weights import Weights
from localpower.errors import EngineError, ModelError

MAX_SEQUENCES = 256  # LLAMA_MAX_SEQ of the tested build
_LESS = (
    "a smaller --max-tokens or --chains, and less prefetch, particles or n of the method, need less memory"
)


def free_memory() -> int:
    """Bytes that this machine could give now."""
    return int(psutil.virtual_memory().available)


def _refuse_memory(needed: int) -> None:
    """llama.cpp fills a cache with zeros: what does not fit would have the system kill the process, without a word."""
    free = free_memory()
    if needed > free:
        raise EngineError(
            f"keys and values would take {needed / 1e9:.1f} GB, and {free / 1e9:.1f} GB of memory are free",
            _LESS,
        )


def _free(context: Any, weights: Weights) -> None:
    L.llama_free(context)


class Context:
    """A KV cache and its decoder over `Weights`. Sequences are numbered 0..n_sequences-1.

    One cache: n_cells for all sequences together, which share what they have in common. Streams, and always recurrent
    and hybrid models, whose state cannot be shared by the position: n_cells for each.
    """

    def __init__(
        self,
        weights: Weights,
        settings: Settings,
        *,
        n_cells: int,
        n_sequences: int,
        governor: Governor | None = None,
    ) -> None:
        """Raises EngineError when the cache cannot be made: too little memory, or streams for a window or a state.

        governor: says before each decode how many threads it has; None: always those of the settings.
        """
        extra = 0 if settings.streams else Memory.EXTRA
        total = n_sequences + extra
        if not 1 <= n_sequences <= MAX_SEQUENCES - extra:
            raise EngineError(f"{n_sequences} sequences, expected 1 to {MAX_SEQUENCES - extra}")
        self.settings = settings
        self.padded_rows = 0
        self._governor, self._threads = governor, settings.threads
        self.n_vocab = weights.n_vocab
        shared = not weights.is_recurrent() and not settings.streams
        if settings.streams and (weights.is_recurrent() or weights.window()):
            raise EngineError("this model's memory is not plain attention")
        if n_cells * total >= 1 << 31:
            raise EngineError(f"a context of {n_cells} cells is more than llama.cpp can count")
        params = L.llama_context_default_params()
        params.n_ctx = n_cells if shared else -(-n_cells // 256) * 256 * total
        params.n_ubatch = settings.batch
        params.n_batch = max(settings.batch, total)  # fewer than sequences aborts
        params.n_seq_max = total
        params.n_threads = settings.threads
        params.n_threads_batch = settings.threads
        params.flash_attn_type = settings.flash
        params.type_k = params.type_v = settings.kv_type
        params.kv_unified = shared
        params.swa_full = True
        if not settings.gpu_layers:
            _refuse_memory(params.n_ctx * weights.cell_bytes(settings.kv_bits))
        clear_errors()
        self._context = L.llama_init_from_model(weights.handle, params)
        if not self._context:
            raise EngineError(
                f"llama.cpp cannot make a context of {n_cells} cells: {last_error()}",
                _LESS,
            )
        # It holds the weights, for llama.cpp needs them to free a context.
        self._free = weakref.finalize(self, _free, self._context, weights)
        self._free.atexit = False
        weights.frees(self._free)
        try:
            self.memory = Memory(self._context, n_sequences, weights.window(), spare=extra > 0)
        except ModelError:
            self._free()
            raise
        self.n_cells = int(L.llama_n_ctx_seq(self._context))
        self.total_cells = int(params.n_ctx)  # of all sequences
        self._batch = Batch(settings.batch)
        self._row_type = ctypes.c_float * self.n_vocab

    def close(self) -> None:
        """Free the cache."""
        if self._context:
            self.memory.close()
            self._free()
            self._context = None

    def decode(self, rows: Sequence[RowSpec], at_least: int = 0) -> list[NDArray[np.float32]]:
        """Evaluate a batch. Returns the wanted rows of logits in order: views, valid until the next decode.

        Padded on the scratch sequence, where there is one, to max(at_least, settings.min_rows) rows, and to as many
        outputs: the last layer runs on the output rows alone, so one output among many rows is a lone row there.
        """
        at_least = max(at_least, self.settings.min_rows) if self.memory.spare else 0
        if not 1 <= max(len(rows), at_least) <= self.settings.batch:
            raise EngineError(f"a batch of {len(rows)} rows, expected 1 to {self.settings.batch}")
        for row in rows:
            self.memory.check(row.sequence)
            if not 0 <= row.token < self.n_vocab:
                raise EngineError(f"token {row.token} is outside the vocabulary of {self.n_vocab}")
            if not 0 <= row.position < self.n_cells:
                raise EngineError(f"position {row.position} is outside the context of {self.n_cells}")
        pads = max(0, at_least - len(rows))
        self.padded_rows += pads
        padded = [*rows, *(RowSpec(self.memory.scratch, i, rows[0].token, False) for i in range(pads))]
        outputs = {i for i, row in enumerate(padded) if row.wanted}
        if outputs:
            spare = (i for i in reversed(range(len(padded))) if i not in outputs)
            outputs |= {i for i, _ in zip(spare, range(at_least - len(outputs)), strict=False)}
        self.memory.guard(max(row.position for row in rows))
        if self._governor is not None:
            self.set_threads(self._governor.now())
        try:
            code = L.llama_decode(self._context, self._batch.fill(padded, outputs))
        finally:
            if pads:
                self.memory.clear_scratch()
            if self._governor is not None:
                self._governor.ended()
        if code != 0:
            raise EngineError(f"llama_decode failed with code {code}: {last_error()}")
        return [self._logits(i) for i, row in enumerate(rows) if row.wanted]

    def set_threads(self, threads: int) -> None:
        """Decode with so many from now on."""
        if threads != self._threads:
            L.llama_set_n_threads(self._context, threads, threads)
            self._threads = threads

    def _logits(self, index: int) -> NDArray[np.float32]:
        address = get_logits(self._context, index)
        if not address:
            raise EngineError(f"llama.cpp has no logits for row {index}")
        values: Any = self._row_type.from_address(address)
        view: NDArray[np.float32] = np.frombuffer(values, np.float32)
        view.flags.writeable = False
        return view
