"""Server-sent events of one request. Text is sent once it can no longer change, states before that where asked for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from localpower.api.question import Question
from localpower.events import Event, Extended, Stepped
from localpower.runs.tally import Tally, cost_multiple
from localpower.samplers.base import settled
from localpower.server.inbox import Inbox
from localpower.server.parts import Flow, parts
from localpower.server.problems import of
from localpower.server.replies import Json, Reply, facts_of, finish_reason
from localpower.server.tickets import Done, Happened, Job, Lost
from localpower.server.toolcalls import Turn
from localpower.text.stops import answer_text
from localpower.text.thinking import Thought

_QUIET_S = 10.0  # after which a comment keeps the connection alive
_ALIVE = ": the answer is being drawn\n\n"


@dataclass(slots=True)
class _Sent:
    """What a client has of a choice. thought, said: characters of each part."""

    flow: Flow
    tokens: int = 0
    thought: int = 0
    said: int = 0
    shown: str | None = None  # the text of the last state


def line(data: Json, event: str | None = None) -> str:
    """One event."""
    return (f"event: {event}\n" if event else "") + f"data: {json.dumps(data, allow_nan=False)}\n\n"


def worth_telling(questions: Sequence[Question], *, states: bool) -> Callable[[Happened], bool]:
    """Whether an event shows a state that is wanted, or settles more of the text."""
    known = [0] * len(questions)

    def wanted(item: Happened) -> bool:
        if states and isinstance(item.event, Extended | Stepped):
            return True
        n = settled(questions[item.choice].sampler, item.tally.members)
        more = n > known[item.choice]
        known[item.choice] = max(n, known[item.choice])
        return more

    return wanted


class Streaming:
    """The stream of a reply, from what its inbox hears."""

    def __init__(self, reply: Reply, inbox: Inbox) -> None:
        self._reply, self._inbox = reply, inbox
        self._sent = [_Sent(Flow(reply.loaded.piece, *self._shape(job))) for job in reply.ticket.jobs]
        self.done: list[Done] = []
        self.failed: Exception | None = None

    async def lines(self) -> AsyncIterator[str]:
        """Until the last choice is there, or one is lost."""
        if self._reply.chat:
            for job in self._reply.ticket.jobs:
                yield self._chunk(job, {"role": "assistant", "content": ""})
        clock = asyncio.get_running_loop().time
        last = clock()
        while len(self.done) < len(self._sent):
            try:
                item = await asyncio.wait_for(self._inbox.get(), max(last + _QUIET_S - clock(), 0.0))
            except TimeoutError:
                yield _ALIVE
                last = clock()
                continue
            if isinstance(item, Lost):
                self.failed = item.error
                yield line(of(item.error).body())
                return
            for each in self._of(item):
                yield each
                last = clock()
        answers = [each.answer for each in sorted(self.done, key=lambda each: each.choice)]
        if self._reply.sampling.usage:
            whole = {"usage": self._reply.usage(answers), "localpower": self._reply.facts(answers)}
            yield line(self._reply.head(stream=True) | {"choices": []} | whole)
        yield "data: [DONE]\n\n"

    def _of(self, item: Happened | Done) -> list[str]:
        job = self._reply.ticket.jobs[item.choice]
        if isinstance(item, Done):
            self.done.append(item)
            whole = [] if not self._reply.sampling.states else [self._state(job, None, item.tally)]
            if (turn := self._reply.turn(job, item.answer)) is not None:
                return [*whole, *self._calls(job, item, turn)]
            return [
                *whole,
                *self._text(job, item.tally, len(item.tally.state), over=True),
                self._end(job, item),
            ]
        found = []
        if self._reply.sampling.states and isinstance(item.event, Extended | Stepped):
            found.append(self._state(job, item.event, item.tally))
        n = settled(job.question.sampler, item.tally.members)
        return [*found, *self._text(job, item.tally, n, over=False)]

    def _text(self, job: Job, tally: Tally, n: int, *, over: bool) -> list[str]:
        """What is new of the first n tokens."""
        sent = self._sent[job.choice]
        if (n <= sent.tokens or self._reply.tools) and not over:  # what may be a call is not text
            return []
        tokens = tally.state.tokens[:n]
        if over:
            whole = parts(tokens, self._reply.loaded.piece, *self._shape(job), over=True)
            inside, said = whole.thought[sent.thought :], whole.said[sent.said :]
        else:
            inside, said = sent.flow.more(tokens)
        if not (inside or said):
            return []
        logprobs = None
        if job.tops is not None:
            whole_text = _whole(tally, n, job, self._reply)
            logprobs = self._reply.logprobs(job, tally.state.head(n), sent.tokens, whole_text)
        sent.tokens, sent.thought, sent.said = n, sent.thought + len(inside), sent.said + len(said)
        if not self._reply.chat:
            return [self._chunk(job, {}, text=said, logprobs=logprobs)]
        delta = ({"reasoning_content": inside} if inside else {}) | ({"content": said} if said else {})
        return [self._chunk(job, delta, logprobs=logprobs)]

    def _shape(self, job: Job) -> tuple[Sequence[bytes], Thought | None]:
        """What its text is cut by: stops, and where it is told apart the thought."""
        return job.question.stops, job.question.thought if self._reply.chat else None

    def _end(self, job: Job, done: Done) -> str:
        return self._chunk(job, {}, finish=finish_reason(done), facts=facts_of(done.answer))

    def _calls(self, job: Job, done: Done, turn: Turn) -> list[str]:
        """The calls of a finished answer, each whole."""
        calls = [{"index": i, **call} for i, call in enumerate(turn.as_json())]
        said = [self._chunk(job, {"content": turn.said})] if turn.said else []
        end = self._chunk(job, {}, finish="tool_calls", facts=facts_of(done.answer))
        return [*said, self._chunk(job, {"tool_calls": calls}), end]

    def _chunk(
        self,
        job: Job,
        delta: Json,
        *,
        text: str = "",
        logprobs: Json | None = None,
        finish: str | None = None,
        facts: Json | None = None,
    ) -> str:
        choice: dict[str, Any] = {"index": job.choice, "logprobs": logprobs, "finish_reason": finish}
        choice |= {"delta": delta} if self._reply.chat else {"text": text}
        if facts:
            choice["localpower"] = facts
        data = self._reply.head(stream=True) | {"choices": [choice]}
        if self._reply.sampling.usage:
            data["usage"] = None
        return line(data)

    def _state(self, job: Job, event: Event | None, tally: Tally) -> str:
        """The accepted state, and what the last step did. A text that has not changed is not sent again."""
        sent, piece = self._sent[job.choice], self._reply.loaded.piece
        text = _whole(tally, len(tally.state), job, self._reply)
        state: Json = {
            "choice": job.choice,
            "kind": "growing" if isinstance(event, Extended) else "step" if event else "final",
            "text": None if text == sent.shown else text,
            "log_p": tally.state.total_log_p(),
            "n_tokens": len(tally.state),
            "decoded_tokens": tally.n_decoded,
            "cost_multiple": cost_multiple([tally]),
            "acceptance_rate": tally.acceptance_rate,
            "n_steps": tally.n_steps,
            "planned_steps": tally.planned,
        }
        sent.shown = text
        if isinstance(event, Stepped):
            # cut: characters of the state before the step that it kept; a proposal that was accepted follows them
            kept = b"".join(map(piece, tally.state.tokens[: event.cut]))
            state |= {
                "accepted": event.accepted and not event.free,
                "free": event.free,
                "early": event.early,
                "cut": len(kept.decode("utf-8", "replace")),
                "steps": job.question.sampler.settings().get("steps"),
            }
        data = self._reply.head(stream=True) | {"choices": [], "localpower": {"state": state}}
        return line(data, "localpower.state")


def _whole(tally: Tally, n: int, job: Job, reply: Reply) -> str:
    """The text of the first n tokens, thought and all."""
    return answer_text(tally.state.tokens[:n], reply.loaded.piece, job.question.stops)
