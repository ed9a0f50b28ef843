"""Rows of parquet files, as datasets of the hub are published. pyarrow is imported only when there is such a file."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from localpower.errors import UserError
from localpower.evals.rows import Row
from localpower.evals.unpacking import need_pyarrow


def parquet_rows(data: bytes, name: str, most: int) -> list[Row]:
    """The rows. Raises UserError for a damaged file, and for one of more than `most` bytes once unpacked."""
    need_pyarrow(name, "a parquet file")
    import pyarrow as pa
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(pa.BufferReader(data))
        size = sum(file.metadata.row_group(i).total_byte_size for i in range(file.metadata.num_row_groups))
        if size > most:
            raise UserError(f"{name} has {size >> 20} MB of rows, and {most >> 20} MB is the most")
        rows = file.read().to_pylist()
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).strip().split("\n")[0].rstrip(".")
        wrong = f"it is damaged, or no parquet file ({reason})"
        raise UserError(f"cannot read {Path(name).name}: {wrong}") from None
    return [{field: _plain(value) for field, value in row.items()} for row in rows]


def _plain(value: Any) -> Any:
    """Dates as text; everything else as it is."""
    return value.isoformat() if isinstance(value, datetime.date | datetime.time) else value
