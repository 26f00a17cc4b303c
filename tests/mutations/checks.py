"""Finds the checks in the code."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOMS = ("owners", "metrics", "northstar")
CODE = "owners/rules.py"
TABLE = "owners/routes.py"
SCOPE = "metrics/queries/scope.py"  # defines `visible_metrics`
ASKED = ("require", "can", "visible_metrics", "visibility_filter")


@dataclass(frozen=True)
class Check:
    """One check: the file, the lines that its call covers, and its words.

    name: the permission or the route, where it is a line of a table; method: the route's.
    """

    path: str
    lines: range
    what: str
    name: str = ""
    method: str = ""

    @property
    def places(self) -> list[str]:
        if self.path == CODE:
            return [f"{CODE}:{self.name}"]
        return [f"{self.path}:{line}" for line in self.lines]

    def __str__(self) -> str:
        return f"{self.path}:{self.lines.start} {self.what}"


def checks(root: Path) -> list[Check]:
    """All of them, in the order of files and lines."""
    found: list[Check] = []
    for room in ROOMS:
        for path in sorted((root / room).rglob("*.py")):
            name = str(path.relative_to(root))
            if "/migrations/" not in name and name != SCOPE:
                tree = ast.parse(path.read_text(encoding="utf-8"))
                found += _rows(name, tree) if name in (CODE, TABLE) else _calls(name, tree)
    return sorted(found, key=lambda check: (check.path, check.lines.start, check.what))


def _calls(path: str, tree: ast.Module) -> Iterator[Check]:
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args):
            continue
        of_nobody = isinstance(node.args[0], ast.Constant) and node.args[0].value is None
        if node.func.id in ASKED and not of_nobody:
            yield Check(path, _lines(node), ast.unparse(node))


def _rows(path: str, tree: ast.Module) -> Iterator[Check]:
    for node in tree.body:
        if not (isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Dict)):
            continue
        for key, value in zip(node.value.keys, node.value.values, strict=True):
            name = str(ast.literal_eval(key)) if key is not None else ""
            if ast.unparse(node.target) == "PERMISSIONS" and ast.unparse(value) != "signed_in":
                yield Check(path, _lines(value), name, name)
            if ast.unparse(node.target) == "ROUTES" and isinstance(value, ast.Dict):
                for method, right in zip(value.keys, value.values, strict=True):
                    verb = str(ast.literal_eval(method)) if method is not None else ""
                    if ast.unparse(right) != "PUBLIC":
                        yield Check(path, _lines(right), f"{name} {verb}", name, verb)


def _lines(node: ast.expr) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)
