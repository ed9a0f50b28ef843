"""A small language of answers: numbers, letters, + - * / ^ !, fractions, roots and the usual functions.

A recursive-descent parser with caps: text to a tree; worth.py evaluates it. Nothing of a text is ever executed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from localpower.grading.latex import FUNCTIONS, GREEK, LONGEST

DEEPEST = 50
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d*)?|\.\d+)|(?P<macro>\\[A-Za-z]+)|(?P<letter>[A-Za-z])|(?P<sign>\*\*|[-+*/^_!|(){}\[\]]))"
)
_WORDS = (*FUNCTIONS, "sqrt", "infty", "infinity", "inf", "pi")
_PLAIN_WORD = re.compile(r"(?<![\\A-Za-z])(" + "|".join(_WORDS) + r")(?![A-Za-z])")


class NotRead(Exception):
    """The text is no expression of this language, or beyond its caps."""


@dataclass(frozen=True, slots=True)
class Node:
    """name: an operator, function, `number` or `symbol`; value: of a number, or a symbol's name."""

    name: str
    parts: tuple[Node, ...] = ()
    value: Fraction | str | None = None


def parse(text: str) -> Node:
    """Raises NotRead."""
    if len(text) > LONGEST:
        raise NotRead("too long")
    text = _PLAIN_WORD.sub(lambda m: "\\" + m.group(1) + " ", text)
    parser = _Parser(_tokens(text))
    node = parser.sum(0)
    if not parser.at_end():
        raise NotRead(text)
    return node


def _tokens(text: str) -> list[str]:
    found, place = [], 0
    text = text.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise NotRead(text)
        found.append(match.group().strip())
        place = match.end()
    return found


