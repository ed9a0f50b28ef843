"""What an answer says beside its thoughts: reasoning is graded by nobody and shown to no judge.

A thought stands between two marks, such as <think> and </think>. Where the prompt opened it the text has the closing
mark alone. A thought that is never closed never came to an answer. Marks that are quoted are text: in code outside a
thought, in a string, comment or group of braces.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")

OPENED = "<think>\n"  # stands for what the prompt opened
_NAME = "(?:inner_)?(?:think(?:ing)?|thoughts?|reason(?:ing)?|rationale|reflection|analysis|scratchpad)"
_OPEN = (
    rf"<(?:\w{{1,20}}:)?{_NAME}(?:\s[^<>\n]{{0,60}})?>|\[THINK\]|◁think▷|<\|inner_prefix\|>|<\|channel>thought"
    rf"|<\|(?:(?:begin|start)(?:_of)?_)?{_NAME}(?:_(?:begin|start))?\|>"
    r"|<\|channel\|>\s?(?!final)\w+[^\n]{0,99}?<\|message\|>"  # gpt-oss: analysis, commentary
)
_CLOSE = (
    rf"</(?:\w{{1,20}}:)?{_NAME}\s?>|\[/THINK\]|◁/think▷|<\|inner_suffix\|>|<channel\|>"
    rf"|<\|(?:/|end(?:_of)?_){_NAME}\|>|<\|{_NAME}_end\|>"
    r"|<\|channel\|>\s?final[^\n]{0,99}?<\|message\|>"
)
_QUOTED = (
    r'(?P<q>"""|\'\'\').*?(?P=q)|(?<!\w)[bfru]{0,2}"[^"\n]{0,200}"|(?<![\w)])[bfru]{0,2}\'[^\'\n]{0,200}\'(?!\w)'
    r"|\\verb(?P<v>[^\w\s]).*?(?P=v)|\\begin\{(?P<e>verbatim|lstlisting)\}.*?\\end\{(?P=e)\}"
    r"|(?<!`)`[^`\n]{1,200}`(?!`)|\{[^{}\n]{0,200}\}"
)
_MARKS = (
    rf"(?P<open>{_OPEN})|(?P<close>{_CLOSE})|(?P<answer></?(?:final_)?answer>)"
    r"|(?P<other><\|\w{3,30}\|>|<end_of_turn>|</s>(?=\s*\Z))"
)
_FLAGS = re.IGNORECASE | re.DOTALL
_INSIDE = re.compile(rf"{_QUOTED}|(?P<close>{_CLOSE}|<\|end\|>)", _FLAGS)
_OUTSIDE = re.compile(rf"```.*?(?:```|\Z)|(?<!\S)#[ \t][^\n]*|{_QUOTED}|{_MARKS}", _FLAGS)
_OPENS = re.compile(rf"(?:{_OPEN})\s*\Z", re.IGNORECASE)


def opens_thought(prompt: str) -> bool:
    """Whether a prompt ends where a thought begins."""
    return bool(_OPENS.search(prompt[-200:]))


def spoken(text: str) -> str:
    """The text outside its thoughts; nothing where one is not closed. An <answer> is announced as one."""
    said: list[str] = []
    at = start = 0
    thinking = False
    while mark := (_INSIDE if thinking else _OUTSIDE).search(text, at):
        at = mark.end()
        kind = mark.lastgroup
        if kind not in ("open", "close", "answer", "other"):
            continue
        if kind == "close":
            if not thinking:
                said.clear()
        else:
            said.append(text[start : mark.start()])
        if kind == "answer":
            said.append("\n" if mark.group().startswith("</") else "\nAnswer: ")
        thinking, start = kind == "open", at
    return "" if thinking else "".join([*said, text[start:]])


def of_what_is_said(grade: Callable[_P, _R]) -> Callable[_P, _R]:
    """A grader whose `answer` and `completion` reach it without thoughts. Every grader is one of these."""
    signature = inspect.signature(grade)

    @functools.wraps(grade)
    def graded(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        given = signature.bind(*args, **kwargs)
        for name in ("answer", "completion"):
            if isinstance(given.arguments.get(name), str):
                given.arguments[name] = spoken(given.arguments[name])
        return grade(*given.args, **given.kwargs)

    return graded
