"""What Tab offers in a chat: commands, settings, methods, sessions, models and files."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import click

from localpower.api.models import here
from localpower.api.presets import presets
from localpower.api.sessions import names as sessions
from localpower.cli.slash import HELP
from localpower.cli.slash_settings import names as settings
from localpower.cli.talk import Talk
from localpower.registry import names as methods
from localpower.registry import split


class Completions:
    """Whole lines that a line may become."""

    def __init__(self, talk: Talk, ctx: click.Context) -> None:
        self._talk, self._ctx = talk, ctx

    def __call__(self, line: str) -> Iterable[str]:
        """Nothing for a message."""
        if not line.startswith("/"):
            return []
        command, space, rest = line.partition(" ")
        if not space:
            return [each for each in sorted(HELP) if each.startswith(line)]
        return [f"{command} {each}" for each in self._after(command, rest) if each.startswith(rest)]

    def _after(self, command: str, rest: str) -> Iterable[str]:
        if command == "/set":
            name, space, _ = rest.partition(" ")
            if space and name == "method":
                return [f"method {each}" for each in methods()]
            if space and name == "preset":
                return [f"preset {each}" for each in presets()]
            own = [option.name for option in split(self._talk.options["method"])[0].options()]
            return [*settings(self._ctx), *own]
        if command == "/preset":
            return presets()
        if command == "/method":
            return methods()
        if command == "/load":
            return sessions()
        if command == "/model":
            return [*here(), *_files(rest, (".gguf",))]
        if command == "/read":
            return _files(rest, ("",))
        if command == "/export":
            return _files(rest, (".md", ".json"))
        return []


def _files(typed: str, endings: tuple[str, ...]) -> list[str]:
    """Folders, and files of a kind, that a path may become."""
    head, tail = os.path.split(typed)
    try:
        found = sorted(Path(head or ".").expanduser().iterdir())
    except (OSError, RuntimeError):
        return []
    names = [f"{each.name}/" if each.is_dir() else each.name for each in found]
    return [
        os.path.join(head, name) for name in names if name.startswith(tail) and name.endswith(("/", *endings))
    ]
