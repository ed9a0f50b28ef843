"""The only file that imports llama_cpp: low-level ctypes calls, each guarded.

Many mistakes abort the whole process inside the C library, so ids, lengths, positions and capacities are
checked here, in Python, before every call. Nothing in this file knows about contexts, chains or sampling.
"""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from llama_cpp import llama_cpp as L
from numpy.typing import NDArray

from localpower.engine.settings import Settings
from localpower.errors import EngineError, Interrupted, ModelError

MAX_SEQUENCES = 256  # LLAMA_MAX_SEQ of the tested build
_CONTROL = 1 << 3  # llama_token_attr
_UNKNOWN = 1 << 0

_log: deque[str] = deque(maxlen=50)
_log_level = 0


@L.llama_log_callback  # type: ignore[untyped-decorator]
def _on_log(level: int, text: bytes | None, _user: object) -> None:
    """Keep errors (ggml level 4) for our own messages; print nothing. Level 5 continues the last line."""
    global _log_level  # noqa: PLW0603 - the C library has one log
    _log_level = _log_level if level == 5 else level
    if _log_level >= 4 and text:
        _log.append(text.decode("utf-8", "replace").strip())


L.llama_log_set(_on_log, None)
L.llama_backend_init()

_get_logits = L._lib["llama_get_logits_ith"]  # a private prototype: one pointer instead of a cast array
_get_logits.restype = ctypes.c_void_p
_get_logits.argtypes = [ctypes.c_void_p, ctypes.c_int32]


def check_layout() -> None:
    """Raise EngineError unless the structs are those this file was written for (they change in patch releases)."""
    context, model = L.llama_context_default_params(), L.llama_model_default_params()
    seen = (context.n_ctx, context.n_batch, context.type_k, context.swa_full, context.kv_unified)
    if seen != (512, 2048, 1, True, False) or not model.use_extra_bufts:
        raise EngineError(
            "this llama-cpp-python has other structs than the tested one",
            "install llama-cpp-python==0.3.36",
        )


def library_version() -> str:
    """llama.cpp's own version and what it was compiled with."""
    system = L.llama_print_system_info().decode("utf-8", "replace")
    return f"{L.llama_version().decode()} {' '.join(system.split())}"


def supports_gpu() -> bool:
    """Whether this build of llama.cpp has a GPU backend."""
    return bool(L.llama_supports_gpu_offload())


def last_error() -> str:
    """The first line that llama.cpp logged as an error since the last call that clears the log."""
    return _log[0] if _log else ""


