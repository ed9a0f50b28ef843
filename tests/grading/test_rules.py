"""Graders of the harder benchmarks: instructions, grids, phrases, languages, and cases that are never unpickled."""

from __future__ import annotations

import base64
import json
import os
import pickle
import zlib

import pytest

from localpower.grading.grids import grid_answer
from localpower.grading.instructions import followed
from localpower.grading.languages import is_in
from localpower.grading.letters import letter_answer
from localpower.grading.packed_cases import unpacked
from localpower.grading.verdicts import grade_cases, grade_instructions, grade_phrase
from tests.evals.harder_files import case, packed

RULES = [  # an instruction, its arguments, an answer that follows it and one that does not
    ("keywords:existence", {"keywords": ["zorb", "quux"]}, "A Zorb and a quux.", "A zorb."),
    ("keywords:frequency", {"keyword": "zorb", "frequency": 2, "relation": "at least"}, "zorb Zorb", "zorb"),
    ("keywords:frequency", {"keyword": "zorb", "frequency": 2, "relation": "less than"}, "zorb", "zorb zorb"),
    ("keywords:forbidden_words", {"forbidden_words": ["cat"]}, "A category.", "A Cat."),
    ("keywords:letter_frequency", {"letter": "q", "let_frequency": 2, "let_relation": "at least"}, "Qq", "q"),
    ("language:response_language", {"language": "de"}, "Das ist nicht der Hund.", "This is not the dog."),
    (
        "length_constraints:number_sentences",
        {"num_sentences": 2, "relation": "at least"},
        "Dr. No. Yes!",
        "Dr. No",
    ),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "a\n***\nb", "a\n***\n***\nb"),
    ("length_constraints:number_words", {"num_words": 3, "relation": "less than"}, "one two", "one two 3"),
    (
        "length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "weekend"},
        'Now.\n\n"Weekend", he said.',
        "Weekend.\n\nNow.",
    ),
    ("detectable_content:number_placeholders", {"num_placeholders": 2}, "[name] [date]", "[name]"),
    ("detectable_content:postscript", {"postscript_marker": "P.S."}, "Bye.\n\nP. S. More.", "Bye, ps."),
    ("detectable_content:postscript", {"postscript_marker": "P.P.S"}, "Bye.\nP.P.S more", "Bye.\nP.S. more"),
    ("detectable_format:number_bullet_lists", {"num_bullets": 2}, "* a\n- b\n", "* a\n**b**\n"),
    ("detectable_format:constrained_response", {}, "My answer is maybe.", "Maybe."),
    ("detectable_format:number_highlighted_sections", {"num_highlights": 2}, "*a* and **b**", "*a*, ** **"),
    (
        "detectable_format:multiple_sections",
        {"section_spliter": "SECTION", "num_sections": 2},
        "SECTION 1\na\nSECTION 2\nb",
        "SECTION 1\na",
    ),
    ("detectable_format:json_format", {}, '```json\n{"a": 1}\n```', "{a: 1}"),
    ("detectable_format:title", {}, "<<joy>>\nText", "<< >>\nText"),
    ("combination:two_responses", {}, "one\n******\ntwo", "one\n******\none"),
    ("combination:repeat_prompt", {"prompt_to_repeat": "Say it."}, "say it. It.", "It. Say it."),
    ("startend:end_checker", {"end_phrase": "Is that all?"}, 'Yes. is that all?"', "Is that all? Yes."),
    ("startend:quotation", {}, ' "all of it" ', '"all" of it'),
    (
        "change_case:capital_word_frequency",
        {"capital_frequency": 2, "capital_relation": "at least"},
        "THE END",
        "The END",
    ),
    ("change_case:english_capital", {}, "THE END OF IT, AND THE START.", "THE END of it"),
    ("change_case:english_lowercase", {}, "the end of it", "The end of it"),
    ("punctuation:no_comma", {}, "one two", "one, two"),
]


@pytest.mark.parametrize(("rule", "arguments", "good", "bad"), RULES, ids=lambda each: str(each)[:40])
def test_an_instruction_is_followed_or_not(rule, arguments, good, bad):
    assert followed(rule, arguments, "the prompt", good)
    assert not followed(rule, arguments, "the prompt", bad)


def test_an_empty_answer_follows_no_instruction_and_a_thought_does_not_count():
    rules = [{"id": "punctuation:no_comma", "arguments": {}}]
    assert grade_instructions(rules, "p", "<think>a, b</think> ").verdict == "wrong"
    assert grade_instructions(rules, "p", "<think>a, b</think> no comma").verdict == "right"


