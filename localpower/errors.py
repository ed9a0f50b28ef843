"""Errors a person can act on, and the exit codes they end in.

Everything that can go wrong with a user's input is raised as `UserError` where it is noticed and shown
as one line at the edge (`localpower.cli.main`). Any other exception is a bug in localpower.
"""

from __future__ import annotations

EXIT_OK = 0
EXIT_PROBLEM = 1  # a file, model or prompt that cannot be used
EXIT_USAGE = 2  # an option that does not exist, or a value that can never be right
EXIT_INTERRUPTED = 130


class UserError(Exception):
    """A problem that the user can fix: what happened, and what to do about it (`hint`)."""

    exit_code = EXIT_PROBLEM

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def line(self) -> str:
        """The whole problem on one line, whatever line breaks a library's message holds."""
        text = f"{self.message} ({self.hint})" if self.hint else self.message
        return " ".join(text.split())


class UsageProblem(UserError):
    """A value that can never be right: NaN, negative, zero length, contradicting options."""

    exit_code = EXIT_USAGE


class ModelError(UserError):
    """A model file that cannot be used: missing, damaged, foreign, or of an unsupported kind."""


class ContextFull(UserError):
    """The model's context cannot hold a prompt and its answer. need: tokens that the two have together."""

    def __init__(self, message: str, hint: str = "", need: int = 0) -> None:
        super().__init__(message, hint)
        self.need = need


class EngineError(UserError):
    """llama.cpp refused a call, or produced something that is no distribution (NaN logits)."""


class OutputClosed(UserError):
    """Nobody reads stdout any more: there is nothing left to do."""


class Interrupted(Exception):
    """The user asked to stop (Ctrl-C, SIGTERM). What has been accepted so far is kept."""
