"""Walks the site as a person does: by links, and by the forms that it finds."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

from django.test import Client
from django.urls import Resolver404, resolve

TYPED = ("text", "search", "email", "url", "password", "number", "date", "tel", "")


@dataclass
class Form:
    """A form that posts. `fields` holds what a browser would send; `typed` names those that a person types
    into; `files` those for files."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    typed: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)

    @property
    def route(self) -> str:
        return route_of(urlsplit(self.action).path)


class Page(HTMLParser):
    """The links and forms of a page."""

    def __init__(self, address: str, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.address, self.links, self.forms = address, [], []  # type: ignore[var-annotated]
        self._form: Form | None = None
        self._select = self._area = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attributes}
        if tag == "a" and "href" in said:
            self.links.append(urljoin(self.address, said["href"]))
        elif tag == "form":
            posts = said.get("method", "").lower() == "post"
            self._form = Form(urljoin(self.address, said.get("action") or self.address)) if posts else None
            if self._form:
                self.forms.append(self._form)
        elif self._form is None or not (said.get("name") or tag == "option"):
            return
        elif tag == "input":
            self._input(self._form, said)
        elif tag == "textarea":
            self._area = said["name"]
            self._form.fields[self._area] = ""
            self._form.typed.append(self._area)
        elif tag == "select":
            self._select = said["name"]
        elif tag == "option" and self._select:
            if "selected" in said or self._select not in self._form.fields:
                self._form.fields[self._select] = said.get("value", "")
        elif tag == "button" and said.get("type", "submit") == "submit":
            self._form.fields.setdefault(said["name"], said.get("value", ""))

    def _input(self, form: Form, said: dict[str, str]) -> None:
        name, kind = said["name"], said.get("type", "").lower()
        if kind == "file":
            form.files.append(name)
        elif kind in ("checkbox", "radio"):
            if "checked" in said:
                form.fields[name] = said.get("value", "on")
        else:
            form.fields[name] = said.get("value", "")
            if kind in TYPED:
                form.typed.append(name)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area and self._form:
            self._form.fields[self._area] += data


def route_of(path: str) -> str:
    """The name of the route at a path; "" if there is none."""
    try:
        return resolve(path).view_name
    except Resolver404:
        return ""


def walk(client: Client, *starts: str, most: int = 2) -> Iterator[tuple[str, Any]]:
    """(address, answer) of every page that links lead to, at most `most` of a route."""
    waiting, seen = deque(starts), set(starts)
    visited: dict[str, int] = {}
    while waiting:
        address = waiting.popleft()
        route = route_of(urlsplit(address).path)
        if not route or visited.get(route, 0) >= most or route == "account_logout":
            continue
        visited[route] = visited.get(route, 0) + 1
        response = client.get(address)
        yield address, response
        if not response.headers.get("Content-Type", "").startswith("text/html"):
            continue
        if response.status_code == 302:
            found = [response["Location"]]
        else:
            found = Page(address, response.content.decode()).links
        for link in found:
            parts = urlsplit(link)
            plain = parts.path + (f"?{parts.query}" if parts.query else "")
            if not parts.netloc and parts.scheme in ("", "http") and plain not in seen:
                seen.add(plain)
                waiting.append(plain)
