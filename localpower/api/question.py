"""From options and messages to a question: prompt tokens, and a sampler that knows when an answer ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from localpower.api.budget import allowed, within
from localpower.api.request import PromptOptions, SamplingOptions, check_width, suited, whole_number
from localpower.completion import PLAIN, Rules
from localpower.errors import ContextFull, UsageProblem, UserError
from localpower.loaded import Loaded, usual_alpha
from localpower.loaded.thoughts import limit, switched, thought_of
from localpower.loaded.tooling import open_first_turn, tooled
from localpower.methods import Expert
from localpower.model import Tokens
from localpower.registry import find, names
from localpower.runs.pace import Pace
from localpower.samplers import Sampler
from localpower.text.conversation import Conversation
from localpower.text.stops import ends
from localpower.text.thinking import Thought
from localpower.tools.exchange import Exchange
from localpower.tools.use import ToolUse

Prompt = str | Sequence[Mapping[str, str]] | Tokens  # the last as they are, without the chat template


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a model. alpha: of the target that the method is about. seconds: of the budget."""

    prompt: Tokens
    sampler: Sampler
    alpha: float
    options: SamplingOptions
    stops: Sequence[bytes]
    rules: Rules
    seconds: float | None = None
    notes: tuple[str, ...] = ()
    thought: Thought | None = None
    thinking_budget: int | None = None
    pace: Pace = field(default_factory=Pace)
    exchange: Exchange | None = None
    tools: ToolUse | None = None

    @property
    def longest(self) -> int:
        """Most tokens of an answer: those that are drawn, and observations."""
        return self.options.max_tokens + (self.exchange.room if self.exchange else 0)


def ask(
    loaded: Loaded, said: Conversation | str, options: SamplingOptions, prompting: PromptOptions
) -> Question:
    """The question that a text, or the last message, asks: through the chat template unless raw or there is none.

    Raises UserError for what the model cannot be asked.
    """
    conversation = Conversation.of(said) if isinstance(said, str) else said
    ready = conversation.prompt
    chat = loaded.has_template and not prompting.raw and ready is None
    if ready is None and not (conversation.messages and conversation.messages[-1]["content"].strip()):
        raise UserError("the prompt is empty")
    if ready is not None and prompting.system:
        raise UsageProblem("a system message goes with texts: a prompt of tokens is sent as it is")
    try:
        stops = [stop.encode("utf-8", "surrogateescape") for stop in prompting.stops]
    except UnicodeEncodeError:
        raise UsageProblem("a stop must be valid Unicode") from None
    usual = usual_alpha(chat=chat, preset=loaded.preset)
    whole = conversation.under(prompting.system) if chat else conversation
    arguments, told = switched(loaded.template if chat else None, prompting.template_args, prompting.think)
    exchange = None
    if prompting.tools is not None:
        check_traces(options)
        found = tooled(
            loaded, prompting.tools, whole, arguments, chat=chat, raw=prompting.raw, think=prompting.think
        )
        whole, arguments, exchange = found.said, found.arguments, found.exchange
    tokens = loaded.prompt(whole, raw=not chat, arguments=arguments) if ready is None else ready
    if exchange is not None:
        _fits(loaded, len(tokens), options.max_tokens, exchange)
    thought = thought_of(loaded, tokens)
    if exchange is not None:
        open_first_turn(exchange, thought)
    given, also = limit(loaded, thought, prompting.thinking_budget)
    rules = Rules(ends(stops, loaded.piece, loaded.control_token), given, exchange)
    sampler = options.method.sampler(options.target(usual, rules))
    fresh = whole.messages[-1:] if whole.drawn else whole.messages
    lost = sum(loaded.unspelled(message["content"]) for message in fresh)
    pace = Pace()
    budget = allowed(options.method.budget, options.chains, loaded.speed, len(tokens), pace)
    sampler, notes = within(sampler, options, budget)
    notes = [*told, *also, *notes]
    if lost:
        notes.append(
            f"characters of the prompt that no token of this model spells, and that are left out: {lost}"
        )
    check_width(sampler, options.chains)
    sampler = suited(sampler, options.chains, loaded.widest(), ahead=loaded.goes_ahead())
    alpha = options.method.power(usual)
    return Question(
        *(tokens, sampler, alpha, options, stops, rules, budget.seconds, tuple(notes)),
        *(thought, prompting.thinking_budget, pace, exchange, prompting.tools),
    )


