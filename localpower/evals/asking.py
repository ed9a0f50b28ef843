"""Problems as a model is asked them: the form, the template, the stops."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

from localpower.completion import Rules
from localpower.errors import UsageProblem, UserError
from localpower.evals.forms import Form
from localpower.evals.jobs import RenderedProblem
from localpower.evals.problem import Problem
from localpower.evals.task import Task
from localpower.grading.thoughts import opens_thought
from localpower.loaded import Loaded
from localpower.loaded.thoughts import limit, switched, thought_of
from localpower.loaded.tooling import Tooled, open_first_turn, tooled
from localpower.model import Tokens
from localpower.text.conversation import Conversation
from localpower.text.stops import answer_text, ends
from localpower.tools.environment import environment_seed
from localpower.tools.exchange import Exchange
from localpower.tools.use import ToolUse

_TAIL = 16  # tokens of a prompt that may spell the mark at its end


@dataclass(frozen=True, slots=True)
class Wording:
    """How all problems of a run are put. form: chat, paper or paper-chat; stops: beside the form's own.

    prefix: the opening that every answer is given. think, thinking_budget: as of a single answer. turns,
    observation_tokens, fresh: of tasks with tools, as of `ToolUse`.
    started: the time that a chat template may tell, of the run's first start, so that going on changes no prompt.
    """

    form: str = "chat"
    raw: bool = False
    system: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    stops: tuple[str, ...] = ()
    own_stops: bool = True
    started: datetime.datetime = field(default_factory=datetime.datetime.now)
    prefix: str | None = None
    think: bool | None = None
    thinking_budget: int | None = None
    turns: int | None = None
    observation_tokens: int | None = None
    fresh: bool = False


def form_of(task: Task, wording: Wording, *, template: bool) -> Form:
    """The task's form; `chat` is `plain` without a template. Raises UsageProblem where the task lacks it."""
    if wording.form not in task.forms:
        hint = f"--prompt-style {' or '.join(n for n in task.forms if n != 'plain')}"
        raise UsageProblem(f"{task.name} has no prompt of style {wording.form}", hint)
    form = task.forms[wording.form]
    return task.forms["plain"] if wording.form == "chat" and form.template and not template else form


def ask(
    task: Task,
    problems: Sequence[Problem],
    loaded: Loaded,
    wording: Wording,
    max_tokens: int | None,
    say: Callable[[str], object] = lambda _: None,
    *,
    show: bool = False,
) -> list[RenderedProblem]:
    """Every problem as tokens of the model. max_tokens: None: the task's own. say: hears of settings that do nothing.

    show: experts' answers are needed too. Raises UserError for a prefix that the model has no token for.
    """
    template = loaded.has_template and not wording.raw
    form = form_of(task, wording, template=template)
    chat = form.template and template
    stops = (*(form.stops if wording.own_stops else ()), *wording.stops)
    ended = ends([stop.encode() for stop in stops], loaded.piece, loaded.control_token)
    arguments, notes = switched(loaded.template if chat else None, wording.arguments, wording.think)

    def prompts_of(texts: Sequence[str]) -> list[Tokens]:
        said = [Conversation([{"role": "user", "content": text}], started=wording.started) for text in texts]
        whole = [each.under(wording.system) if chat else each for each in said]
        return loaded.prompts(whole, raw=not chat, arguments=arguments)

    texts = [form.write(problem) for problem in problems]
    exchanges: Sequence[Exchange | None] = [None] * len(problems)
    if task.environment is None:
        prompts = prompts_of(texts)
    else:
        prompts, exchanges = _with_tools(task, problems, texts, loaded, wording, arguments, chat=chat)
    found = []
    for problem, text, prompt, exchange in zip(problems, texts, prompts, exchanges, strict=True):
        opening = loaded.following(prompt, wording.prefix) if wording.prefix else ()
        if wording.prefix and not opening:
            raise UserError(f"{loaded.info.name} has no token for any part of --answer-prefix")
        tokens = prompt + opening
        thought = thought_of(loaded, tokens, len(opening))
        if exchange is not None:
            open_first_turn(exchange, thought, answer_text(opening, loaded.piece, ()))
        given, idle = limit(loaded, thought, wording.thinking_budget)
        notes += idle
        found.append(
            RenderedProblem(
                *(task, problem, text, tokens, chat, max_tokens or task.max_tokens, stops),
                Rules(ended, given, exchange),
                thinking=chat and opens_thought(answer_text(prompt[-_TAIL:], loaded.piece, ())),
                prefix=answer_text(opening, loaded.piece, ()),
                n_prefix=len(opening),
                thought=thought,
                exchange=exchange,
            )
        )
    for note in notes:
        say(note)
    if not show:
        return found
    experts = [i for i, problem in enumerate(problems) if problem.worked]
    shown = prompts_of([form.shown(problems[i], chat=chat) for i in experts])
    for i, prompt in zip(experts, shown, strict=True):
        worked = form.before(found[i].text, chat=chat) + problems[i].worked
        found[i] = replace(found[i], shown=prompt, worked=loaded.following(found[i].tokens, worked))
    return found


def _with_tools(
    task: Task,
    problems: Sequence[Problem],
    texts: Sequence[str],
    loaded: Loaded,
    wording: Wording,
    arguments: Mapping[str, Any],
    *,
    chat: bool,
) -> tuple[list[Tokens], list[Exchange]]:
    """The prompts that tell of each problem's tools, and who answers calls. Raises UserError."""
    assert task.environment is not None
    told: list[Tooled] = []
    for problem, text in zip(problems, texts, strict=True):
        said = Conversation([{"role": "user", "content": text}], started=wording.started)
        use = ToolUse(
            task.environment(problem),
            task.tools,
            task.tool_format or None,
            wording.turns or task.max_turns,
            wording.observation_tokens or task.observation_tokens,
            environment_seed(problem.id),
            wording.fresh,
        )
        said = said.under(wording.system) if chat else said
        made = tooled(loaded, use, said, arguments, chat=chat, raw=not chat, think=wording.think)
        if task.kind == "state" and not told and made.exchange.begin().check() is None:
            raise UserError(
                f"the grader state cannot judge {task.name}: check() of {task.tools} says neither true nor false",
                "an environment of a class with check(), or another grader",
            )
        told.append(made)
    prompts: list[Tokens] = []
    for alike, group in groupby(told, lambda each: json.dumps(dict(each.arguments), sort_keys=True)):
        own = json.loads(alike)
        prompts += loaded.prompts([each.said for each in group], raw=not chat, arguments=own)
    return prompts, [each.exchange for each in told]
