"""A model in several files: llama.cpp is given the first and opens the others by their names."""

from __future__ import annotations

import re
from pathlib import Path

from localpower.errors import ModelError

_NAME = re.compile(r"(.*)-(\d{5})-of-(\d{5})\.gguf", re.DOTALL)
_COUNT = b"split.count\x02\0\0\0"  # a key of the header, and its type: 16 bits
_HEADER = 1 << 26  # bytes in which the key is looked for


def parts_of(path: Path) -> list[Path]:
    """The files of a model, `path` first; mostly it is alone.

    Raises ModelError for a later part in the place of the first, and where one is missing. A whole model may be called
    like a part: the header says which it is.
    """
    found = _NAME.fullmatch(path.name)
    count = _count(path) if found else 0
    if not found or count < 2:
        return [path]
    parts = [path.with_name(f"{found[1]}-{i:05d}-of-{count:05d}.gguf") for i in range(1, count + 1)]
    if path != parts[0]:
        raise ModelError(f"{path} is part {int(found[2])} of {count}", f"open the first, {parts[0].name}")
    for i, part in enumerate(parts, 1):
        if not part.exists():
            raise ModelError(
                f"part {i} of {count} of the model is missing: {part}", "all parts lie in one folder"
            )
    return parts


def _count(path: Path) -> int:
    with path.open("rb") as file:
        head = file.read(_HEADER)
    at = head.find(_COUNT) + len(_COUNT)
    return int.from_bytes(head[at : at + 2], "little") if at >= len(_COUNT) else 0