LANGUAGES = {
    "en": "The dog is in the house and it was not for you.",
    "es": "El perro no está en la casa con los gatos que se van.",
    "it": "Il cane non è nella casa con gli altri che sono anche di più.",
    "fi": "Koira on talossa ja se ei ole niin iso kuin kissa.",
    "ru": "Собака не в доме, и это на самом деле так.",
    "bg": "Кучето не е в къщата и това не са котки от града.",
    "hi": "कुत्ता घर में है और यह बिल्ली का नहीं है",
    "ar": "الكلب في البيت مع القط من هذا الشارع",
    "ko": "개는 집에 있습니다",
    "ta": "நாய் வீட்டில் உள்ளது",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_is_in_its_own_language_and_in_no_other(language):
    assert [other for other in LANGUAGES if is_in(LANGUAGES[language], other)] == [language]


def test_of_a_language_that_is_not_known_nothing_is_said():
    assert is_in("Saluton al la mondo", "eo") is None
    assert is_in("12 + 30", "en") is None


@pytest.mark.parametrize(
    ("text", "grid"),
    [
        ("I see 3 things.\n\n1 2\n3 4\n", [[1, 2], [3, 4]]),
        ("1 2\n3 4\n\nthen\n\n5 6\n7 8", [[5, 6], [7, 8]]),
        ("```\n[[1, 2],\n [3, 4]]\n```", [[1, 2], [3, 4]]),
        ("12\r\n34\r\n", [[1, 2], [3, 4]]),
        ("|1|2|\n|3|4|", [[1, 2], [3, 4]]),
        ("1 2\n3 4 5\n", [[3, 4, 5]]),
        ("The answer is 7.", None),
        ("[[1, 2], [3]]", None),
    ],
)
def test_the_last_grid_of_an_answer_counts(text, grid):
    assert grid_answer(text) == grid


@pytest.mark.parametrize(
    ("gold", "text", "verdict"),
    [
        ("(B)", "So the answer is (B).", "right"),
        ("(B)", "So the answer is B.", "right"),
        ("(B)", "So the answer is (B) a dog, not (A).", "right"),
        ("(B)", "So the answer is (A).", "wrong"),
        ("Yes", "the answer is yes", "right"),
        ("-3", "Let me see. So the answer is -3.", "right"),
        ("3.5", "So the answer is 3.5.", "right"),
        ("] ) }", "So the answer is ] ) }.", "right"),
        ("apple berry", "So the answer is **Apple berry**. It is sorted.", "right"),
        ("valid", "So the answer is invalid.", "wrong"),
        ("valid", "I do not know.\nReally.", "none"),
    ],
)
def test_a_phrase_is_what_follows_the_announcement(gold, text, verdict):
    assert grade_phrase(gold, text).verdict == verdict


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("the answer is (J).", "J"),
        ("Answer: I", "I"),
        ("The answer is I think B", None),
        ("\\boxed{H}", "H"),
        ("(g)", "G"),
        ("Answer: A good way to say it", None),
        ("the answer is K", None),
    ],
)
def test_ten_letters_are_read_and_words_are_none_of_them(text, letter):
    assert letter_answer(text, "J") == letter


def test_cases_come_out_as_they_were_packed():
    cases = [case("1\n", "2\n"), case("é\u2028", "x")]
    plain = [{"input": each["input"], "output": each["output"]} for each in cases]
    assert unpacked(packed(cases)) == plain
    assert unpacked(json.dumps(cases)) == plain
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        data = zlib.compress(pickle.dumps(json.dumps(cases), protocol=protocol))
        assert unpacked(base64.b64encode(data).decode()) == plain


class Harm:
    def __reduce__(self):
        return os.system, ("touch harmed",)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (pickle.dumps(Harm()), "does more than hold a text"),
        (pickle.dumps(["a", "b"]), "does more than hold a text"),
        (pickle.dumps("no json"), "no JSON"),
        (pickle.dumps("[1]"), "no list of objects with input and output"),
        (pickle.dumps("[]")[:-1], "damaged pickle"),
        (b"not a pickle", "damaged pickle"),
    ],
)
def test_no_pickle_is_ever_loaded(value, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        unpacked(base64.b64encode(zlib.compress(value)).decode())
    assert not (tmp_path / "harmed").exists()


def test_packed_cases_that_were_cut_off_are_refused():
    whole = base64.b64decode(packed([case("1", "2")] * 9))
    with pytest.raises(ValueError, match="cut off"):
        unpacked(base64.b64encode(whole[:-8]).decode())


STDIN = {"cases": [{"input": "1 2\n", "output": "3\n"}], "packed": "", "call": ""}


@pytest.mark.parametrize(
    ("program", "passed"),
    [
        ("import os\na, b = os.read(0, 99).split()\nos.write(1, b'%d' % (int(a) + int(b)))", True),
        ("def main():\n    print(3.0)\nif __name__ == '__main__':\n    main()\n    exit()", True),
        ("raise SystemExit", False),
        ("print(3)\n1 / 0", False),
    ],
    ids=["descriptors", "a script", "no output", "an error"],
)
def test_a_program_is_run_as_a_script_on_each_case(program, passed):
    assert grade_cases(STDIN, f"```python\n{program}\n```", 10.0, {}).passed is passed
