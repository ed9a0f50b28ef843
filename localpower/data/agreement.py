"""Do messages say what was sampled? A trainer puts them through the chat template and reads the text again.

Templates write a question otherwise once an answer follows, or drop thoughts of earlier turns; and a text that is read
again may fall into other tokens than those that were drawn. Rows of token ids are right whatever comes out here.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from localpower.data.formats import FORMATS
from localpower.data.samples import Sample
from localpower.data.traces import is_trace
from localpower.errors import ModelError, UserError
from localpower.model import Tokens
from localpower.text.stops import answer_text
from localpower.text.template import Message, render_chats

_MOST = 100  # answers that are looked at
_NEXT: Message = {"role": "user", "content": "And then?"}


class Reader(Protocol):
    """What is needed of a model's vocabulary."""

    @property
    def template(self) -> str | None:
        """Its chat template."""

    def written(self, text: str) -> Tokens:
        """Tokens of a text, in which control texts are control tokens."""

    def special(self, kind: str) -> str:
        """The text of bos or eos."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of how many answers that were looked at. prompts: the question is asked in other words before its answer.

    ids: question and answer have other token ids. turns: question and answer are written otherwise when another turn
    follows. failed: the template refuses them.
    """

    n: int = 0
    prompts: int = 0
    ids: int = 0
    turns: int = 0
    failed: bool = False

    def notes(self) -> list[str]:
        """What to say."""
        if self.failed:
            return [
                "the chat template refuses these messages: a trainer that uses it will too; `tokens` is right"
            ]
        template = "by the chat template when"
        said = {
            f"questions are written otherwise {template} an answer follows": self.prompts,
            "answers have other token ids when their messages are read again, as trainers do": self.ids,
            f"answers are changed {template} another turn follows (it drops thoughts, say)": self.turns,
        }
        return [
            f"{some} of {self.n} {words}: `messages` then trains on what was not sampled; `tokens` is right"
            for words, some in said.items()
            if some
        ]


def agreement(
    samples: Sequence[Sample], reader: Reader, arguments: Mapping[str, Any], now: datetime.datetime
) -> Agreement:
    """How messages of answers through a chat template agree with what was sampled; of at most 100 answers."""
    some = [each for each in samples if each.chat][:_MOST]
    if not some or reader.template is None:
        return Agreement()
    template = reader.template

    def rendered(more: Callable[[list[Message]], list[Message]]) -> list[str]:
        return render_chats(
            template,
            [more(FORMATS["messages"].row(each)["messages"]) for each in some],
            bos=reader.special("bos"),
            eos=reader.special("eos"),
            arguments=arguments,
            now=now,
        )

    try:
        asked = rendered(lambda said: said[:-1])
        answered = rendered(lambda said: said)
        followed = rendered(lambda said: [*said, _NEXT])
    except ModelError:
        return Agreement(n=len(some), failed=True)
    bos = reader.written(reader.special("bos")) if reader.special("bos") else ()
    prompts = ids = turns = 0
    for each, before, whole, later in zip(some, asked, answered, followed, strict=True):
        sampled = _without(bos, each.prompt + each.tokens)
        prompts += not whole.startswith(before)
        ids += _without(bos, reader.written(whole))[: len(sampled)] != sampled
        end = whole.rfind(each.answer.strip()) + len(each.answer.strip())
        turns += not later.startswith(whole[:end])
    return Agreement(len(some), prompts, ids, turns)


def _without(bos: Tokens, tokens: Tokens) -> Tokens:
    return tokens[len(bos) :] if bos and tokens[: len(bos)] == bos else tokens


def refuse_foreign_ids(samples: Sequence[Sample], piece: Callable[[int], bytes], n_vocab: int) -> None:
    """Raises UserError for token ids that do not spell the answer: they are of another model."""
    for each in samples:
        known = max(each.tokens + each.prompt, default=0) < n_vocab
        if not known or not _spells(each, piece):
            raise UserError(
                f"the token ids of {each.problem_id}, sample {each.sample}, by {each.method} do not spell its text",
                "they are of another model than settings.json names, or the folder is damaged",
            )


def _spells(sample: Sample, piece: Callable[[int], bytes]) -> bool:
    """Whether the token ids spell the answer, or each turn that the model wrote of a trace, with its stop."""
    if not is_trace(sample):
        stops = [stop.encode() for stop in sample.asked["stops"]]
        text = sample.row["text"].removeprefix(sample.asked.get("prefix", ""))
        return bool(answer_text(sample.tokens, piece, stops) == text)
    return all(
        b"".join(map(piece, sample.tokens[turn["from"] : turn["to"]])).decode("utf-8", "replace")
        == turn["text"]
        for turn in sample.row["trace"]["turns"]
        if turn["kind"] == "model"
    )
