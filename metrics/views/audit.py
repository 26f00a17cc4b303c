"""Who changed what: the page for admins and executives, and the same as CSV."""

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from metrics.queries import audit
from metrics.spreadsheets import csv_text
from metrics.views import state as states
from metrics.views.shell import clear_refusal, reader, show
from metrics.views.state import State
from owners.rules import can

FILTERS = ("kind", "person", "from", "to", "text")
LAST_PAGE = 10_000
MOST_IN_FILE = 20_000
COLUMNS = (
    *("when", "who", "from where", "address", "kind", "object", "what", "field", "before", "after"),
    *("column", "stored before", "stored after"),
)


@require_safe
@clear_refusal
def page(request: HttpRequest) -> HttpResponse:
    """The changes, newest first."""
    state = states.read(request, *FILTERS)
    number = _page(request.GET.get("page", ""))
    offset = (number - 1) * audit.FIRST
    log = audit.changes(_cut(state), state.calendar, offset=offset, reader=reader(request))
    kept: dict[str, str] = {name: value for name, value in state.filters.items() if value}
    context = {
        "section": "settings",
        "still_page": True,
        "tab": "audit",
        "log": log,
        "kinds": audit.KINDS,
        "people": audit.people(),
        "filtered": bool(kept),
        "from": state.filters["from"],
        "newer": urlencode({**kept, "page": str(number - 1)}) if number > 1 else "",
        "older": urlencode({**kept, "page": str(number + 1)}) if log.more and number < LAST_PAGE else "",
        "query": urlencode(kept),
        "can_define": can(reader(request), "metric.define"),
    }
    return show(request, "metrics/audit.html", state, context)


@require_safe
@clear_refusal
def export(request: HttpRequest) -> HttpResponse:
    """The same changes as CSV, a line for each thing that changed: in words as on the page, and as stored."""
    state = states.read(request, *FILTERS)
    zone = state.calendar.zone
    log = audit.changes(_cut(state), state.calendar, limit=MOST_IN_FILE, reader=reader(request))
    rows: list[tuple[str, ...]] = [
        (
            change.at.astimezone(zone).isoformat(timespec="seconds"),
            change.who,
            change.origin,
            change.address,
            change.title,
            change.name,
            change.what,
            *(difference.name, difference.before, difference.after),
            *(difference.column, difference.was, difference.now),
        )
        for change in log.changes
        for difference in change.differences or (audit.Difference("", "", ""),)
    ]
    if log.more:  # a file that is cut off must not look whole
        told = (
            f"the file ends here, after {MOST_IN_FILE:,} changes: choose an earlier last day for older ones"
        )
        rows.append((told, *[""] * (len(COLUMNS) - 1)))
    response = HttpResponse(csv_text(COLUMNS, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="changes.csv"'
    return response


def _cut(state: State) -> audit.Cut:
    given = state.filters
    if given["kind"] and given["kind"] not in audit.KINDS:
        raise BadRequest(f"There is no kind called {given['kind']!r}; there are {', '.join(audit.KINDS)}.")
    person = given["person"]
    if person and person != "nobody" and not (person.isascii() and person.isdigit()):
        raise BadRequest("A person is meant by the number of their account, or nobody.")
    start, end = states.day(given["from"]), states.day(given["to"])
    if start and end and end < start:
        raise BadRequest("The last day lies before the first.")
    return audit.Cut(given["kind"], person, start, end, given["text"])


def _page(text: str) -> int:
    if not text:
        return 1
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= LAST_PAGE):
        raise BadRequest(f"There is no page {text[:20]!r}.")
    return int(text)
