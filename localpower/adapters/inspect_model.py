"""Provider of Inspect: its messages and settings in, an answer of localpower with its facts out."""

from __future__ import annotations

import logging
from typing import Any

import anyio.to_thread
from inspect_ai._util.error import PrerequisiteError
from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessage,
    ChatMessageAssistant,
    Content,
    ContentReasoning,
    ContentText,
    GenerateConfig,
    Logprob,
    Logprobs,
    ModelAPI,
    ModelOutput,
    ModelUsage,
)
from inspect_ai.tool import ToolChoice, ToolInfo

from localpower.adapters.settings import loaded, method_of, refuse, refuse_others
from localpower.adapters.shared import Kind, Question, SharedModel
from localpower.api.score import score
from localpower.errors import UsageProblem, UserError
from localpower.runs.answer import Answer
from localpower.text.thinking import marks_of, split

logger = logging.getLogger(__name__)
_NOT_OFFERED = ("best_of", "top_logprobs", "prompt_logprobs", "response_schema", "modalities", "extra_body")
_ENDS = {"stop": "stop", "length": "max_tokens", "budget": "max_tokens"}
_FACTS = (
    *("seed", "method", "alpha", "steps", "log_p", "guarantee", "acceptance_rate", "decoded_tokens"),
    *("cost_multiple", "finish", "exactness", "notes"),
)


class LocalpowerAPI(ModelAPI):
    """A model of localpower in Inspect. -M: the settings of a method, and what `lp.load` takes.

    model_name: as of -m; "default": the user's own. max_tokens: where Inspect says none. at_once: samples in a batch.
    Raises PrerequisiteError, which Inspect shows as one line.
    """

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig = GenerateConfig(),  # noqa: B008 - as Inspect has it
        method: str | None = None,
        alpha: float | None = None,
        temperature: float | None = None,
        steps: int | None = None,
        budget: str | None = None,
        max_tokens: int = 256,
        raw: bool = False,
        think: bool | None = None,
        at_once: int = 8,
        threads: int | None = None,
        ctx: int | None = None,
        gpu_layers: int = 0,
        fast: bool = False,
        **others: Any,
    ) -> None:
        super().__init__(model_name, base_url, api_key, [], config)
        try:
            refuse_others(others)
            beside = {"alpha": alpha, "temperature": temperature, "steps": steps, "budget": budget}
            self._kind = Kind(method_of(method, beside), max_tokens, raw=raw, think=think)
            name = None if model_name == "default" else model_name
            model = loaded(name, threads, ctx, gpu_layers, fast)
        except UserError as error:
            raise PrerequisiteError(f"localpower: {error.line()}") from None
        self._shared, self._at_once, self._told = SharedModel(model, at_once), at_once, False
        self._marks = marks_of(model.loaded.template, model.loaded.control_token)
        for note in model.notes:
            logger.warning(note)

    def max_tokens(self) -> int:
        """Most tokens of an answer where the task says nothing."""
        return self._kind.max_tokens

    def max_connections(self) -> int:
        """As many samples as share a batch."""
        return self._at_once

    def should_retry(self, ex: Exception) -> bool:
        """What went wrong goes wrong again."""
        return False

    def close(self) -> None:
        """Free the model."""
        self._shared.close()

    async def generate(
        self,
        input: list[ChatMessage],
        tools: list[ToolInfo],
        tool_choice: ToolChoice,
        config: GenerateConfig,
    ) -> ModelOutput:
        """Answers to a conversation, as many as `num_choices`. Raises UserError for what is not offered, by name."""
        if tools:
            raise UsageProblem(f"tools are not offered by localpower: the task has {tools[0].name}")
        kind = self._asked(config)
        messages = [self._said(message) for message in input]
        seeds = [None if config.seed is None else config.seed + i for i in range(config.num_choices or 1)]
        questions = [self._shared.question(messages, kind, seed) for seed in seeds]
        try:
            answers = [
                await anyio.to_thread.run_sync(self._shared.wait, each, abandon_on_cancel=True)
                for each in questions
            ]
            probable = [await self._log_p(question) if config.logprobs else None for question in questions]
        finally:
            for each in questions:
                each.gone = True
        drawn, facts = sum(answer.n_tokens for answer in answers), [answer.to_dict() for answer in answers]
        thoughts = [answer.thinking_tokens for answer in answers if answer.thinking_tokens is not None]
        return ModelOutput(
            model=self.model_name,
            choices=[self._choice(*pair) for pair in zip(answers, probable, strict=True)],
            usage=ModelUsage(
                input_tokens=answers[0].prompt_tokens,
                output_tokens=drawn,
                total_tokens=answers[0].prompt_tokens + drawn,
                reasoning_tokens=sum(thoughts) if thoughts else None,
            ),
            time=sum(answer.seconds for answer in answers),
            metadata={"localpower": [{name: whole[name] for name in _FACTS} for whole in facts]},
        )

    def _asked(self, config: GenerateConfig) -> Kind:
        """What the task and the command line ask for. Raises UsageProblem."""
        given = config.model_dump(exclude_none=True)
        refuse(given)
        for name in _NOT_OFFERED:
            if given.get(name):
                raise UsageProblem(f"{name} is not offered by localpower", "leave it out")
        method = self._kind.method
        if config.temperature is not None:
            if method.name == "low-temp" and getattr(method, "temperature", None) is None:
                method = method.having(temperature=config.temperature)
            elif not self._told:
                logger.warning(
                    "temperature=%s is not used: answers are drawn by %s", config.temperature, method
                )
                self._told = True
        return self._kind._replace(
            method=method,
            max_tokens=config.max_tokens or self._kind.max_tokens,
            stops=tuple(config.stop_seqs or ()),
        )

    def _said(self, message: ChatMessage) -> dict[str, str]:
        """A message as the library has it. Raises UserError for what cannot be said to the model."""
        content = message.content
        known = (ContentText, ContentReasoning)
        if message.role == "tool" or not (
            isinstance(content, str) or all(isinstance(part, known) for part in content)
        ):
            raise UsageProblem(
                f"only texts can be sent to the model: a message of the {message.role} is none"
            )
        if message.role == "system" and (self._kind.raw or not self._shared.model.loaded.has_template):
            raise UsageProblem("this model has no chat template for a system message", "leave it out")
        return {"role": message.role, "content": message.text}

    def _choice(self, answer: Answer, probable: Logprobs | None) -> ChatCompletionChoice:
        content: str | list[Content] = answer.text
        if self._marks is not None and answer.thinking_tokens is not None:
            thought, said = split(answer.text, self._marks, opened=True)
            content = [ContentReasoning(reasoning=thought), ContentText(text=said)] if thought else said
        return ChatCompletionChoice(
            message=ChatMessageAssistant(content=content, model=self.model_name, source="generate"),
            stop_reason=_ENDS.get(answer.finish, "unknown"),
            logprobs=probable,
        )

    async def _log_p(self, question: Question) -> Logprobs:
        """log p of each token under the model itself, read once more: the bits are those of the answer."""
        answer = question.answer
        assert answer is not None
        pair = (question.prompt, answer.tokens)
        (found,) = await anyio.to_thread.run_sync(
            self._shared.alone,
            lambda model: score(model, [pair], raw=question.kind.raw, think=question.kind.think),
            abandon_on_cancel=True,
        )
        pieces = [self._shared.model.loaded.piece(token) for token in answer.tokens]
        return Logprobs(
            content=[
                Logprob(token=piece.decode("utf-8", "replace"), logprob=log_p, bytes=list(piece))
                for piece, log_p in zip(pieces, found.token_log_p, strict=True)
            ]
        )
