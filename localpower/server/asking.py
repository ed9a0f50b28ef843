"""From a request to the questions that the model is asked, one for each answer. Runs in threads: a template renders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from localpower.api.question import Question, ask
from localpower.api.request import PromptOptions, SamplingOptions
from localpower.errors import ContextFull
from localpower.loaded import Loaded
from localpower.runs.pace import Pace
from localpower.server.parse import ChatRequest, CompletionRequest, Sampling
from localpower.server.settings import MOST_CONTEXT, Limits
from localpower.server.toolcalls import Prompted, prompted
from localpower.text.conversation import Conversation


def context_of(loaded: Loaded, limits: Limits) -> int:
    """Most tokens of a prompt and its answer."""
    own = loaded.n_ctx or MOST_CONTEXT
    return min(own, MOST_CONTEXT if limits.context is None else limits.context)


def questions(
    loaded: Loaded, request: ChatRequest | CompletionRequest, limits: Limits
) -> tuple[Question, ...]:
    """n for each prompt, in their order. Raises UserError, ContextFull where a prompt and its answer are too long."""
    sampling = request.sampling
    if isinstance(request, ChatRequest):
        said = [prompted(loaded, request.messages, request.tools)]
    else:
        said = [Prompted(Conversation.of(prompt), {}) for prompt in request.prompts]
    raw = isinstance(request, CompletionRequest)
    return tuple(each for one in said for each in _several(loaded, one, sampling, limits, raw=raw))


def _several(
    loaded: Loaded, prompted: Prompted, sampling: Sampling, limits: Limits, *, raw: bool
) -> Sequence[Question]:
    most = context_of(loaded, limits)
    said, stops = prompted.said, (*sampling.stops, *prompted.stops)
    wording = PromptOptions(None, raw, stops, prompted.arguments, sampling.think, sampling.thinking_budget)
    asked = sampling.max_tokens or min(limits.max_tokens, most - 1)
    first = ask(loaded, said, SamplingOptions(sampling.method, asked), wording)
    left = most - len(first.prompt)
    if left < 1 or (sampling.max_tokens or 0) > left:
        answer = f" and the answer may have {sampling.max_tokens}" if sampling.max_tokens else ""
        raise ContextFull(
            f"the prompt has {len(first.prompt)} tokens{answer}: more than the {most} that this server has room for",
            "shorten the prompt or lower max_tokens",
            len(first.prompt) + (sampling.max_tokens or 1),
        )
    if asked > left:
        first = ask(loaded, said, SamplingOptions(sampling.method, left), wording)
    if first.seconds is None:
        return [replace(first, pace=Pace()) for _ in range(sampling.n)]
    options = first.options  # a budget in seconds: the schedule itself follows the pace of its run
    return [first, *(ask(loaded, said, options, wording) for _ in range(sampling.n - 1))]
