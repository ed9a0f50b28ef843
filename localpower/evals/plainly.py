"""Records as JSON values."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any


def plainly(value: Any) -> Any:
    """Of dataclasses and named tuples objects, of other tuples lists, all the way down."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plainly(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: plainly(part) for name, part in value._asdict().items()}
    if isinstance(value, tuple | list):
        return [plainly(part) for part in value]
    if isinstance(value, dict):
        return {name: plainly(part) for name, part in value.items()}
    return value
