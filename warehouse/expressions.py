"""What may be written as SQL: one expression for measures, filters and dimensions; one SELECT for sources.

Both are checked against allowlists of node types and functions, so that whatever the parser knows but this
file does not is refused. The least-privilege, read-only connection is the boundary; this is the second one.
"""

import functools
import re
from collections.abc import Collection, Iterator

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

MAX_LENGTH = 10_000  # characters; the deepest honest CASE seen had under 2,000
MAX_SELECT_LENGTH = 100_000

_PLAIN_NAME = re.compile(r"^[^\W\d][\w $-]{0,127}$")
_FORBIDDEN_TABLES = re.compile(r"^(pg_|duckdb_|sqlite_|information_schema|pragma_)", re.IGNORECASE)
_FORBIDDEN_SCHEMAS = frozenset({"pg_catalog", "information_schema", "pg_toast", "system", "temp"})

_PLUMBING = (
    exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Paren, exp.Var, exp.Alias,
    exp.DataType, exp.DataTypeParam, exp.Tuple, exp.Kwarg, exp.Interval, exp.IntervalSpan,
)  # fmt: skip
_OPERATORS = (
    exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Neg, exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT,
    exp.GTE, exp.LT, exp.LTE, exp.Is, exp.NullSafeEQ, exp.NullSafeNEQ, exp.In, exp.Between, exp.Like,
    exp.ILike, exp.RegexpLike, exp.RegexpILike, exp.DPipe, exp.Case, exp.If, exp.Escape,
)  # fmt: skip
_FUNCTIONS = (
    exp.Coalesce, exp.Nullif, exp.Greatest, exp.Least, exp.Lower, exp.Upper, exp.Trim, exp.Substring,
    exp.Left,
    exp.Right, exp.Length, exp.Replace, exp.SplitPart, exp.Concat, exp.ConcatWs, exp.StrPosition, exp.Pad,
    exp.RegexpReplace, exp.Initcap, exp.Reverse, exp.StartsWith, exp.Abs, exp.Round, exp.Floor, exp.Ceil,
    exp.Trunc, exp.Sign, exp.Pow, exp.Sqrt, exp.Ln, exp.Exp, exp.Log, exp.TimestampTrunc, exp.DateTrunc,
    exp.Extract, exp.Cast, exp.MakeInterval, exp.Date, exp.TimeToStr,
)  # fmt: skip
_EXPRESSION_NODES = frozenset((*_PLUMBING, *_OPERATORS, *_FUNCTIONS))

_CAST_TYPES = frozenset(
    exp.DataType.Type[name]
    for name in [
        "TINYINT",
        "SMALLINT",
        "INT",
        "BIGINT",
        "INT128",
        "FLOAT",
        "DOUBLE",
        "DECIMAL",
        "BOOLEAN",
        "TEXT",
        "VARCHAR",
        "CHAR",
        "DATE",
        "TIME",
        "TIMESTAMP",
        "TIMESTAMPNTZ",
        "TIMESTAMPTZ",
        "INTERVAL",
        "UUID",
    ]
)

