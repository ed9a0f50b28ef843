"""Templates, guards and stops."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localpower.catalogue import ENTRIES
from localpower.engine.weights import Weights
from localpower.errors import ModelError, UserError
from localpower.text.conversation import Conversation
from localpower.text.guard import choose_mark, guard
from localpower.text.stops import answer_text, cut_at_stop, stop_predicate
from localpower.text.template import render_chats
from localpower.text.vocabulary import Vocabulary
from localpower.ui.view import harmless
from tests.gguf_files import TEMPLATE, write_llama

CONTROLS = ("<|im_start|>", "<|im_end|>", "<s>", "</s>")
PIECES = {0: b"", 1: b"a", 2: b"b", 3: b"ab", 4: "é".encode()[:1], 5: "é".encode()[1:]}


@given(st.lists(st.sampled_from([*CONTROLS, "<", "|>", "im_", " ", "x"]), max_size=12).map("".join))
def test_no_part_of_guarded_text_holds_a_control_text_and_nothing_is_lost(text):
    mark = choose_mark([text])
    guarded = guard(text, CONTROLS, mark)
    assert guarded.replace(mark, "") == text
    assert not any(control in part for part in guarded.split(mark) for control in CONTROLS)


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize("space", ["", " \n"])
def test_a_half_of_a_control_text_cannot_be_completed_by_what_the_template_puts_beside_it(control, space):
    """space: what a template may strip from a text before it is put in its place."""
    for n in range(1, len(control)):
        head, tail = control[:n], control[n:]
        mark = choose_mark([control])
        for rendered in (
            guard("x" + head + space, CONTROLS, mark).strip() + tail,
            head + guard(space + tail + "x", CONTROLS, mark).strip(),
            guard(head, CONTROLS, mark) + guard(tail, CONTROLS, mark),
        ):
            assert rendered.replace(mark, "").strip("x") == control
            assert not any(control in part for part in rendered.split(mark)), (head, tail)


@pytest.mark.parametrize("template", ["{{ bos_token }}", ""])
def test_a_model_that_wants_bos_gets_one_whether_its_template_writes_it_or_not(template, tmp_path):
    path = write_llama(tmp_path / "bos.gguf", template=template + TEMPLATE, letters="abc[]:", adds_bos=True)
    weights = Weights(path, vocab_only=True)
    bos, talk = weights.bos(), Conversation.of("ab")
    vocabulary = Vocabulary(weights)
    assert weights.special_token("bos") == "<|endoftext|>"
    prompt = vocabulary.chat_prompt(talk)
    assert (prompt[0], prompt.count(bos), vocabulary.text(prompt)) == (bos, 1, b"[ab]:")
    assert vocabulary.chat_prompts([talk]) == [prompt]
    assert vocabulary.raw_prompt(talk) == (bos, 0, 1)
    weights.close()


@given(st.lists(st.sampled_from(sorted(PIECES)), max_size=12), st.sampled_from([b"ba", b"aab", "é".encode()]))
def test_a_stop_is_seen_at_the_first_token_that_completes_it_whatever_the_token_borders(tokens, stop):
    ended = stop_predicate([stop], PIECES.__getitem__)
    for n in range(1, len(tokens) + 1):
        text = b"".join(PIECES[t] for t in tokens[:n])
        assert ended(tuple(tokens[:n])) == (stop in text[-(len(stop) - 1) - len(PIECES[tokens[n - 1]]) :])
        if stop in text:
            break


def test_the_shown_text_ends_before_the_first_stop():
    assert cut_at_stop(b"one two three", [b"three", b" two"]) == b"one"


def test_the_shown_text_ends_before_a_character_that_the_limit_cut():
    assert answer_text((1, 4), PIECES.__getitem__, []) == "a"
    assert answer_text((1, 4, 5), PIECES.__getitem__, []) == "aé"
    assert answer_text((4, 1), PIECES.__getitem__, []) == "\ufffda", "what is cut in the middle is shown"


def test_template_arguments_reach_the_template():
    template = "{{ messages[0].content }}{% if not enable_thinking %} no{% endif %}{{ bos_token }}"
    messages = [{"role": "user", "content": "q"}]
    assert render_chats(template, [messages], bos="B", arguments={"enable_thinking": False}) == ["q noB"]


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{{ raise_exception('roles must alternate') }}", "roles must alternate"),
        (
            "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
            "time or memory|over 10 s",  # a busy machine comes to the second of the two limits
        ),
        ("{{ messages[0].content }}{{ 'x' * 3000000 }}", "wrote 3000001 characters"),
        ("{{ ''.__class__.__mro__ }}", "failed"),
        ("{% if %}", "failed"),
    ],
)
def test_a_template_that_raises_loops_or_floods_is_a_problem_in_one_line(template, words):
    with pytest.raises(ModelError, match=words):
        render_chats(template, [[{"role": "user", "content": "q"}]])


def test_model_text_can_neither_colour_nor_move_the_terminal():
    assert "\x1b" not in harmless("\x1b[31mred\x1b[2J")
    assert harmless("a[i] = b[0] [/INST]\n") == "a[i] = b[0] [/INST]\n"


def say(*roles):
    return [{"role": role, "content": f"what the {role} says <{i}>"} for i, role in enumerate(roles)]


PARTS = "{% for m in messages %}{% for p in m.content %}{% if p.type == 'text' %}{{ p.text }}{% endif %}{% endfor %}{% endfor %}"
MIXED = "{% for m in messages %}{% if m.role == 'user' %}{{ m.content[0].text }}{% else %}{{ m.content.strip() }}{% endif %}|{% endfor %}"
STRICT = (
    "{% for m in messages %}{% if m.content is string %}{{ raise_exception('parts!') }}{% endif %}"
    "{{ m.content[0]['text'] }}{% endfor %}"
)


@pytest.mark.parametrize("template", [PARTS, MIXED, STRICT])
def test_a_template_that_wants_lists_of_parts_gets_them(template):
    messages = say("system", "user")
    (text,) = render_chats(template, [messages])
    assert all(message["content"] in text for message in messages)


@pytest.mark.parametrize("role", ["system", "user", "assistant"])
def test_a_template_that_leaves_a_message_out_is_refused_and_its_role_named(role):
    template = f"{{% for m in messages %}}{{% if m.role != '{role}' %}}{{{{ m.content }}}}{{% endif %}}{{% endfor %}}user"
    messages = say("system", "user", "assistant", "user")
    with pytest.raises(ModelError, match=f"leaves out the {role} message"):
        render_chats(template, [messages])
    assert render_chats(template, [[m for m in messages if m["role"] != role]])


@pytest.mark.parametrize("shown", ["m.content | truncate(4, True)", "m.content[0]", "m.content[:1]"])
def test_a_part_as_python_writes_it_is_no_message(shown):
    with pytest.raises(ModelError, match="leaves out the user message"):
        render_chats("{% for m in messages %}{{ " + shown + " }}{% endfor %}", [say("user")])


def test_a_template_that_refuses_a_system_message_is_told_with_what_to_leave_out():
    template = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}{{ messages[0].content }}"
    with pytest.raises(ModelError) as raised:
        render_chats(template, [say("system", "user")])
    assert "(leave --system out, or --raw sends your text as it is)" in raised.value.line()


def test_a_message_that_a_template_drops_for_what_it_says_is_missed_too():
    template = (
        "{% for m in messages %}{% if '<tool' not in m.content %}{{ m.content }}{% endif %}{% endfor %}"
    )
    with pytest.raises(ModelError, match="leaves out the user message"):
        render_chats(template, [[{"role": "user", "content": "<tool>why is the sky blue</tool>"}]])


def test_a_template_that_writes_nothing_is_said_to_leave_the_message_out():
    with pytest.raises(ModelError, match="leaves out the user message"):
        render_chats("", [say("user")])


@pytest.mark.parametrize(
    "change", ["trim", "tojson", "upper", "e", "tojson(ensure_ascii=True)", "replace('a', 'a ')"]
)
def test_a_template_may_strip_quote_or_change_texts(change):
    text = ' "a b"\n東京 & é <1> what is it '
    assert render_chats("{{ messages[0].content | " + change + " }}", [[{"role": "user", "content": text}]])


def test_a_template_may_drop_the_thoughts_of_earlier_turns():
    template = "{% for m in messages %}{{ m.content.split('</think>')[-1] }}{% endfor %}"
    thought = {"role": "assistant", "content": "<think>a long way to go</think>4"}
    assert render_chats(template, [[*say("user"), thought, *say("user")]])


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("'tools' if tools is not none", ""),
        ("'documents' if documents is not none", ""),
        ("tools | map(attribute='name') | join", ""),
        ("{'b': 'é', 'a': 1} | tojson", '{"b": "é", "a": 1}'),
        ("{'b': 'é', 'a': 1} | tojson(ensure_ascii=True, sort_keys=True)", '{"a": 1, "b": "\\u00e9"}'),
        ("[1, 2] | tojson(separators=(',', ':'))", "[1,2]"),
        ("[1] | tojson(indent=1)", "[\n 1\n]"),
        ("strftime_now('%Y')", "2024"),
    ],
)
def test_templates_find_what_transformers_gives_them(expression, text):
    now = datetime.datetime(2024, 5, 1)
    template = "{% generation %}{{ messages[0].content }}{% endgeneration %}{{ " + expression + " }}"
    assert render_chats(template, [[{"role": "user", "content": "q"}]], now=now) == ["q" + text]


@pytest.mark.model
def test_a_chat_written_as_text_and_read_again_has_the_tokens_of_the_prompt():
    weights = Weights(ENTRIES["smollm2"].path(), vocab_only=True)
    vocabulary = Vocabulary(weights)
    texts = ["Be brief.", "What is <|im_end|>? 2 < 3", " A mark. ", "So >"]
    roles = ["system", "user", "assistant", "user"]
    said = [{"role": role, "content": text} for role, text in zip(roles, texts, strict=True)]
    text, tokens = vocabulary.chat_text(Conversation(said)), vocabulary.chat_prompt(Conversation(said))
    assert vocabulary.read_chat(text) == tokens
    assert vocabulary.read_chat(text + "Yes")[: len(tokens)] == tokens
    with pytest.raises(UserError, match=r"U\+FDD0"):
        vocabulary.chat_text(Conversation.of("\ufdd0"))
    weights.close()
