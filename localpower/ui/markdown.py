"""An answer's Markdown on a terminal. What is no Markdown is left as it is: line breaks, HTML, backslashes, formulas.

Code is printed without frame, padding or line numbers, and a long line of it is left to the terminal to wrap: what is
copied from the screen is the code.
"""

from __future__ import annotations

import re
from typing import ClassVar
from urllib.parse import quote

from markdown_it import MarkdownIt
from markdown_it.token import Token
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import CodeBlock, Heading, Markdown, MarkdownElement
from rich.text import Text

from localpower.ui.view import harmless

_UNDERSCORE = re.compile(r"\w{1,20}://[^\s)>]*|_")  # not those of addresses
_PADDING = re.compile(r"(?<! ) +((?:\x1b\[[\d;]*m)*)$", re.MULTILINE)


class _Code(CodeBlock):
    """As it is."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(str(self.text).rstrip("\n"), style="cyan", no_wrap=True, overflow="ignore")


class _Heading(Heading):
    """At the left."""

    LEVEL_ALIGN: ClassVar = {}


class Answer(Markdown):
    """A text that a model wrote."""

    elements: ClassVar[dict[str, type[MarkdownElement]]] = {
        **Markdown.elements,
        "fence": _Code,
        "code_block": _Code,
        "heading_open": _Heading,
    }

    def __init__(self, text: str) -> None:
        super().__init__("", hyperlinks=False)
        reader = MarkdownIt("commonmark", {"html": False}).enable(["strikethrough", "table"])
        reader.disable(["escape", "entity", "html_block", "html_inline", "image", "lheading"])
        text = harmless(text)
        stand_in = next(char for char in map(chr, range(0xE000, 0xF8FF)) if char not in text)
        self.parsed = reader.parse(
            _UNDERSCORE.sub(lambda m: stand_in if m[0] == "_" else m[0], text)
        )  # __init__ is a name
        for token in self.parsed:
            _restore(token, stand_in)


def _restore(token: Token, stand_in: str) -> None:
    """Underscores and line breaks as they were written."""
    token.content = token.content.replace(stand_in, "_")
    token.info = token.info.replace(stand_in, "_")
    for name, value in token.attrs.items():
        token.attrs[name] = str(value).replace(quote(stand_in), "_").replace(stand_in, "_")
    if token.type == "softbreak":
        token.type = "hardbreak"
    for inner in token.children or ():
        _restore(inner, stand_in)


def rendered(text: str, width: int) -> str:
    """The text for a terminal of so many columns, with its escape sequences."""
    console = Console(width=width, force_terminal=True, highlight=False)
    with console.capture() as kept:
        console.print(Answer(text), crop=False)
    return _PADDING.sub(r"\1", kept.get()).strip("\n")