_AGGREGATES = (
    exp.Sum, exp.Count, exp.Avg, exp.Min, exp.Max, exp.Stddev, exp.StddevPop, exp.StddevSamp, exp.Variance,
    exp.VariancePop, exp.PercentileCont, exp.PercentileDisc, exp.Quantile, exp.Median, exp.LogicalAnd,
    exp.LogicalOr, exp.ArrayAgg, exp.GroupConcat, exp.AnyValue, exp.ArgMax, exp.ArgMin, exp.First, exp.Last,
    exp.WithinGroup, exp.Filter, exp.Distinct, exp.Star,
)  # fmt: skip
_WINDOWS = (
    exp.Window, exp.WindowSpec, exp.RowNumber, exp.Rank, exp.DenseRank, exp.Lag, exp.Lead, exp.FirstValue,
    exp.LastValue, exp.NthValue, exp.Ntile, exp.PercentRank, exp.CumeDist, exp.IgnoreNulls, exp.RespectNulls,
)  # fmt: skip
_CLAUSES = (
    exp.Select, exp.Subquery, exp.From, exp.Join, exp.Where, exp.Group, exp.Having, exp.Order, exp.Ordered,
    exp.Limit, exp.Offset, exp.Fetch, exp.Qualify, exp.With, exp.CTE, exp.TableAlias, exp.Table, exp.Union,
    exp.Intersect, exp.Except, exp.Values, exp.Exists, exp.Any, exp.All, exp.Lateral, exp.Cube, exp.Rollup,
    exp.GroupingSets, exp.ArrayOverlaps,
)  # fmt: skip
_MORE = (
    exp.CurrentDate, exp.CurrentTimestamp, exp.AtTimeZone, exp.GenerateSeries, exp.Unnest, exp.Array,
    exp.TsOrDsAdd, exp.DateAdd, exp.DateSub, exp.DateDiff, exp.TimestampAdd, exp.JSONExtract,
    exp.JSONExtractScalar, exp.JSONPath, exp.JSONPathKey, exp.JSONPathRoot, exp.JSONPathSubscript,
    exp.TryCast,
    exp.Year, exp.Month, exp.Day, exp.Quarter, exp.Week, exp.DayOfWeek, exp.Hour, exp.StrToTime,
    exp.StrToDate,
    exp.SimilarTo, exp.Bracket, exp.Struct, exp.PropertyEQ, exp.RegexpExtract, exp.MD5,
)  # fmt: skip
_SELECT_NODES = _EXPRESSION_NODES | frozenset((*_AGGREGATES, *_WINDOWS, *_CLAUSES, *_MORE))

# Functions that the parser leaves anonymous in one dialect or the other, all pure.
_ANONYMOUS = frozenset({"btrim", "ltrim", "rtrim", "make_date", "isfinite", "justify_days"})
_ANONYMOUS_IN_SELECT = _ANONYMOUS | frozenset(
    {"epoch", "epoch_ms", "epoch_us", "make_timestamp", "to_timestamp", "strptime", "strftime", "bool_and"}
    | {"bool_or", "every", "range", "age", "date_part", "hash", "md5"}
)

_NAMES = {
    exp.Subquery: "a subquery", exp.Select: "a subquery", exp.Window: "a window function", exp.Star: "a star",
    exp.Parameter: "a parameter", exp.Placeholder: "a parameter", exp.SessionParameter: "a variable",
    exp.CurrentDate: "the clock (figures must not depend on when they are computed)",
    exp.CurrentTimestamp: "the clock (figures must not depend on when they are computed)",
    exp.Into: "INTO", exp.Lock: "a row lock", exp.Command: "a command", exp.Bracket: "an array element",
    exp.Dot: "a member access",
}  # fmt: skip


class ExpressionError(ValueError):
    """SQL that is refused; the message says what and why in a user's words."""


def check_expression(text: str, columns: Collection[str] | None = None) -> None:
    """Raise ExpressionError unless `text` is one allowed expression over plain columns.

    columns: the source's column names where they are known; a name outside them is refused, with the nearest
    one.
    """
    tree = _expression(text)
    if columns is not None:
        known = {name.lower() for name in columns}
        for name in sorted(_column_names(tree)):
            if name.lower() not in known:
                raise ExpressionError(f"there is no column {name!r}{_nearest(name, columns)}")


def transpile(text: str, dialect: str) -> str:
    """The checked expression in an engine's dialect ("duckdb" or "postgres").

    One deliberate difference from PostgreSQL: `/` never truncates, whatever the operands' types, so that both
    engines give the same figure.
    """
    tree = _expression(text).copy()
    for node in list(tree.find_all(exp.Div)):
        node.set("this", exp.cast(node.this.copy(), "double"))
    if dialect == "duckdb":
        for kind in list(tree.find_all(exp.DataType)):
            # DuckDB reads a bare NUMERIC as DECIMAL(18, 3), which would round.
            if kind.this is exp.DataType.Type.DECIMAL and not kind.expressions:
                kind.replace(exp.DataType.build("double"))
    for name in list(tree.find_all(exp.Identifier)):
        # A column may be a reserved word in one engine and not in the other, so that all are quoted; what was
        # not quoted folds to lower case in PostgreSQL.
        folded = name.name if name.quoted or dialect != "postgres" else name.name.lower()
        name.replace(exp.to_identifier(folded, quoted=True))
    return tree.sql(dialect=dialect, comments=False)


