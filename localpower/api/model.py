"""A model that is loaded: `localpower.load`, and what can be asked of it."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from localpower.api.answer_run import AnswerRun, run
from localpower.api.held import Held
from localpower.api.question import Prompt, ask, conversation_of, in_vocabulary
from localpower.api.request import (
    Pick,
    PromptOptions,
    SamplingOptions,
    chosen_seed,
    chosen_seeds,
    whole_number,
)
from localpower.api.stream import Stream
from localpower.errors import UsageProblem
from localpower.events import Event
from localpower.loaded import Loaded, ModelInfo
from localpower.loading import Request
from localpower.loading import load as load_file
from localpower.methods import Method
from localpower.readers import AUTO_LAYERS, MOST_THREADS
from localpower.runs.answer import Answer
from localpower.runs.heard import Forwarded
from localpower.runs.interrupt import Interrupts

if TYPE_CHECKING:
    from localpower.api.chat import Chat

_MOST = 2**31 - 1


def load(
    model: str | Path | None = None,
    *,
    threads: int | None = None,
    ctx: int | None = None,
    gpu_layers: int | Literal["auto"] = 0,
    exact: bool = True,
    kv: Literal[8, 16] | None = None,
) -> Model:
    """A model by its name, its file, or "toy"; None: LOCALPOWER_MODEL, else the default.

    threads: None: the cores that are free. ctx: most tokens of a prompt and its answer; None: the model's own.
    gpu_layers: on the GPU; "auto": all where the build has one. exact: log-probabilities keep their bits whatever else
    is in the batch; False: llama.cpp's own numerics. kv: bits of a number of keys and values; 8 take about half of the
    memory of 16, and give each log p other bits; None: as the check of the engine chooses. The first time that a file
    is seen its engine is checked, which takes some seconds. Raises ModelError for a file that cannot be used.
    """
    name = None if model is None else str(model)
    threads = None if threads is None else whole_number("threads", threads, 1, MOST_THREADS)
    ctx = None if ctx is None else whole_number("ctx", ctx, 1, _MOST)
    auto = gpu_layers == "auto"
    layers = AUTO_LAYERS if auto else whole_number("gpu_layers", gpu_layers, 0, _MOST)
    if kv not in (None, 8, 16):
        raise UsageProblem(f"kv must be 8 or 16, got {kv!r}")
    return Model(load_file(Request(name, threads, ctx, layers or None, not exact, kv=kv)))


class Model(Held):
    """A loaded model. It is closed by `close` or at the end of a `with` block.

    One call at a time: a call from another thread while one is under way raises UserError. A model says nothing unless
    it is asked to, and Ctrl-C (KeyboardInterrupt) leaves it usable.
    """

    def __init__(self, loaded: Loaded, interrupts: Interrupts | None = None) -> None:
        """As of `Held`."""
        super().__init__(loaded, interrupts)
        self._stream: Callable[[], Stream | None] = lambda: None

    @property
    def info(self) -> ModelInfo:
        """name, path, sha256 and quantization."""
        return self.loaded.info

    @property
    def exactness(self) -> str | float:
        """ "exact", or the largest difference in log p that was seen between batch shapes, nats."""
        return self.loaded.exactness

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user must know of it."""
        return tuple(self.loaded.notes)

    def generate(
        self,
        prompt: Prompt,
        method: Method | str | None = None,
        *,
        seed: int | None = None,
        max_tokens: int = 256,
        chains: int = 1,
        pick: Pick = "random",
        system: str | None = None,
        raw: bool = False,
        stops: Sequence[str] = (),
        template_args: Mapping[str, Any] | None = None,
        think: bool | None = None,
        thinking_budget: int | None = None,
        tools: Any = None,
        prompt_cache: str | Path | None = None,
        on_event: Callable[[int, Event], None] | None = None,
    ) -> Answer:
        """One answer: with the same seed and settings that of `localpower run`, token for token.

        prompt: a text, messages with "role" and "content", or tokens. method: a value such as Power(alpha=4), or its
        text; None: Power(). seed: None: drawn; the answer tells it. think: thoughts on or off, where a template can;
        thinking_budget: most tokens of a thought, then the model is led to its answer. tools: what it may call:
        names, functions, environments, or a `ToolUse` (docs/tools.md). on_event: hears (chain, event) of every event.
        Raises UserError for what the model cannot be asked, KeyboardInterrupt for Ctrl-C.
        """
        options = SamplingOptions.of(method, max_tokens, chains, pick)
        prompting = PromptOptions.of(system, raw, stops, template_args, think, thinking_budget, tools)
        with self.use() as interrupts:
            job = self.job(prompt, options, prompting, seed, interrupts)
            job.prompt_cache = None if prompt_cache is None else Path(prompt_cache)
            return run(job, [] if on_event is None else [Forwarded(on_event)])

    def stream(
        self,
        prompt: Prompt,
        method: Method | str | None = None,
        *,
        seed: int | None = None,
        max_tokens: int = 256,
        system: str | None = None,
        raw: bool = False,
        stops: Sequence[str] = (),
        template_args: Mapping[str, Any] | None = None,
        think: bool | None = None,
        thinking_budget: int | None = None,
        tools: Any = None,
    ) -> Stream:
        """The events of one chain as they happen, as `--events` records them; `answer` of the stream at its end."""
        options = SamplingOptions.of(method, max_tokens)
        prompting = PromptOptions.of(system, raw, stops, template_args, think, thinking_budget, tools)
        stream = Stream(self.use, lambda interrupts: self.job(prompt, options, prompting, seed, interrupts))
        self._stream = weakref.ref(stream)
        return stream

    def generate_many(
        self,
        prompts: Sequence[Prompt],
        method: Method | str | None = None,
        *,
        seed: int | Sequence[int] | None = None,
        max_tokens: int = 256,
        at_once: int = 8,
        system: str | None = None,
        raw: bool = False,
        stops: Sequence[str] = (),
        template_args: Mapping[str, Any] | None = None,
        think: bool | None = None,
        thinking_budget: int | None = None,
        tools: Any = None,
        on_answer: Callable[[int, Answer], None] = lambda _i, _answer: None,
    ) -> list[Answer]:
        """An answer to each prompt, at most `at_once` of them in one batch.

        Prompt i has seed + i, or the one of several seeds that stands there. With an exact model it gets the answer
        that `generate` gives it with that seed. A budget in seconds is refused, for the answers would depend on each
        other. on_answer: hears (number of the prompt, answer) as each is there.
        """
        from localpower.api.many import answers, fitting

        options = SamplingOptions.of(method, max_tokens)
        prompting = PromptOptions.of(system, raw, stops, template_args, think, thinking_budget, tools)
        if isinstance(prompts, str):
            raise UsageProblem("prompts is one text", "give a list of prompts, or call generate")
        seeds = chosen_seeds(seed, len(prompts))
        with self.use() as interrupts:
            loaded = self.loaded
            questions = [ask(loaded, conversation_of(prompt), options, prompting) for prompt in prompts]
            if not questions:
                return []
            at_once = fitting(questions, at_once)
            engine = self.room(max(questions, key=lambda each: len(each.prompt)), interrupts, at_once)
            in_vocabulary(engine.n_vocab, *(question.prompt for question in questions))
            return answers(loaded, engine, questions, seeds, at_once, interrupts, on_answer)

    def chat(
        self,
        method: Method | str | None = None,
        *,
        system: str | None = None,
        seed: int | None = None,
        max_tokens: int = 256,
        stops: Sequence[str] = (),
        template_args: Mapping[str, Any] | None = None,
        think: bool | None = None,
        thinking_budget: int | None = None,
        tools: Any = None,
    ) -> Chat:
        """A conversation. The first answer uses `seed`, each further one the next number."""
        from localpower.api.chat import Chat

        options = SamplingOptions.of(method, max_tokens)
        prompting = PromptOptions.of(system, False, stops, template_args, think, thinking_budget, tools)
        return Chat(self, options, prompting, seed)

    def close(self) -> None:
        """Free the memory. A closed model answers nothing any more. A stream of this thread is closed with it.

        Raises UserError while another thread is being answered.
        """
        if (stream := self._stream()) is not None:
            stream.close()
        super().close()

    def __repr__(self) -> str:
        return f"<Model {self._loaded.info.name}>" if self._loaded else "<Model, closed>"

    def job(
        self,
        prompt: Prompt,
        options: SamplingOptions,
        prompting: PromptOptions,
        seed: int | None,
        interrupts: Interrupts,
    ) -> AnswerRun:
        """The run of an answer, for a call that `use` let in. Raises UserError for what the model cannot be asked."""
        question = ask(self.loaded, conversation_of(prompt), options, prompting)
        return AnswerRun(
            self.loaded, self.room(question, interrupts), question, chosen_seed(seed), interrupts
        )
