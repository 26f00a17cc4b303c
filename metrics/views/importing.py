"""Figures from a spreadsheet: hand it in, see every change, enter it all or nothing, take it back."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from metrics.forms.sheets import read_decisions
from metrics.models import SheetImport
from metrics.queries.shapes.sheet_imports import ImportRead
from metrics.queries.sheet_imports import enterable, read_import
from metrics.services import sheet_imports
from metrics.sheets.layout import find_table
from metrics.sheets.shapes import ROLES, Layout
from metrics.sheets.tables import MOST_BYTES, TableError
from metrics.views import state as states
from metrics.views.shell import clear_refusal, reader, show

SHOWN = 500  # changes on a page; the counts are of all
_WORDS = {
    "date": "date",
    "year": "year",
    "metric": "name of the metric",
    "value": "figure",
    "numerator": "how many",
    "denominator": "of how many",
    "member": "part (country, channel)",
    "note": "note",
    "ignore": "left out",
}


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def start(request: HttpRequest) -> HttpResponse:
    """Takes a file or pasted cells; by POST keeps them and leads to what they would change."""
    person = reader(request)
    refused, status, pasted = "", 200, ""
    if request.method == "POST":
        file, pasted = request.FILES.get("file"), request.POST.get("cells", "")
        try:
            if file is not None and (file.size or 0) > MOST_BYTES:
                raise TableError(
                    f"This is larger than {MOST_BYTES // 1_000_000} MB. Leave out what is not needed."
                )
            content: str | bytes = file.read() if file is not None else pasted
            name = (file.name or "") if file is not None else ""
            kept = sheet_imports.draft(person, find_table(content, name), name)
            return redirect("import_preview", kept.pk)
        except TableError as error:
            refused, status = str(error), 422
    sheets = SheetImport.objects.filter(author=person).defer("table")
    context = {
        "section": "metrics",
        "still_page": True,
        "metrics": enterable(person),
        "earlier": sheets.exclude(accepted_at=None)[:10],
        "waiting": sheets.filter(accepted_at=None)[: sheet_imports.DRAFTS],
        "refused": refused,
        "pasted": pasted[:200_000],
    }
    return show(request, "metrics/import.html", states.read(request), context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def sheet(request: HttpRequest, pk: int) -> HttpResponse:
    """One sheet: what it means and would change; by POST decides, enters or takes back."""
    person = reader(request)
    kept = get_object_or_404(SheetImport, pk=pk, author=person)
    state = states.read(request)
    problem = ""
    if request.method == "POST":
        do = request.POST.get("do", "")
        try:
            if do == "enter":
                taken = sheet_imports.take_over(
                    person, kept, whole=True, digest=request.POST.get("digest", "")
                )
                messages.success(request, f"{taken.added} new, {taken.changed} changed.")
            elif do == "undo":
                sheet_imports.take_back(person, kept)
                messages.success(request, "Taken back: what was there before is there again.")
            elif do == "map" and kept.accepted_at is None:
                read = read_import(person, kept, whole=True)
                sheet_imports.decide(person, kept, *read_decisions(kept, read, request.POST))
            else:
                raise Http404("There is nothing of that kind to do.")
            return redirect("import_preview", kept.pk)
        except ValidationError as error:
            problem = " ".join(error.messages)
    context: dict[str, Any] = {"section": "metrics", "still_page": True, "kept": kept, "problem": problem}
    if kept.accepted_at is None:
        context |= _page(read_import(person, kept, whole=True), _number(request.GET.get("page", "")))
    return show(request, "metrics/import_sheet.html", state, context, status=409 if problem else 200)


def _number(text: str) -> int:
    """Of the page of changes, from 1; what makes no sense is the first."""
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) <= 4 else 1


def _page(shown: ImportRead, number: int) -> dict[str, Any]:
    count = len(shown.told)
    number = min(number, max(1, -(-count // SHOWN)))
    first = (number - 1) * SHOWN
    return {
        "shown": shown,
        "changes": shown.told[first : first + SHOWN],
        "first": first + 1,
        "last": min(first + SHOWN, count),
        "earlier_page": number - 1,
        "later_page": number + 1 if first + SHOWN < count else 0,
        "roles": [(role, _WORDS[role]) for role in ROLES],
        "layouts": [
            (Layout.WIDE.value, "months across the top"),
            (Layout.TALL.value, "months down the side"),
            (Layout.LONG.value, "a figure a row"),
        ],
    }
