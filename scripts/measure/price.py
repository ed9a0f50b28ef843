"""What the exact mode costs over --fast, by quantization: `python scripts/measure/price.py [--model FILE]`.

Every quantization is made from one model by llama.cpp itself (from its F16 form, in a temporary folder). Both engines
decode the same tokens, one row at a time and eight, after contexts of 200 and 800 tokens, in turns within one process;
the figures are medians of the turns. rows: what the exact mode pads a lone row to; kv: how it keeps keys and values.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

import llama_cpp

from localpower.catalogue import locate
from localpower.engine.batch import RowSpec
from localpower.engine.context import Context
from localpower.loading import Request, load

KINDS = {
    "F16": llama_cpp.LLAMA_FTYPE_MOSTLY_F16,
    "Q8_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0,
    "Q4_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_0,
    "Q4_1": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_1,
    "Q4_K": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_K_M,
}
CONTEXTS, ROWS, TURNS, TOKENS = (200, 800), (1, 8), 5, 12


def quantized(source: Path, target: Path, kind: int) -> Path:
    """`target`, written by llama.cpp."""
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype = kind
    params.allow_requantize = True
    code = llama_cpp.llama_model_quantize(str(source).encode(), str(target).encode(), params)
    if code:
        raise SystemExit(f"llama.cpp cannot quantize {source}: code {code}")
    return target


class Bed:
    """Sequences of one length in a context of their own, decoded a row each at a time."""

    def __init__(self, path: Path, length: int, rows: int, *, fast: bool) -> None:
        self.loaded = load(Request(str(path), fast=fast))
        settings = self.loaded.verdict.settings
        self.settings = settings
        grown = TOKENS * TURNS
        n_cells = length + grown if settings.streams else length + rows * grown + 64
        if settings.streams:  # as the engine does, where a lone row has other bits than two
            rows = max(rows, settings.min_rows)
        self.context = Context(self.loaded.weights, settings, n_cells=n_cells, n_sequences=rows)
        self._rows, self._at = rows, length
        tokens = [100 + i * 37 % 4000 for i in range(length)]
        for start in range(0, length, settings.batch):
            part = tokens[start : start + settings.batch]
            self.context.decode([RowSpec(0, start + i, token, False) for i, token in enumerate(part)])
        for sequence in range(1, rows):
            if settings.streams:
                self.context.memory.copy_stream(0, sequence)
            else:
                self.context.memory.copy(0, sequence, length)

    def turn(self) -> float:
        """Seconds of a token, a row each."""
        start = time.perf_counter()
        for _ in range(TOKENS):
            self.context.decode([RowSpec(s, self._at, 200 + self._at, True) for s in range(self._rows)])
            self._at += 1
        return (time.perf_counter() - start) / TOKENS

    def close(self) -> None:
        self.context.close()
        self.loaded.weights.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", help="a GGUF file or a catalogue name; else the default model")
    parser.add_argument("--kinds", nargs="*", choices=sorted(KINDS), default=list(KINDS))
    options = parser.parse_args()
    _, source = locate(options.model)
    print("kind  context rows  exact ms  fast ms  price   exact mode's settings")
    with tempfile.TemporaryDirectory() as folder:
        for name in options.kinds:
            path = quantized(source, Path(folder) / f"{name}.gguf", KINDS[name])
            for length in CONTEXTS:
                for rows in ROWS:
                    exact, fast = (Bed(path, length, rows, fast=mode) for mode in (False, True))
                    pairs = [(exact.turn(), fast.turn()) for _ in range(TURNS)]
                    ours, theirs = (statistics.median(times) for times in zip(*pairs, strict=True))
                    print(
                        f"{name:<5} {length:>6} {rows:>4}  {ours * 1e3:8.2f} {theirs * 1e3:8.2f} "
                        f"{ours / theirs - 1:+7.1%}   {exact.settings.to_json()}",
                        flush=True,
                    )
                    exact.close()
                    fast.close()
            path.unlink()


if __name__ == "__main__":
    main()