class _Parser:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens, self._at = tokens, 0
        self._in_bars = False  # then the next bar closes

    def at_end(self) -> bool:
        return self._at == len(self._tokens)

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self, wanted: str = "") -> str:
        token = self._peek()
        if not token or (wanted and token != wanted):
            raise NotRead(token)
        self._at += 1
        return token

    def sum(self, depth: int) -> Node:
        if depth > DEEPEST:
            raise NotRead("too deep")
        node = self._product(depth + 1)
        while self._peek() in ("+", "-"):
            sign = self._take()
            node = Node(sign, (node, self._product(depth + 1)))
        return node

    def _product(self, depth: int) -> Node:
        if depth > DEEPEST:
            raise NotRead("too deep")
        if self._peek() in ("+", "-"):
            sign = self._take()
            inner = self._product(depth + 1)
            return inner if sign == "+" else Node("negative", (inner,))
        node = self._power(depth + 1)
        while True:
            token = self._peek()
            if token in ("*", "\\times", "\\cdot", "\\ast"):
                self._take()
                node = Node("*", (node, self._signed(depth + 1)))
            elif token in ("/", "\\div"):
                self._take()
                node = Node("/", (node, self._signed(depth + 1)))
            elif token and self._begins(token):
                if token[0].isdigit() and self._tokens[self._at - 1][0].isdigit():
                    raise NotRead("two numbers in a row")
                right = self._power(depth + 1)
                mixed = token not in ("(", "[") and node.name == "number" and right.name == "fraction"
                mixed = mixed and _whole(node) and _proper(right)
                node = Node("+" if mixed else "*", (node, right))
            else:
                return node

    def _signed(self, depth: int) -> Node:
        if depth > DEEPEST:
            raise NotRead("too deep")
        if self._peek() == "-":
            self._take()
            return Node("negative", (self._signed(depth + 1),))
        return self._power(depth)

    def _begins(self, token: str) -> bool:
        return (
            token[0].isalnum()
            or token[0] == "."
            or (token == "|" and not self._in_bars)
            or token in ("(", "{", "[")
            or (token[0] == "\\" and token not in ("\\times", "\\cdot", "\\div", "\\ast", "\\pm", "\\mp"))
        )

    def _power(self, depth: int) -> Node:
        node = self._factorial(self._atom(depth + 1))
        if self._peek() in ("^", "**"):
            self._take()
            node = self._factorial(Node("^", (node, self._exponent(depth + 1))))
        return node

    def _factorial(self, node: Node) -> Node:
        """One mark: 3!! is something else."""
        if self._peek() != "!":
            return node
        self._take()
        return Node("!", (node,))

    def _exponent(self, depth: int) -> Node:
        if depth > DEEPEST:
            raise NotRead("too deep")
        if self._peek() == "-":
            self._take()
            return Node("negative", (self._exponent(depth + 1),))
        return self._power(depth + 1)

    def _argument(self, depth: int) -> Node:
        r"""Of \frac: a group, or one digit, letter or macro."""
        token = self._peek()
        if token.isdigit() and len(token) > 1:  # \frac12: the digits are separate arguments
            self._tokens[self._at : self._at + 1] = [token[0], token[1:]]
        return self._atom(depth)

    def _atom(self, depth: int) -> Node:
        if depth > DEEPEST:
            raise NotRead("too deep")
        token = self._take()
        if token[0].isdigit() or token[0] == ".":
            return self._number(token)
        if token in ("(", "{", "[", "|"):
            outer, self._in_bars = self._in_bars, token == "|"
            inner = self.sum(depth + 1)
            self._take({"(": ")", "{": "}", "[": "]", "|": "|"}[token])
            self._in_bars = outer
            return Node("abs", (inner,)) if token == "|" else inner
        if token == "\\frac":
            top = self._argument(depth + 1)
            return Node("fraction", (top, self._argument(depth + 1)))
        if token in ("\\binom", "\\dbinom", "\\tbinom"):
            top = self._argument(depth + 1)
            return Node("binom", (top, self._argument(depth + 1)))
        if token == "\\sqrt":
            return self._root(depth)
        if token[0] == "\\" and token[1:] in FUNCTIONS:
            return self._function(token[1:], depth)
        if token in ("\\infty", "\\infinity", "\\inf"):
            return Node("infinity")
        if token == "\\pi" or (token[0] == "\\" and token[1:] in GREEK) or token.isalpha():
            return Node("symbol", value=self._name(token))
        raise NotRead(token)

    def _name(self, token: str) -> str:
        name = token.lstrip("\\")
        if self._peek() == "_":
            self._take()
            if self._peek() == "{":
                self._take()
                inside = []
                while self._peek() != "}":
                    inside.append(self._take())
                self._take("}")
                return f"{name}_{''.join(inside)}"
            return f"{name}_{self._take()}"
        return name

    def _number(self, token: str) -> Node:
        if self._peek() == "\\overline":  # repeating digits
            self._take()
            self._take("{")
            digits = self._take()
            self._take("}")
            if not digits.isdigit() or "." not in token:
                raise NotRead(token)
            places = len(token) - token.index(".") - 1
            repeating = Fraction(int(digits), 10**places * (10 ** len(digits) - 1))
            return Node("number", value=Fraction(token.rstrip(".") or "0") + repeating)
        return Node("number", value=Fraction(token if token[0] != "." else "0" + token))

    def _root(self, depth: int) -> Node:
        index = Node("number", value=Fraction(2))
        if self._peek() == "[":
            self._take()
            index = self.sum(depth + 1)
            self._take("]")
        return Node("root", (self._atom(depth + 1), index))  # of a whole number: sqrt12 is meant so

    def _function(self, name: str, depth: int) -> Node:
        r"""\sin^2 2x, \log_2(x). An argument in brackets is all of it: \sin(x)^2 is the square of \sin(x)."""
        base = power = None
        while (sign := self._peek()) in ("^", "**", "_"):
            self._take()
            if sign == "_" and name == "log" and base is None:
                base = self._atom(depth + 1)
            elif sign != "_" and power is None:
                power = self._exponent(depth + 1)
            else:
                raise NotRead(sign)
        bracketed = self._peek() in ("(", "[", "|")
        inside = self._atom(depth + 1) if bracketed else self._bare_argument(depth + 1)
        if power == Node("negative", (Node("number", value=Fraction(1)),)):  # the inverse
            if name not in ("sin", "cos", "tan"):
                raise NotRead(name)
            return Node(f"arc{name}", (inside,))
        node = Node(name, (inside, base) if base else (inside,))
        return Node("^", (node, power)) if power else node

    def _bare_argument(self, depth: int) -> Node:
        r"""Of \sin 2x y all three, of \sin\frac{x}{2} one. Braces are not seen: \sin{x}^2 looks like \sin x^2.

        Raises NotRead where people differ on its end: \sin x/2, \sin{x}^2, \ln 2(x+1), \ln x e.
        """
        grouped = self._peek() == "{"
        node = last = self._atom(depth) if grouped else self._power(depth)
        while not grouped and (self._peek().isalpha() or self._peek()[1:] in ("pi", *GREEK)):
            if (self._peek() in ("e", "i") and last.name != "number") or last.name in ("fraction", "root"):
                raise NotRead("end of an argument")
            last = self._power(depth)
            node = Node("*", (node, last))
        token, after = (*self._tokens[self._at : self._at + 2], "", "")[:2]
        goes_on = token in ("^", "**") or (token and self._begins(token) and token[1:] not in FUNCTIONS)
        if goes_on or (token in ("/", "\\div") and after[1:] not in FUNCTIONS):
            raise NotRead("end of an argument")
        return node


def _whole(node: Node) -> bool:
    return isinstance(node.value, Fraction) and node.value.denominator == 1


def _proper(node: Node) -> bool:
    top, bottom = node.parts
    if not (isinstance(top.value, Fraction) and isinstance(bottom.value, Fraction)):
        return False
    return 0 <= top.value < bottom.value
