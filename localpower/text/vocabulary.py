"""Text to tokens once, tokens to text once."""

from __future__ import annotations

import codecs
import datetime
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any, Protocol

from localpower.errors import ModelError, UserError
from localpower.model import Tokens
from localpower.text.conversation import Conversation
from localpower.text.frames import frame_of
from localpower.text.guard import FIXED, choose_mark, guard
from localpower.text.marks import MARKS
from localpower.text.template import Message, render_chats

# Characters with every byte that UTF-8 has: a vocabulary that spells them spells everything.
_LEADS = (
    *(*range(0xC0, 0x800, 1 << 6), 0x800, *range(1 << 12, 1 << 16, 1 << 12)),
    *(*range(1 << 16, 0x110000, 1 << 18), 0x10FFFF),
)
_ALL_BYTES = "".join(map(chr, (*range(1, 0xC0), *_LEADS)))
_AT_ONCE = 100  # conversations that one call of the template's process renders


class Speller(Protocol):
    """What a loaded model knows of text. Implemented by `engine.weights.Weights`."""

    def tokenize(self, text: bytes, *, parse_special: bool) -> list[int]:
        """Tokens without BOS or EOS."""

    def piece(self, token: int) -> bytes:
        """The bytes of a token; none for control tokens."""

    def control_tokens(self) -> dict[str, int]:
        """Control texts and their ids."""

    def bos(self) -> int | None:
        """The token that must open a context."""

    def special_token(self, kind: str) -> str:
        """The text of bos or eos."""

    def chat_template(self) -> str | None:
        """The model's Jinja template."""


