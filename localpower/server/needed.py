"""What the extra brings: said in one line where it is missing."""

from __future__ import annotations

from importlib.util import find_spec

from localpower.errors import UserError


def require() -> None:
    """Raise UserError unless the packages of the extra are installed."""
    missing = [name for name in ("starlette", "uvicorn") if find_spec(name) is None]
    if missing:
        raise UserError(
            f"the server needs {' and '.join(missing)}, which is not installed",
            "pip install 'localpower[server]'",
        )
