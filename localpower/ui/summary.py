"""An answer in words: the lines that say what it is, what it cost and what must be known."""

from __future__ import annotations

import json

from localpower.runs.answer import Answer
from localpower.runs.repetition import LOOPING
from localpower.tools.report import MadeCall
from localpower.ui.board import Cost
from localpower.ui.view import one_line

_CALLS, _LINE = 8, 110  # calls that are shown, and characters of each


FINISHES = {
    "stop": "ended by itself",
    "length": "stopped at --max-tokens {max_tokens}",
    "turns": "stopped at --max-turns",
    "budget": "stopped by --budget {budget}",
    "interrupted": "interrupted",
}


def summary(answer: Answer) -> list[str]:
    """What to know about an answer, for stderr: what it is, what it cost, what must be said."""
    n, first = answer.n_tokens, answer.first_n_tokens
    length = f"{n} token{'s' if n != 1 else ''}"
    if first is not None and first != n:
        length += f" (the first draw had {first})"
    if answer.thinking_tokens is not None:
        length += f", {answer.thinking_tokens} of them thought"
    method = [answer.method]
    if answer.method == "low-temp":
        method.append(f"temperature {answer.temperature:g}")
    elif answer.alpha != 1.0:
        method.append(f"alpha {answer.alpha:g}")
    what = [
        f"seed {answer.seed}",
        FINISHES[answer.finish].format(max_tokens=answer.max_tokens, budget=answer.budget),
        length,
        f"log p {answer.log_p:.2f}",
        f"{answer.model['name']}, {', '.join(method)}",
    ]
    if answer.chains:
        how = {"logp": "the likeliest", "all": "all are printed"}.get(answer.pick or "", "picked at random")
        what.insert(1, f"chain {answer.picked} of {len(answer.chains)}, {how}")
    cost = [f"{answer.seconds:.1f} s"]
    if answer.n_steps:
        cost.append(_proposals(answer))
    if answer.cost_multiple is not None and answer.cost_multiple > 1.0:
        cost.append(str(Cost(answer.cost_multiple, answer.time_multiple, answer.plain_answer)))
    if answer.tokens_per_second is not None:
        kept = f", {answer.n_tokens / answer.seconds:.0f} kept" if answer.n_steps else ""
        cost.append(f"{answer.tokens_per_second:.0f} tokens drawn a second{kept}")
    return [" · ".join(what), " · ".join(cost), *_tools(answer), *_notes(answer)]


def _tools(answer: Answer) -> list[str]:
    """What the tools did, where there were any."""
    trace = answer.trace
    if trace is None:
        return []
    said = [
        f"{_number(trace.calls, 'call')}, {trace.calls_ok} of them answered" if trace.calls else "no call",
        f"{_number(trace.calls_executed, 'call')} made in all",
        f"{_number(trace.observation_tokens, 'token')} of results read",
        f"{trace.seconds_outside:.2g} s in the tools",
    ]
    if trace.calls_replayed:
        said.insert(2, f"{trace.calls_replayed} made again")
    if trace.fresh:
        said.append("a fresh environment: its chance was drawn anew in every proposal")
    if trace.check is not None:
        said.append(
            "the environment says: fulfilled" if trace.check else "the environment says: not fulfilled"
        )
    cut = trace.observations_cut
    told = [f"note: {_number(cut, 'result')} had to be cut to --observation-tokens"] if cut else []
    made = [call for turn in trace.turns for call in turn.calls]
    shown = [_call(call) for call in made[:_CALLS]]
    if len(made) > _CALLS:
        shown.append(f"  and {_number(len(made) - _CALLS, 'call')} more")
    return [f"tools {trace.environment}: " + " · ".join(said), *shown, *told]


def _call(call: MadeCall) -> str:
    """A call and what it gave, in a line."""
    asked = f"{call.name} {json.dumps(call.arguments, ensure_ascii=False)}" if call.name else call.written
    line = one_line(f"  {asked} -> {call.gave}")
    return line if len(line) <= _LINE else f"{line[: _LINE - 3]}..."


def _number(n: int, of: str) -> str:
    return f"{n} {of}{'' if n == 1 else 's'}"


def _proposals(answer: Answer) -> str:
    """What came of the steps: a proposal that repeats the answer is neither accepted nor rejected."""
    moves = answer.n_steps - answer.n_free
    if not moves:
        return f"all {answer.n_steps} proposals repeated the answer"
    repeated = f", {answer.n_free} repeated the answer" if answer.n_free else ""
    return f"{answer.n_accepted} of {moves} proposals accepted{repeated}"


def _notes(answer: Answer) -> list[str]:
    drawn = answer.n_tokens > 0
    lines = []
    if answer.finish in ("budget", "interrupted") and drawn:
        state = "the last accepted state" if answer.n_steps else "what was drawn until then"
        lines.append(f"note: this is {state}; the guarantee of the method does not hold for it")
    if answer.thinking_tokens is not None and answer.thinking_tokens >= answer.n_tokens > 0:
        lines.append(
            "note: the model has thought and not answered: a higher --max-tokens gives it room, --thinking-budget N "
            "ends its thought, --no-think leaves it out where the template can"
        )
    if answer.repetition is not None and answer.repetition >= LOOPING:
        lines.append(
            f"note: the answer repeats itself ({100 * answer.repetition:.0f} % of its runs of 4 tokens stood there "
            "before): a likely answer need not be a good one, and a lower --alpha repeats less"
        )
    if answer.planned_steps == 0:
        start = "what the chain begins with" if answer.n_started > 1 else "a low-temperature draw"
        lines.append(f"note: the budget has no room for a step: this is {start}")
    if answer.pick == "logp" or answer.settings.get("select") == "logp":
        lines.append("note: this is the most likely of several answers, not a draw from p^alpha")
    return lines
