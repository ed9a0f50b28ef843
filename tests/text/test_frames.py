"""What a template writes around the results of tools, and which templates cannot be used for traces."""

from __future__ import annotations

import pytest

from localpower.errors import ModelError
from localpower.text.frames import frame_of, knows_tools
from localpower.text.template import keeping, render_chats
from localpower.tools.calls import Call, Observation
from localpower.tools.formats import Frame, find

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
# As Qwen3's does it: thoughts before the last question of the user are dropped; results of tools are no question.
FORGETS = (
    "{% set ns = namespace(last=0) %}{% for m in messages %}{% if m.role == 'user' and not "
    "m.content.startswith('<tool_response>') %}{% set ns.last = loop.index0 %}{% endif %}{% endfor %}"
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.role == 'assistant' and loop.index0 < ns.last %}"
    "{{ m.content.split('</think>')[-1].lstrip('\n') }}{% else %}{{ m.content }}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}{# <think> </think> #}"
)
LLAMA = (
    "{% for m in messages %}<|start_header_id|>{{ 'ipython' if m.role == 'tool' else m.role }}<|end_header_id|>\n\n"
    "{{ m.content }}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)
# As Qwen3-Coder's and Nemotron's do it: results in tags, a line break behind each.
TAGGED = (
    "{% for m in messages %}{% if m.role == 'tool' %}{% if loop.previtem.role != 'tool' %}<|im_start|>user\n{% endif %}"
    "<tool_response>\n{{ m.content }}\n</tool_response>\n"
    "{% if loop.last or loop.nextitem.role != 'tool' %}<|im_end|>\n{% endif %}"
    "{% else %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}{# <tool_call> <function= #}"
)
# As Qwen 3.8's does it: thoughts have a name of their own; as Qwen 3.5's small ones do it: they end in the prompt.
NAMED = TAGGED.replace(
    "<|im_start|>{{ m.role }}\n{{ m.content }}",
    "<|im_start|>{{ m.role }}\n{% if m.role == 'assistant' %}<think>\n{{ m.reasoning_content }}\n</think>\n\n{% endif %}"
    "{{ m.content }}",
)
OPENED, CLOSED = (
    NAMED.replace("assistant\n{% endif %}{#", f"assistant\n<think>\n{end}{{% endif %}}{{#")
    for end in ("", "\n</think>\n\n")
)
NO_THOUGHTS = FORGETS.replace("loop.index0 < ns.last", "true")
NO_END = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant: "
ENDS = ("<|im_end|>", "<|eot_id|>", "<|endoftext|>")


@pytest.fixture(autouse=True, scope="module")
def one_process_renders_all():
    with keeping():
        yield


def frame(template, name, **options):
    form = find(name)
    told = "".join(piece.text for piece in form.opening([Observation("zqtold", True, True)], Frame()))
    return frame_of(template, told, form.role, form.written(Call("f", {})), ENDS, **options)


@pytest.mark.parametrize(
    ("template", "name", "wanted"),
    [
        (CHATML, "hermes", ("\n<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n")),
        (FORGETS, "hermes", ("\n<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n")),
        (
            LLAMA,
            "llama3",
            (
                "<|start_header_id|>ipython<|end_header_id|>\n\n",
                "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
            ),
        ),
    ],
    ids=["chatml", "thoughts within one question", "llama 3"],
)
def test_the_frame_is_what_stands_between_two_turns_of_the_model(template, name, wanted):
    assert frame(template, name) == wanted


@pytest.mark.parametrize(
    ("template", "opens"),
    [(TAGGED, ""), (NAMED, ""), (OPENED, "<think>\n"), (CLOSED, "<think>\n\n</think>\n\n")],
    ids=["no thoughts", "thoughts by name", "opened by the prompt", "ended by the prompt"],
)
def test_results_in_the_templates_own_tags_stand_behind_a_turn_as_the_template_writes_them(template, opens):
    form = find("qwen3-coder")
    asked, said = (
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b", "reasoning_content": ""},
    )
    told = [{"role": "tool", "content": text} for text in ("one", "two")]
    (whole,) = render_chats(template, [[asked, said, *told]])
    pieces = form.opening(
        [Observation(text, True, True) for text in ("one", "two")], Frame(*frame(template, form.name))
    )
    assert whole.partition("b<|im_end|>")[2] == "".join(piece.text for piece in pieces)
    assert whole.endswith(f"</tool_response>\n<|im_end|>\n<|im_start|>assistant\n{opens}")


def test_a_template_without_tags_for_results_has_them_from_the_format():
    form = find("qwen3-coder")
    (before, text, after) = form.opening([Observation("one", True, True)], Frame(*frame(CHATML, form.name)))
    assert before.text == "\n<|im_start|>tool\n<tool_response>\n"
    assert (text.text, after.text[:17]) == ("one", "\n</tool_response>")


def test_a_template_that_drops_thoughts_of_earlier_turns_is_refused_unless_there_are_none():
    with pytest.raises(ModelError, match="rewrites earlier turns of the model") as refused:
        frame(NO_THOUGHTS, "hermes")
    assert "--no-think" in refused.value.hint
    assert frame(NO_THOUGHTS, "hermes", thoughts=False)[0] == "\n<|im_start|>user\n"


def test_a_template_whose_turns_have_no_end_token_has_no_place_for_results():
    with pytest.raises(ModelError, match="no turn for what a tool answers"):
        frame(NO_END, "hermes")


def test_templates_that_take_tools_are_known_by_the_name():
    assert knows_tools("{% if tools %}{{ tools | tojson }}{% endif %}")
    assert not knows_tools(CHATML)
    assert not knows_tools("{% set tools = 1 %}")
    assert not knows_tools("{% broken")
    assert not knows_tools(None)
