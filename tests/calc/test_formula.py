"""Formulas are arithmetic and nothing else."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calc.formula import DEEPEST, LONGEST, Formula, FormulaError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now / then - 1", 0.5),
        ("-now + then * 2", 1.0),
        ("(now - then) / then", 0.5),
        ("now ** 2", 9.0),
        ("2 ** -1", 0.5),
        ("-then ** 2", -4.0),
        ("min(now, then, 1)", 1.0),
        ("max(now, then)", 3.0),
        ("abs(then - now)", 1.0),
        ("coalesce(gone, now)", 3.0),
        ("coalesce(gone, gone)", None),
        ("nullif(now, 3)", None),
        ("nullif(now, 2)", 3.0),
        ("now / nullif(zero, 0)", None),
        ("coalesce(now / zero, 1)", None),  # a division by 0 makes the whole unknown
        ("now + gone", None),
        ("gone * 0", None),
        ("max(now, gone)", None),
        ("now / zero", None),
        ("0 ** -1", None),
        ("(-now) ** 0.5", None),  # no complex figures
        ("huge * huge", None),
        ("huge ** 10", None),
        ("nan + 1", None),
        ("endless * 0", None),
        ("1 / endless", None),  # not 0: the operand is no figure
        ("coalesce(nan, 7)", 7.0),
        ("1e3 + .5", 1000.5),
        ("  now\n   / then ", 1.5),
    ],
)
def test_evaluate(text: str, expected: float | None) -> None:
    operands: dict[str, float | None] = {
        "now": 3.0,
        "then": 2.0,
        "zero": 0.0,
        "gone": None,
        "huge": 1e200,
        "nan": math.nan,
        "endless": math.inf,
    }
    assert Formula.parse(text, operands).evaluate(operands) == expected


def test_names_in_the_order_of_use() -> None:
    assert Formula.parse("b / a + min(b, c)").names == ("b", "a", "c")
    assert Formula.parse("1 + 1").names == ()


def test_an_operand_that_was_not_handed_over_is_unknown() -> None:
    assert Formula.parse("a + b").evaluate({"a": 1.0}) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("a +", "cannot be read"),
        ("a b", "cannot be read"),
        ("a; b", "cannot be read"),
        ("a = 1", "cannot be read"),
        ("\x00", "cannot be read"),
        ("(" * 240 + "a" + ")" * 240, "cannot be read"),
        ("a" * (LONGEST + 1), "characters"),
        ("-" * (DEEPEST + 5) + "a", "nested deeper"),
        ("__import__('os')", "not allowed"),
        ("a.real", "not allowed"),
        ("a[0]", "not allowed"),
        ("a if b else c", "not allowed"),
        ("a < b", "not allowed"),
        ("a and b", "not allowed"),
        ("a // b", "not allowed"),
        ("a % b", "not allowed"),
        ("~a", "not allowed"),
        ("not a", "not allowed"),
        ("lambda: 1", "not allowed"),
        ("[a for a in b]", "not allowed"),
        ("(a, b)", "not allowed"),
        ("(a := 1)", "not allowed"),
        ("f'{a}'", "not allowed"),
        ("min(*a)", "not allowed"),
        ("max(a, b=1)", "plain values"),
        ("sum(a)", "there are min, max"),
        ("abs(a, b)", "takes 1 values, not 2"),
        ("nullif(a)", "takes 2 values"),
        ("min()", "takes 1 to 20"),
        ("'a'", "not a number"),
        ("True", "not a number"),
        ("None", "not a number"),
        ("...", "not allowed"),
        ("1j", "not allowed"),
        ("1e999", "too large"),
        ("9" * 400, "too large"),
        ("min", "is a function"),
        ("Orders", "not a name"),
        ("_a", "not a name"),
        ("größe", "not a name"),
        ("a ** b", "exponent"),
        ("a ** 11", "exponent"),
        ("9 ** 9 ** 9", "exponent"),
        ("a ** True", "not a number"),
        ("a ** 2 ** 3", "exponent"),
    ],
)
def test_everything_else_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(FormulaError, match=words.replace("(", r"\(")):
        Formula.parse(text)


def test_unknown_names_are_refused_with_the_list_of_known_ones() -> None:
    with pytest.raises(FormulaError, match=r"unknown name 'than'.*: now, then"):
        Formula.parse("now / than", {"then", "now"})
    with pytest.raises(FormulaError, match="there are none"):
        Formula.parse("a", [])


def test_a_long_sum_is_no_deep_nest() -> None:
    names = [f"m{n}" for n in range(50)]
    assert Formula.parse(" + ".join(names)).evaluate(dict.fromkeys(names, 2.0)) == 100.0


@given(st.text(max_size=60))
def test_any_text_is_a_formula_or_a_formula_error(text: str) -> None:
    try:
        formula = Formula.parse(text)
    except FormulaError:
        return
    result = formula.evaluate(dict.fromkeys(formula.names, 1.5))
    assert result is None or math.isfinite(result)


operands = st.one_of(st.none(), st.floats(-1e6, 1e6))


@given(operands, operands, operands)
def test_against_plain_python(a: float | None, b: float | None, c: float | None) -> None:
    result = Formula.parse("(a - b) / c + 2 * max(a, c)").evaluate({"a": a, "b": b, "c": c})
    if a is None or b is None or c is None or c == 0:
        assert result is None
    else:
        expected = (a - b) / c + 2 * max(a, c)
        assert result == (expected if math.isfinite(expected) else None)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("a /  * b", 4),  # of the formula with single blanks
        ("a +", 3),
        ("(a + b", 0),
        ("a + open(b)", 4),
        ("a * Größe + 'x'", 4),
        ("abs(a) + 'ü' + b ** c", 9),
        ("min(a, 'ü') + b ** c", 7),
        ("", None),
    ],
)
def test_where_a_mistake_lies(text: str, at: int | None) -> None:
    with pytest.raises(FormulaError) as told:
        Formula.parse(text)
    assert told.value.at == at
