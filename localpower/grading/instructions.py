"""Instructions that a program can check, by the names that IFEval gives them (Zhou et al. 2023, arXiv 2311.07911).

Our own checkers, of the rules that its authors describe. Each takes the answer and the instruction's arguments. Where a
rule needs to know what a sentence or a language is, plain rules stand for the packages that its authors use.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from localpower.grading.languages import is_in

Arguments = Mapping[str, Any]
_CHOICES = ("My answer is yes.", "My answer is no.", "My answer is maybe.")
_SHORT = r"(?:Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|vs|etc|e\.g|i\.e|[A-Z])"
_SENTENCE = re.compile(r"[^.!?\n]*\w(?:[^.!?\n]|[.!?](?=\w))*[.!?]*")


def known(rule: str) -> bool:
    """Whether there is a checker for an instruction of that name."""
    return rule in _RULES


def missing(rule: str, arguments: Arguments) -> list[str]:
    """Arguments that a rule needs and that are not given."""
    return [name for name in _RULES[rule][1] if arguments.get(name) is None]


def followed(rule: str, arguments: Arguments, prompt: str, answer: str) -> bool:
    """Whether an answer follows an instruction. An empty one follows none. Raises KeyError for an unknown rule."""
    if not answer.strip():
        return False
    if rule == "combination:repeat_prompt":
        wanted = arguments.get("prompt_to_repeat") or prompt
        return answer.strip().lower().startswith(str(wanted).strip().lower())
    return _RULES[rule][0](answer, arguments)


def sentences(text: str) -> int:
    """How many sentences: pieces with a word in them that end at a full stop, a question or an exclamation mark."""
    plain = re.sub(rf"\b({_SHORT})\.", r"\1", text)
    return len(_SENTENCE.findall(plain))


def words(text: str) -> int:
    """How many runs of letters, digits and underscores."""
    return len(re.findall(r"\w+", text))


def _related(found: int, arguments: Arguments, number: str, relation: str = "relation") -> bool:
    """`less than` or `at least`, as the rule's arguments have it."""
    wanted = int(arguments[number])
    return found < wanted if arguments.get(relation) == "less than" else found >= wanted


def _has(word: str, text: str) -> int:
    """How often a keyword comes, whatever the case."""
    return len(re.findall(re.escape(word), text, re.IGNORECASE))


def _no_words(text: str, arguments: Arguments) -> bool:
    return not any(
        re.search(rf"\b{re.escape(word)}\b", text, re.IGNORECASE) for word in arguments["forbidden_words"]
    )


def _letters(text: str, arguments: Arguments) -> bool:
    found = text.lower().count(str(arguments["letter"]).strip().lower())
    return _related(found, arguments, "let_frequency", "let_relation")


def _paragraphs(text: str, arguments: Arguments) -> bool:
    """Parted by lines of three asterisks; an empty one counts at the ends alone as none."""
    parts = re.split(r"\s?\*\*\*\s?", text)
    inner = parts[1:-1]
    n = sum(bool(part.strip()) for part in parts)
    return all(part.strip() for part in inner) and n == int(arguments["num_paragraphs"])


def _first_word(text: str, arguments: Arguments) -> bool:
    """Paragraphs are parted by empty lines here."""
    parts = [part.strip() for part in text.split("\n\n") if part.strip()]
    which = int(arguments["nth_paragraph"])
    if len(parts) != int(arguments["num_paragraphs"]) or not 1 <= which <= len(parts):
        return False
    first = re.split(r"[.,?!'\"\s]", parts[which - 1].split()[0].lstrip("'\""))[0]
    return first.lower() == str(arguments["first_word"]).lower()


def _postscript(text: str, arguments: Arguments) -> bool:
    letters = [letter for letter in str(arguments["postscript_marker"]) if letter.isalpha()]
    if len(letters) < 2 or letters[-1].upper() != "S":
        return str(arguments["postscript_marker"]).lower() in text.lower()
    spaced = r"\.?\s?".join(letters) + r"\.?"
    return re.search(rf"(?im)^\s*{spaced}", text) is not None


def _bullets(text: str, arguments: Arguments) -> bool:
    found = re.findall(r"^\s*(?:\*[^*\n].*|-.*)$", text, re.MULTILINE)
    return len(found) == int(arguments["num_bullets"])


def _highlights(text: str, arguments: Arguments) -> bool:
    double = [each for each in re.findall(r"\*\*([^\n*]*)\*\*", text) if each.strip()]
    single = [
        each for each in re.findall(r"\*([^\n*]*)\*", re.sub(r"\*\*[^\n*]*\*\*", "", text)) if each.strip()
    ]
    return len(double) + len(single) >= int(arguments["num_highlights"])


