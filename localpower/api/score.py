"""`localpower.score`: log p of texts that are given, many in one batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from localpower.api.model import Model
from localpower.api.question import Prompt, conversation_of, in_vocabulary
from localpower.api.request import PromptOptions, whole_number
from localpower.errors import UsageProblem
from localpower.events import Event
from localpower.loaded import Loaded
from localpower.loaded.thoughts import switched
from localpower.model import Tokens
from localpower.readers import MOST_RUNS
from localpower.runs.gather import Handle, Run, gather

_ROWS = 56  # of a batch, shared by those who ask for rows ahead: fewer than any engine takes
Pair = tuple[Prompt, str | Tokens]


@dataclass(frozen=True, slots=True)
class Score:
    """How likely a continuation is after its prompt.

    tokens: of the continuation. token_log_p: of each of them, nats; log_p: their sum. greedy: whether each is the
    likeliest where it stands, of several that are the first. prompt_tokens: how many the prompt has.
    """

    tokens: Tokens
    token_log_p: tuple[float, ...]
    log_p: float
    greedy: bool
    prompt_tokens: int


def score(
    model: Model,
    pairs: Sequence[Pair],
    *,
    at_once: int = 8,
    system: str | None = None,
    raw: bool = False,
    template_args: Mapping[str, Any] | None = None,
    think: bool | None = None,
    heard: Callable[[int], None] = lambda _: None,
) -> list[Score]:
    """How likely the second of each pair is after the first, a prompt; at most `at_once` of them in one batch.

    A prompt is what `generate` takes. A continuation is a text, none of which
    is read as a control token, or tokens: a text has no end token. What prompts have in common is read once. With an
    exact model the numbers have the bits that they have in an answer with these tokens. heard: of the number of
    each pair that is done. Raises UserError for a pair that the context does not hold, KeyboardInterrupt for Ctrl-C.
    """
    prompting = PromptOptions.of(system, raw, (), template_args, think)
    at_once = whole_number("at_once", at_once, 1, MOST_RUNS)
    found: dict[int, Score] = {}
    with model.use() as interrupts:
        read = _read(model.loaded, pairs, prompting)
        if not read:
            return []
        order = sorted(range(len(read)), key=read.__getitem__)  # those that begin alike side by side
        prompt, longest = max(read, key=lambda pair: len(pair[0]) + len(pair[1]))
        width = min(at_once, len(read))
        engine = model.space(prompt, max(len(longest), 1), width, interrupts, width, width)
        in_vocabulary(engine.n_vocab, *(text for pair in read for text in pair))
        ahead = max(_ROWS // width, 1) if model.loaded.goes_ahead() else 1

        def run(i: int) -> Run:
            prompt, continuation = read[i]

            def start(handle: Handle) -> Iterator[Event]:
                found[i] = _score(handle, prompt, continuation, ahead)
                heard(i)
                return iter(())

            return Run(prompt, start)

        for _ in gather(engine, map(run, order), lambda _i, _c: interrupts.check(), at_once=width):
            pass
    return [found[i] for i in range(len(read))]


def _score(model: Handle, prompt: Tokens, continuation: Tokens, ahead: int) -> Score:
    """ahead: how many rows are asked for in one call."""
    log_p: list[float] = []
    greedy = True
    for first in range(0, len(continuation), ahead):
        some = continuation[first : first + ahead]
        contexts = [prompt + continuation[: first + i] for i in range(len(some))]
        rows = model.weighed(contexts, 1.0)
        for row, token in zip(rows, some, strict=True):
            log_p.append(row.log_p(token))
            greedy = greedy and int(np.argmax(row.row)) == token
    return Score(continuation, tuple(log_p), float(np.sum(log_p)), greedy, len(prompt))


def _read(loaded: Loaded, pairs: Sequence[Pair], prompting: PromptOptions) -> list[tuple[Tokens, Tokens]]:
    """Both of each pair as tokens; all templates are rendered together. Raises UserError."""
    for pair in pairs:
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise UsageProblem(f"a pair is a prompt and a continuation, got {pair!r}")
    chat = loaded.has_template and not prompting.raw
    said = [conversation_of(prompt) for prompt, _ in pairs]
    for each in said:
        if each.prompt is None and not each.messages[-1]["content"].strip():
            raise UsageProblem("the prompt is empty")
    arguments, _ = switched(loaded.template if chat else None, prompting.template_args, prompting.think)
    texts = [each.under(prompting.system) if chat else each for each in said if each.prompt is None]
    spoken = iter(loaded.prompts(texts, raw=not chat, arguments=arguments) if texts else [])
    found = []
    for each, (_, continuation) in zip(said, pairs, strict=True):
        prompt = next(spoken) if each.prompt is None else each.prompt
        if not isinstance(continuation, str):
            found.append((prompt, tuple(whole_number("a token", t, 0, 2**31 - 1) for t in continuation)))
        else:
            found.append((prompt, loaded.following(prompt, continuation)))
    return found
