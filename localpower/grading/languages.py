"""In which language a text is, as far as letters and common words tell: no model and no package.

A language of a script of its own is told by its letters. Among those that share one, the words that everybody uses
decide; a text with none of the words of a language is not in it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

_SCRIPTS = {  # of a language that shares it with no other that IFEval asks for
    **{"kn": "KANNADA", "te": "TELUGU", "ta": "TAMIL", "gu": "GUJARATI", "bn": "BENGALI", "pa": "GURMUKHI"},
    **{"th": "THAI", "ko": "HANGUL", "ml": "MALAYALAM", "el": "GREEK", "he": "HEBREW", "ja": "HIRAGANA"},
    "zh": "CJK",
}
_SHARED = {
    **dict.fromkeys(("hi", "mr", "ne"), "DEVANAGARI"),
    **dict.fromkeys(("ar", "fa", "ur"), "ARABIC"),
    **dict.fromkeys(("ru", "bg", "uk"), "CYRILLIC"),
}
_WORDS = {
    "en": "the and of to in is that it for was with as his on be at by this are from you not have or an",
    "de": "der die und das ist nicht ein eine mit von den zu auf für sich im dem auch es ich wird sind",
    "fr": "le la les et des est une que dans pour qui sur pas avec ce il sont du en au plus",
    "es": "el la los de que y en un una por con no para es se las del su como más",
    "pt": "o a os de que e em um uma por com não para é se as do da como mais dos",
    "it": "il la di che e un una per non è in con del della le gli sono si anche più",
    "fi": "ja on ei että se hän mutta oli ovat kun tai myös sen joka niin ole",
    "sw": "na ya wa kwa ni katika za la cha hii kuwa kama au yake hiyo",
    "vi": "là và của có không được một những cho với trong các này người đã để",
    "nl": "de het een en van is dat in niet op te voor met zijn aan ook er maar",
    "sv": "och det att en som är på för med inte av den till har om ett",
    "pl": "i w na nie się z jest to że do jak o ale po co są",
    "tr": "ve bir bu için ile da de çok daha olarak gibi ama ne kadar",
    "hi": "है के में की को से का और हैं यह एक पर नहीं भी था",
    "mr": "आहे आणि या च्या मध्ये आहेत हे एक नाही होते ते साठी असे",
    "ne": "छ र को मा हो यो छन् गर्न भने पनि लागि एक हुन्छ",
    "ar": "في من على أن إلى هذا التي الذي لا ما مع هو كان عن هذه",
    "fa": "است در به از که این را با برای آن یک های می شود",
    "ur": "ہے کے میں کی اور سے کو کا یہ ہیں پر نے ایک نہیں",
    "ru": "и в не на что это как с по но он она из для быть к",
    "bg": "и в на да се за е от че са с не като по това",
    "uk": "і в не на що це як з та до для але він є",
}


def is_in(text: str, language: str) -> bool | None:
    """Whether a text is in a language, by its code; None: this is not known of that language, or of so short a text."""
    letters = Counter(_script(letter) for letter in text if letter.isalpha())
    if not letters:
        return None
    if language in _SCRIPTS:
        return _share(letters, _SCRIPTS[language]) > (0.2 if language == "ja" else 0.5)
    if language not in _WORDS:
        return None
    script = _SHARED.get(language, "LATIN")
    if _share(letters, script) <= 0.5:
        return False
    words = Counter(re.findall(r"[^\W\d_]+(?:[\u0900-\u097f]+)?", text.casefold()))
    rivals = [each for each in _WORDS if _SHARED.get(each, "LATIN") == script]
    counts = {each: sum(words[word] for word in _WORDS[each].split()) for each in rivals}
    if not any(counts.values()):
        return None
    return counts[language] == max(counts.values())


def _script(letter: str) -> str:
    return unicodedata.name(letter, "").split(" ")[0].split("-")[0]


def _share(letters: Counter[str], script: str) -> float:
    return letters[script] / letters.total()
