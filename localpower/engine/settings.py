"""How llama.cpp is set up: everything that can change the bits of a log-probability."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, replace
from typing import Any

from localpower.errors import EngineError

F16, Q8_0 = 1, 8  # ggml types of the KV cache
EXACT_BATCH = 60  # from 64 query rows on, flash attention takes a tiled path with other rounding
LARGE_BATCH = 512  # llama.cpp's own
TILES = "GGML_CPU_TILED_MM"
_tiles: list[bool] = []  # whether this process has decoded with tiles


@dataclass(frozen=True, slots=True)
class Settings:
    """One way to run a model.

    streams: each sequence has a stream of keys and values to itself (engine/streams.py); else all share one cache.
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
    streams: bool = False

    @property
    def kv_bits(self) -> float:
        """Of a key's or a value's number."""
        return 8.5 if self.kv_type == Q8_0 else 16.0

    def keeps(self, kv: int | None) -> bool:
        """Whether keys and values have so many bits, 8 or 16; None: any number will do."""
        return kv is None or self.kv_type == (Q8_0 if kv == 8 else F16)

    def words(self) -> str:
        """For people: what was chosen."""
        parts = [
            f"{self.threads} thread{'s' if self.threads != 1 else ''}",
            "repacked weights" if self.repack else "weights as stored",
            f"{'q8_0' if self.kv_type == Q8_0 else 'f16'} keys and values",
            "a stream for each sequence" if self.streams else "one cache for all sequences",
        ]
        if self.min_rows > 1:
            parts.append(f"at least {self.min_rows} rows a batch")
        if self.gpu_layers:
            parts.append(f"{self.gpu_layers} layers on the GPU")
        return ", ".join(parts)

    def way(self) -> str:
        """What may change the bits of a number, in a few words."""
        parts = [
            "repacked" if self.repack else "as stored",
            "q8_0" if self.kv_type == Q8_0 else "f16",
            "streams" if self.streams else "one cache",
            f"flash {self.flash}",
            *(["tiles"] if self.tiled else []),
            *([f"{self.gpu_layers} layers on the GPU"] if self.gpu_layers else []),
        ]
        return " ".join(parts)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    def set_environment(self) -> None:
        """Must run before the first decode of the process.

        Raises EngineError where llama.cpp has begun with tiles, which round otherwise: it reads the variable once.
        """
        os.environ.setdefault("GGML_NO_BACKTRACE", "1")
        if not self.tiled and _tiles:
            raise EngineError(
                "llama.cpp keeps the numerics of the model that was loaded with exact=False in this process",
                "load exact models first, or in a process of their own",
            )
        if not self.tiled:
            os.environ[TILES] = "0"
        elif os.environ.get(TILES) != "0":
            _tiles.append(True)


def fast(threads: int, gpu_layers: int = 0, kv: int | None = None) -> list[Settings]:
    """llama.cpp's own numerics, as `--fast` gives them: on a CPU by plain attention where the memory has streams.

    kv: bits of keys and values, 8 or 16; None: 16. llama.cpp has those of 8 with flash attention alone.
    """
    own = Settings(threads, flash=-1, tiled=True, batch=LARGE_BATCH, gpu_layers=gpu_layers)
    if kv == 8:
        return [replace(own, flash=1, kv_type=Q8_0)]
    return [own] if gpu_layers else [replace(own, flash=0, streams=True), own]


def exact_candidates(threads: int, gpu_layers: int = 0, kv: int | None = None) -> list[list[Settings]]:
    """Settings that may be exact, in groups: a later group only where none of the ones before it has any.

    In a group the most faithful come first: llama.cpp's own way of decoding, then flash attention, then 8-bit keys and
    values. Which are exact, and whether a less faithful one is so much quicker that it is taken, is for a check on
    the machine to say. (Flash attention over 16-bit keys splits a lone row among threads: only padded it can be exact.)
    kv: those with keys and values of so many bits, 8 or 16, alone; None: all.
    """
    plain = Settings(threads, flash=0, batch=LARGE_BATCH, gpu_layers=gpu_layers, streams=True)
    shared = Settings(threads, gpu_layers=gpu_layers)
    lone = [plain, replace(shared, kv_type=Q8_0)]
    padded = [replace(plain, min_rows=2), replace(shared, min_rows=2)]
    if kv == 8:
        padded.append(replace(shared, kv_type=Q8_0, min_rows=2))
    return [
        kept
        for repack in ((True, False) if not gpu_layers else (True,))
        for group in (lone, padded)
        if (kept := [replace(settings, repack=repack) for settings in group if settings.keeps(kv)])
    ]