class Weights:
    """A loaded GGUF: weights, vocabulary, metadata. Close contexts first, then this."""

    def __init__(
        self,
        path: Path,
        *,
        repack: bool = True,
        gpu_layers: int = 0,
        vocab_only: bool = False,
        stop_loading: Callable[[], bool] = lambda: False,
    ) -> None:
        """Raises ModelError when llama.cpp refuses the file, Interrupted when stop_loading() turns true."""
        params = L.llama_model_default_params()
        params.n_gpu_layers = gpu_layers
        params.use_extra_bufts = repack
        params.vocab_only = vocab_only
        progress = L.llama_progress_callback(lambda _share, _user: not stop_loading())
        params.progress_callback = progress
        _log.clear()
        self._model = L.llama_model_load_from_file(str(path).encode(), params)
        if not self._model:
            if stop_loading():
                raise Interrupted
            raise ModelError(
                f"llama.cpp cannot load {path}: {last_error() or 'no reason given'}",
                "is it a complete GGUF of a supported architecture?",
            )
        self._vocab = L.llama_model_get_vocab(self._model)
        self.n_vocab = int(L.llama_vocab_n_tokens(self._vocab))
        self.n_ctx_train = int(L.llama_model_n_ctx_train(self._model))

    def close(self) -> None:
        """Free the weights; later calls would touch freed memory, so they are refused."""
        if self._model:
            L.llama_model_free(self._model)
            self._model = None

    @property
    def handle(self) -> Any:
        """The C pointer. Raises EngineError once closed."""
        if not self._model:
            raise EngineError("the model has been closed")
        return self._model

    def memory_kind(self) -> str:
        """attention, sliding-window, recurrent, hybrid, diffusion or encoder: what can be rolled back."""
        for name, test in (
            ("encoder", L.llama_model_has_encoder),
            ("diffusion", L.llama_model_is_diffusion),
            ("hybrid", L.llama_model_is_hybrid),
            ("recurrent", L.llama_model_is_recurrent),
        ):
            if test(self.handle):
                return name
        return "sliding-window" if L.llama_model_n_swa(self.handle) > 0 else "attention"

    def metadata(self, key: str) -> str | None:
        """A scalar of the GGUF header as text, or None."""
        size = L.llama_model_meta_val_str(self.handle, key.encode(), None, 0)
        if size < 0:
            return None
        buffer = ctypes.create_string_buffer(size + 1)
        L.llama_model_meta_val_str(self.handle, key.encode(), buffer, size + 1)
        return buffer.value.decode("utf-8", "replace")

    def quantization(self) -> str:
        """The file's type in llama.cpp's words, such as Q4_1 or Q4_K - Medium."""
        buffer = ctypes.create_string_buffer(256)
        L.llama_model_desc(self.handle, buffer, 256)
        return buffer.value.decode("utf-8", "replace").split(" ", 2)[-1]

    def chat_template(self) -> str | None:
        """The model's own Jinja template."""
        raw = L.llama_model_chat_template(self.handle, None)
        return raw.decode("utf-8", "replace") if raw else None

    @cached_property
    def eos(self) -> frozenset[int]:
        """Every token that ends a turn or a text."""
        is_end = L.llama_vocab_is_eog
        return frozenset(i for i in range(self.n_vocab) if is_end(self._vocab, i))

    def bos(self) -> int | None:
        """The token that must open a context, if the model wants one."""
        if not L.llama_vocab_get_add_bos(self._vocab):
            return None
        token = int(L.llama_vocab_bos(self._vocab))
        return token if token >= 0 else None

    def token_text(self, token: int) -> str:
        """The vocabulary's own text of a token ('' for ids outside it)."""
        if not 0 <= token < self.n_vocab:
            return ""
        raw = L.llama_vocab_get_text(self._vocab, token)
        return raw.decode("utf-8", "replace") if raw else ""

    def special_token(self, kind: str) -> str:
        """The text of the model's bos or eos token, '' if it has none."""
        get = {"bos": L.llama_vocab_bos, "eos": L.llama_vocab_eos}[kind]
        return self.token_text(int(get(self._vocab)))

    def control_tokens(self) -> dict[str, int]:
        """Texts that parse into control tokens, with their ids: what user text must never become."""
        attributes = L.llama_vocab_get_attr
        return {
            text: i
            for i in range(self.n_vocab)
            if attributes(self._vocab, i) & (_CONTROL | _UNKNOWN) and (text := self.token_text(i))
        }

    def tokenize(self, text: bytes, *, parse_special: bool) -> list[int]:
        """Tokens of UTF-8 text; no BOS or EOS is added."""
        capacity = len(text) + 16
        buffer = (L.llama_token * capacity)()
        n = L.llama_tokenize(self._vocab, text, len(text), buffer, capacity, False, parse_special)
        if n < 0 and n != -(2**31):
            capacity = -n
            buffer = (L.llama_token * capacity)()
            n = L.llama_tokenize(self._vocab, text, len(text), buffer, capacity, False, parse_special)
        if n < 0:
            raise EngineError("the text is too long to be tokenised")
        return list(buffer[:n])

    def piece(self, token: int) -> bytes:
        """The bytes a token adds to the text; none for control tokens."""
        if not 0 <= token < self.n_vocab:
            raise EngineError(f"token {token} is outside the vocabulary of {self.n_vocab}")
        size = 32
        while True:
            buffer = ctypes.create_string_buffer(size)
            n = L.llama_token_to_piece(self._vocab, token, buffer, size, 0, False)
            if n >= 0:
                return buffer.raw[:n]
            size = -n


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
        _log.clear()
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
        address = _get_logits(self._context, index)
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

    def span(self, sequence: int) -> tuple[int, int]:
        """First and last position held for `sequence`; (-1, -1) when empty."""
        self._check_sequence(sequence)
        low = int(L.llama_memory_seq_pos_min(self._memory, sequence))
        return low, int(L.llama_memory_seq_pos_max(self._memory, sequence))

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