class Vocabulary:
    """Prompts and answers of one model."""

    def __init__(self, speller: Speller) -> None:
        self._speller = speller
        self._controls = speller.control_tokens()
        self.template = speller.chat_template()
        self.piece = lru_cache(maxsize=None)(speller.piece)
        self._control_ids = frozenset(self._controls.values())
        self._opens_with_space = self.text(self._plain(b"a")) == b" a"
        self._line = self._plain(b"\n")

    def raw_prompt(self, conversation: Conversation) -> Tokens:
        """Texts and answers one after another, after the model's BOS if it wants one. Control texts stay text.

        Each text after the first begins a new line.
        """
        tokens: list[int] = []
        for i, message in enumerate(conversation.messages):
            text = ("\n" if tokens else "") + message["content"]
            drawn = conversation.drawn.get(i)
            tokens += self._more(tokens, _encoded(text), parse_special=False) if drawn is None else drawn
        return self._opened(tokens)

    def chat_prompt(self, conversation: Conversation, arguments: Mapping[str, Any] | None = None) -> Tokens:
        """Messages through the model's template. Raises ModelError when there is none or it fails.

        What the model drew is put in as it was drawn, not read from its text again, unless the template changes that
        text (drops thoughts of earlier turns, say).
        """
        messages, answers = conversation.messages, sorted(conversation.drawn.items())
        mark = self._mark(messages)
        hole = self._mark(messages, mark)
        own = {text: token for text, token in self._controls.items() if text not in MARKS}
        safe = [  # a template finds a thought of the model's own turns by its marks, and may drop it
            m | {"content": guard(m["content"], own if m["role"] == "assistant" else self._controls, mark)}
            for m in messages
        ]
        holed = [m | {"content": hole} if i in conversation.drawn else m for i, m in enumerate(safe)]
        chats = [safe, holed] if answers else [safe]
        rendered = self._rendered(chats, arguments, conversation.started)

        texts, inserted = [rendered[0]], []
        if answers and _filled(rendered[1], hole, [safe[i]["content"] for i, _ in answers]) == rendered[0]:
            texts, inserted = rendered[1].split(hole), [answer for _, answer in answers]
        tokens: list[int] = []
        for text, answer in zip(texts, [*inserted, ()], strict=True):
            tokens = [*self._read(text, mark, tokens), *answer]
        return self._opened(tokens)

    def chat_prompts(
        self, conversations: Sequence[Conversation], arguments: Mapping[str, Any] | None = None
    ) -> list[Tokens]:
        """Many short conversations through the template, many at a time. Raises ModelError as `chat_prompt`.

        None of them holds tokens that a model drew.
        """
        found: list[Tokens] = []
        for first in range(0, len(conversations), _AT_ONCE):
            some = conversations[first : first + _AT_ONCE]
            mark = self._mark([message for each in some for message in each.messages])
            chats = [self._guarded(each.messages, mark) for each in some]
            rendered = self._rendered(chats, arguments, some[0].started)
            found += [self._opened(self._read(text, mark)) for text in rendered]
        return found

    def chat_text(self, conversation: Conversation, arguments: Mapping[str, Any] | None = None) -> str:
        """Messages through the model's template as a text for `read_chat`, which others may extend meanwhile.

        A control text in a message is broken in two by U+FDD0. Raises ModelError as `chat_prompt`.
        """
        texts = [self._chat_template, *(message["content"] for message in conversation.messages)]
        if any(FIXED in text for text in texts):
            raise UserError("the text holds U+FDD0, which no text may hold")
        chats = [self._guarded(conversation.messages, FIXED)]
        return self._rendered(chats, arguments, conversation.started)[0]

    @property
    def _chat_template(self) -> str:
        if self.template is None:
            raise ModelError("this model has no chat template", "use --raw")
        return self.template

    def _mark(self, messages: Sequence[Message], *others: str) -> str:
        """A mark that occurs nowhere in messages, in the template or in others."""
        contents = [message["content"] for message in messages]
        for content in contents:
            _encoded(content)
        return choose_mark([self._chat_template, *contents, *others])

    def _guarded(self, messages: Sequence[Message], mark: str) -> list[Message]:
        return [m | {"content": guard(m["content"], self._controls, mark)} for m in messages]

    def _rendered(
        self, chats: Sequence[Sequence[Message]], arguments: Mapping[str, Any] | None, now: datetime.datetime
    ) -> list[str]:
        bos, eos = map(self._speller.special_token, ("bos", "eos"))
        return render_chats(self._chat_template, chats, bos=bos, eos=eos, arguments=arguments, now=now)

    def read_chat(self, text: str) -> Tokens:
        """Tokens of a text of `chat_text`: of the same messages those of `chat_prompt`."""
        _encoded(text)
        return self._opened(self._read(text, FIXED))

    def opener(self) -> int | None:
        """The token before a text that nothing stands before: BOS, also where a prompt needs none, else EOS."""
        found = (self.control_token(self._speller.special_token(kind)) for kind in ("bos", "eos"))
        return next((token for token in found if token is not None), None)

    def _read(self, text: str, mark: str, before: Sequence[int] = ()) -> list[int]:
        """A rendered text's tokens after others; at a mark a control text was broken in two."""
        tokens = list(before)
        for part in filter(None, text.split(mark)):
            tokens += self._more(tokens, part.encode(), parse_special=True)
        return tokens

    def _more(self, before: Sequence[int], text: bytes, *, parse_special: bool) -> list[int]:
        """Tokens of a text that follows `before`, as llama.cpp would read it there.

        Some vocabularies put a space before a text that begins or follows a control token, and nowhere else.
        """
        tokens = self._speller.tokenize(text, parse_special=parse_special)
        if not before or not self._opens_with_space or before[-1] in self._control_ids:
            return tokens
        line = self._line
        after_line = self._speller.tokenize(b"\n" + text, parse_special=parse_special) if line else []
        return after_line[len(line) :] if line and after_line[: len(line)] == line else tokens

    def _plain(self, text: bytes) -> list[int]:
        """Tokens of a text by itself; none where the vocabulary cannot spell it."""
        try:
            return self._speller.tokenize(text, parse_special=False)
        except UserError:
            return []

    def unspelled(self, text: str) -> int:
        """How many characters of a text its tokens leave out, for want of a token."""
        return 0 if self._spells_all else self._lost(text)

    @cached_property
    def _spells_all(self) -> bool:
        return self._lost(_ALL_BYTES) == 0

    def _lost(self, text: str) -> int:
        spelled = readable(self.text(self._plain(_encoded(text))))
        return (Counter(text) - Counter(spelled)).total()

    def written(self, text: str) -> Tokens:
        """Tokens of a text of ours, in which control texts are control tokens."""
        return tuple(self._speller.tokenize(text.encode(), parse_special=True))

    def following(self, before: Tokens, text: str, *, controls: bool = False) -> Tokens:
        """Tokens of a text right after others, none of which is read anew. Control texts are text unless `controls`."""
        return tuple(self._more(before, _encoded(text), parse_special=controls))

    def apart(self, text: str) -> list[str]:
        """A foreign text in parts that are to be read one after another, so that none of it is a control token.

        One part, but where the text spells a mark that the file calls user-defined: llama.cpp always reads those.
        """
        if self._control_ids.isdisjoint(self._plain(_encoded(text))):
            return [text]
        mark = choose_mark([text])
        return [part for part in guard(text, self._controls, mark).split(mark) if part]

    @cached_property
    def _control_texts(self) -> dict[int, bytes]:
        return {token: text.encode("utf-8", "replace") for text, token in self._controls.items()}

    def spelled(self, token: int) -> bytes:
        """The bytes of a token; of a control token its own text, which is no part of an answer."""
        return self.piece(token) or self._control_texts.get(token, b"")

    def frame(
        self,
        told: str,
        role: str,
        call: str,
        ends: Iterable[int],
        arguments: Mapping[str, Any],
        *,
        thoughts: bool,
    ) -> tuple[str, str]:
        """As `frames.frame_of` of the model's template. ends: tokens that end a turn."""
        if self.template is None:
            raise ModelError("this model has no chat template", "--tool-format plain needs none")
        return frame_of(
            self.template,
            told,
            role,
            call,
            [self.spelled(token).decode("utf-8", "replace") for token in ends],
            bos=self._speller.special_token("bos"),
            eos=self._speller.special_token("eos"),
            arguments=arguments,
            thoughts=thoughts,
        )

    def control_token(self, text: str) -> int | None:
        """The id of a control token with exactly this text: a stop may name one."""
        return self._controls.get(text)

    def _opened(self, tokens: list[int]) -> Tokens:
        """With BOS in front, never doubled. Raises UserError when nothing is left of the prompt."""
        bos = self._speller.bos()
        if bos is not None and tokens[:1] != [bos]:
            tokens = [bos, *tokens]
        if not tokens:
            raise UserError("this model's vocabulary has no token for any part of the prompt")
        return tuple(tokens)

    def text(self, tokens: Iterable[int]) -> bytes:
        """The bytes of an answer."""
        return b"".join(self.piece(token) for token in tokens)


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise UserError(
            f"the prompt is not valid Unicode: a lone surrogate at character {error.start + 1}"
        ) from None


def _filled(holed: str, hole: str, contents: Sequence[str]) -> str | None:
    """The text with its holes filled in order; None where there are more or fewer."""
    parts = holed.split(hole)
    if len(parts) != len(contents) + 1:
        return None
    return parts[0] + "".join(content + part for content, part in zip(contents, parts[1:], strict=True))


def readable(data: bytes, *, final: bool = True) -> str:
    """Bytes as text: what cannot be text shows as U+FFFD; an unfinished last character is held back unless final."""
    return codecs.getincrementaldecoder("utf-8")("replace").decode(data, final)
