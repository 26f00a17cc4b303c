"""Formulas of derived metrics: arithmetic over named operands, and nothing else of any language.

A formula is numbers, names, + - * / **, parentheses and min, max, abs, coalesce(a, b, ...) (the first that is
known) and nullif(a, b) (unknown where they are equal).
"""

import ast
import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

LONGEST = 500
DEEPEST = 60
LARGEST_EXPONENT = 10
_NAME = re.compile(r"^[a-z][a-z0-9_]*$")
_FUNCTIONS = {"min": (1, 20), "max": (1, 20), "abs": (1, 1), "coalesce": (1, 20), "nullif": (2, 2)}
_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow)


class FormulaError(ValueError):
    """What is wrong with a formula, in words for the person who wrote it. `at`: before which character of the
    formula, its blanks single, the mistake lies, from 0; None where it lies in no one place."""

    def __init__(self, message: str, at: int | None = None) -> None:
        self.at = at
        super().__init__(message)


@dataclass(frozen=True)
class Formula:
    """A checked formula. `names`: its operands in the order of their first use."""

    text: str
    names: tuple[str, ...]
    _tree: ast.expr

    @classmethod
    def parse(cls, text: str, known: Collection[str] | None = None) -> "Formula":
        """Check a formula; with `known`, its names must be among them. FormulaError says what is wrong."""
        if not text.strip():
            raise FormulaError("the formula is empty")
        if len(text) > LONGEST:
            raise FormulaError(f"the formula has {len(text)} characters; {LONGEST} are allowed")
        plain = " ".join(text.split())
        try:
            tree = ast.parse(plain, mode="eval").body
        except SyntaxError as error:
            at = error.offset - 1 if error.offset else len(plain)
            said = str(error.msg).replace("invalid syntax", "something is missing, or does not belong")
            raise FormulaError(f"the formula cannot be read: {said}", at) from None
        except (ValueError, MemoryError, RecursionError):
            raise FormulaError("the formula cannot be read") from None
        names: dict[str, None] = {}
        try:
            _check(tree, names, 1)
        except FormulaError as error:
            if error.at is not None:  # Python counts bytes
                error.at = len(plain.encode()[: error.at].decode(errors="ignore"))
            raise
        if known is not None and (unknown := [name for name in names if name not in known]):
            choices = ", ".join(sorted(known)) or "there are none"
            raise FormulaError(f"unknown name {unknown[0]!r} in the formula; its inputs are: {choices}")
        return cls(text, tuple(names), tree)

    def evaluate(self, values: Mapping[str, float | None]) -> float | None:
        """The formula's figure; None where a needed operand is unknown, a division is by 0, or the result is
        no finite number."""
        try:
            result = _value(self._tree, values)
        except (ZeroDivisionError, OverflowError):
            return None
        return result if result is not None and math.isfinite(result) else None


def _check(node: ast.expr, names: dict[str, None], depth: int) -> None:
    """Raise for everything that is not on the list; collect names."""
    if depth > DEEPEST:
        raise FormulaError(f"the formula is nested deeper than {DEEPEST} levels", node.col_offset)
    match node:
        case ast.Constant(value=bool() | str() | bytes() | None):
            raise FormulaError(f"{ast.unparse(node)} is not a number", node.col_offset)
        case ast.Constant(value=int() | float() as number):
            try:
                finite = math.isfinite(float(number))
            except OverflowError:
                finite = False
            if not finite:
                raise FormulaError("a number in the formula is too large", node.col_offset)
        case ast.Name(id=name):
            if name in _FUNCTIONS:
                raise FormulaError(f"{name} is a function; write {name}(...)", node.col_offset)
            if not _NAME.match(name):
                words = f"{name!r} is not a name; names are lower-case words joined by _"
                raise FormulaError(words, node.col_offset)
            names.setdefault(name)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            _check(operand, names, depth + 1)
        case ast.BinOp(left=left, op=op, right=right) if isinstance(op, _OPERATORS):
            if isinstance(op, ast.Pow):
                _check_exponent(right)
            _check(left, names, depth + 1)
            _check(right, names, depth + 1)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS:
            fewest, most = _FUNCTIONS[name]
            if not fewest <= len(args) <= most:
                wanted = f"{fewest}" if fewest == most else f"{fewest} to {most}"
                raise FormulaError(f"{name}(...) takes {wanted} values, not {len(args)}", node.col_offset)
            for argument in args:
                _check(argument, names, depth + 1)
        case ast.Call(func=ast.Name(id=name)) if name in _FUNCTIONS:
            words = f"{name}(...) takes plain values, without names of its own"
            raise FormulaError(words, node.col_offset)
        case ast.Call(func=ast.Name(id=name)):
            words = f"{name}(...) is not allowed; there are {', '.join(_FUNCTIONS)}"
            raise FormulaError(words, node.col_offset)
        case _:
            raise FormulaError(
                f"{ast.unparse(node)!r} is not allowed; a formula has numbers, names, + - * / **, "
                f"parentheses and {', '.join(_FUNCTIONS)}",
                node.col_offset,
            )


def _check_exponent(node: ast.expr) -> None:
    """Exponents are plain numbers, so that no figure can make a power explode."""
    inner = node.operand if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else node
    plain = isinstance(inner, ast.Constant) and isinstance(inner.value, int | float)
    if not plain or abs(float(inner.value)) > LARGEST_EXPONENT:  # type: ignore[attr-defined]
        words = f"an exponent must be a number between -{LARGEST_EXPONENT} and {LARGEST_EXPONENT}"
        raise FormulaError(words, node.col_offset)


def _value(node: ast.expr, values: Mapping[str, float | None]) -> float | None:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name):
            value = values.get(name)
            return value if value is None or math.isfinite(value) else None
        case ast.UnaryOp(op=op, operand=operand):
            inner = _value(operand, values)
            return -inner if inner is not None and isinstance(op, ast.USub) else inner
        case ast.BinOp(left=left, op=op, right=right):
            a, b = _value(left, values), _value(right, values)
            return None if a is None or b is None else _operate(op, a, b)
        case ast.Call(func=ast.Name(id=name), args=args):
            return _call(name, [_value(argument, values) for argument in args])
    raise FormulaError(f"{ast.unparse(node)!r} is not allowed")  # unreachable after `_check`


def _operate(op: ast.operator, a: float, b: float) -> float | None:
    if isinstance(op, ast.Add):
        return a + b
    if isinstance(op, ast.Sub):
        return a - b
    if isinstance(op, ast.Mult):
        return a * b
    if isinstance(op, ast.Div):
        return a / b
    power = a**b
    return None if isinstance(power, complex) else power  # a root of a negative figure is no figure


def _call(name: str, arguments: list[float | None]) -> float | None:
    if name == "coalesce":
        return next((value for value in arguments if value is not None), None)
    if name == "nullif":
        return None if arguments[0] == arguments[1] else arguments[0]
    known = [value for value in arguments if value is not None]
    if len(known) < len(arguments):
        return None
    return abs(known[0]) if name == "abs" else min(known) if name == "min" else max(known)
