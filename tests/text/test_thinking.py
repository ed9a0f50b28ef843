"""Thoughts: how they are found in an answer, switched on and off, and led to an end."""

from __future__ import annotations

import json

import pytest

from localpower.cli.main import main
from localpower.engine.weights import Weights
from localpower.text.conversation import Conversation
from localpower.text.stops import answer_text
from localpower.text.thinking import Thought, marks_of, split, switch_of
from localpower.text.vocabulary import Vocabulary
from tests.gguf_files import write_llama

MARKS = ("<think>", "</think>")
TEMPLATE = "{% for m in messages %}[{{ m.content.split('</think>')[-1] }}]:{% endfor %}{% if enable_thinking is not defined or enable_thinking %}<think>{% else %}<think></think>{% endif %}"
WORDS = [b"<think>", b"</think>", b"a", b"b", b"<th", b"ink>"]


def thought(opened=False):
    return Thought(MARKS, opened, lambda token: WORDS[token])


@pytest.mark.parametrize(
    ("opened", "tokens", "length"),
    [
        (False, (0, 2, 3, 1, 2), 4),
        (False, (2, 0, 2), 3),
        (False, (4, 5, 2, 1, 3), 4),
        (False, (2, 3), None),
        (False, (2,) * 9 + (0, 2, 1), None),
        (True, (2, 1, 3), 2),
        (True, (2, 3), 2),
        (True, (), 0),
    ],
)
def test_how_long_a_thought_is(opened, tokens, length):
    assert thought(opened).length(tokens) == length


def follow(rule, tokens):
    """What is given after these."""
    while (token := rule(tokens)) is not None:
        tokens += (token,)
    return tokens


def test_a_thought_that_is_open_at_the_limit_is_led_to_its_end_once():
    rule = thought().limited(2, (3, 1))
    assert rule((0, 2)) is None
    assert follow(rule, (0, 2, 2)) == (0, 2, 2, 3, 1)
    assert rule((0, 2, 2, 3, 1, 2)) is None
    assert follow(rule, (0, 2, 1)) == (0, 2, 1), "it has closed by itself"
    assert follow(rule, (2, 2, 2)) == (2, 2, 2), "there is no thought"
    assert follow(thought(opened=True).limited(0, (1,)), ()) == (1,), "no thought at all"


@pytest.mark.parametrize(
    ("template", "marks"),
    [
        ("{{ x.split('</think>') }}", MARKS),
        ("[THINK] [/THINK]", ("[THINK]", "[/THINK]")),
        ("{{ x }}", None),
        (None, None),
    ],
)
def test_marks_are_found_in_the_template(template, marks):
    assert marks_of(template, lambda text: None) == marks


def test_marks_are_found_among_the_control_tokens():
    assert marks_of(None, {"</think>": 7}.get) == MARKS


@pytest.mark.parametrize(
    ("template", "switch"),
    [
        ("{% if enable_thinking %}x{% endif %}", "enable_thinking"),
        ("{% if thinking is defined %}x{% endif %}", "thinking"),
        ("{% set thinking = 1 %}{{ thinking }}", None),
        ("{% set thinking = thinking if thinking is defined else 1 %}{{ thinking }}", "thinking"),
        ("enable_thinking", None),
        ("{% if %}", None),
        (None, None),
    ],
)
def test_the_switch_is_a_variable_that_the_template_reads(template, switch):
    assert switch_of(template) == switch


def test_a_text_is_split_into_thought_and_answer():
    assert split("<think>\nhm\n</think>\n\nyes", MARKS, opened=False) == ("hm", "yes")
    assert split("hm</think>yes", MARKS, opened=True) == ("hm", "yes")
    assert split("<think>hm", MARKS, opened=True) == ("", "<think>hm")


def test_a_closing_mark_that_closes_nothing_is_text():
    assert split("write </think> at its end", MARKS, opened=False) == ("", "write </think> at its end")


@pytest.fixture(scope="module")
def thinker(tmp_path_factory):
    """A model with marks of thoughts that are tokens, and a template that opens a thought unless told not to."""
    path = tmp_path_factory.mktemp("thinker") / "thinker.gguf"
    return write_llama(path, "abc[]:", template=TEMPLATE, marks=MARKS, scale=0.05)


def answer(capsys, path, *options):
    settings = "--seed 3 --max-tokens 40 --method power:block=40 --json"
    assert main(["run", "-m", str(path), *settings.split(), *options, "abc"]) == 0
    shown = capsys.readouterr()
    return json.loads(shown.out), shown.err


def test_a_thinking_budget_ends_the_thought_of_a_real_model_and_counts_it(thinker, capsys):
    for most in (0, 1):
        found, said = answer(capsys, thinker, "--thinking-budget", str(most), "--method", "base")
        assert "</think>" in found["text"]
        assert most < found["thinking_tokens"] <= found["n_tokens"]
        assert "is not used" not in said


def test_a_limited_thought_is_replayed_and_verified(thinker, capsys, tmp_path):
    path = tmp_path / "run.jsonl"
    answer(capsys, thinker, "--thinking-budget", "3", "--events", str(path), "--steps", "20")
    assert main(["replay", str(path), "--verify", "-m", str(thinker)]) == 0


def test_thoughts_are_switched_off_by_name_and_a_model_that_cannot_is_told(thinker, capsys, tiny_paths):
    found, said = answer(capsys, thinker, "--no-think")
    assert "is not used" not in said
    by_hand, _ = answer(capsys, thinker, "--template-arg", "enable_thinking=false")
    assert found["text"] == by_hand["text"]
    _, said = answer(capsys, tiny_paths["f16"], "--no-think", "--thinking-budget", "3")
    assert "--no-think is not used: the chat template has no switch for thoughts" in said
    assert "--thinking-budget is not used: this model is not known to write thoughts" in said


def test_both_names_of_the_switch_at_once_are_refused(thinker, capsys):
    assert main(["run", "-m", str(thinker), "--think", "--template-arg", "enable_thinking=false", "abc"]) == 2
    assert "exclude each other" in capsys.readouterr().err


def test_a_template_is_not_computed_to_find_its_switch():
    assert switch_of("{{ 'a' * (10 ** 12) }}{{ enable_thinking }}") == "enable_thinking"


def test_a_stop_that_stands_in_the_handover_cuts_nothing():
    pieces = [b"hm", b"\n\nI answer", b"</think>", b"yes", b"\n", b"\nno"]
    assert answer_text((0, 1, 2, 3), pieces.__getitem__, [b"\n\n"]) == "hm\n\nI answer</think>yes"
    assert answer_text((0, 1, 2, 3, 4, 5), pieces.__getitem__, [b"\n\n"]) == "hm\n\nI answer</think>yes"


def test_a_template_may_drop_the_thoughts_of_earlier_turns(thinker):
    vocabulary = Vocabulary(Weights(thinker, vocab_only=True))
    said = Conversation()
    said.ask("a")
    said.answer("b</think>c", None)
    said.ask("a")
    text = b"".join(map(vocabulary.piece, vocabulary.chat_prompt(said)))
    assert b"b" not in text
    assert text.startswith(b"[a]:[c]:[a]:")
