"""What the first bytes of a GGUF say of it, read without llama.cpp, which would take its time."""

from __future__ import annotations

import re
from pathlib import Path

_HEAD = 1 << 16  # bytes: the general keys come first
_UINT32, _STRING = b"\4\0\0\0", b"\10\0\0\0"
_IN_NAME = re.compile(
    r"(?<![A-Za-z0-9])((?:IQ|TQ|Q)\d(?:_[A-Z0-9]+)*|BF16|F16|F32|MXFP4)(?![A-Za-z0-9])", re.I
)
FILE_TYPES: dict[int | None, str] = {  # llama_ftype
    **{0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 32: "BF16"},
    **{11: "Q3_K_S", 12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M"},
    **{18: "Q6_K", 19: "IQ2_XXS", 20: "IQ2_XS", 21: "Q2_K_S", 22: "IQ3_XS", 23: "IQ3_XXS", 24: "IQ1_S"},
    **{25: "IQ4_NL", 26: "IQ3_S", 27: "IQ3_M", 28: "IQ2_S", 29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M"},
}


def quantization(path: Path) -> str | None:
    """By the file's own word, else by its name; None: neither says."""
    head = _head(path)
    at = head.find(b"general.file_type" + _UINT32)
    if at >= 0:
        at += len(b"general.file_type") + 4
        found = FILE_TYPES.get(int.from_bytes(head[at : at + 4], "little"))
        if found:
            return found
    named = _IN_NAME.findall(path.name)
    return named[-1].upper() if named else None


def licence(path: Path) -> str | None:
    """By the file's own word; None: it says nothing."""
    head, key = _head(path), b"general.license" + _STRING
    at = head.find(key)
    if at < 0:
        return None
    at += len(key)
    size = int.from_bytes(head[at : at + 8], "little")
    text = head[at + 8 : at + 8 + min(size, 64)].decode("utf-8", "replace")
    return text if size and text.isprintable() else None


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD)
    except OSError:
        return b""
