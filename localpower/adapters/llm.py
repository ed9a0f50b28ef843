"""Plugin of `llm` (https://llm.datasette.io): `llm -m localpower "..." -o method power -o steps 20`.

`llm` imports this file whenever it starts: whatever else it needs is imported when a model is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click
import llm
from pydantic import Field, ValidationInfo, field_validator, model_validator

if TYPE_CHECKING:
    from localpower.api.model import Model
    from localpower.runs.answer import Answer


class Settings(llm.Options):
    """What -o sets. The names, values and defaults are those of `localpower run`."""

    method: str | None = Field(None, description="Method, NAME[:SETTING=VALUE...] [default: power]")
    alpha: float | None = Field(None, description="The power, at least 1 [default: the model's own]")
    temperature: float | None = Field(None, description="Temperature of the proposal [default: 1/alpha]")
    steps: int | None = Field(None, description="Steps of a chain at each horizon [default: 5]")
    budget: str | None = Field(None, description="Most that a run may take: 30s, 5000t or 4x")
    max_tokens: int = Field(256, description="Most tokens of the answer [default: 256]")
    seed: int | None = Field(None, description="The seed [default: drawn; the log has it]")
    stop: str | None = Field(None, description="A text that ends the answer")
    raw: bool = Field(False, description="The prompt is sent without the chat template")
    think: bool | None = Field(None, description="Thoughts on or off, where the template has a switch")
    thinking_budget: int | None = Field(None, description="Most tokens of a thought")
    ctx: int | None = Field(None, description="Most tokens of a prompt and its answer")
    threads: int | None = Field(None, description="Threads [default: the cores that are free]")
    gpu_layers: int = Field(0, description="Layers that a GPU has [default: 0]")
    fast: bool = Field(False, description="llama.cpp's own numerics, which are not exact")

    @model_validator(mode="before")
    @classmethod
    def _refused(cls, values: dict[str, Any]) -> dict[str, Any]:
        from localpower.adapters.settings import refuse

        _told(lambda: refuse(values))
        return values

    @field_validator("method", "alpha", "temperature", "steps", "budget", mode="before")
    @classmethod
    def _of_the_method(cls, value: Any, info: ValidationInfo) -> Any:
        """Each by itself, so that llm names the one that is wrong."""
        from localpower.adapters.settings import method_of

        if info.field_name == "method":
            _told(lambda: method_of(value, {}))
        elif value is not None and "method" in info.data:  # a method that is wrong has been told of
            _told(lambda: method_of(info.data["method"], {str(info.field_name): value}))
        return value

    @field_validator("max_tokens", "thinking_budget", "seed", "ctx", "threads", "gpu_layers")
    @classmethod
    def _whole(cls, value: int | None, info: ValidationInfo) -> int | None:
        from localpower.api.request import whole_number
        from localpower.readers import MOST_THREADS

        name = str(info.field_name)
        high = {"seed": 2**64 - 1, "threads": MOST_THREADS}.get(name, 2**31 - 1)
        if value is not None:
            _told(lambda: whole_number(name, value, 0 if name in _FROM_0 else 1, high))
        return value

    @field_validator("stop")
    @classmethod
    def _not_empty(cls, value: str | None) -> str | None:
        if value == "":
            raise ValueError("it must not be empty: an answer would end before it begins")
        return value


_FROM_0 = ("seed", "thinking_budget", "gpu_layers")


class Problem(click.ClickException, llm.ModelError):
    """One line. As an error of click it is one line in `llm chat` too, which does not look for errors of models."""


class LocalModel(llm.Model):
    """A model of localpower in llm. name: as of -m; None: the user's own default."""

    can_stream = True
    Options = Settings

    def __init__(self, model_id: str, name: str | None) -> None:
        self.model_id, self.name = model_id, name

    def __str__(self) -> str:
        return f"localpower: {self.model_id}"

    def execute(
        self,
        prompt: llm.Prompt,
        stream: bool,
        response: llm.Response,
        conversation: llm.Conversation | None,
    ) -> Iterator[str]:
        """The answer, piece by piece where the method lets it. Raises Problem."""
        from localpower.adapters.settings import method_of
        from localpower.api.text_stream import stream_text
        from localpower.errors import UserError

        options: Settings = prompt.options
        beside = {name: getattr(options, name) for name in ("alpha", "temperature", "steps", "budget")}
        try:
            model = self._model(options)
            messages = _messages(prompt, model)
            pieces = stream_text(
                model,
                messages,
                method_of(options.method, beside),
                seed=options.seed,
                max_tokens=options.max_tokens,
                raw=options.raw,
                stops=(options.stop,) if options.stop else (),
                think=options.think,
                thinking_budget=options.thinking_budget,
            )
            with pieces:
                yield from pieces
        except UserError as error:
            raise Problem(error.line()) from None
        if pieces.answer is not None:
            _record(response, pieces.answer, model)

    def _model(self, options: Settings) -> Model:
        """The model, loaded; the one before is closed."""
        from localpower.adapters.settings import loaded
        from localpower.api.models import usual

        name = usual()[0] if self.name is None else self.name
        wanted = (name, options.threads, options.ctx, options.gpu_layers, options.fast)
        if wanted not in _loaded:
            for old in list(_loaded):
                _loaded.pop(old).close()
            _loaded[wanted] = loaded(*wanted)
        return _loaded[wanted]


_loaded: dict[tuple[Any, ...], Model] = {}  # at most one: a chat asks the same one again


@llm.hookimpl
def register_models(register: Callable[..., None]) -> None:
    """`localpower`, the user's default, and `localpower/NAME` for each model that is on this machine."""
    from localpower.api.models import here

    register(LocalModel("localpower", None))
    for name in here():
        register(LocalModel(f"localpower/{name}", name))


def _messages(prompt: llm.Prompt, model: Model) -> list[dict[str, str]]:
    """The whole conversation. Raises UserError for what cannot be said to the model."""
    from localpower.errors import UserError

    found = []
    for message in prompt.messages:
        parts = [part for part in message.parts if not isinstance(part, llm.parts.ReasoningPart)]
        if message.role not in ("system", "user", "assistant") or not all(
            isinstance(part, llm.parts.TextPart) for part in parts
        ):
            raise UserError("only texts of a user and of the model can be sent: no tools, no attachments")
        if message.role == "system" and (prompt.options.raw or not model.loaded.has_template):
            why = "raw sends no template" if prompt.options.raw else "this model has no chat template"
            raise UserError(f"a system message cannot be used: {why}", "leave it out")
        found.append({"role": message.role, "content": "".join(part.text for part in parts)})
    return found


def _record(response: llm.Response, answer: Answer, model: Model) -> None:
    """What `llm logs` shows: usage, and the facts of the answer beside its text."""
    facts = {key: value for key, value in answer.to_dict().items() if key not in ("text", "tokens")}
    facts["notes"] = [*model.notes, *answer.notes]
    response.response_json = facts
    details = {"drawn": answer.decoded_tokens}
    if answer.thinking_tokens is not None:
        details["thinking"] = answer.thinking_tokens
    response.set_usage(input=answer.prompt_tokens, output=answer.n_tokens, details=details)


def _told(check: Callable[[], object]) -> None:
    """A UserError as pydantic wants it."""
    from localpower.errors import UserError

    try:
        check()
    except UserError as error:
        raise ValueError(error.line()) from None
