"""Fetching one file: it goes on where it was cut, and nobody sees it before its checksum is right.

huggingface_hub 2.4 begins anew after a Ctrl-C or a kill, so the bytes are fetched here, by its own session.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

import httpx2
from huggingface_hub import get_session, hf_hub_url
from huggingface_hub.utils import build_hf_headers, hf_raise_for_status

from localpower import jsonl
from localpower.elsewhere import spell_size
from localpower.errors import ModelError, UserError
from localpower.hub.address import endpoint, host
from localpower.hub.client import CONNECT_S, READ_S, told
from localpower.hub.repo import HubModel, Part, Progress

_MAGIC = b"GGUF"
_TRIES = 5  # in a row that bring nothing
_BLOCK = 1 << 20


def fetch(model: HubModel, part: Part, blob: Path, progress: Progress) -> int:
    """Make `blob` the part's content; returns the bytes that came over the network.

    Raises UserError; what had come by then is kept, unless it was wrong.
    """
    partial = blob.with_name(f"{blob.name}.localpower.incomplete")
    with _alone(partial, blob, progress) as file:
        if file is None:
            return 0
        came = _filled(model, part, file, progress)
        progress.said(f"Checking {part.file}")
        if _digest(file, part) != part.digest:
            partial.unlink(missing_ok=True)
            raise ModelError(
                f"{part.file} is not what {host()} says it is: its checksum differs",
                "it was removed; fetch it again",
            )
        os.fsync(file.fileno())
        partial.replace(blob)
        return came


@contextlib.contextmanager
def _alone(partial: Path, blob: Path, progress: Progress) -> Iterator[FileIO | None]:
    """The unfinished file, for us alone; None: somebody else finished it while we waited."""
    while True:
        with FileIO(os.open(partial, os.O_RDWR | os.O_CREAT, 0o666), "r+") as file:
            _lock(file, progress)
            if blob.exists():
                _drop_empty(partial)
                yield None
                return
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(partial.stat(), os.fstat(file.fileno())):
                    yield file
                    return


def _lock(file: FileIO, progress: Progress) -> None:
    try:
        jsonl.lock(file)
    except BlockingIOError:
        progress.said("Another program fetches this file; waiting for it")
        jsonl.lock(file, wait=True)


def _drop_empty(partial: Path) -> None:
    with contextlib.suppress(OSError):
        if not partial.stat().st_size:
            partial.unlink()


def _filled(model: HubModel, part: Part, file: FileIO, progress: Progress) -> int:
    """Fetch what is missing; returns how many bytes came. Raises UserError."""
    done = min(file.seek(0, os.SEEK_END), part.size)
    progress.began(part.file, done, part.size)
    came, vain = 0, 0
    while done < part.size:
        try:
            with told(model.repo):
                for there, new in _streamed(model, part, file, done):
                    done, came = there, came + new
                    vain = 0
                    progress.came(done)
            vain += done < part.size
            problem = "the connection was cut"
        except _Cut as cut:
            done, problem = cut.done, str(cut)
            vain += 1
        if vain > _TRIES:
            raise UserError(
                f"{part.file} could not be fetched from {host()}: {problem}",
                f"{spell_size(done)} of {spell_size(part.size)} are kept, the same command goes on from there",
            )
        if vain:
            progress.pause(min(0.25 * 2**vain, 8.0))
    file.truncate(part.size)
    return came


class _Cut(Exception):
    """A connection ended too early."""

    def __init__(self, done: int, reason: str) -> None:
        super().__init__(reason)
        self.done = done


def _streamed(model: HubModel, part: Part, file: FileIO, done: int) -> Iterator[tuple[int, int]]:
    """One request: (bytes there, bytes new) after each piece. Raises _Cut, ModelError, and errors of the hub."""
    url = hf_hub_url(model.repo, part.file, revision=model.commit, endpoint=endpoint())
    headers = {**build_hf_headers(library_name="localpower"), "Accept-Encoding": "identity"}
    if done:
        headers["Range"] = f"bytes={done}-"
    timeout = httpx2.Timeout(READ_S, connect=CONNECT_S)
    try:
        with get_session().stream("GET", url, headers=headers, timeout=timeout) as answer:
            if answer.status_code >= 500:
                raise _Cut(done, f"error {answer.status_code}")
            hf_raise_for_status(answer)
            if done and not answer.headers.get("Content-Range", "").startswith(f"bytes {done}-"):
                done = 0  # the whole file comes
            file.seek(done)
            for piece in answer.iter_bytes():
                if not done and not piece.startswith(_MAGIC[: len(piece)]):
                    kind = answer.headers.get("Content-Type", "").split(";")[0]
                    raise ModelError(
                        f"what {host()} sent as {part.file} is no GGUF file"
                        + (f" but {kind}" if kind else ""),
                        "is a proxy in between?" if kind == "text/html" else "nothing was kept of it",
                    )
                if done + len(piece) > part.size:
                    raise ModelError(
                        f"{host()} sent more of {part.file} than the {spell_size(part.size)} it has",
                        "is a proxy in between?",
                    )
                _write(file, piece, part)
                done += len(piece)
                yield done, len(piece)
    except httpx2.TransportError as error:
        raise _Cut(done, str(error).strip() or "the connection was cut") from None


def _write(file: FileIO, piece: bytes, part: Part) -> None:
    rest = memoryview(piece)
    try:
        while rest:
            rest = rest[file.write(rest) :]
    except OSError as error:
        raise UserError(
            f"cannot write {part.file}: {error.strerror}",
            "make room, then the same command goes on; HF_HOME names another folder",
        ) from None


def _digest(file: FileIO, part: Part) -> str:
    """In the way of the hub's own checksum: sha256, or that of git."""
    if len(part.digest) == 64:
        hashed = hashlib.sha256()
    else:
        hashed = hashlib.sha1(f"blob {part.size}\0".encode(), usedforsecurity=False)
    file.seek(0)
    while block := file.read(_BLOCK):
        hashed.update(block)
    return hashed.hexdigest()
