"""A GGUF through llama.cpp as a model that is ready to answer."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localpower.doing import doing
from localpower.errors import ContextFull, EngineError
from localpower.loaded import ModelInfo, Preset
from localpower.loaded.reader import GgufReader
from localpower.model import Tokens
from localpower.prices import Prices
from localpower.runs.gather import Engine
from localpower.text.conversation import Conversation
from localpower.width import LATE_RATE, relative_cost, rows_for_proposals

if TYPE_CHECKING:  # llama_cpp takes a quarter of a second to import: only a GGUF pays for it
    from localpower.engine.base import GgufEngine
    from localpower.engine.cells import CellsPlan
    from localpower.engine.cores import Governor
    from localpower.engine.probe import Verdict

_WIDEST = 8


@dataclass
class LoadedGguf(GgufReader):
    """A GGUF through llama.cpp."""

    info: ModelInfo
    verdict: Verdict
    exactness: str | float
    notes: list[str]
    n_ctx: int
    governor: Governor | None = None
    preset: Preset | None = None
    keep_curve: Callable[[Mapping[int, float]], None] = lambda _curve: None

    @cached_property
    def prices(self) -> Prices:
        """What batches cost, of all engines of this model."""
        return Prices(self.verdict.curve)

    @cached_property
    def machine(self) -> str:
        """The processor, and what was chosen of the engine's settings, without the threads: they move no bit."""
        from localpower.engine.verdict import processor

        return f"{processor()}, {self.verdict.settings.way()}"

    @property
    def has_template(self) -> bool:
        """Whether the model brings a chat template."""
        return self.template is not None

    def prompt(self, conversation: Conversation, *, raw: bool, arguments: Mapping[str, Any]) -> Tokens:
        """By the template unless raw or there is none; then system messages are left out."""
        if raw or not self.has_template:
            return self.vocabulary.raw_prompt(conversation)
        return self.vocabulary.chat_prompt(conversation, arguments)

    def prompts(
        self, conversations: Sequence[Conversation], *, raw: bool, arguments: Mapping[str, Any]
    ) -> list[Tokens]:
        """As in `prompt`, the template's process started once for many."""
        if raw or not self.has_template:
            return [self.vocabulary.raw_prompt(each) for each in conversations]
        return self.vocabulary.chat_prompts(conversations, arguments)

    def spelled(self, token: int) -> bytes:
        """By the vocabulary."""
        return b"" if token in self.weights.eos else self.vocabulary.spelled(token)

    def frame(
        self, told: str, role: str, call: str, arguments: Mapping[str, Any], *, thoughts: bool
    ) -> tuple[str, str]:
        """By the template."""
        return self.vocabulary.frame(told, role, call, self.weights.eos, arguments, thoughts=thoughts)

    def longer_context(self, need: int) -> tuple[int, int] | None:
        """A context for so many tokens and the bytes of one sequence of it; None: the model is trained for fewer."""
        size = -(-need // 1024) * 1024
        if size > self.weights.n_ctx_train:
            return None
        return size, size * self.weights.cell_bytes(self.verdict.settings.kv_bits)

    def engine(
        self,
        prompt: Tokens,
        horizon: int,
        rows: int,
        check: Callable[[], None],
        keep: Engine | None = None,
        chains: int | None = None,
        prompts: int = 1,
    ) -> Engine:
        """What is being written, the state of every chain, and four answers for what is dead but not yet reused."""
        if len(prompt) + horizon > self.n_ctx:
            raise ContextFull(
                f"the prompt has {len(prompt)} tokens and the answer may have {horizon}: "
                f"more than the context of {self.n_ctx}",
                "shorten the prompt, lower --max-tokens or raise --ctx",
                len(prompt) + horizon,
            )
        doing(f"answering a prompt of {len(prompt):,} tokens with up to {horizon:,}")
        plan = self.cells(len(prompt), horizon, rows, chains or rows, prompts)
        room, n_sequences = plan.shape.room(plan.spare)
        before = as_gguf(keep) if keep is not None else None
        if before is not None and before.n_cells >= room and before.n_sequences == n_sequences:
            before.prompt_length = len(prompt)
            return before
        if before is not None:
            room = before.n_cells if room <= before.n_cells else max(room, 2 * before.n_cells)
        if before is None and not plan.fits and not self.verdict.settings.gpu_layers:
            raise EngineError(plan.words(), plan.hint())
        engine = self._make(room, n_sequences, rows, check)
        engine.prompt_length = len(prompt)
        engine.prices = self.prices
        if before is not None:
            try:
                engine.take_over(before, prompt)
            except BaseException:
                engine.close()
                raise
            before.close()
        return engine

    def cells(self, prompt_length: int, horizon: int, rows: int, chains: int, prompts: int = 1) -> CellsPlan:
        """By the layout that the check of the engine chose, and the memory that is free now."""
        from localpower.engine.cells import Layout, Shape, plan
        from localpower.engine.context import free_memory
        from localpower.engine.memory import Memory

        streams, states = self.verdict.settings.streams, self.weights.is_recurrent()
        layout: Layout = "streams" if streams else "states" if states else "shared"
        extra = Memory.EXTRA if layout == "states" else 0
        shape = Shape(prompt_length, horizon, rows, chains, prompts, layout, extra)
        size = self.weights.cell_bytes(self.verdict.settings.kv_bits)
        return plan(shape, size, free_memory(), tight=self.info.kv == 8)  # who asks for them wants memory

    def _make(self, n_cells: int, n_sequences: int, rows: int, check: Callable[[], None]) -> GgufEngine:
        from localpower.engine.kinds import engine_class

        settings = self.verdict.settings
        return engine_class(self.weights, settings)(
            self.weights,
            settings,
            n_cells=n_cells,
            n_sequences=n_sequences,
            steady_rows=0 if self._same_bits() else min(rows, settings.batch),
            check=check,
            governor=self.governor,
        )

    def warm(self, engine: Engine, prompt: Tokens, path: Path) -> list[str]:
        """A file belongs to this model, build, settings and processor: to all that decides the bits."""
        from localpower.engine.prompt_cache import warm
        from localpower.engine.verdict import build, processor

        streams = self.verdict.settings.streams or self.weights.is_recurrent()  # saved with their number
        owner = {
            "model": self.info.sha256,
            "llama.cpp": build(),
            "set of engine settings": self.verdict.settings.to_json(),
            "processor": processor(),
            "number of chains": as_gguf(engine).n_sequences if streams else None,
        }
        return warm(as_gguf(engine), prompt, path, owner)

    def widest(self) -> int:
        """As in `Loaded`, by the measured curve and the rate at which later steps move a chain."""
        if not self._same_bits() or self.weights.is_recurrent():
            return 0
        cost = partial(relative_cost, self.verdict.curve)
        return rows_for_proposals([LATE_RATE] * _WIDEST, _WIDEST, math.inf, cost)

    def goes_ahead(self) -> bool:
        """In streams each token of an answer is a batch's only one of its sequence."""
        return self._same_bits() and not self.weights.is_recurrent() and not self.verdict.settings.streams

    def speed(self, rows: int) -> float | None:
        """By the measured curve."""
        curve = self.verdict.curve
        if not curve:
            return None
        return rows / (relative_cost(curve, rows) * curve[min(curve)])

    def _same_bits(self) -> bool:
        """Whether no batch shape moves a bit; of --fast the check sees only some shapes."""
        return self.verdict.exact and self.exactness == "exact"

    def work(self, engine: Engine) -> tuple[int, int, int]:
        """By the engine's counters."""
        counters = as_gguf(engine).counters
        return counters.prefill_tokens, counters.padded_rows, counters.wasted_rows

    def close(self) -> None:
        """The weights. What a run with all its threads found to contradict the stored cost of rows replaces it."""
        alone = self.governor is None or not self.governor.lowered
        if alone and (curve := self.prices.corrected()) is not None:
            self.keep_curve(curve)
        super().close()


def as_gguf(engine: Engine) -> GgufEngine:
    """What `LoadedGguf.engine` made, by its own type."""
    return engine  # type: ignore[return-value]
