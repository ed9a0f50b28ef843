"""From options and messages to a question: prompt tokens, and a sampler that knows when an answer ends."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import click

from localpower.cli.budgeting import allowed, within
from localpower.cli.planning import (
    SamplingOptions,
    check_width,
    make_sampler,
    resolved,
    suited,
    template_arguments,
    unused,
)
from localpower.cli.terminal import waiting
from localpower.completion import Rules
from localpower.errors import UsageProblem
from localpower.loaded import Loaded
from localpower.loading import Request, load
from localpower.model import Tokens
from localpower.runs.interrupt import Interrupts
from localpower.runs.pace import Pace
from localpower.samplers import Sampler
from localpower.text.conversation import Conversation
from localpower.text.stops import ends

_SAMPLING = tuple(field.name for field in fields(SamplingOptions))


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a model. alpha: of the target that the method is about."""

    prompt: Tokens
    sampler: Sampler
    alpha: float
    stops: Sequence[bytes]
    rules: Rules
    budget: str | None = None
    seconds: float | None = None  # of the budget
    notes: tuple[str, ...] = ()
    pace: Pace = field(default_factory=Pace)

    @property
    def width(self) -> int:
        """Most contexts that one chain asks for at a time."""
        return self.sampler.width


def check_options(options: dict[str, Any]) -> None:
    """Values that are bad at either default of alpha are told before a model loads. Raises UsageProblem."""
    chosen = sampling(options)
    sampler, _ = make_sampler(chosen, Rules(), chat=False)
    if chosen.budget is None:
        check_width(sampler, chosen)
    elif chosen.budget.endswith("t") and int(chosen.budget[:-1]) < chosen.chains:
        raise UsageProblem(
            f"--budget {chosen.budget} is less than a token for each of {chosen.chains} chains"
        )
    template_arguments(options["template_args"])
    if not all(options["stops"]):
        raise click.UsageError("--stop must not be empty")


def open_model(options: dict[str, Any], interrupts: Interrupts, *, fresh: bool = False) -> Loaded:
    """The model that the options name; fresh: checked anew. Raises ModelError, or Interrupted by Ctrl-C."""
    with waiting() as wait:
        loaded = load(
            Request(
                options["model"],
                options["threads"],
                options["n_ctx"],
                options["gpu_layers"],
                options["fast"],
                fresh,
            ),
            say=wait,
            stop=lambda: interrupts.requested,
        )
    interrupts.check()
    return loaded


def ask(loaded: Loaded, options: dict[str, Any], conversation: Conversation) -> Question:
    """The question that the last message asks: through the chat template unless --raw or there is none."""
    chat = uses_template(loaded, options)
    stops = [stop.encode("utf-8", "surrogateescape") for stop in options["stops"]]
    rules = Rules(ended=ends(stops, loaded.piece, loaded.control_token))
    chosen = sampling(options)
    sampler, alpha = make_sampler(chosen, rules, chat=chat)
    whole = conversation.under(options["system"]) if chat else conversation
    arguments = template_arguments(options["template_args"])
    tokens = loaded.prompt(whole, raw=not chat, arguments=arguments)
    pace = Pace()
    budget = allowed(chosen.budget, chosen.chains, loaded.speed, len(tokens), pace)
    sampler, said = within(sampler, chosen, budget)
    check_width(sampler, chosen)
    sampler = suited(sampler, chosen, loaded.widest(), ahead=loaded.goes_ahead())
    return Question(tokens, sampler, alpha, stops, rules, chosen.budget, budget.seconds, tuple(said), pace)


def uses_template(loaded: Loaded, options: dict[str, Any]) -> bool:
    """Whether prompts go through the model's chat template."""
    return loaded.has_template and not options["raw"]


def notes(loaded: Loaded, options: dict[str, Any], given: Collection[str]) -> list[str]:
    """What a user must know before work starts. given: names of the options that were not left at their default."""
    found = [*loaded.notes, *unused(_as_given(options), given)]
    sampler, _ = make_sampler(sampling(options), Rules(), chat=False)
    if loaded.widest() == 0 and getattr(sampler, "prefetch", 1) > 1:
        found.append(
            "prefetch is not used: with this engine a wider batch would change results, or cost a whole state"
        )
    if not loaded.goes_ahead() and getattr(sampler, "drafts", "off") == "on":
        found.append("drafts are not used: this engine evaluates the tokens of an answer one at a time")
    if uses_template(loaded, options):
        return found
    why = "--raw sends no template" if options["raw"] else "this model has no chat template"
    for name in ("system", "template_args"):
        if options[name]:
            found.append(f"--{name.removesuffix('s').replace('_', '-')} is not used: {why}")
    if not options["raw"]:
        found.append("this model has no chat template: the prompt is sent as it is")
    return found


def sampling(options: dict[str, Any]) -> SamplingOptions:
    """The options that decide the sampler."""
    return resolved(_as_given(options))


def _as_given(options: dict[str, Any]) -> SamplingOptions:
    return SamplingOptions(**{name: options[name] for name in _SAMPLING})