def columns_of(text: str) -> set[str]:
    """The column names that an expression reads."""
    return _column_names(_expression(text))


def conjuncts(text: str) -> list[str]:
    """The parts of a filter that are joined by AND, each in PostgreSQL's dialect; the filter itself if it may
    fail.

    A filter that can raise (a cast, a division) is kept whole, so that an earlier part still guards a later
    one.
    """
    tree = _expression(text)
    if is_fragile(text):
        return [tree.sql(dialect="postgres", comments=False)]
    while isinstance(tree, exp.Paren):
        tree = tree.this
    parts = list(tree.flatten()) if isinstance(tree, exp.And) else [tree]
    return [part.sql(dialect="postgres", comments=False) for part in parts]


def is_fragile(text: str) -> bool:
    """Whether evaluating the expression on a row outside its filter could raise (casts, divisions,
    logarithms).
    """
    risky = (exp.Div, exp.Mod, exp.Cast, exp.Ln, exp.Log, exp.Sqrt, exp.Pow, exp.Exp, exp.MakeInterval)
    return any(isinstance(node, (*risky, exp.Anonymous)) for node in _expression(text).walk())


def check_select(sql: str, dialect: str) -> None:
    """Raise ExpressionError unless `sql` is exactly one SELECT that only reads plain tables.

    dialect: "duckdb" or "postgres", the warehouse's own.
    """
    _select(sql, dialect)


def check_table(name: str) -> None:
    """Raise ExpressionError unless `name` is a plain table name, at most database.schema.table."""
    parts = name.split(".")
    if not 1 <= len(parts) <= 3:
        raise ExpressionError(f"{name!r} is not a table name")
    for part in parts:
        _check_table_part(part)
    if any(part.lower() in _FORBIDDEN_SCHEMAS for part in parts[:-1]) or _FORBIDDEN_TABLES.match(parts[-1]):
        raise ExpressionError(f"the system table {name!r} may not be read")


def _check_table_part(part: str) -> None:
    if not _PLAIN_NAME.match(part):
        raise ExpressionError(f"{part!r} is not a plain table name; files and functions may not be read")


@functools.lru_cache(maxsize=4096)
def _expression(text: str) -> exp.Expr:
    """The parsed, checked expression. Cached and shared: callers copy before they change it."""
    if not text.strip():
        raise ExpressionError("an expression is needed here")
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"the expression is longer than {MAX_LENGTH:,} characters")
    if "\x00" in text:
        raise ExpressionError("the expression contains a NUL character")
    # Without its own parse first, "a) from secrets --" would close the wrapper's parenthesis.
    statement = _parse_one(f"SELECT {text}", "postgres")
    if not isinstance(statement, exp.Select):
        raise ExpressionError("only one expression may stand here, not a statement")
    extras = sorted(key for key, value in statement.args.items() if value and key != "expressions")
    if extras or len(statement.expressions) != 1:
        what = extras[0].rstrip("_").replace("from", "FROM") if extras else "several expressions"
        raise ExpressionError(f"only one expression may stand here, but it contains {what}")
    tree: exp.Expr = statement.expressions[0]
    if isinstance(tree, exp.Alias):
        raise ExpressionError("an expression may not carry an alias (AS)")
    _walk(tree, _EXPRESSION_NODES, _ANONYMOUS)
    for column in tree.find_all(exp.Column):
        if column.table:
            raise ExpressionError(f"write {column.name!r} without a table before it")
    return tree


def _select(sql: str, dialect: str) -> exp.Expr:
    if len(sql) > MAX_SELECT_LENGTH:
        raise ExpressionError(f"the query is longer than {MAX_SELECT_LENGTH:,} characters")
    if "\x00" in sql:
        raise ExpressionError("the query contains a NUL character")
    tree = _parse_one(sql, dialect)
    if not isinstance(tree, exp.Select | exp.Union | exp.Intersect | exp.Except):
        raise ExpressionError(f"only one SELECT may stand here, not {_name(tree)}")
    if tree.args.get("into") or any(node.args.get("into") for node in tree.find_all(exp.Select)):
        raise ExpressionError("SELECT INTO writes a table and may not be used")
    if any(node.args.get("locks") for node in tree.find_all(exp.Select)):
        raise ExpressionError("a row lock (FOR UPDATE) may not be used")
    _walk(tree, _SELECT_NODES, _ANONYMOUS_IN_SELECT)
    for cte in tree.find_all(exp.CTE):
        if not isinstance(cte.this, exp.Select | exp.Union | exp.Intersect | exp.Except | exp.Values):
            raise ExpressionError("WITH may only hold SELECTs")
    for table in tree.find_all(exp.Table):
        _check_select_table(table)
    return tree


