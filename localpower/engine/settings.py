"""How llama.cpp is set up: everything that can change the bits of a log-probability."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import Any

F16, Q8_0 = 1, 8  # ggml types of the KV cache
EXACT_BATCH = 60  # from 64 query rows on, flash attention takes a tiled path with other rounding
FAST_BATCH = 512


@dataclass(frozen=True, slots=True)
class Settings:
    """One way to run a model.

    repack: rearranged weights (llama.cpp's `use_extra_bufts`). flash: flash attention, 1 on, 0 off, -1 as
    llama.cpp likes. min_rows: batches are padded to at least this many rows. tiled: allow the K-quant kernel
    that only large batches use; read from the environment once per process. batch: rows a decode.
    """

    threads: int
    repack: bool = True
    flash: int = 1
    kv_type: int = F16
    min_rows: int = 1
    tiled: bool = False
    batch: int = EXACT_BATCH
    gpu_layers: int = 0

    def words(self) -> str:
        """For people: what was chosen."""
        parts = [
            f"{self.threads} thread{'s' if self.threads != 1 else ''}",
            "repacked weights" if self.repack else "weights as stored",
            f"{'q8_0' if self.kv_type == Q8_0 else 'f16'} KV",
        ]
        if self.min_rows > 1:
            parts.append(f"at least {self.min_rows} rows a batch")
        if self.gpu_layers:
            parts.append(f"{self.gpu_layers} layers on the GPU")
        return ", ".join(parts)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    def set_environment(self) -> None:
        """Must run before the first decode of the process."""
        os.environ.setdefault("GGML_NO_BACKTRACE", "1")
        if not self.tiled:
            os.environ["GGML_CPU_TILED_MM"] = "0"


def default_threads() -> int:
    """The cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(len(os.sched_getaffinity(0)), 1)
    return os.cpu_count() or 1


def fast(threads: int, gpu_layers: int = 0) -> Settings:
    """llama.cpp's own numerics: what `--fast` gives."""
    return Settings(threads, flash=-1, tiled=True, batch=FAST_BATCH, gpu_layers=gpu_layers)


def exact_candidates(threads: int, gpu_layers: int = 0) -> list[Settings]:
    """Settings that may be exact. Which are, and which is quickest, is for a check on the machine to say."""
    return [
        Settings(threads, repack=repack, kv_type=kv, min_rows=rows, gpu_layers=gpu_layers)
        for repack in (True, False)
        for kv, rows in ((F16, 1), (Q8_0, 1), (F16, 2))
    ]