def check_traces(options: SamplingOptions) -> None:
    """Raise UsageProblem for a method that cannot use tools."""
    if not options.method.traces:
        can = ", ".join(name for name in names() if find(name).traces)
        raise UsageProblem(f"--method {options.method.name} cannot use tools", f"methods that can: {can}")


def _fits(loaded: Loaded, prompt: int, drawn: int, exchange: Exchange) -> None:
    """Raise ContextFull unless the longest trace has room in the context."""
    need = prompt + drawn + exchange.room
    if loaded.n_ctx is not None and need > loaded.n_ctx:
        raise ContextFull(
            f"the prompt has {prompt} tokens, the answer may have {drawn}, and what tools answer in "
            f"{exchange.turns - 1} turns {exchange.room}: more than the context of {loaded.n_ctx}",
            "lower --max-tokens, --max-turns or --observation-tokens, or raise --ctx",
            need,
        )


def memory_notes(loaded: Loaded, question: Question) -> list[str]:
    """What keys and values of long answers take of memory, and which --chains fits; nothing of short ones."""
    options = question.options
    rows = options.chains * question.sampler.width
    cells = loaded.cells(len(question.prompt), question.longest, rows, options.chains)
    return [cells.words()] if cells is not None and cells.is_long else []


def check(options: SamplingOptions, expert: Expert | None = None) -> None:
    """Settings that contradict each other are told before a model loads. expert: of an eval. Raises UsageProblem."""
    sampler = options.method.sampler(options.target(usual_alpha(chat=False), PLAIN, expert))
    if options.method.budget is None:
        check_width(sampler, options.chains)


def notes(loaded: Loaded, options: SamplingOptions, prompting: PromptOptions) -> list[str]:
    """What a user must know before work starts: about the model, and about settings that do nothing."""
    found = [*loaded.notes, *options.method.notes()]
    sampler = options.method.sampler(options.target(usual_alpha(chat=False), PLAIN))
    if loaded.widest() == 0 and getattr(sampler, "prefetch", 1) > 1:
        found.append(
            "prefetch is not used: with this engine a wider batch would change results, or cost a whole state"
        )
    if not loaded.goes_ahead() and getattr(sampler, "drafts", "off") == "on":
        found.append("drafts are not used: this engine evaluates the tokens of an answer one at a time")
    if loaded.has_template and not prompting.raw:
        return found
    why = "--raw sends no template" if prompting.raw else "this model has no chat template"
    if prompting.system:
        found.append(f"--system is not used: {why}")
    if prompting.template_args:
        found.append(f"--template-arg is not used: {why}")
    if not prompting.raw:
        found.append("this model has no chat template: the prompt is sent as it is")
    return found


def chosen(loaded: Loaded, options: SamplingOptions, prompting: PromptOptions) -> dict[str, float]:
    """What the everyday settings that nobody has set come to with this model. A budget chooses the steps by itself."""
    usual = usual_alpha(chat=loaded.has_template and not prompting.raw, preset=loaded.preset)
    method = options.method
    found = method.sampler(options.target(usual, PLAIN)).settings()
    left_out = {"steps"} if method.budget is not None else set()
    return {
        key: found[key] for key in method.uses() - left_out if getattr(method, key) is None and key in found
    }


def conversation_of(prompt: Prompt) -> Conversation:
    """A text, messages, or tokens. Raises UserError for what is none of them."""
    if isinstance(prompt, str):
        return Conversation.of(prompt)
    if isinstance(prompt, tuple) and prompt and not any(isinstance(each, str | Mapping) for each in prompt):
        return Conversation(prompt=tuple(whole_number("a token", each, 0, 2**31 - 1) for each in prompt))
    messages = list(prompt) if isinstance(prompt, Sequence) and not isinstance(prompt, bytes) else []
    if not messages or not all(map(_is_message, messages)):
        raise UsageProblem(
            "a prompt is a text, messages with a role and a content that are texts, or a tuple of tokens"
        )
    return Conversation(
        [{str(k): v for k, v in message.items()} for message in messages if isinstance(message, Mapping)]
    )


def in_vocabulary(n_vocab: int, *texts: Tokens) -> None:
    """Raise UsageProblem for a token that the model does not have."""
    last = max((token for text in texts for token in text), default=0)
    if last >= n_vocab:
        raise UsageProblem(f"there is no token {last}: this model has {n_vocab}")


def _is_message(message: object) -> bool:
    return isinstance(message, Mapping) and all(
        isinstance(message.get(key), str) for key in ("role", "content")
    )
