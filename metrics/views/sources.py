"""Sources: which table of a warehouse, and what each of its columns is for. For analysts and admins."""

from dataclasses import replace
from typing import Any
from zoneinfo import available_timezones

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from metrics.definitions.mistakes import DefinitionsError
from metrics.forms.sources import Line, SourceForm, initial, lines_of, proposed
from metrics.models import Source, Warehouse
from metrics.queries import sources as queries
from metrics.services import defining, looking, questions
from metrics.services.connections import explained
from metrics.services.looking import Look
from metrics.services.questions import StillAsking, TooBusy
from metrics.views import state as states
from metrics.views.shell import clear_refusal, reader, show
from owners.rules import can
from owners.services.meanwhile import ChangedMeanwhile
from warehouse.definitions import WarehouseError
from warehouse.proposals import needs_zone

ZONES = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc"))
FRAME = {"section": "settings", "still_page": True, "tab": "sources"}


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def new(request: HttpRequest) -> HttpResponse:
    """Choose a warehouse, then a table, then what its columns are for."""
    given = request.POST if request.method == "POST" else request.GET
    found = queries.warehouses()
    wanted = given.get("warehouse", "")
    row = next((w for w in found if w.key == wanted), found[0] if len(found) == 1 and not wanted else None)
    if row is None:
        context = {**FRAME, "warehouses": found, "may_connect": can(reader(request), "warehouse.manage")}
        return show(request, "metrics/warehouses/choose.html", states.read(request), context)
    writes_sql = "query" in given and can(reader(request), "metric.write_sql")
    if not given.get("table") and not writes_sql:
        return _tables(request, row)
    return _form(request, row, None, writes_sql=writes_sql)


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def edit(request: HttpRequest, key: str) -> HttpResponse:
    """A stored source. A change of how figures are computed recomputes them."""
    source = queries.live(key)
    if source is None:
        raise Http404(key)
    writes_sql = bool(source.spec.get("sql"))
    return _form(request, source.warehouse, source, writes_sql=writes_sql)


@require_POST
@clear_refusal
def archive(request: HttpRequest, key: str) -> HttpResponse:
    """Puts a source aside from which nothing is computed."""
    if queries.live(key) is None:
        raise Http404(key)
    try:
        defining.archive_source(key, author=reader(request), expected=request.POST.get("token", ""))
    except defining.InUse:
        messages.error(request, f"Metrics are still computed from {key}. Archive or move those first.")
        return redirect("source", key)
    except ChangedMeanwhile:
        messages.error(request, f"Somebody else has changed {key} meanwhile. Look at it again first.")
        return redirect("source", key)
    messages.success(request, f"{key} is archived.")
    return redirect("settings_sources")


def _tables(request: HttpRequest, row: Warehouse) -> HttpResponse:
    find = request.GET.get("find", "").strip()[:200]
    context: dict[str, Any] = {
        **FRAME,
        "warehouse": row,
        "find": find,
        "others": len(queries.warehouses()) > 1,
        "may_write_sql": can(reader(request), "metric.write_sql"),
        "taken": {source.spec.get("table"): source.key for source in row.sources.filter(archived_at=None)},
    }
    try:
        tables, more = questions.ask(
            reader(request), *looking.tables(row, find), again="again" in request.GET
        )
        context |= {"tables": tables, "more": more}
    except StillAsking:
        context["asking"] = True
    except (WarehouseError, TooBusy) as error:
        context["error"] = words(request, error)
    return show(request, "metrics/warehouses/tables.html", states.read(request), context)


def _look(
    request: HttpRequest, row: Warehouse, *, table: str, sql: str, time: str = ""
) -> tuple[Look | None, str, bool]:
    """(what the table holds, words on why not, whether it is still asked)."""
    if not table and not sql:
        return None, "", False
    try:
        about, question = looking.look(row, table=table, sql=sql, time=time)
        return questions.ask(reader(request), about, question, again="again" in request.GET), "", False
    except StillAsking:
        return None, "", True
    except (WarehouseError, TooBusy) as error:
        return None, words(request, error), False


