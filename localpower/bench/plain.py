"""llama-cpp-python's own completion, in a process of its own, as its users run it: what every speed is held against."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localpower.errors import EngineError
from localpower.model import Tokens
from localpower.subprocesses import ChildError, Worker


@dataclass(frozen=True, slots=True)
class PlainTimes:
    """seconds: of the whole answer, of which prompt_seconds until its first token; n_tokens: pieces that came."""

    seconds: float
    prompt_seconds: float
    n_tokens: int


class PlainLlama(Worker):
    """The process; it loads the model once and sleeps between two answers."""

    def __init__(self, path: Path, threads: int, n_ctx: int, stop: Callable[[], bool]) -> None:
        super().__init__("localpower.bench.plain")
        self._model, self._stop = [str(path), threads, n_ctx], stop

    def draw(self, prompt: Tokens, max_tokens: int, seed: int) -> PlainTimes:
        """Draw an answer at temperature 1, nothing cut off. Raises EngineError when that fails, and Interrupted."""
        try:
            return PlainTimes(*self.ask([self._model, prompt, max_tokens, seed], stop=self._stop))
        except ChildError as error:
            raise EngineError(
                f"llama-cpp-python's own completion does not run with this model: {error}"
            ) from None


@functools.cache
def _open(path: str, threads: int, n_ctx: int) -> Any:
    from llama_cpp import Llama

    return Llama(path, n_ctx=n_ctx, n_threads=threads, n_threads_batch=threads, verbose=False)


def answer(request: list[Any]) -> tuple[float, float, int]:
    """The fields of PlainTimes, measured in the process."""
    opened, prompt, max_tokens, seed = request
    model = _open(*opened)
    model.reset()
    law = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0, "repeat_penalty": 1.0}
    start = time.perf_counter()
    stream = model.create_completion(prompt, max_tokens=max_tokens, seed=seed, stream=True, **law)
    times = [time.perf_counter() for _ in stream][:-1]  # the last piece only says why it ended
    end = time.perf_counter()
    return (times or [end])[-1] - start, (times or [end])[0] - start, len(times)
