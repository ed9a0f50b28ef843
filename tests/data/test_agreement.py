"""Templates that write a turn otherwise once another follows are told; the token rows are right all the same."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import pytest

from localpower.data.agreement import agreement, refuse_foreign_ids
from localpower.data.formats import row_of
from localpower.data.samples import Source
from localpower.errors import UserError
from tests.data.made import sample

NOW = datetime.datetime(2026, 1, 1)
ASKED = "{% for m in messages %}<{{ m.role[0] }}>{{ m.content }}|{% endfor %}{% if add_generation_prompt %}<a>{% endif %}"
NO_THOUGHTS = (
    "{% for m in messages %}<{{ m.role[0] }}>{% if m.role == 'assistant' and not loop.last %}"
    "{{ m.content.split('</think>')[-1] }}{% else %}{{ m.content }}{% endif %}|{% endfor %}<a>"
)
OPENS = (
    "{% for m in messages %}<{{ m.role[0] }}>{{ m.content }}|{% endfor %}"
    "{% if messages[-1].role == 'user' %}<a>go: {% endif %}"
)
REFUSES = "{% if messages[-1].role == 'assistant' %}{{ raise_exception('no') }}{% endif %}<a>"


@dataclass
class Letters:
    """A vocabulary of letters; `ab` is one token where a text is read."""

    template: str | None
    merged: bool = False

    def written(self, text):
        ids = tuple(map(ord, text))
        if self.merged and "ab" in text:
            at = text.index("ab")
            ids = (*ids[:at], 1, *ids[at + 2 :])
        return ids

    def special(self, kind):
        return ""


def asked(answer, prompt="<u>What is i0?|<a>"):
    return sample(answer, chat=True, prompt=tuple(map(ord, prompt)), tokens=tuple(map(ord, f"{answer}|")))


def look(template, *samples, merged=False):
    return agreement(samples, Letters(template, merged), {}, NOW)


def test_a_template_that_only_adds_agrees():
    found = look(ASKED, asked("Paris"), asked("<think>x</think>y"))
    assert (found.n, found.notes()) == (2, [])


def test_a_template_that_drops_thoughts_of_earlier_turns_is_told():
    found = look(NO_THOUGHTS, asked("<think>x</think>y"), asked("z"))
    assert (found.prompts, found.ids, found.turns) == (0, 0, 1)
    assert "1 of 2 answers are changed by the chat template when another turn follows" in found.notes()[0]
    assert "`tokens` is right" in found.notes()[0]


def test_a_template_that_asks_in_other_words_before_an_answer_is_told():
    found = look(OPENS, asked("y", "<u>What is i0?|<a>go: "))
    assert (found.prompts, found.ids) == (1, 1)


def test_token_rows_hold_what_was_sampled_whatever_the_template_does():
    one = asked("y", "<u>What is i0?|<a>go: ")
    assert look(OPENS, one).prompts == 1
    found = row_of("tokens", one, Source("m", None, None, None), provenance=False)
    assert found["input_ids"] == [*one.prompt, *one.tokens]


def test_an_answer_whose_text_is_read_in_other_tokens_is_told():
    found = look(ASKED, asked("cab"), asked("xyz"), merged=True)
    assert (found.prompts, found.ids, found.turns) == (0, 1, 0)


def test_a_template_that_refuses_an_answer_is_told():
    found = look(REFUSES, asked("y"))
    assert found.failed
    assert "the chat template refuses" in found.notes()[0]


def test_without_a_template_there_is_nothing_to_agree_with():
    assert look(None, asked("y")).n == 0
    assert look(ASKED, sample("y")).n == 0


def test_token_ids_that_do_not_spell_the_answer_are_of_another_model():
    def piece(token):
        return bytes([token])

    refuse_foreign_ids([sample("abc")], piece, 256)
    for wrong in (sample("abc", tokens=(1, 2)), sample("abc", tokens=(97, 98, 99, 300))):
        with pytest.raises(UserError, match="do not spell its text"):
            refuse_foreign_ids([wrong], piece, 256)
