"""The hub's own cache: a model is put there as its own programs do, so that they find it, and taken out by them.

A repository's folder holds blobs by checksum, links to them by commit and file name, and the commit of each branch.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from localpower.elsewhere import hub_cache, spell_size
from localpower.errors import ModelError, UserError
from localpower.hub.fetch import fetch
from localpower.hub.repo import HubModel, Part, Progress

_SPARE = 1 << 26  # bytes that a disk should have left


def put(model: HubModel, progress: Progress) -> tuple[Path, int]:
    """Fetch what is missing of a model; its first file, and the bytes that came. Raises UserError."""
    folder = hub_cache() / f"models--{model.repo.replace('/', '--')}"
    missing = [part for part in model.parts if not (folder / "blobs" / part.digest).exists()]
    missing = [part for part in missing if not _there(folder, model, part)]
    try:
        (folder / "blobs").mkdir(parents=True, exist_ok=True)
        (folder / "refs").mkdir(exist_ok=True)
    except OSError as error:
        raise UserError(
            f"cannot write {error.filename or folder}: {error.strerror}", "HF_HOME names another folder"
        ) from None
    _check_room(folder, missing)
    came = 0
    for part in model.parts:
        blob = folder / "blobs" / part.digest
        if part in missing:
            came += _fetched(model, part, blob, progress)
        _link(blob, folder / "snapshots" / model.commit / part.file)
    main = folder / "refs" / "main"
    draft = main.with_name(f"main.{os.getpid()}")
    with contextlib.suppress(OSError):  # for programs that ask for the branch without a network
        draft.write_text(model.commit, "ascii")
        draft.replace(main)
    return folder / "snapshots" / model.commit / model.file, came


def _fetched(model: HubModel, part: Part, blob: Path, progress: Progress) -> int:
    try:
        return fetch(model, part, blob, progress)
    except OSError as error:
        raise UserError(f"cannot write {error.filename or blob}: {error.strerror}") from None


def _there(folder: Path, model: HubModel, part: Part) -> bool:
    """Where links are not made, the file itself lies by its name."""
    pointer = folder / "snapshots" / model.commit / part.file
    return pointer.is_file() and not pointer.is_symlink()


def _check_room(folder: Path, missing: list[Part]) -> None:
    """Raises UserError for a disk that cannot hold what is missing."""
    if not missing:
        return
    begun = [folder / "blobs" / f"{part.digest}.localpower.incomplete" for part in missing]
    need = sum(part.size for part in missing) - sum(each.stat().st_size for each in begun if each.exists())
    free = shutil.disk_usage(folder).free
    if need + _SPARE > free:
        raise UserError(
            f"{spell_size(need)} are still to be fetched, and the disk of {folder} has {spell_size(free)} free",
            "make room there; HF_HOME names another folder",
        )


def _link(blob: Path, pointer: Path) -> None:
    """As the hub's own programs do: a relative link, or the file itself where links are not made."""
    if not blob.exists():
        return  # it lies by its name
    pointer.parent.mkdir(parents=True, exist_ok=True)
    if pointer.is_file():
        return
    draft = pointer.with_name(f"{pointer.name}.{os.getpid()}")
    try:
        if os.environ.get("HF_HUB_DISABLE_SYMLINKS", "").lower() in ("1", "on", "yes", "true"):
            raise OSError
        os.symlink(os.path.relpath(blob, pointer.parent), draft)
        draft.replace(pointer)
    except OSError:
        blob.replace(pointer)


def take_out(path: Path) -> int:
    """Remove a model of the cache, all its parts, and what no other name holds; returns the bytes that are free now.

    Raises UserError for a file that is not of the cache.
    """
    import huggingface_hub
    from huggingface_hub.errors import CacheNotFound

    from localpower.engine.parts import parts_of

    try:
        wanted = {os.path.abspath(part) for part in parts_of(path)}
    except ModelError:  # a part is missing
        wanted = {os.path.abspath(path)}
    try:
        known = huggingface_hub.scan_cache_dir(hub_cache())
    except (CacheNotFound, ValueError):
        raise UserError(f"{hub_cache()} is no cache of the model hub") from None
    there = [
        (repo.repo_id, file.file_path.relative_to(revision.snapshot_path), revision, file)
        for repo in known.repos
        for revision in repo.revisions
        for file in revision.files
    ]
    named = {(repo, name) for repo, name, _, file in there if os.path.abspath(file.file_path) in wanted}
    found = [(revision, file) for repo, name, revision, file in there if (repo, name) in named]
    if not found:
        raise UserError(f"{path} is not in the model hub's cache")
    gone = {file for _, file in found}
    empty = [revision.commit_hash for revision, _ in found if set(revision.files) <= gone]
    plan = [known.delete_files(*gone), *([known.delete_revisions(*empty)] if empty else [])]
    try:
        for each in plan:
            each.execute()
    except OSError as error:
        raise UserError(f"cannot remove {error.filename or path}: {error.strerror}") from None
    left = [each for each in wanted if os.path.lexists(each)]
    if left:
        raise UserError(f"cannot remove {left[0]}", "may you write to its folder?")
    return int(plan[0].expected_freed_size)
