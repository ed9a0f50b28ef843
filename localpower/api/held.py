"""A loaded model and its engine, for one call at a time."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from localpower.api.question import Question, in_vocabulary
from localpower.errors import EngineError, Interrupted, UserError
from localpower.loaded import Loaded
from localpower.model import Tokens
from localpower.runs.gather import Engine
from localpower.runs.interrupt import Interrupts


class Held:
    """Owns a model until it is closed, and the engine that calls leave to the next one."""

    def __init__(self, loaded: Loaded, interrupts: Interrupts | None = None) -> None:
        """interrupts: a caller's own; a run that they stop ends with its answer so far, and nothing is raised."""
        self._interrupts = interrupts
        self._loaded: Loaded | None = loaded
        self._engine: Engine | None = None
        self._busy = threading.Lock()

    @property
    def loaded(self) -> Loaded:
        """The model as the engine has it. Raises UserError when it is closed."""
        if self._loaded is None:
            raise UserError("the model is closed", "load it again")
        return self._loaded

    def close(self) -> None:
        """Free the memory. A closed model answers nothing any more.

        Raises UserError while another thread is being answered.
        """
        if not self._busy.acquire(blocking=False):
            raise UserError("the model is answering", "close it when the answer is there")
        try:
            self._drop()
            if self._loaded is not None:
                self._loaded.close()
                self._loaded = None
        finally:
            self._busy.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _drop(self) -> None:
        engine, self._engine = self._engine, None
        end = getattr(engine, "close", None)  # a table has none
        if end is not None:
            end()

    def unpin(self, owner: object) -> None:
        """An owner's tokens need not stay in the cache."""
        if self._engine is not None:
            self._engine.unpin(owner)

    def room(self, question: Question, interrupts: Interrupts, prompts: int = 1) -> Engine:
        """The engine, with room for a question; prompts: for so many no longer than this one, side by side.

        Raises UsageProblem for a token that the model does not have.
        """
        chains = question.options.chains * prompts
        rows = chains * question.sampler.width
        engine = self.space(question.prompt, question.longest, rows, interrupts, chains, prompts)
        in_vocabulary(engine.n_vocab, question.prompt)
        return engine

    def space(
        self, prompt: Tokens, horizon: int, rows: int, interrupts: Interrupts, chains: int, prompts: int
    ) -> Engine:
        """The engine, with room for what is asked of it as of `Loaded.engine`."""
        check = interrupts.check
        self._engine = self.loaded.engine(prompt, horizon, rows, check, self._engine, chains, prompts)
        return self._engine

    @contextmanager
    def use(self) -> Iterator[Interrupts]:
        """One call at a time. After a failure or an interrupt the next call makes a new engine."""
        if not self._busy.acquire(blocking=False):
            raise UserError(
                "this model is answering already",
                "wait for it, close its stream, or load the model once more",
            )
        try:
            with self._interrupts or Interrupts((signal.SIGINT,)) as interrupts:
                yield interrupts
            if interrupts.requested and not self._interrupts:
                raise KeyboardInterrupt
        except BaseException as error:
            if isinstance(error, EngineError) or not isinstance(error, UserError):
                self._drop()
            if isinstance(error, Interrupted) and not self._interrupts:
                raise KeyboardInterrupt from None
            raise
        finally:
            self._busy.release()
