"""From YAML text to a tree of mappings, lists and texts with their lines; nothing is interpreted yet.

Scalars stay text: what `NO`, `08:00` or `2011-07` mean is decided by the field that reads them, not by YAML.
"""

from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field

import yaml

from metrics.definitions.mistakes import Report

MAX_LENGTH = 2_000_000  # characters; a thousand metrics take about half of it
MAX_DEPTH = 16  # the deepest honest path has eight
MAX_NODES = 200_000

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Text:
    """A scalar as written. `quoted` tells '' and 'null' from an empty value."""

    line: int
    text: str
    quoted: bool = False

    @property
    def is_null(self) -> bool:
        return not self.quoted and self.text in ("", "~", "null", "Null", "NULL")


@dataclass(frozen=True)
class Map:
    line: int
    items: AnyMapping[str, "Node"] = field(default_factory=dict)
    lines: AnyMapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class List:
    line: int
    items: tuple["Node", ...] = ()


Node = Text | Map | List


def kind_of(node: Node) -> str:
    """What a node is, in words."""
    if isinstance(node, Text):
        return "empty" if node.is_null else f"the text {node.text[:40]!r}"
    return "a mapping" if isinstance(node, Map) else "a list"


def read(text: str, report: Report) -> Map | None:
    """The file's top mapping; None if it cannot be read at all (the report then says why)."""
    if len(text) > MAX_LENGTH:
        report.add(1, "", f"the file is longer than {MAX_LENGTH:,} characters")
        return None
    try:
        if not _is_tame(text, report):
            return None
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = " ".join(part for part in (error.context, error.problem) if part)
        report.add(mark.line + 1 if mark else 1, "", f"this is not valid YAML: {said}")
        return None
    except (yaml.YAMLError, ValueError) as error:
        # Characters that YAML forbids come without a line.
        report.add(1, "", f"this is not valid YAML: {' '.join(str(error).split())}")
        return None
    if node is None:
        report.add(1, "", "the file is empty")
        return None
    tree = _tree(node, "", report)
    if not isinstance(tree, Map):
        report.add(tree.line, "", "the file must be a mapping with sections such as `metrics:`")
        return None
    return tree


def _is_tame(text: str, report: Report) -> bool:
    """Whether the text is one document without aliases, tags, abysses and floods: checked on the flat stream
    of events, before any tree is built."""
    depth = nodes = documents = 0
    for event in yaml.parse(text, Loader=_Loader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                report.add(line, "", "a second YAML document begins here; only one may stand in a file")
                return False
        elif isinstance(event, yaml.AliasEvent):
            report.add(line, "", f"the alias *{event.anchor} is refused; write it out")
            return False
        elif isinstance(event, yaml.NodeEvent):
            nodes += 1
            if event.anchor:
                report.add(line, "", f"the anchor &{event.anchor} is refused; write it out where it is used")
                return False
            tag = getattr(event, "tag", None)
            if tag is not None and tag != "!":
                report.add(line, "", f"the tag {tag} is refused")
                return False
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH or nodes > MAX_NODES:
            too = "nested deeper than the format is" if depth > MAX_DEPTH else "too large"
            report.add(line, "", f"the file is {too}")
            return False
    return True


def _tree(node: yaml.Node, path: str, report: Report) -> Node:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.ScalarNode):
        return Text(line, node.value, quoted=bool(node.style))
    if isinstance(node, yaml.SequenceNode):
        return List(line, tuple(_tree(item, f"{path}[{n}]", report) for n, item in enumerate(node.value, 1)))
    items: dict[str, Node] = {}
    lines: dict[str, int] = {}
    for key_node, value in node.value:
        key_line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            report.add(key_line, path, "a key must be a word")
            continue
        key = key_node.value
        inner = f"{path}.{key}" if path else key
        if key in items:
            report.add(
                key_line, inner, f"the key {key!r} stands here a second time (first on line {lines[key]})"
            )
            continue
        lines[key] = key_line
        items[key] = _tree(value, inner, report)
    return Map(line, items, lines)
