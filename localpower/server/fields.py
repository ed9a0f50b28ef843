"""Fields of a request's JSON, each read once by its type; what nobody has read at the end is refused by name."""

from __future__ import annotations

import math
from typing import Any, TypeVar

from localpower.server.problems import invalid

T = TypeVar("T")


class Fields:
    """An object of JSON. path: where it stands in the request, for messages."""

    def __init__(self, value: Any, path: str = "") -> None:
        if not isinstance(value, dict):
            raise invalid(f"{path or 'the request'} must be an object of JSON", path or None)
        self._left, self._path = dict(value), path

    def name(self, key: str) -> str:
        """With its path."""
        return f"{self._path}.{key}" if self._path else key

    def take(self, key: str) -> Any:
        """As it is; None where it is null or missing."""
        return self._left.pop(key, None)

    def text(self, key: str) -> str | None:
        """A text."""
        return self._of(key, str, "a text")

    def whole(self, key: str, low: int, high: int) -> int | None:
        """A whole number; a float without a fraction is one."""
        value = self.take(key)
        if value is None:
            return None
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise invalid(f"{self.name(key)} must be a whole number from {low} to {high}", self.name(key))
        return value

    def number(self, key: str, low: float, high: float) -> float | None:
        """A finite number."""
        value = self.take(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise invalid(f"{self.name(key)} must be a number from {low:g} to {high:g}", self.name(key))
        return float(value)

    def switch(self, key: str) -> bool | None:
        """true or false."""
        return self._of(key, bool, "true or false")

    def _of(self, key: str, kind: type[T], words: str) -> T | None:
        value = self.take(key)
        if value is not None and not isinstance(value, kind):
            raise invalid(f"{self.name(key)} must be {words}", self.name(key))
        return value

    def texts(self, key: str, most: int) -> tuple[str, ...]:
        """A text, or a list of up to `most` texts."""
        value = self.take(key)
        if value is None:
            return ()
        found = [value] if isinstance(value, str) else value
        right = isinstance(found, list) and len(found) <= most
        if not right or not all(isinstance(each, str) for each in found):
            raise invalid(f"{self.name(key)} must be a text or a list of up to {most} texts", self.name(key))
        return tuple(found)

    def rest(self) -> dict[str, Any]:
        """What nobody has read."""
        return {key: value for key, value in self._left.items() if value is not None}


def plain(value: Any) -> bool:
    """Whether a value can be that of a setting: a text, a switch or a finite number."""
    return isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value))
