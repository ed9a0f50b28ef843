"""What an expression is worth: an exact fraction where that is possible, else a complex float at a point. With caps."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Mapping
from fractions import Fraction

from localpower.grading.expression import DEEPEST, Node, NotRead

CLOSE = 1e-9  # relative; of an exact value a decimal with ten digits is near enough
POINTS = (0.7316, -1.3127, 2.1934)  # where expressions with unknowns are compared
_NOISE = 1e-13  # what rounding leaves of a zero
_POWER, _FACTORIAL, _BITS = 1000, 200, 20000
_FUNCTIONS: dict[str, Callable[[complex], complex]] = {
    "sin": cmath.sin,
    "cos": cmath.cos,
    "tan": cmath.tan,
    "sec": lambda z: 1 / cmath.cos(z),
    "csc": lambda z: 1 / cmath.sin(z),
    "cot": lambda z: 1 / cmath.tan(z),
    "arcsin": cmath.asin,
    "arccos": cmath.acos,
    "arctan": cmath.atan,
    "sinh": cmath.sinh,
    "cosh": cmath.cosh,
    "tanh": cmath.tanh,
    "sech": lambda z: 1 / cmath.cosh(z),
    "csch": lambda z: 1 / cmath.sinh(z),
    "coth": lambda z: 1 / cmath.tanh(z),
    "ln": cmath.log,
    "exp": cmath.exp,
}


def exact(node: Node) -> Fraction:
    """The value as a fraction. Raises NotRead where it is none, or too large."""
    name, parts = node.name, node.parts
    if name == "number":
        assert isinstance(node.value, Fraction)
        return node.value
    if name in ("+", "-", "*", "/", "fraction"):
        left, right = exact(parts[0]), exact(parts[1])
        if name in ("/", "fraction"):
            if not right:
                raise NotRead("division by zero")
            return _small(left / right)
        return _small(left + right if name == "+" else left - right if name == "-" else left * right)
    if name == "negative":
        return -exact(parts[0])
    if name == "abs":
        return abs(exact(parts[0]))
    if name == "^":
        return _exact_power(exact(parts[0]), exact(parts[1]))
    if name == "!":
        value = exact(parts[0])
        if value.denominator != 1 or not 0 <= value <= _FACTORIAL:
            raise NotRead("factorial")
        return Fraction(math.factorial(int(value)))
    if name == "root":
        return _exact_root(exact(parts[0]), exact(parts[1]))
    if name == "binom":
        n, k = exact(parts[0]), exact(parts[1])
        if n.denominator != 1 or k.denominator != 1 or not 0 <= k <= n <= _POWER:
            raise NotRead("binomial")
        return Fraction(math.comb(int(n), int(k)))
    raise NotRead(name)


def _small(value: Fraction) -> Fraction:
    if value.numerator.bit_length() + value.denominator.bit_length() > _BITS:
        raise NotRead("too large")
    return value


def _exact_power(base: Fraction, power: Fraction) -> Fraction:
    if power.denominator != 1:
        return _exact_power(_exact_root(base, Fraction(power.denominator)), Fraction(power.numerator))
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if abs(power) > _POWER or bits * abs(power) > _BITS or (not base and power < 0):
        raise NotRead("power")
    return base ** int(power)


def _exact_root(value: Fraction, index: Fraction) -> Fraction:
    if index.denominator != 1 or not 1 <= index <= DEEPEST or value < 0:
        raise NotRead("root")
    parts = [_integer_root(part, int(index)) for part in (value.numerator, value.denominator)]
    return Fraction(parts[0], parts[1])


def _integer_root(value: int, index: int) -> int:
    if value < 2 or index == 1:
        return value
    if value.bit_length() > _BITS:
        raise NotRead("root")
    root = math.isqrt(value) if index == 2 else round(value ** (1 / index)) if value < 10**15 else 0
    if root**index != value:
        raise NotRead("irrational")
    return root


def symbols(node: Node) -> frozenset[str]:
    """Names of the unknowns; pi, e and i are numbers."""
    own = {str(node.value)} if node.name == "symbol" and node.value not in ("pi", "e", "i") else set()
    return frozenset(own).union(*(symbols(part) for part in node.parts))


def same_value(one: Node, other: Node) -> bool:
    """Exactly where both are fractions, else to 1e-9 at points. Raises NotRead where there is no value to compare."""
    values = [_exact_or_none(node) for node in (one, other)]
    if values[0] is not None and values[1] is not None:
        if values[0] == values[1]:
            return True
        big = abs(values[0] - values[1]) / max(abs(values[0]), abs(values[1]))
        return _decimal(one, other) and big < CLOSE
    names = symbols(one)
    if names != symbols(other):
        return False
    points = POINTS if names else POINTS[:1]
    found = False
    for shift, first in enumerate(points):
        point = {name: complex(first + 0.4142 * i + 0.1 * shift * i) for i, name in enumerate(sorted(names))}
        a, b = at(one, point), at(other, point)
        if cmath.isinf(a) or cmath.isinf(b):
            if a != b:
                return False
        elif not cmath.isclose(a, b, rel_tol=CLOSE, abs_tol=_NOISE):
            return False
        found = True
    return found


def _exact_or_none(node: Node) -> Fraction | None:
    try:
        return exact(node)
    except (NotRead, RecursionError, OverflowError):
        return None


def _decimal(one: Node, other: Node) -> bool:
    """Whether one of two different fractions is a decimal with at least ten digits: it may be rounded."""
    return any(isinstance(node.value, Fraction) and node.value.denominator >= 10**9 for node in (one, other))


def at(node: Node, values: Mapping[str, complex]) -> complex:
    """The value at a point. Raises NotRead where there is none in floats."""
    try:
        value = _at(node, values)
    except (ArithmeticError, ValueError, KeyError, RecursionError):
        raise NotRead("no value") from None
    if cmath.isnan(value):
        raise NotRead("no value")
    return value


def _at(node: Node, values: Mapping[str, complex]) -> complex:
    name = node.name
    if name == "symbol":
        constants = {"pi": complex(math.pi), "e": complex(math.e), "i": 1j}
        return constants.get(str(node.value)) or values[str(node.value)]
    if name == "number":
        assert isinstance(node.value, Fraction)
        return complex(float(node.value))
    if name == "infinity":
        return complex(math.inf)
    parts = [_at(part, values) for part in node.parts]
    if name in _FUNCTIONS:
        return _FUNCTIONS[name](parts[0])
    if name == "log":
        return cmath.log(parts[0]) / cmath.log(parts[1]) if len(parts) > 1 else cmath.log10(parts[0])
    if name in ("!", "binom"):
        return complex(float(exact(node)))
    return _combined(name, parts)


def _combined(name: str, parts: list[complex]) -> complex:
    if name == "negative":
        return complex(-parts[0].real, -parts[0].imag) if parts[0].imag else complex(-parts[0].real)
    if name == "abs":
        return complex(abs(parts[0]))
    left, right = parts
    if name == "root":
        odd = right.imag == 0 and right.real % 2 == 1
        if odd and left.imag == 0 and left.real < 0:
            return complex(-((-left.real) ** (1 / right.real)))
        return complex(left ** (1 / right))
    if name == "^":
        if abs(right) > _POWER:
            raise NotRead("power")
        return complex(left**right)
    if name in ("/", "fraction"):
        return left / right
    return left + right if name == "+" else left - right if name == "-" else left * right
