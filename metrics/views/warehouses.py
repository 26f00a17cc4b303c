"""Connections to warehouses: list, add, edit, test, archive. For admins."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from metrics.definitions.mistakes import DefinitionsError
from metrics.forms.warehouses import FORMS, ConnectionForm, initial, spoken
from metrics.models import Warehouse
from metrics.queries import warehouses as queries
from metrics.queries.dump import warehouse_fields
from metrics.services import connections, defining, questions
from metrics.services.connections import Misplaced
from metrics.services.questions import StillAsking, TooBusy
from metrics.views import state as states
from metrics.views.shell import clear_refusal, reader, show, wants_part
from owners.services.meanwhile import ChangedMeanwhile
from warehouse.catalog import Proof
from warehouse.definitions import WarehouseDef, WarehouseError

PART = "metrics/warehouses/proof.html"
_SHOWN = 12  # tables named in the answer to a test


@dataclass(frozen=True)
class Finding:
    """What a test has shown so far: a proof, or words on what is wrong, or neither while it is asked."""

    proof: Proof | None = None
    error: str = ""
    asking: bool = False

    @property
    def usable(self) -> int:
        return sum(not table.refused for table in self.proof.tables) if self.proof else 0

    @property
    def some(self) -> list[str]:
        return [table.name for table in self.proof.tables if not table.refused][:_SHOWN] if self.proof else []


@require_safe
@clear_refusal
def warehouses(request: HttpRequest) -> HttpResponse:
    """Every connection, where it leads, and whether a password is set."""
    return _list(request)


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def new(request: HttpRequest) -> HttpResponse:
    """A connection that is not stored yet: tested, then saved."""
    engine = request.POST.get("engine") or request.GET.get("engine") or "postgres"
    if engine not in FORMS:
        raise Http404(engine)
    form: ConnectionForm = FORMS[engine](request.POST if request.method == "POST" else None)
    return _form(request, form, "", None)


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def edit(request: HttpRequest, key: str) -> HttpResponse:
    """A stored connection. Its password stays where it is unless another one is typed."""
    row = _row(key)
    before = warehouse_fields(row)
    engine = row.engine
    if engine not in FORMS:
        raise Http404(engine)
    if request.method == "POST":
        form: ConnectionForm = FORMS[engine](request.POST, key=key)
    else:
        token = defining.token(before)
        form = FORMS[engine](initial={**initial(before), "token": token}, key=key)
    return _form(request, form, key, before)


@require_POST
@clear_refusal
def test(request: HttpRequest, key: str) -> HttpResponse:
    """Tests a stored connection."""
    row = _row(key)
    found = _test(request, key, lambda: connections.definition_of(key, warehouse_fields(row), row))
    if request.method == "POST" and wants_part(request):
        address = request.path
        return show(
            request, PART, states.read(request), {"finding": found, "poll": address, "about": key}, part=PART
        )
    return _list(request, {"tested": key, "finding": found})


@require_POST
@clear_refusal
def archive(request: HttpRequest, key: str) -> HttpResponse:
    """Puts a connection aside that nothing reads any more."""
    _row(key)
    try:
        defining.archive_warehouse(key, author=reader(request), expected=request.POST.get("token", ""))
    except defining.InUse as used:
        messages.error(request, f"{key} is still read by {used}. Archive or move those sources first.")
        return redirect("warehouse", key)
    except ChangedMeanwhile:
        messages.error(request, f"Somebody else has changed {key} meanwhile. Look at it again first.")
        return redirect("warehouse", key)
    messages.success(request, f"{key} is archived and its password is forgotten.")
    return redirect("warehouses")


def _row(key: str) -> Warehouse:
    row = Warehouse.objects.filter(key=key, archived_at=None).first()
    if row is None:
        raise Http404(key)
    return row


def _list(request: HttpRequest, more: dict[str, Any] | None = None) -> HttpResponse:
    context = {
        "section": "settings",
        "still_page": True,
        "tab": "warehouses",
        "lines": queries.lines(),
        **(more or {}),
    }
    return show(request, "metrics/warehouses/list.html", states.read(request), context)


@sensitive_variables("fields", "form")
def _form(
    request: HttpRequest, form: ConnectionForm, key: str, before: dict[str, Any] | None
) -> HttpResponse:
    """The page of one connection; by POST tests or saves what was typed."""
    finding: Finding | None = None
    row = _row(key) if key else None
    if request.POST.get("action") == "test" and "key" in form.fields:
        form.fields["key"].required = False  # one may look whether it works before one names it
    if request.method == "POST" and form.is_valid():
        fields = _typed(form, row, before)
        name = key or form.cleaned_data["key"] or "new"
        if fields is not None and request.POST.get("action") == "test":
            finding = _test(request, name, lambda: connections.definition_of(name, fields, row))
        elif fields is not None and _save(request, form, name, fields, row):
            return redirect("warehouses")
    if request.method == "POST" and wants_part(request):
        part = {"finding": finding, "said": spoken(form), "poll": request.path, "of_form": True}
        return show(request, PART, states.read(request), part, part=PART)
    context: dict[str, Any] = {
        "section": "settings",
        "still_page": True,
        "tab": "warehouses",
        "form": form,
        "key": key,
        "engine": form.engine,
        "secret": queries.secret(row) if row else "none",
        "sources": queries.sources_of(key) if key else (),
        "finding": finding,
        "poll": request.path,
        "of_form": True,
        "token": defining.token(before) if before else "",
    }
    status = 422 if form.is_bound and form.errors else 200
    return show(request, "metrics/warehouses/form.html", states.read(request), context, status=status)


def _typed(
    form: ConnectionForm, row: Warehouse | None, before: dict[str, Any] | None
) -> dict[str, Any] | None:
    """What was typed as the definitions file has it; None with the form told what is wrong."""
    try:
        connections.check_files(form.options, before)
        return connections.with_password(
            form.options,
            form.typed_password,
            before,
            kept=row is not None and queries.secret(row) != "none",
        )
    except Misplaced as error:
        form.add_error(error.field, str(error))
        return None


@sensitive_variables("fields")
def _save(
    request: HttpRequest,
    form: ConnectionForm,
    key: str,
    fields: dict[str, Any],
    row: Warehouse | None,
) -> bool:
    """Whether it is stored; else the form says why not."""
    user = reader(request)
    try:
        definition = connections.definition_of(key, fields, row)
        about = ("host", key, repr(fields))
        questions.ask(
            user, about, lambda: connections.check_host(definition), again=True, expected=(Misplaced,)
        )
        connections.save(key, fields, author=user, expected=form.cleaned_data["token"])
    except Misplaced as error:
        form.add_error(error.field if error.field in form.fields else None, str(error))
    except DefinitionsError as error:
        for mistake in error.mistakes:
            field = mistake.path.split(".")[2:3]
            form.add_error(field[0] if field and field[0] in form.fields else None, mistake.message)
    except ChangedMeanwhile:
        form.add_error(None, _changed(key, is_new=not form.cleaned_data["token"]))
    except WarehouseError as error:
        form.add_error(None, connections.explained(error))
    except (StillAsking, TooBusy):
        form.add_error(None, "The host’s name was not resolved in time. Nothing was saved: try again.")
    else:
        messages.success(request, f"{key} is saved.")
        return True
    return False


def _changed(key: str, *, is_new: bool) -> str:
    if is_new:
        return f"There is a warehouse “{key}” already. Choose another key, or edit that one."
    return "Somebody else has changed this connection meanwhile. Open the page again and repeat your change."


def _test(request: HttpRequest, key: str, definition: Any) -> Finding:
    """Asks, or looks whether the answer has come."""
    try:
        found: WarehouseDef = definition()
        about = ("proof", key, found.engine, repr(sorted(found.options.items(), key=str)))
        again = "poll" not in request.POST
        proof = questions.ask(reader(request), about, connections.proof_of(found), again=again)
    except StillAsking:
        return Finding(asking=True)
    except (WarehouseError, TooBusy) as error:
        return Finding(error=connections.explained(error))
    return Finding(proof)
