"""Where the time of a batch goes: `python scripts/measure/operations.py [--model FILE] [--rows 16] [--at 300]`.

Milliseconds of a decode of so many rows after so many tokens, by kind of operation: in the settings that the engine's
check chose (streams), and in those that it chose before there were streams (one cache, flash attention over 8-bit keys
and values, at most 60 rows a batch). llama.cpp is asked to stop after each operation, which adds a little to each; the
best of several turns is printed, and the whole decode without stops beside their sum.
"""

from __future__ import annotations

import argparse
import ctypes
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from localpower.engine.context import Context
from localpower.engine.library import L
from localpower.engine.settings import Q8_0, Settings
from localpower.engine.verdict import processor
from localpower.engine.weights import Weights
from localpower.loading import Request, load
from scripts.measure.rows import decode, read, tokens_of

KINDS = ("weights", "output matrix", "attention", "keys and values", "norms and rest")


def ggml() -> ctypes.CDLL:
    """The library that knows what an operation is."""
    found = next(Path(L.__file__).parent.glob("lib/*ggml-base.*"))
    library = ctypes.CDLL(str(found))
    for function in (library.ggml_op_desc, library.ggml_get_name):
        function.restype, function.argtypes = ctypes.c_char_p, [ctypes.c_void_p]
    return library


def kind(operation: str, name: str) -> str:
    """What an operation is for, by what it does and what llama.cpp calls its result."""
    if operation == "FLASH_ATTN_EXT" or name.startswith(("kq", "kqv", "fattn")) or operation == "SOFT_MAX":
        return "attention"
    if operation in ("SET_ROWS", "CPY", "CONT") or "cache" in name:
        return "keys and values"
    if operation in ("MUL_MAT", "MUL_MAT_ID"):
        return "output matrix" if name.startswith("result_output") else "weights"
    return "norms and rest"


class Stopwatch:
    """llama.cpp calls it before an operation (asking whether to stop there) and after it."""

    def __init__(self) -> None:
        self._ggml, self._since = ggml(), 0.0
        self.seconds: dict[str, float] = defaultdict(float)
        self.hook = L.ggml_backend_sched_eval_callback(self._called)

    def _called(self, tensor: int, ask: bool, _: int) -> bool:
        if not ask:
            spent = time.perf_counter() - self._since
            operation = self._ggml.ggml_op_desc(tensor).decode()
            self.seconds[kind(operation, self._ggml.ggml_get_name(tensor).decode())] += spent
        self._since = time.perf_counter()
        return True


@contextmanager
def watched(watch: Stopwatch) -> Iterator[None]:
    """Contexts made meanwhile stop after each operation."""
    plain = L.llama_context_default_params

    def params() -> object:
        found = plain()
        found.cb_eval = watch.hook
        return found

    with patch.object(L, "llama_context_default_params", params):
        yield


def filled(weights: Weights, settings: Settings, rows: int, at: int) -> Context:
    """A context whose sequences have all read the same `at` tokens."""
    each = at + 1 if settings.streams else at + rows
    context = Context(weights, settings, n_cells=each, n_sequences=rows)
    read(context, at, tokens_of(weights, 1024))
    for sequence in range(1, rows):
        if settings.streams:
            context.memory.copy_stream(0, sequence)
        else:
            context.memory.copy(0, sequence, at)
    return context


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model")
    parser.add_argument("--rows", type=int, default=16)
    parser.add_argument("--at", type=int, default=300)
    parser.add_argument("--turns", type=int, default=15)
    options = parser.parse_args()
    loaded = load(Request(options.model))
    chosen = loaded.verdict.settings
    ways = {"now": chosen, "before": Settings(chosen.threads, kv_type=Q8_0)}
    weights, tokens = loaded.weights, tokens_of(loaded.weights, 1024)
    print(f"{loaded.info.name} {loaded.info.quantization} on {processor()}")
    print(f"{options.rows} rows after {options.at} tokens, milliseconds")
    print(f"{'':<8}" + "".join(f"{name:>17}" for name in KINDS) + f"{'sum':>9}{'no stops':>10}")
    for way, settings in ways.items():
        watch = Stopwatch()
        with watched(watch):
            slow = filled(weights, settings, options.rows, options.at)
        quick = filled(weights, settings, options.rows, options.at)
        best, whole = dict.fromkeys(KINDS, 1e9), 1e9
        for _ in range(options.turns):
            watch.seconds.clear()
            decode(slow, options.at, options.rows, tokens)
            best = {name: min(best[name], watch.seconds.get(name, 0.0)) for name in KINDS}
            whole = min(whole, decode(quick, options.at, options.rows, tokens))
        slow.close()
        quick.close()
        cells = "".join(f"{1e3 * seconds:>17.2f}" for seconds in best.values())
        print(f"{way:<8}{cells}{1e3 * sum(best.values()):>9.2f}{1e3 * whole:>10.2f}", flush=True)


if __name__ == "__main__":
    main()
