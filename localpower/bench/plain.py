"""llama-cpp-python's own completion, in a process of its own, as its users run it: what every speed is held against."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from localpower.children import command
from localpower.errors import EngineError
from localpower.model import Tokens


@dataclass(frozen=True, slots=True)
class PlainTimes:
    """seconds: of the whole answer, of which prompt_seconds until its first token; n_tokens: pieces that came."""

    seconds: float
    prompt_seconds: float
    n_tokens: int


class PlainLlama:
    """The process; it loads the model once and sleeps between two answers."""

    def __init__(self, path: Path, threads: int, n_ctx: int) -> None:
        words = [*command("localpower.bench.plain"), str(path), str(threads), str(n_ctx)]
        pipe = subprocess.PIPE
        self._child = subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._child.kill()
        self._child.communicate()

    def answer(self, prompt: Tokens, max_tokens: int, seed: int) -> PlainTimes:
        """Draw an answer at temperature 1, nothing cut off. Raises EngineError when the process dies."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        try:
            self._child.stdin.write(json.dumps([list(prompt), max_tokens, seed]) + "\n")
            self._child.stdin.flush()
            return PlainTimes(*json.loads(self._child.stdout.readline()))
        except (OSError, ValueError, TypeError):
            raise EngineError("llama-cpp-python's own completion does not run with this model") from None


def main() -> None:
    """Command line of the child process: a line of JSON in, one out."""
    from llama_cpp import Llama

    path, threads, n_ctx = sys.argv[1:]
    model = Llama(path, n_ctx=int(n_ctx), n_threads=int(threads), n_threads_batch=int(threads), verbose=False)
    for line in sys.stdin:
        prompt, max_tokens, seed = json.loads(line)
        print(json.dumps(_times(model, prompt, max_tokens, seed)), flush=True)


def _times(model: Any, prompt: list[int], max_tokens: int, seed: int) -> tuple[float, float, int]:
    model.reset()
    law = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0, "repeat_penalty": 1.0}
    start = time.perf_counter()
    stream = model.create_completion(prompt, max_tokens=max_tokens, seed=seed, stream=True, **law)
    times = [time.perf_counter() for _ in stream][:-1]  # the last piece only says why it ended
    end = time.perf_counter()
    return (times or [end])[-1] - start, (times or [end])[0] - start, len(times)


if __name__ == "__main__":
    main()
