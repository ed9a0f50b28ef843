"""A model's file on this machine's own disk: copied from shared storage once, and known by its sha256."""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import ExitStack
from pathlib import Path

from localpower import jsonl
from localpower.catalogue import NAMES, locate
from localpower.errors import ModelError
from localpower.folders import kept_in
from localpower.loading import Request

_CHUNK = 1 << 24


def own_copy(request: Request) -> Path | None:
    """The copy of a model's file; None of the toy. Raises ModelError."""
    from localpower.engine.files import check_file, sha256

    _, path = locate(request.model)
    if path is None:
        return None
    check_file(path, NAMES)
    return copied(path, sha256(path))


def copied(path: Path, sha256: str) -> Path:
    """The copy, made if it is not there. Of several processes of a machine one copies and the others wait for it.

    Raises ModelError for a file that cannot be copied, or that is another one than `sha256` says.
    """
    from localpower.engine.files import sha256 as of
    from localpower.engine.parts import parts_of

    cache, note = kept_in("cache")
    if cache is None:
        raise ModelError(
            f"--copy-model has no place for the model: {note}", "LOCALPOWER_CACHE names a folder"
        )
    folder = cache / "models" / sha256[:32]
    goal = folder / path.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as held:
            jsonl.lock(held.enter_context((folder / ".lock").open("a")), wait=True)
            if not goal.exists() or of(goal) != sha256:
                parts = parts_of(path)
                last = [_copy(part, folder / part.name) for part in reversed(parts)]  # and so the first one
                whole = (
                    last[0] if len(last) == 1 else hashlib.sha256("".join(last[::-1]).encode()).hexdigest()
                )
                if whole != sha256:
                    for part in parts:
                        (folder / part.name).unlink(missing_ok=True)
                    raise ModelError(f"{path} is another model here than where the eval was started")
    except OSError as error:
        raise ModelError(
            f"cannot copy {path} to {folder}: {error.strerror}", "LOCALPOWER_CACHE names another folder"
        ) from None
    return goal


def _copy(source: Path, goal: Path) -> str:
    """Copy in one stroke; the sha256 of what was read. Raises OSError."""
    draft, digest = goal.with_name(f"{goal.name}.{os.getpid()}"), hashlib.sha256()
    try:
        with source.open("rb") as file, draft.open("wb") as out:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                out.write(chunk)
        shutil.copymode(source, draft)
        draft.replace(goal)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return digest.hexdigest()