def _sections(text: str, arguments: Arguments) -> bool:
    found = re.findall(rf"\s?{re.escape(str(arguments['section_spliter']))}\s?\d+\s?", text)
    return len(found) >= int(arguments["num_sections"])


def _is_json(text: str, _: Arguments) -> bool:
    fenced = re.fullmatch(r"\s*```(?:json|JSON|Json)?\n?(.*?)```\s*", text, re.DOTALL)
    try:
        json.loads(fenced.group(1) if fenced else text)
    except (ValueError, RecursionError):
        return False
    return True


def _two(text: str, _: Arguments) -> bool:
    parts = text.split("******")
    parts = [part.strip() for i, part in enumerate(parts) if part.strip() or 0 < i < len(parts) - 1]
    return len(parts) == 2 and all(parts) and parts[0] != parts[1]


def _end(text: str, arguments: Arguments) -> bool:
    said = text.strip().strip('"').lower()
    return said.endswith(str(arguments["end_phrase"]).strip().lower())


def _quoted(text: str, _: Arguments) -> bool:
    said = text.strip()
    return len(said) > 1 and said[0] == said[-1] == '"'


def _capitals(text: str, arguments: Arguments) -> bool:
    found = sum(word.isupper() for word in re.findall(r"[\w'-]+", text))
    return _related(found, arguments, "capital_frequency", "capital_relation")


def _in_case(text: str, *, upper: bool) -> bool:
    """All of it in one case, and English as far as that can be told."""
    return (text.isupper() if upper else text.islower()) and is_in(text, "en") is not False


_Rule = tuple[Callable[[str, Arguments], bool], tuple[str, ...]]
_RULES: dict[str, _Rule] = {  # the checker, and the arguments that it needs
    "keywords:existence": (lambda t, a: all(_has(word, t) for word in a["keywords"]), ("keywords",)),
    "keywords:frequency": (
        lambda t, a: _related(_has(str(a["keyword"]).strip(), t), a, "frequency"),
        ("keyword", "frequency", "relation"),
    ),
    "keywords:forbidden_words": (_no_words, ("forbidden_words",)),
    "keywords:letter_frequency": (_letters, ("letter", "let_frequency", "let_relation")),
    "language:response_language": (lambda t, a: is_in(t, a["language"]) is not False, ("language",)),
    "length_constraints:number_sentences": (
        lambda t, a: _related(sentences(t), a, "num_sentences"),
        ("num_sentences", "relation"),
    ),
    "length_constraints:number_paragraphs": (_paragraphs, ("num_paragraphs",)),
    "length_constraints:number_words": (
        lambda t, a: _related(words(t), a, "num_words"),
        ("num_words", "relation"),
    ),
    "length_constraints:nth_paragraph_first_word": (
        _first_word,
        ("num_paragraphs", "nth_paragraph", "first_word"),
    ),
    "detectable_content:number_placeholders": (
        lambda t, a: len(re.findall(r"\[.*?\]", t)) >= int(a["num_placeholders"]),
        ("num_placeholders",),
    ),
    "detectable_content:postscript": (_postscript, ("postscript_marker",)),
    "detectable_format:number_bullet_lists": (_bullets, ("num_bullets",)),
    "detectable_format:constrained_response": (lambda t, _: any(each in t for each in _CHOICES), ()),
    "detectable_format:number_highlighted_sections": (_highlights, ("num_highlights",)),
    "detectable_format:multiple_sections": (_sections, ("section_spliter", "num_sections")),
    "detectable_format:json_format": (_is_json, ()),
    "detectable_format:title": (
        lambda t, _: any(each.strip() for each in re.findall(r"<<([^\n>]+)>>", t)),
        (),
    ),
    "combination:two_responses": (_two, ()),
    "combination:repeat_prompt": (lambda _t, _a: False, ()),  # needs the prompt: `followed` has it
    "startend:end_checker": (_end, ("end_phrase",)),
    "startend:quotation": (_quoted, ()),
    "change_case:capital_word_frequency": (_capitals, ("capital_frequency", "capital_relation")),
    "change_case:english_capital": (lambda t, _: _in_case(t, upper=True), ()),
    "change_case:english_lowercase": (lambda t, _: _in_case(t, upper=False), ()),
    "punctuation:no_comma": (lambda t, _: "," not in t, ()),
}