def _form(request: HttpRequest, row: Warehouse, source: Source | None, *, writes_sql: bool) -> HttpResponse:
    user = reader(request)
    may_write_sql = can(user, "metric.write_sql")
    before = queries.stored_fields(source) if source else None
    key = source.key if source else ""
    given = request.POST if request.method == "POST" else request.GET
    sql = (given.get("sql", "") if may_write_sql and request.method == "POST" else "") or (before or {}).get(
        "sql", ""
    )
    table = given.get("table") or ("" if sql else (before or {}).get("table", ""))
    if writes_sql:
        table = ""
    time = (before or {}).get("time", "") if request.method != "POST" else ""
    look, error, asking = _look(request, row, table=table, sql=sql if writes_sql else "", time=time)
    only_look = request.method == "POST" and request.POST.get("action") == "look"
    if request.method == "POST" and not only_look:
        form = SourceForm(request.POST, key=key, may_write_sql=may_write_sql)
        lines = lines_of(look, {}, request.POST)
    else:
        form = SourceForm(initial=_begin(look, before, table, sql), key=key, may_write_sql=may_write_sql)
        lines = lines_of(look, before.get("dimensions", {}) if before else _proposed(look))
    if request.method == "POST" and not only_look and form.is_valid():
        name = key or form.cleaned_data["key"]
        fields = form.fields_of(row.key, lines, before)
        lines, saved = _save(request, form, name, fields, lines)
        if saved:
            return redirect("settings_sources") if key else redirect("source_metric", name)
    context = {
        **FRAME,
        "warehouse": row,
        "source": source,
        "form": form,
        "lines": lines,
        "look": look,
        "error": error,
        "asking": asking,
        "table": table,
        "writes_sql": writes_sql,
        "sql": sql,
        "asks_zone": look is not None and needs_zone(look.proposal.time_kind),
        "token": defining.token(before) if before else "",
        "zones": ZONES,
        "metrics": queries.metrics_of(user, key) if key else (),
        "may_define": can(user, "metric.define"),
    }
    status = 422 if form.is_bound and form.errors else 200
    return show(request, "metrics/warehouses/source.html", states.read(request), context, status=status)


def _begin(look: Look | None, before: dict[str, Any] | None, table: str, sql: str) -> dict[str, Any]:
    if before is not None:
        return {**initial(before), "token": defining.token(before)}
    if look is not None:
        return {**proposed(look, table, queries.keys()), "sql": sql}
    return {"table": table, "sql": sql, "timezone": "UTC"}


def _proposed(look: Look | None) -> dict[str, str]:
    return look.proposal.dimensions if look else {}


def _save(
    request: HttpRequest, form: SourceForm, key: str, fields: dict[str, Any], lines: tuple[Line, ...]
) -> tuple[tuple[Line, ...], bool]:
    """(the lines, told what is wrong with them; whether it is stored)."""
    user = reader(request)
    names = [line.name for line in lines if line.used]
    if len(names) != len(set(names)):
        form.add_error(None, "Two columns to split by have the same name. Give each its own.")
        return lines, False
    text = defining.text_of("sources", key, fields)
    try:
        _, question = defining.check(text, author=user)
        questions.ask(user, ("columns", text), question, expected=(DefinitionsError,))
        defining.define(text, "sources", key, author=user, expected=form.cleaned_data["token"])
    except DefinitionsError as error:
        return tell(form, lines, error, "sources", key), False
    except ChangedMeanwhile:
        form.add_error(
            None,
            "Somebody else has changed this source meanwhile. Open the page again and repeat your change."
            if form.cleaned_data["token"]
            else f"There is a source “{key}” already. Choose another key.",
        )
    except WarehouseError as error:
        form.add_error(None, words(request, error))
    except (StillAsking, TooBusy):
        form.add_error(
            None,
            "The warehouse has not said yet whether these columns exist. Nothing was saved: "
            "save again in a moment.",
        )
    else:
        messages.success(request, f"{key} is saved. What follows from it is being computed.")
        return lines, True
    return lines, False


def words(request: HttpRequest, error: Exception) -> str:
    """What is wrong with the warehouse; where it lies is told to those who set it up."""
    return explained(error, detail=can(reader(request), "warehouse.manage"))


def tell(
    form: Any, lines: tuple[Line, ...], error: DefinitionsError, section: str, key: str
) -> tuple[Line, ...]:
    """Puts every mistake to its field; those of dimensions to their lines, which are returned."""
    told = {}
    for mistake in error.mistakes:
        parts = mistake.path.split(".")
        if parts[:2] == [section, key] and parts[2:3] == ["dimensions"] and len(parts) > 3:
            told[parts[3]] = mistake.message
        elif parts[:2] == [section, key] and parts[2:3] and parts[2] in form.fields:
            form.add_error(parts[2], mistake.message)
        else:
            where = "" if parts[:2] == [section, key] else f"{mistake.path}: "
            form.add_error(None, f"{where}{mistake.message}")
    found = tuple(
        replace(line, error=told.pop(line.name)) if line.used and line.name in told else line
        for line in lines
    )
    for name, words in told.items():
        form.add_error(None, f"{name}: {words}")
    if any(line.error for line in found):
        form.add_error(None, "See the columns marked below.")
    return found
