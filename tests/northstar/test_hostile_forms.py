"""Every form that links lead to, filled with what no one should type: refused or kept as text, never an error
of ours, and on no page, in no file and in no notice more than text."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.utils import timezone

from owners.models import Action, Leader, Notice, User
from owners.routes import ROUTES
from tests.metrics.stage import Stage, stage
from tests.northstar.spider import Form, Page, walk

pytestmark = pytest.mark.django_db

HOSTILE = {
    "markup": "</textarea></script><script>alert(1)</script>\"><img src=x onerror=alert(2)>'{{7*7}}",
    "formula": '=HYPERLINK("http://evil.example";"x")+cmd|\'/C calc\'!A0',
    "bidi": "\u202eevil\u2066\u200b\ufeff",
    "control": "a\x00b\x01\x1b[31m\r\nBcc: x@evil.example",
    "look-alike": "\u0410dmin \u0430\u0441\u0441ount",  # Cyrillic
    "long": "x" * 1_000_000,
    "number": "1e999",
    "negative": "-99999999999999999999",
    "nothing": "   ",
}
# They end the session or the account that walks.
ENDS = {"account_logout", "account_sessions_end", "account_session_end"}


@pytest.fixture
def company() -> Stage:
    made = stage(timezone.localdate())
    elena = Leader.objects.get(key="elena")
    Action.objects.create(text="Call the depots", leader=elena, metric_key="on_time")
    return made


def walkers(company: Stage) -> list[User]:
    """People who between them find every page."""
    return [company.admin, company.elena, company.executive, company.viewer]


def signed_in(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def pages(client: Client) -> Iterator[tuple[str, Any]]:
    return walk(client, "/", "/account/", "/settings/", "/calibration/")


def forms(company: Stage) -> list[tuple[User, Form]]:
    """Each form that links lead to, with somebody who finds it: one for a route and what is typed there."""
    found: dict[tuple[str, ...], tuple[User, Form]] = {}
    for user in walkers(company):
        for address, response in pages(signed_in(user)):
            if response.status_code == 200 and response.headers["Content-Type"].startswith("text/html"):
                for form in Page(address, response.content.decode()).forms:
                    if form.route not in ENDS and (form.typed or form.files):
                        found.setdefault((form.route, *sorted(form.typed)), (user, form))
    return list(found.values())


def filled(form: Form, words: str) -> dict[str, Any]:
    """The form with the words in all that is typed."""
    files = {name: SimpleUploadedFile("x.csv", words[:10_000].encode()) for name in form.files}
    return {**form.fields, **dict.fromkeys(form.typed, words), **files}


def problems(response: Any) -> list[str]:
    """What in an answer would run, or would be another page's header."""
    kind = response.headers.get("Content-Type", "")
    found = []
    if response.status_code >= 500:
        found.append(f"answers {response.status_code}")
    if kind.startswith("text/html"):
        text = response.content.decode()
        found += [mark for mark in ("<script>alert", "<img src=x", "</textarea></script>") if mark in text]
    if kind.startswith("text/csv"):
        body = b"".join(response.streaming_content) if response.streaming else response.content
        for row in csv.reader(io.StringIO(body.decode("utf-8-sig"))):
            found += [cell[:40] for cell in row if re.match(r"^[=@\t\r]|^[+-](?![\d.]+$)", cell)]
    return found


def test_every_page_opens_for_everybody_who_finds_a_link_to_it(company: Stage) -> None:
    """A link leads nowhere that is refused, and every page can be found by somebody."""
    reached: set[str] = set()
    for user in walkers(company):
        for address, response in pages(signed_in(user)):
            assert response.status_code in (200, 302), (user.name, address, response.status_code)
            reached.add(response.resolver_match.view_name)
    opened = {name for name, methods in ROUTES.items() if "GET" in methods}
    hidden = {name for name in opened - reached if not name.startswith(ELSEWHERE)}
    assert hidden <= NOT_LINKED, hidden - NOT_LINKED


# Coming in, the first hour of an empty installation, and the API have walks of their own.
ELSEWHERE = ("account_", "mfa_", "api:", "start", "sso_", "passkey")
# Pages that something must have happened for, or that no page links to.
NOT_LINKED = {"health", "return_metric", "return_source", "return_plan", "return_target"}
NOT_LINKED |= {"metric_call", "metric_deviation", "metric_deviation_ask", "leader_leave_change"}
NOT_LINKED |= {"channel", "import_preview", "unsubscribe", "check_in_link", "people_second_factor"}


def test_nothing_that_is_typed_breaks_a_form(company: Stage) -> None:
    found = forms(company)
    assert len(found) > 15
    wrong = []
    for user, form in found:
        for kind, words in HOSTILE.items():
            with transaction.atomic():
                response = signed_in(user).post(form.action, filled(form, words))
                wrong += [(user.name, form.action, kind, said) for said in problems(response)]
                transaction.set_rollback(True)
    assert not wrong


@pytest.mark.parametrize("kind", ["markup", "formula"])
def test_what_was_taken_in_is_text_everywhere(company: Stage, kind: str) -> None:
    """One field at a time, so that the others do not keep a form from being taken."""
    taken, wrong = 0, []
    for user, form in forms(company):
        for name in form.typed:
            response = signed_in(user).post(form.action, {**form.fields, name: HOSTILE[kind][:190]})
            taken += response.status_code == 302
            if response.status_code >= 500:
                wrong.append((user.name, form.action, name))
    assert taken > 15
    for user in (company.admin, company.elena):
        for address, response in pages(signed_in(User.objects.get(pk=user.pk))):
            wrong += [(user.name, address, said) for said in problems(response)]
    assert not wrong
    for notice in Notice.objects.all():
        assert not re.search(r"[\r\n\x00]", notice.subject), notice.subject
