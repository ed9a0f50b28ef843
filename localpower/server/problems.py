"""Problems in the form in which OpenAI's clients expect them."""

from __future__ import annotations

import re
from typing import Any

from localpower.errors import ContextFull, EngineError, UserError

_KINDS = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}

_LONGEST = 2000  # characters of a message


class ApiError(Exception):
    """A request that is not answered. status: of HTTP. param: the field that is wrong. code: for programs."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.param, self.code = status, message, param, code
        self.headers = headers or {}

    def body(self) -> dict[str, Any]:
        """As JSON."""
        told, param = readable(self.message), self.param and readable(self.param)
        kind = _KINDS.get(self.status, "invalid_request_error" if self.status < 500 else "server_error")
        return {"error": {"message": told, "type": kind, "param": param, "code": self.code}}


def readable(text: str) -> str:
    """A client's own words may be in it: short, and valid Unicode."""
    return text[:_LONGEST].encode("utf-8", "backslashreplace").decode()


def invalid(message: str, param: str | None = None, code: str | None = None) -> ApiError:
    """A request that can never be right."""
    return ApiError(400, message, param=param, code=code)


def of(error: Exception) -> ApiError:
    """An error of the library; what is no UserError is a bug of ours, and nothing of it is told."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, EngineError):
        return ApiError(500, in_words(error), code="engine_error")
    if isinstance(error, ContextFull):
        return ApiError(400, in_words(error), code="context_length_exceeded")
    if isinstance(error, UserError):
        return ApiError(400, in_words(error))
    return ApiError(500, f"a bug of localpower: {type(error).__name__}", code="internal_error")


def in_words(error: UserError) -> str:
    """On one line, without the dashes of command line options: a request has fields."""
    return re.sub(r"--([a-z])", r"\1", error.line())
