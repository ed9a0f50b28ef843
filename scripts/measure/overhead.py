"""What a token costs localpower by the length of its answer, llama.cpp left out: `python scripts/measure/overhead.py`.

Microseconds of processor time a token after 256 and after 8,192 tokens, the least of three turns, and a sha256 over the
tokens and numbers of a short answer that is drawn in earnest: it must not change with what is measured.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from localpower.chance import StreamDice
from localpower.completion import Completion, Rules
from localpower.engine.verdict import processor
from localpower.loading import Request, load
from localpower.samplers.base import grow
from localpower.text.stops import ends
from localpower.text.thinking import Thought
from localpower.tools.exchange import Exchange, Spelling
from localpower.tools.formats import Frame, find
from localpower.tools.notes import Notes
from tests import gguf_files

LENGTHS, DRAWS, THOUGHT, PROMPT = (256, 8192), 512, 50, (0, 1, 2)
NEVER = ("a" * 40, "b" * 40)  # marks of a thought that nobody writes


def rules_of(kind: str, loaded, n: int) -> Rules:
    ended = ends([b"zzzz"], loaded.piece, loaded.control_token)
    if kind in ("budget ahead", "budget behind"):
        most = THOUGHT if kind == "budget behind" else 2 * n
        thought = Thought(NEVER, True, loaded.piece)
        return Rules(ended=ended, given=thought.limited(most, (0, 1) * 5))
    if kind.startswith("tools"):
        spelling = Spelling(lambda turn: b"".join(map(loaded.piece, turn)).decode(), lambda _, pieces: (0,))
        return Rules(turns=Exchange(Notes(), find(kind.split()[1]), Frame(), spelling, seed=0))
    return Rules(ended=ended)


def written(n: int, kind: str) -> Completion:
    tokens = tuple(np.random.default_rng(0).integers(0, 3, n).tolist())
    given = np.zeros(n, np.bool_)
    given[THOUGHT : THOUGHT + 10] = kind == "budget behind"
    level = np.where(given, 0.0, -0.5)
    return Completion(tokens, False, level, level, level, given)


def seconds(loaded, kind: str, n: int) -> float:
    engine = loaded.engine(PROMPT, n + DRAWS, 1, lambda: None, chains=1)
    engine.eos = frozenset()
    row = np.random.default_rng(1).normal(size=engine.n_vocab).astype(np.float32)
    engine.context.decode = lambda rows, _=0: [row for each in rows if each.wanted]
    engine._memory.save_state = lambda *_, **__: b"x" * 64
    engine._memory.restore_state = lambda *_, **__: None
    rules, state, turns = rules_of(kind, loaded, n), written(n, kind), []
    for _ in range(3):
        events = grow(
            *(StreamDice(5), engine, PROMPT, state, n + DRAWS), temperature=1.0, rules=rules, stage=0
        )
        first = len(next(events).suffix)  # what was written is read with it
        began = time.process_time()
        drawn = sum(len(event.suffix) for event in events)
        assert first + drawn == DRAWS
        turns.append((time.process_time() - began) / drawn)
    engine.close()
    return min(turns)


def digest(loaded, kind: str, n: int = 400) -> str:
    engine, found = loaded.engine(PROMPT, n, 1, lambda: None, chains=1), hashlib.sha256()
    engine.eos = frozenset()
    rules = rules_of(kind, loaded, n)
    for event in grow(StreamDice(5), engine, PROMPT, Completion(), n, temperature=1.0, rules=rules, stage=0):
        part = event.suffix
        for column in (np.array(part.tokens, np.int64), part.log_p, part.log_q, part.entropy, part.given):
            found.update(column.tobytes())
    engine.close()
    return found.hexdigest()[:16]


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["LOCALPOWER_CACHE"] = folder
        measure(Path(folder))


def measure(folder: Path) -> None:
    longer = gguf_files._Writer.add_context_length
    gguf_files._Writer.add_context_length = lambda out, _: longer(out, 16384)
    files = {
        "plain attention": gguf_files.write_llama(folder / "plain.gguf"),
        "hybrid": gguf_files.write_lfm2(folder / "hybrid.gguf"),
        "recurrent": gguf_files.write_mamba(folder / "recurrent.gguf"),
    }
    print(processor())
    print(f"{'memory':<18}{'rules':<16}" + "".join(f"{f'us at {n:,}':>14}" for n in LENGTHS) + "  sha256")
    for name, path in files.items():
        loaded = load(Request(str(path)))
        for kind in ("plain", "budget ahead", "budget behind", "tools hermes", "tools plain"):
            times = "".join(f"{1e6 * seconds(loaded, kind, n):14.0f}" for n in LENGTHS)
            print(f"{name:<18}{kind:<16}{times}  {digest(loaded, kind)}", flush=True)
        loaded.close()


if __name__ == "__main__":
    main()
