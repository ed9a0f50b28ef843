"""Answers in OpenAI's form, with what localpower knows of them beside it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from localpower import __version__
from localpower.loaded import Loaded
from localpower.runs.answer import Answer
from localpower.server.logprobs import chat_form, completion_form, places
from localpower.server.parse import Sampling
from localpower.server.parts import parts
from localpower.server.tickets import Done, Job, Ticket
from localpower.server.toolcalls import Turn, turn_of
from localpower.tools.environment import Tool

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """What all pieces of one reply share. chat: of chat completions, else of completions.

    tools: that the model may call, so that an answer is looked through for calls.
    """

    loaded: Loaded
    sampling: Sampling
    ticket: Ticket
    chat: bool
    tools: tuple[Tool, ...] = ()
    created: int = field(default_factory=lambda: int(time.time()))
    number: str = field(default_factory=lambda: uuid.uuid4().hex[:24])

    def head(self, *, stream: bool) -> Json:
        """The fields that every piece begins with."""
        kind = "chat.completion" if self.chat else "text_completion"
        return {
            "id": f"{'chatcmpl' if self.chat else 'cmpl'}-{self.number}",
            "object": f"{kind}.chunk" if self.chat and stream else kind,
            "created": self.created,
            "model": self.sampling.model,
            "system_fingerprint": f"localpower-{__version__}-{(self.loaded.info.sha256 or 'toy')[:12]}",
        }

    def whole(self, done: Sequence[Done]) -> Json:
        """The reply to a request that is not streamed."""
        answers = [each.answer for each in done]
        return self.head(stream=False) | {
            "choices": [self._choice(each) for each in done],
            "usage": self.usage(answers),
            "localpower": self.facts(answers),
        }

    def _choice(self, done: Done) -> Json:
        job, answer = self.ticket.jobs[done.choice], done.answer
        question = job.question
        text = parts(answer.tokens, self.loaded.piece, question.stops, question.thought, over=True)
        found = {
            "index": done.choice,
            "finish_reason": finish_reason(done),
            "logprobs": self.logprobs(job, done.tally.state, 0, answer.text),
            "localpower": facts_of(answer),
        }
        if not self.chat:
            return found | {"text": answer.text}
        message: Json = {"role": "assistant", "content": text.said, "refusal": None}
        if text.thought:
            message["reasoning_content"] = text.thought
        if (turn := self.turn(job, answer)) is not None:
            message |= {"content": turn.said or None, "tool_calls": turn.as_json()}
            found["finish_reason"] = "tool_calls"
        return found | {"message": message}

    def turn(self, job: Job, answer: Answer) -> Turn | None:
        """The calls of a finished answer; None where it has none, or nobody gave it tools."""
        if not self.tools:
            return None
        return turn_of(self.loaded, answer.tokens, job.question.thought, self.tools)

    def logprobs(self, job: Job, state: Any, since: int, text: str) -> Json | None:
        """Of the tokens from number `since` on; None where nobody asked."""
        if job.tops is None:
            return None
        piece = self.loaded.piece
        found = list(places(state, job.tops, piece, since, len(text.encode("utf-8", "replace"))))
        return chat_form(found, piece) if self.chat else completion_form(found, piece)

    def usage(self, answers: Sequence[Answer]) -> Json:
        """OpenAI's fields count prompts and answers; decoded_tokens is what was drawn for them in all."""
        seen = {id(job.question.prompt): len(job.question.prompt) for job in self.ticket.jobs}
        prompt, answer = sum(seen.values()), sum(each.n_tokens for each in answers)
        return {
            "prompt_tokens": prompt,
            "completion_tokens": answer,
            "total_tokens": prompt + answer,
            "completion_tokens_details": {
                "reasoning_tokens": sum(each.thinking_tokens or 0 for each in answers)
            },
            "decoded_tokens": sum(each.decoded_tokens for each in answers),
        }

    def facts(self, answers: Sequence[Answer]) -> Json:
        """Of the whole request: what the answers are, and what they cost together."""
        moves = sum(each.n_steps - each.n_free for each in answers)
        plain = sum(each.plain_tokens for each in answers)
        decoded = sum(each.decoded_tokens for each in answers)
        guarantees = {each.guarantee for each in answers}
        return {
            "method": str(self.sampling.method),
            "seed": self.ticket.jobs[0].seed,
            "guarantee": guarantees.pop() if len(guarantees) == 1 else "approximate",
            "exactness": self.loaded.exactness,
            "acceptance_rate": sum(each.n_accepted for each in answers) / moves if moves else None,
            "cost_multiple": decoded / plain if plain else None,
            "decoded_tokens": decoded,
            "warnings": list(
                dict.fromkeys([*self.sampling.warnings, *(n for a in answers for n in a.notes)])
            ),
        }


def facts_of(answer: Answer) -> Json:
    """Of one answer, by the names of `run --json`."""
    names = (
        *("seed", "finish", "method", "alpha", "guarantee", "log_p", "n_tokens", "first_n_tokens"),
        *("budget", "planned_steps", "n_steps", "n_accepted", "n_free", "acceptance_rate"),
        *("decoded_tokens", "cost_multiple", "time_multiple", "seconds"),
    )
    return {name: getattr(answer, name) for name in names}


def finish_reason(done: Done) -> str:
    """OpenAI's word: a run that its budget ended may hold an answer that had ended by itself."""
    return "stop" if done.tally.state.ended else "length"
