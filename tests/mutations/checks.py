"""Finds the checks in the code, and writes it without one of them."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOMS = ("owners", "metrics", "northstar")
CODE = "owners/rules.py"
TABLE = "owners/routes.py"
SCOPE = "metrics/queries/scope.py"  # defines `visible_metrics`


@dataclass(frozen=True)
class Check:
    """One check. `start` and `end` are offsets in the file at `path`, between which `without` stands instead;
    `lines` are those that its call covers."""

    path: str
    lines: range
    what: str
    start: int
    end: int
    without: str

    @property
    def places(self) -> list[str]:
        if self.path == CODE:
            return [f"{CODE}:{self.what}"]
        return [f"{self.path}:{line}" for line in self.lines]

    def __str__(self) -> str:
        return f"{self.path}:{self.lines.start} {self.what}"


def checks(root: Path) -> list[Check]:
    """All of them, in the order of files and lines."""
    found: list[Check] = []
    for room in ROOMS:
        for path in sorted((root / room).rglob("*.py")):
            name = str(path.relative_to(root))
            if "/migrations/" not in name:
                found += _in_file(name, path.read_text(encoding="utf-8"))
    return found


def _in_file(name: str, text: str) -> Iterator[Check]:
    tree = ast.parse(text)
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line.encode()))

    def check(node: ast.expr | ast.stmt, what: str, without: str) -> Check:
        assert node.end_lineno is not None and node.end_col_offset is not None
        start, end = (
            starts[node.lineno - 1] + node.col_offset,
            starts[node.end_lineno - 1] + node.end_col_offset,
        )
        return Check(name, range(node.lineno, node.end_lineno + 1), what, start, end, without)

    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and _calls(node.value, "require"):
            yield check(node, ast.unparse(node.value), "pass")
        elif (
            isinstance(node, ast.Call)
            and _calls(node, "visible_metrics")
            and name != "metrics/queries/scope.py"
        ):
            for argument in node.args:
                if not (isinstance(argument, ast.Constant) and argument.value is None):
                    yield check(argument, ast.unparse(node), "None")
        elif isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Dict):
            target = ast.unparse(node.target)
            if name == CODE and target == "PERMISSIONS":
                for key, value in zip(node.value.keys, node.value.values, strict=True):
                    if key is not None and ast.unparse(value) != "signed_in":
                        yield check(value, str(ast.literal_eval(key)), "signed_in")
            if name == TABLE and target == "ROUTES":
                yield from _routes(check, node.value)


def _routes(check: Callable[[ast.expr, str, str], Check], routes: ast.Dict) -> Iterator[Check]:
    for route, methods in zip(routes.keys, routes.values, strict=True):
        if route is None or not isinstance(methods, ast.Dict):
            continue
        for method, right in zip(methods.keys, methods.values, strict=True):
            words = f"{ast.literal_eval(route)} {ast.literal_eval(method)}" if method is not None else ""
            if isinstance(right, ast.Call):
                yield check(right, words, "SIGNED_IN")
            elif ast.unparse(right) == "SIGNED_IN":
                yield check(right, words, "PUBLIC")


def _calls(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


def without(root: Path, check: Check) -> str:
    """The file's text without the check."""
    raw = (root / check.path).read_bytes()
    text = (raw[: check.start] + check.without.encode() + raw[check.end :]).decode()
    ast.parse(text)
    return text