def _check_select_table(table: exp.Table) -> None:
    if not isinstance(table.this, exp.Identifier):
        if isinstance(table.this, exp.GenerateSeries | exp.Unnest):
            return
        raise ExpressionError(f"a table function ({table.this.sql()[:60]}) may not be read")
    parts = [part.name for part in table.parts]
    for part in parts:
        _check_table_part(part)
    if any(part.lower() in _FORBIDDEN_SCHEMAS for part in parts[:-1]) or _FORBIDDEN_TABLES.match(parts[-1]):
        raise ExpressionError(f"the system table {'.'.join(parts)!r} may not be read")


def _parse_one(sql: str, dialect: str) -> exp.Expr:
    try:
        statements = sqlglot.parse(sql, read=dialect)
    except RecursionError:
        raise ExpressionError("it is nested too deeply") from None
    except SqlglotError as error:
        detail = re.sub(r"\x1b\[\d*m", "", str(error)).splitlines()[0]
        raise ExpressionError(f"it is not valid SQL: {detail}") from None
    except Exception as error:
        # The parser's own faults (IndexError, AttributeError on hostile text) must refuse as well.
        raise ExpressionError(f"it cannot be read as SQL ({type(error).__name__})") from None
    if len(statements) != 1 or statements[0] is None:
        raise ExpressionError("exactly one statement may stand here")
    return statements[0]


def _walk(tree: exp.Expr, allowed: frozenset[type], anonymous: frozenset[str]) -> None:
    try:
        nodes = list(tree.walk())
    except RecursionError:
        raise ExpressionError("it is nested too deeply") from None
    if _depth_exceeds(tree, 200):
        raise ExpressionError("it is nested too deeply")
    for node in nodes:
        if isinstance(node, exp.Anonymous):
            if str(node.this).lower() not in anonymous:
                raise ExpressionError(f"the function {str(node.this)[:60]} may not be used here")
        elif type(node) not in allowed:
            raise ExpressionError(f"{_name(node)} may not be used here")
        if isinstance(node, exp.Cast | exp.TryCast) and node.to.this not in _CAST_TYPES:
            raise ExpressionError(f"a cast to {node.to.sql()[:60]} may not be used here")
        nested = isinstance(node, exp.In) and (node.args.get("query") or node.args.get("unnest"))
        if nested and allowed is _EXPRESSION_NODES:
            raise ExpressionError("a subquery may not be used here")
        if isinstance(node, exp.Literal) and not node.is_string and not _is_number(node.name):
            raise ExpressionError(f"{node.name[:40]!r} is not a number")


def _depth_exceeds(tree: exp.Expr, limit: int) -> bool:
    """Long chains of the same operator (a OR b OR c ...) nest too, so the limit is generous."""
    return any(depth > limit for depth in _depths(tree))


def _depths(tree: exp.Expr) -> Iterator[int]:
    stack = [(tree, 1)]
    while stack:
        node, depth = stack.pop()
        yield depth
        stack.extend((child, depth + 1) for child in node.iter_expressions())


def _is_number(text: str) -> bool:
    try:
        value = float(text)
    except ValueError:
        return False
    return value == value and abs(value) != float("inf")


def _name(node: exp.Expr) -> str:
    if type(node) in _NAMES:
        return _NAMES[type(node)]
    if isinstance(node, exp.AggFunc):
        return f"the aggregate {node.sql_name()}"
    if isinstance(node, exp.Func):
        return f"the function {node.sql_name()}"
    return type(node).__name__.upper()


def _column_names(tree: exp.Expr) -> set[str]:
    return {column.name for column in tree.find_all(exp.Column)}


def _nearest(name: str, columns: Collection[str]) -> str:
    import difflib

    close = difflib.get_close_matches(name, list(columns), n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(sorted(columns)[:20])}"
