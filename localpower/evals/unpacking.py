"""Packed files as plain bytes: gzip by the standard library, zstandard by pyarrow, which parquet needs anyway."""

from __future__ import annotations

import gzip
import importlib.util
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from localpower.errors import UserError

GZIP, ZSTD, PARQUET = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1"
_ENDINGS = (".gz", ".zst", ".zstd")


def plain_name(name: str) -> str:
    """The name without the ending of what it is packed with: t.jsonl of t.jsonl.gz."""
    ending = Path(name).suffix
    return name.removesuffix(ending) if ending.lower() in _ENDINGS else name


def need_pyarrow(path: Path | str, what: str) -> None:
    """Raises UserError where pyarrow is not installed."""
    if importlib.util.find_spec("pyarrow") is None:
        raise UserError(f"{path} is {what}, which needs pyarrow", "pip install 'localpower[data]'")


def stream(file: IO[bytes], path: Path) -> IO[bytes]:
    """What an open file holds, unpacked as it is read. Raises UserError where pyarrow is needed and missing."""
    head = file.read(4)
    file.seek(0)
    if head.startswith(GZIP):
        return cast("IO[bytes]", gzip.GzipFile(fileobj=file))
    if head == ZSTD:
        need_pyarrow(path, "packed with zstandard")
        import pyarrow as pa

        return io.BufferedReader(pa.CompressedInputStream(pa.PythonFile(file, "r"), "zstd"))
    return file


def unpacked(data: bytes, path: Path, most: int, hint: str) -> bytes:
    """The bytes, at most `most` of them, unpacked where they are packed. Raises UserError for a damaged file."""
    if not data.startswith((GZIP, ZSTD)):
        return data
    with reading(path, hint):
        return stream(io.BytesIO(data), path).read(most)


@contextmanager
def reading(path: Path, hint: str) -> Iterator[None]:
    """What is wrong with a packed file is said in one line: UserError instead of what the unpackers raise."""
    try:
        yield
    except (OSError, EOFError, zlib.error):
        raise UserError(f"cannot read {path}: it is damaged, or was cut off", hint) from None
