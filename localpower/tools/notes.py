"""Notes by name: a store that calls read and change."""

from __future__ import annotations

from collections.abc import Mapping

from localpower.tools.environment import Json, Tool

_MOST_NOTES, _LONGEST = 1000, 10_000
_NAME = {"type": "string", "description": "of the note"}
_OF_NAME: Mapping[str, Json] = {"type": "object", "properties": {"name": _NAME}, "required": ["name"]}


class Notes:
    """Tools: `list()`, `read(name)`, `write(name, text)`, `remove(name)`. It begins empty, whatever the seed.

    notes: what it begins with. wanted: what `check` compares the notes named in it with; None: no opinion.
    """

    deterministic = True
    tools = (
        Tool("list", "The names of all notes."),
        Tool("read", "The text of a note.", _OF_NAME),
        Tool(
            "write",
            "Writes a note, over what it said before.",
            {
                "type": "object",
                "properties": {"name": _NAME, "text": {"type": "string"}},
                "required": ["name", "text"],
            },
        ),
        Tool("remove", "Removes a note.", _OF_NAME),
    )

    def __init__(
        self, notes: Mapping[str, str] | None = None, wanted: Mapping[str, str] | None = None
    ) -> None:
        self._first, self._wanted = dict(notes or {}), wanted
        self._notes = dict(self._first)

    def reset(self, seed: int) -> None:
        """The notes that it began with."""
        self._notes = dict(self._first)

    def call(self, name: str, arguments: Mapping[str, Json]) -> str:
        """Raises ValueError for a note that is not there, and beyond 1,000 notes or 10,000 characters."""
        key, text = str(arguments.get("name", "")), str(arguments.get("text", ""))
        if name == "list":
            return ", ".join(sorted(self._notes)) or "there are no notes"
        if name == "write":
            if len(text) > _LONGEST or (key not in self._notes and len(self._notes) >= _MOST_NOTES):
                raise ValueError(f"there may be {_MOST_NOTES:,} notes of {_LONGEST:,} characters")
            self._notes[key] = text
            return "written"
        if key not in self._notes:
            raise ValueError(f"there is no note {key[:40]!r}")
        return self._notes[key] if name == "read" else f"removed: {self._notes.pop(key)}"

    def fork(self) -> Notes:
        """A copy."""
        other = Notes(self._first, self._wanted)
        other._notes = dict(self._notes)
        return other

    def state(self) -> Json:
        """The notes."""
        return dict(sorted(self._notes.items()))

    def check(self) -> bool | None:
        """Whether every wanted note says what it should, blanks at its ends aside."""
        if self._wanted is None:
            return None
        return all(self._notes.get(name, "").strip() == text for name, text in self._wanted.items())
