"""The only file that imports llama_cpp: the bindings as `L`, their log, and what was built.

Many mistakes abort the whole process inside the C library, so ids, lengths, positions and capacities are checked in
Python before every call: vocabulary and files in weights.py, batches and the cache in context.py. Nobody else calls it.
"""

from __future__ import annotations

import ctypes
import os
from collections import deque

# GNU OpenMP reads this once, when it is loaded. By default a thread that waits for the others spins for milliseconds,
# which stalls whoever wants its core; with a count of hundreds it sleeps before the others can have come. Threads are
# given up when others want the cores (cores.py): until then this bounds the loss.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "5000")

from llama_cpp import llama_cpp as L

from localpower.errors import EngineError

__all__ = ["L", "check_layout", "clear_errors", "get_logits", "last_error", "supports_gpu"]

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

get_logits = L._lib["llama_get_logits_ith"]  # a private prototype: one pointer instead of a cast array
get_logits.restype = ctypes.c_void_p
get_logits.argtypes = [ctypes.c_void_p, ctypes.c_int32]


def check_layout() -> None:
    """Raise EngineError unless the structs are those this file was written for (they change in patch releases)."""
    context, model = L.llama_context_default_params(), L.llama_model_default_params()
    seen = (context.n_ctx, context.n_batch, context.type_k, context.swa_full, context.kv_unified)
    if seen != (512, 2048, 1, True, False) or not model.use_extra_bufts:
        raise EngineError(
            "this llama-cpp-python has other structs than the tested one", "install llama-cpp-python==0.3.36"
        )


def supports_gpu() -> bool:
    """Whether this build of llama.cpp has a GPU backend."""
    return bool(L.llama_supports_gpu_offload())


def clear_errors() -> None:
    """Forget what was logged, before a call whose errors are to be told."""
    _log.clear()


def last_error() -> str:
    """The first line that llama.cpp logged as an error since `clear_errors`."""
    return _log[0] if _log else ""
