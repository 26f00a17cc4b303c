"""Past months out of a spreadsheet: paste or drop it, look at every figure, take them over or back."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST

from metrics.forms.sheets import SheetForm, read_decisions
from metrics.forms.start_metrics import GRAINS, KINDS, UNITS
from metrics.models import SheetImport
from metrics.queries import start as queries
from metrics.queries.shapes.sheet_imports import ImportRead
from metrics.queries.sheet_imports import read_import
from metrics.services import sheet_imports, starting
from metrics.views.shell import clear_refusal, reader
from metrics.views.start import go_on, screen, skips

SHOWN = 1_000  # figures that the preview lists; the rest is counted


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def figures(request: HttpRequest) -> HttpResponse:
    """Where a spreadsheet is pasted or dropped; by POST keeps it as a draft and shows what it says."""
    if skips(request):
        return go_on(request, "figures", starting.SKIPPED)
    form = SheetForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        made = sheet_imports.draft(reader(request), form.table, form.cleaned_data["name"])
        return redirect("start_sheet", made.pk)
    context = {"form": form, "last": queries.last_import(reader(request))}
    return screen(request, "figures", context, refused=request.method == "POST")


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def sheet(request: HttpRequest, pk: int) -> HttpResponse:
    """Every figure of a draft with what it would become; by POST reads again, takes over, or discards."""
    made = get_object_or_404(SheetImport, pk=pk, author=reader(request), accepted_at=None)
    refused = ""
    if request.method == "POST":
        if "discard" in request.POST:
            sheet_imports.discard(reader(request), made)
            return redirect("start_figures")
        read = read_import(reader(request), made)
        made = sheet_imports.decide(reader(request), made, *read_decisions(made, read, request.POST))
        # what the page did not know of is shown before it is written over
        if "take" in request.POST and request.POST.get("digest", read.digest) != read.digest:
            refused = sheet_imports.CHANGED
        elif "take" in request.POST:
            try:
                return _taken(request, sheet_imports.take_over(reader(request), made))
            except ValidationError as error:
                refused = " ".join(error.messages)
        else:
            return redirect("start_sheet", pk)
    read = read_import(reader(request), made)
    context = {
        "made": made,
        "read": read,
        "groups": _groups(read),
        "hidden": max(len(read.lines) - SHOWN, 0),
        "refused": refused,
        "first_problem": next((line for line in read.lines[:SHOWN] if line.what == "problem"), None),
        "units": UNITS,
        "known_units": [unit for unit, _ in UNITS],
        "kinds": KINDS,
        "grains": GRAINS,
    }
    return screen(request, "figures", context, refused=bool(refused), template="metrics/start/sheet.html")


@require_POST
@clear_refusal
def back(request: HttpRequest, pk: int) -> HttpResponse:
    """Takes an import's figures back."""
    made = get_object_or_404(SheetImport.objects.defer("table"), pk=pk, author=reader(request))
    try:
        back = sheet_imports.take_back(reader(request), made)
        words = f"{back.figures} figure{'' if back.figures == 1 else 's'} taken back"
        if back.dropped:
            words += f", and {', '.join(back.dropped[:5])} that came with them"
            words += f" ({len(back.dropped)} in all)" if len(back.dropped) > 5 else ""
        messages.success(request, f"{words}.")
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("start_figures")


def _taken(request: HttpRequest, taken: sheet_imports.Taken) -> HttpResponse:
    words = [f"{taken.added} figure{'' if taken.added == 1 else 's'} added"]
    if taken.changed:
        words.append(f"{taken.changed} changed")
    if taken.made:
        words.append(f"{len(taken.made)} new indicator{'' if len(taken.made) == 1 else 's'}")
    messages.success(request, f"{', '.join(words)}. You can take them back on the screen of past months.")
    return go_on(request, "figures")


def _groups(read: ImportRead) -> list[dict[str, object]]:
    """The figures by the sheet's names, as many as the page shows."""
    shown = read.lines[:SHOWN]
    return [
        {"match": match, "lines": [line for line in shown if line.figure.name == match.name]}
        for match in read.matches
    ]
