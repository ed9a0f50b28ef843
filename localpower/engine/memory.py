"""What the cache remembers of each sequence: copying, forgetting, saving, each C call guarded.

Plain attention can forget any position. A sliding window can too, as long as llama.cpp does not reuse the cells that
have left a window: it takes those that one sequence alone holds, free cells or not, and says nothing. So a guardian, a
sequence that is never decoded, holds every cell as well. A recurrent state cannot go back: it is put back from a
checkpoint, and attention beside it is trimmed to the same length.
"""

from __future__ import annotations

import ctypes
from typing import Any

from localpower.engine.library import L
from localpower.errors import EngineError, ModelError

_PART = 1  # LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY: the recurrent state without the attention beside it


class Memory:
    """The memory of a context whose caller uses sequences 0..n_sequences-1.

    scratch: one more sequence, empty between calls. window: tokens that a sliding window shows, 0 without one.
    spare: whether the context has the two sequences beyond the caller's.
    """

    EXTRA = 2  # sequences beyond the caller's: scratch and guardian

    def __init__(self, context: Any, n_sequences: int, window: int, *, spare: bool = True) -> None:
        """Raises ModelError for a model without memory."""
        self._context = context
        self._memory = L.llama_get_memory(context)
        if not self._memory:
            raise ModelError("this model has no memory to decode into", "encoders cannot answer")
        self.n_sequences = n_sequences
        self.spare = spare
        self.scratch = n_sequences
        self._guardian = n_sequences + 1
        self._window = window
        self._longest = 0

    def close(self) -> None:
        """The context is about to be freed."""
        self._context = self._memory = None

    def check(self, sequence: int) -> None:
        """Raise EngineError for a sequence that would abort the process."""
        if not self._context:
            raise EngineError("the context has been closed")
        if not 0 <= sequence < self.n_sequences:
            raise EngineError(f"sequence {sequence} is outside 0..{self.n_sequences - 1}")

    def copy(self, source: int, target: int, upto: int) -> None:
        """Make `target` hold the first `upto` tokens of `source`: metadata only, no cell is copied."""
        self.trim(target, 0)
        self.share(source, target, upto)

    def share(self, source: int, target: int, upto: int) -> None:
        """Put the first `upto` tokens of `source` before what `target` holds."""
        self.check(source)
        self.check(target)
        if upto > 0:
            L.llama_memory_seq_cp(self._memory, source, target, 0, upto)

    def trim(self, sequence: int, upto: int) -> None:
        """Forget all tokens of `sequence` from position `upto` on."""
        self.check(sequence)
        if not L.llama_memory_seq_rm(self._memory, sequence, upto, -1):
            raise EngineError("this model's memory cannot be rolled back to a position")

    def release(self, sequence: int, position: int) -> None:
        """Free the cell in which `sequence` holds `position`, unless another sequence shares it."""
        self.check(sequence)
        L.llama_memory_seq_rm(self._memory, sequence, position, position + 1)

    def clear(self) -> None:
        """Forget all tokens of all sequences."""
        for sequence in range(self.n_sequences):
            self.trim(sequence, 0)
        if self.spare:
            self.clear_scratch()

    def copy_stream(self, source: int, target: int) -> None:
        """Make `target` hold all of `source`, of streams: the bytes are copied before the next decode."""
        self.trim(target, 0)
        self.check(source)
        L.llama_memory_seq_cp(self._memory, source, target, -1, -1)

    def clear_scratch(self) -> None:
        """Forget the padding."""
        L.llama_memory_seq_rm(self._memory, self.scratch, -1, -1)

    def guard(self, furthest: int) -> None:
        """Before cells are taken up to position `furthest`: let the guardian hold every cell in use, and no other.

        Nothing leaves a window before some sequence is as long as the window.
        """
        self._longest = max(self._longest, furthest)
        if not self._window or self._longest + 1 < self._window:
            return
        L.llama_memory_seq_rm(self._memory, self._guardian, -1, -1)
        for sequence in range(self.n_sequences):
            L.llama_memory_seq_cp(self._memory, sequence, self._guardian, -1, -1)

    def save(self, sequence: int, start: int, stop: int) -> tuple[bytes, ...]:
        """The KV of positions start..stop-1 as llama.cpp serialises it (no logits, no tokens, no model identity).

        In pieces that fit the window: of a longer one llama.cpp would write the last window's cells alone.
        """
        self.check(sequence)
        if not 0 <= start < stop:
            raise EngineError(f"positions {start}..{stop} are no range to save")
        pieces = []
        while start < stop:
            end = min(stop, (start // self._window + 1) * self._window) if self._window else stop
            L.llama_memory_seq_cp(self._memory, sequence, self.scratch, start, end)
            try:
                pieces.append(self._serialise(self.scratch, 0))
            finally:
                self.clear_scratch()
            start = end
        return tuple(pieces)

    def restore(self, sequence: int, pieces: tuple[bytes, ...]) -> None:
        """Put saved KV into `sequence`, empty or ending where the first piece begins, in the lowest free cells.

        Raises EngineError when llama.cpp refuses it.
        """
        self.check(sequence)
        for piece in pieces:
            self.guard(self._longest)
            try:
                self._deserialise(self.scratch, piece, 0)
                L.llama_memory_seq_cp(self._memory, self.scratch, sequence, -1, -1)
            finally:
                self.clear_scratch()

    def save_state(self, sequence: int, *, whole: bool) -> bytes:
        """A recurrent state at the end of `sequence`, with the attention beside it or without."""
        self.check(sequence)
        return self._serialise(sequence, 0 if whole else _PART)

    def restore_state(self, sequence: int, state: bytes, length: int, *, whole: bool) -> None:
        """Take `sequence` to the `length` tokens at which `state` was saved. Not whole: tokens up to there are kept."""
        self.check(sequence)
        if whole:
            self.trim(sequence, 0)
        self._deserialise(sequence, state, 0 if whole else _PART)
        self.trim(sequence, length)

    def _serialise(self, sequence: int, flags: int) -> bytes:
        size = L.llama_state_seq_get_size_ext(self._context, sequence, flags)
        buffer = (ctypes.c_uint8 * size)()
        written = L.llama_state_seq_get_data_ext(self._context, buffer, size, sequence, flags)
        return bytes(memoryview(buffer)[:written])

    def _deserialise(self, sequence: int, state: bytes, flags: int) -> None:
        buffer = (ctypes.c_uint8 * len(state)).from_buffer_copy(state)
        if not L.llama_state_seq_set_data_ext(self._context, buffer, len(state), sequence, flags):
            raise EngineError("llama.cpp refused a saved state")
