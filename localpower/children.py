"""How to run one of our own modules in a process of its own.

Not `python -m`: that looks for modules in the user's current folder first, where a file may be called platform.py.
"""

from __future__ import annotations

import sys
from pathlib import Path

_HOME = Path(__file__).resolve().parent.parent


def command(module: str) -> list[str]:
    """What calls `module`'s main() under this interpreter; arguments may follow."""
    code = f"import sys; sys.path.append({str(_HOME)!r}); from {module} import main; main()"
    return [sys.executable, "-P", "-c", code]
