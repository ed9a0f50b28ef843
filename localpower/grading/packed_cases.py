"""Cases as LiveCodeBench packs its private ones: JSON in a pickled text, in zlib, in base64.

A pickle can run any program when it is loaded, so none is loaded: its opcodes are read, and all but those that
make one text are refused.
"""

from __future__ import annotations

import base64
import binascii
import json
import pickletools
import zlib
from itertools import islice
from typing import Any

_MOST = 1 << 28  # bytes once unpacked
_TEXT = {"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE"}
_IDLE = {"PROTO", "FRAME", "MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT", "STOP"}  # make nothing
_STEPS = 16  # that are read: a text takes five


def unpacked(packed: str) -> list[dict[str, str]]:
    """The cases of a text: JSON as it is, or packed. Raises ValueError for what is neither, in words for the user."""
    if not packed.strip():
        return []
    text = packed if packed.lstrip().startswith("[") else _text(_inflated(packed))
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("its test cases are no JSON") from None
    if not isinstance(found, list) or not all(_is_case(each) for each in found):
        raise ValueError("its test cases are no list of objects with input and output")
    return [{"input": each["input"], "output": each["output"]} for each in found]


def _inflated(packed: str) -> bytes:
    try:
        unpacker = zlib.decompressobj()
        data = unpacker.decompress(base64.b64decode(packed, validate=True), _MOST)
    except (binascii.Error, zlib.error, ValueError):
        raise ValueError("its test cases are neither JSON nor packed as LiveCodeBench packs them") from None
    if not unpacker.eof:
        raise ValueError(f"its test cases are cut off, or have more than {_MOST >> 20} MB")
    return data


def _text(data: bytes) -> str:
    """The one text that a pickle makes. Raises ValueError for any other pickle."""
    try:
        steps = list(islice(pickletools.genops(data), _STEPS))
    except ValueError as error:
        raise ValueError(f"its test cases are a damaged pickle ({error})") from None
    if more := [opcode.name for opcode, _, _ in steps if opcode.name not in _TEXT | _IDLE]:
        raise ValueError(f"its test cases are a pickle that does more than hold a text ({more[0]})")
    found = [str(argument) for opcode, argument, _ in steps if opcode.name in _TEXT]
    if len(found) != 1:
        raise ValueError("its test cases are a pickle of something else than one text")
    return found[0]


def _is_case(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(value.get(name), str) for name in ("input", "output"))
