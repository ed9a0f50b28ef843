"""A prompt's memory on disk, under a header of our own: llama.cpp's blobs name neither model nor settings.

One file: a line that says what it is, a line of JSON (owner, number of tokens, sizes, checksum), then the token ids
(int32, little endian) and llama.cpp's pieces.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from localpower.engine.base import GgufEngine
from localpower.engine.snapshot import Snapshot
from localpower.errors import EngineError
from localpower.folders import put
from localpower.inputs import other_than_file
from localpower.model import Tokens

_MAGIC = b"localpower prompt cache 1\n"
_LONGEST_HEADER = 1 << 20


class Unusable(Exception):
    """Why a file is not used. foreign: it is none of ours and must not be written over."""

    def __init__(self, reason: str, *, foreign: bool = False) -> None:
        super().__init__(reason)
        self.foreign = foreign


def read(path: Path, owner: Mapping[str, Any]) -> Snapshot:
    """What `write` wrote for the same owner. Raises Unusable, and OSError (FileNotFoundError: there is none yet)."""
    if kind := other_than_file(path):  # reading a pipe would wait for ever
        raise Unusable(f"it is {kind}", foreign=True)
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise Unusable("it is not a prompt cache of localpower", foreign=True)
        try:
            header = json.loads(file.readline(_LONGEST_HEADER))
            n_tokens, sizes = int(header["n_tokens"]), [int(size) for size in header["sizes"]]
            kept, digest = header["owner"], header["sha256"]
            if not isinstance(kept, dict) or min(n_tokens, *sizes) < 1:
                raise ValueError
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            raise Unusable("its header is damaged") from None
        for name, value in owner.items():
            if kept.get(name) != value:
                raise Unusable(f"it was made with another {name}")
        body = file.read()
    if len(body) != 4 * n_tokens + sum(sizes) or hashlib.sha256(body).hexdigest() != digest:
        raise Unusable("it is damaged")
    pieces, at = [], 4 * n_tokens
    for size in sizes:
        pieces.append(body[at : at + size])
        at += size
    tokens = tuple(np.frombuffer(body, dtype="<i4", count=n_tokens).tolist())
    return Snapshot(tokens, tuple(pieces))


def write(path: Path, owner: Mapping[str, Any], snapshot: Snapshot) -> None:
    """Put a snapshot there, whole or not at all. Raises OSError."""
    body = np.array(snapshot.tokens, dtype="<i4").tobytes() + b"".join(snapshot.pieces)
    header = {
        "owner": dict(owner),
        "n_tokens": len(snapshot.tokens),
        "sizes": [len(piece) for piece in snapshot.pieces],
        "sha256": hashlib.sha256(body).hexdigest(),
    }
    put(path, _MAGIC + json.dumps(header).encode() + b"\n" + body)


def warm(engine: GgufEngine, prompt: Tokens, path: Path, owner: Mapping[str, Any]) -> list[str]:
    """Begin from the file where it fits, evaluate the rest of the prompt, keep it there. Returns what to say about it.

    A file that is none of ours is left alone; one that is stale or damaged is made anew.
    """
    said: list[str] = []
    beginning = prompt[:-1]  # the last token is evaluated for its logits
    if not beginning:
        return [f"{path} is not used: the prompt is a single token"]
    try:
        engine.adopt(read(path, owner))
    except FileNotFoundError:
        pass
    except (Unusable, EngineError) as problem:
        foreign = isinstance(problem, Unusable) and problem.foreign
        said.append(f"{path} is not used: {problem}; it is {'left as it is' if foreign else 'made anew'}")
        if foreign:
            return said
    except OSError as error:
        return [f"{path} is not used: {error.strerror}"]
    known = engine.resident(beginning)
    if known:
        said.append(f"{path}: {known} of {len(prompt)} prompt tokens need no evaluation")
    if known < len(beginning):
        snapshot = engine.snapshot(beginning)
        try:
            write(path, owner, snapshot)
        except OSError as error:
            said.append(f"{path} could not be written: {error.strerror}")
    return said
