"""A request's JSON as frozen values. What would change the target is refused by name, never silently ignored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from localpower.api.request import NEUTRAL
from localpower.errors import UserError
from localpower.methods import Method
from localpower.registry import find
from localpower.server.fields import Fields, plain
from localpower.server.models import chosen, method_of
from localpower.server.problems import in_words, invalid
from localpower.server.settings import Limits, Manner
from localpower.server.toolcalls import Said, calls_of, tools_of
from localpower.tools.environment import Tool

_MOST_STOPS = 16
_MOST_TOP = 20
_MOST_PROMPTS = 64
_LONGEST = 2**31 - 1
_SHOWN = 80  # characters of a name that nobody knows
_BOOKKEEPING = (  # of a client's own books: they mean nothing to the answer
    *("user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key"),
    *("prompt_cache_retention", "parallel_tool_calls", "verbosity"),
)
_OF_AN_ANSWER = ("refusal", "annotations", "audio", "reasoning_content")  # that clients send back
_UNABLE: dict[str, tuple[Any, ...]] = {  # what these may be; anything else asks for what is not here
    "response_format": ({"type": "text"},),
    "modalities": (["text"],),
    "functions": ([],),
    "function_call": ("none", "auto"),
    "audio": (),
    "prediction": (),
    "reasoning_effort": (),
    "web_search_options": (),
    "suffix": ("",),
    "echo": (False,),
    "best_of": (1,),
}


@dataclass(frozen=True, slots=True)
class Sampling:
    """What chat and completion requests have in common.

    model: as the client named it. max_tokens: None where it did not say. top: alternatives to be told of each token;
    None: no log-probabilities. states: accepted states are streamed as they come. warnings: on what was ignored.
    """

    model: str
    method: Method
    n: int
    seed: int | None
    stops: tuple[str, ...]
    max_tokens: int | None
    top: int | None
    stream: bool
    usage: bool
    states: bool
    think: bool | None
    thinking_budget: int | None
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """tools: what the model may call."""

    sampling: Sampling
    messages: tuple[Said, ...]
    tools: tuple[Tool, ...] = ()


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """prompts: texts that are sent as they are."""

    sampling: Sampling
    prompts: tuple[str, ...]


def chat_request(body: Any, served: str, limits: Limits, manner: Manner) -> ChatRequest:
    """Of /v1/chat/completions. Raises ApiError."""
    fields = Fields(body)
    messages = fields.take("messages")
    if not isinstance(messages, list) or not messages:
        raise invalid("messages must be a list of at least one message", "messages")
    read = tuple(_message(message, f"messages[{i}]") for i, message in enumerate(messages))
    tools = tools_of(fields.take("tools"), fields.take("tool_choice"))
    asked = fields.switch("logprobs")
    top = fields.whole("top_logprobs", 0, _MOST_TOP)
    if top and not asked:
        raise invalid("top_logprobs goes with logprobs", "top_logprobs")
    longest = fields.whole("max_completion_tokens", 1, _LONGEST)
    sampling = _sampling(fields, served, limits, manner, (top or 0) if asked else None, longest)
    return ChatRequest(sampling, read, tools)


def completion_request(body: Any, served: str, limits: Limits, manner: Manner) -> CompletionRequest:
    """Of /v1/completions. Raises ApiError."""
    fields = Fields(body)
    prompt = fields.take("prompt")
    prompts = [prompt] if isinstance(prompt, str) else prompt
    if not isinstance(prompts, list) or not prompts or not all(isinstance(each, str) for each in prompts):
        raise invalid("prompt must be a text or a list of texts; token ids are not taken", "prompt")
    top = fields.whole("logprobs", 0, _MOST_TOP)
    sampling = _sampling(fields, served, limits, manner, top, None)
    if len(prompts) * sampling.n > _MOST_PROMPTS:
        raise invalid(f"prompts times n must be at most {_MOST_PROMPTS}", "prompt")
    return CompletionRequest(sampling, tuple(prompts))


def _sampling(
    fields: Fields, served: str, limits: Limits, manner: Manner, top: int | None, longest: int | None
) -> Sampling:
    warnings: list[str] = []
    model = fields.text("model") or ""
    extension = Fields(fields.take("localpower") or {}, "localpower")
    states = extension.switch("states") or False
    think = extension.switch("think")
    thinking = extension.whole("thinking_budget", 0, _LONGEST)
    method = _method(chosen(model, served), extension)
    short = fields.whole("max_tokens", 1, _LONGEST)
    stream = fields.switch("stream") or False
    options = Fields(fields.take("stream_options") or {}, "stream_options")
    usage = options.switch("include_usage") or False
    options.switch("include_obfuscation")
    if usage and not stream:
        raise invalid("stream_options goes with stream", "stream_options")
    n = fields.whole("n", 1, limits.most_answers) or 1
    seed, stops = fields.whole("seed", -(2**63), 2**64 - 1), fields.texts("stop", _MOST_STOPS)
    if not all(stops):
        raise invalid("stop must not be empty: an answer would end before it begins", "stop")
    temperature = fields.number("temperature", 0.0, 1e6)
    if temperature is not None and not (method.name == "base" and temperature == 1.0):
        warnings.append(
            f"temperature {temperature:g} is not used: the target is that of {method}; "
            "localpower.alpha or the method low-temp changes it"
        )
    _refuse(fields, options, manner, warnings)
    return Sampling(
        model or served,
        method,
        n,
        seed,
        stops,
        short if longest is None else longest,
        top,
        stream,
        usage,
        states,
        think,
        thinking,
        tuple(warnings),
    )


def _method(named: tuple[str, dict[str, Any]] | None, extension: Fields) -> Method:
    """The method of the name or of the field; settings of the field go before those of the name."""
    text = extension.text("method")
    settings = extension.rest()
    for key, value in settings.items():
        if not plain(value):
            raise invalid(f"localpower.{key} must be a text, a number, true or false", f"localpower.{key}")
    try:
        name, own = named or ("power", {})
        if text is not None:
            name, given = method_of(text)
            own = given if named is None or named[0] != name else own | given
        return find(name).of(own | {key.replace("-", "_"): value for key, value in settings.items()})
    except UserError as error:
        raise invalid(in_words(error), "localpower") from None


def _refuse(fields: Fields, options: Fields, manner: Manner, warnings: list[str]) -> None:
    """Whatever is left must be without effect."""
    problems: list[tuple[str, str]] = []
    for key, value in fields.rest().items():
        if key in _BOOKKEEPING or value in NEUTRAL.get(key, ()) or value in _UNABLE.get(key, ()):
            continue
        if key in NEUTRAL:
            shown = f" {value:g}" if isinstance(value, int | float) else ""
            problems.append((key, f"{key}{shown} would change the target p^alpha"))
        elif key in _UNABLE:
            problems.append((key, f"{key} is not supported by this server"))
        else:
            problems.append((key, f"{key[:_SHOWN]!r} is no parameter that this server knows"))
    problems += [(options.name(key), f"{options.name(key)!r} is not known") for key in options.rest()]
    if problems and not manner.lenient:
        key, problem = problems[0]
        raise invalid(f"{problem}: leave it out", key, "unsupported_parameter")
    warnings += [f"{problem}: it is ignored" for _, problem in problems]


def _message(value: Any, path: str) -> Said:
    fields = Fields(value, path)
    role = fields.text("role")
    if role not in ("system", "developer", "user", "assistant", "tool"):
        raise invalid(f"{path}.role must be system, developer, user, assistant or tool", f"{path}.role")
    content = fields.take("content")
    if isinstance(content, list):
        content = "".join(_part(part, f"{path}.content[{i}]") for i, part in enumerate(content))
    calls = calls_of(fields.take("tool_calls"), f"{path}.tool_calls") if role == "assistant" else ()
    if content is None and role == "assistant":
        content = ""
    if not isinstance(content, str):
        raise invalid(f"{path}.content must be a text, or a list of parts of text", f"{path}.content")
    fields.text("name")
    fields.text("tool_call_id")
    for key in _OF_AN_ANSWER:
        fields.take(key)
    if left := [key for key, each in fields.rest().items() if each not in ([], {})]:
        raise invalid(f"{path}.{left[0]} is not supported by this server", f"{path}.{left[0]}")
    return Said("system" if role == "developer" else role, content, calls)


def _part(value: Any, path: str) -> str:
    fields = Fields(value, path)
    kind, text = fields.text("type"), fields.text("text")
    if kind != "text" or text is None:
        raise invalid(f"{path} is no part of the type text: this server takes text alone", path)
    return text
