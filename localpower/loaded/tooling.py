"""From tools and a model to a conversation with an environment."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from localpower.errors import ModelError, UsageProblem
from localpower.loaded import Loaded
from localpower.model import Tokens
from localpower.text.conversation import Conversation
from localpower.text.frames import knows_tools
from localpower.text.thinking import Thought
from localpower.tools.calls import Call, Observation
from localpower.tools.exchange import CHANCES, Exchange, Reseeded, Spelling
from localpower.tools.formats import Frame, Piece, ToolFormat, choose
from localpower.tools.use import ToolUse

_frames: dict[tuple[str, ...], Frame] = {}


@dataclass(frozen=True, slots=True)
class Tooled:
    """A conversation that tells of tools, the template's variables for it, and who answers calls."""

    said: Conversation
    arguments: Mapping[str, Any]
    exchange: Exchange


def tooled(
    loaded: Loaded,
    use: ToolUse,
    said: Conversation,
    arguments: Mapping[str, Any],
    *,
    chat: bool,
    raw: bool,
    think: bool | None,
) -> Tooled:
    """chat: the prompt goes through the template. raw: no words on the tools are added to a prompt without one.

    think: as in `PromptOptions`.
    Raises UserError for what the model or the environment cannot do.
    """
    if "tools" in arguments:
        raise UsageProblem("--tools and --template-arg tools exclude each other")
    template = loaded.template if chat else None
    form = choose(template, use.format)
    if form.role and not chat:
        raise UsageProblem(
            f"--tool-format {form.name} takes a model with a chat template, and no --raw",
            "plain needs no template",
        )
    tools = use.environment.tools
    if chat and form.name == choose(template).name and form.role and knows_tools(template):
        arguments = {**arguments, "tools": [tool.schema for tool in tools]}
    elif not raw and form.name != "inline":
        said = instructed(said, form.instructions(tools), chat=chat)
    frame = (
        _frame(loaded, form, arguments, tools[0].name if tools else "tool", think) if form.role else Frame()
    )
    if use.fresh and not isinstance(use.environment, Reseeded):
        why = (
            "answers the same at any time" if use.environment.deterministic else "cannot draw its chance anew"
        )
        raise UsageProblem(f"--fresh-environment is of no use: this environment {why}")
    exchange = Exchange(
        use.environment,
        form,
        frame,
        spelling(loaded),
        seed=use.seed,
        turns=use.turns,
        tokens=use.observation_tokens,
        chances=CHANCES if use.fresh else 1,
        begun=use.begun,
    )
    exchange.begin()
    return Tooled(said, arguments, exchange)


def spelling(loaded: Loaded) -> Spelling:
    """Text of turns, and tokens of what is put between them."""

    def text(turn: Tokens) -> str:
        return b"".join(map(loaded.spelled, turn)).decode("utf-8", "replace")

    def read(before: Tokens, pieces: Sequence[Piece]) -> Tokens:
        tokens: Tokens = ()
        for piece in filter(lambda each: each.text, pieces):
            for part in [piece.text] if piece.control else loaded.apart(piece.text):
                tokens += loaded.following(before[-1:] + tokens, part, controls=piece.control)
        return tokens

    return Spelling(text, read)


def open_first_turn(exchange: Exchange, thought: Thought | None, prefix: str = "") -> None:
    """Tell what of the prompt belongs to the first turn: the mark of a thought, an answer's prefix."""
    opens = thought is not None and thought.opened and thought.marks[0] not in prefix
    exchange.opening = (thought.marks[0] if thought is not None and opens else "") + prefix


def instructed(said: Conversation, words: str, *, chat: bool) -> Conversation:
    """With the tools told: in the system message, or without a template before the first message."""
    first, *rest = said.messages
    if not chat:
        told = {**first, "content": f"{words}\n\n{first['content']}"}
        return Conversation([told, *rest], said.drawn, said.started)
    if first["role"] == "system":
        told = {**first, "content": f"{first['content']}\n\n{words}"}
        return Conversation([told, *rest], said.drawn, said.started)
    return said.under(words)


def _frame(
    loaded: Loaded, form: ToolFormat, arguments: Mapping[str, Any], tool: str, think: bool | None
) -> Frame:
    """What the template writes around observations. Raises ModelError for one that rewrites earlier turns."""
    thoughts = think is not False
    key = (str(loaded.info.sha256), form.name, json.dumps(dict(arguments), sort_keys=True), str(thoughts))
    if key not in _frames:
        empty = form.opening([Observation("zqtold", ok=True, executed=True)], Frame())
        told = "".join(piece.text for piece in empty)
        call = form.written(Call(tool, {}))
        try:
            _frames[key] = Frame(*loaded.frame(told, form.role, call, arguments, thoughts=thoughts))
        except ModelError as error:
            hint = (
                error.hint if "plain" in error.hint else "--tool-format plain needs no turns of the template"
            )
            raise ModelError(error.message, hint) from None
    return _frames[key]
