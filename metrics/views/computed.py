"""A metric computed from a source, made or changed without a definitions file: figures first, then saved."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from calc.calendar import Period
from metrics.definitions.metric import MetricText
from metrics.definitions.mistakes import DefinitionsError
from metrics.forms.computed import COMPARISON_CHOICES, ComputedForm
from metrics.forms.computed_edit import ComputedEditForm, beyond, initial_of, source_of
from metrics.forms.warehouses import spoken
from metrics.models import Metric, Source
from metrics.queries import sources as queries
from metrics.queries.audit import Difference, definition_differences
from metrics.queries.dump import metric_fields
from metrics.queries.values import stored_values
from metrics.services import defining, inspection, looking, questions
from metrics.services.apply import touched
from metrics.services.inspection import Preview
from metrics.services.looking import Look
from metrics.services.manual_metrics import token_of
from metrics.services.questions import StillAsking, TooBusy
from metrics.views import state as states
from metrics.views.metrics import visible
from metrics.views.shell import clear_refusal, reader, show, wants_part
from metrics.views.sources import FRAME, tell, words
from owners.services.meanwhile import ChangedMeanwhile
from warehouse.definitions import WarehouseError

PART = "metrics/warehouses/figures.html"
PATIENCE = 60.0  # seconds for one statement of a preview, which a page does not wait for


@dataclass(frozen=True)
class Trial:
    """What a dry run has brought so far. differences: of an edit, what saving would change; now: the stored
    figures by the first day of their period."""

    preview: Preview | None = None
    unit: str = "count"
    error: str = ""
    asking: bool = False
    differences: tuple[Difference, ...] = ()
    now: Mapping[date, float | None] = field(default_factory=dict)

    @property
    def lines(self) -> list[tuple[Period, float | None, float | None]]:
        """(period, the figure tried, the figure stored)."""
        figures = self.preview.figures if self.preview else ()
        return [(period, value, self.now.get(period.start)) for period, value in figures]

    @property
    def most(self) -> float:
        """The largest figure, for the length of bars; 1 where there is none above 0."""
        values = [value for _, value in self.preview.figures if value is not None] if self.preview else []
        return max([value for value in values if value > 0], default=1.0)


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def new(request: HttpRequest, key: str) -> HttpResponse:
    """What to count in a source's rows. A dry run shows the last periods before anything is saved."""
    source = queries.live(key)
    if source is None:
        raise Http404(key)
    look, error, asking = _columns(request, source)
    form = ComputedForm(request.POST if request.method == "POST" else None, **_about(request, source, look))
    trial: Trial | None = None
    if _is_sound(request, form, look, error):
        name = form.key_for(set(Metric.objects.values_list("key", flat=True)))
        text = form.text(source.key)
        if request.POST.get("action") != "save":
            trial = _try(request, form, name, text)
        elif _save(request, form, name, text):
            messages.success(request, f"{text.fields['name']} is saved. Its figures are being computed.")
            return redirect("metric", name)
    return _page(request, source, form, (look, error, asking), trial)


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def definition(request: HttpRequest, key: str) -> HttpResponse:
    """How a metric is computed, changed in the form in which it was made: a new version, for all history or
    from a day on. A definition that the form cannot say to the letter is shown as code, and not touched."""
    user = reader(request)
    metric = visible(request, key)
    if metric.type == "manual":
        raise Http404("This metric is counted by hand.")
    stored = metric_fields(metric)
    own = queries.live(source_of(stored))
    source = queries.live(request.POST.get("source", "") or request.GET.get("source", "")) or own
    why = beyond(stored, user=user, **_dimensions(own)) if own else beyond(stored, user=user, **_NO_SOURCE)
    if why or source is None:
        return _code(request, metric, why or "a definition whose source is not there")
    look, error, asking = _columns(request, source)
    about = {**_about(request, source, look), "stored": stored}
    if request.method == "POST":
        form = ComputedEditForm(request.POST, **about)
    else:
        form = ComputedEditForm(
            initial={**initial_of(stored, about["columns"]), "token": token_of(metric)}, **about
        )
    trial: Trial | None = None
    meanwhile: tuple[Difference, ...] = ()
    if _is_sound(request, form, look, error):
        said = form.text(source.key, stored)
        said = replace(said, reason=form.cleaned_data["reason"], effective=form.effective_day)
        differences = definition_differences(stored, said.fields)
        if request.POST.get("action") != "save":
            trial = _beside(_try(request, form, key, said), metric, differences)
        elif not differences:
            messages.success(request, "Nothing was changed.")
            return redirect("metric", key)
        elif _save(request, form, key, said, expected=form.cleaned_data["token"]):
            messages.success(request, f"{said.fields['name']} is saved. What changes is being computed.")
            return redirect("metric", key)
        elif form.has_error("__all__", "conflict"):
            meanwhile = definition_differences(metric_fields(visible(request, key)), said.fields)
            typed = {**request.POST.dict(), "by": request.POST.getlist("by")}
            form.data = {**typed, "token": token_of(visible(request, key))}
    more = {
        "section": "metrics",
        "metric": metric,
        "meanwhile": meanwhile,
        "sources": queries.keys_and_tables(),
    }
    return _page(request, source, form, (look, error, asking), trial, **more)


_NO_SOURCE: dict[str, Any] = {"dimensions": {}, "entity": ""}


def _dimensions(source: Source) -> dict[str, Any]:
    return {"dimensions": source.spec.get("dimensions", {}), "entity": source.spec.get("entity", "")}


def _about(request: HttpRequest, source: Source, look: Look | None) -> dict[str, Any]:
    columns = {column.name: column for column in look.sample.columns} if look else {}
    return {"user": reader(request), "columns": columns, **_dimensions(source)}


def _is_sound(request: HttpRequest, form: ComputedForm, look: Look | None, error: str) -> bool:
    """Whether something valid was sent; without the columns nothing is."""
    if request.method != "POST":
        return False
    valid = form.is_valid()
    if look is None:
        form.add_error(None, error or "The warehouse has not told the columns yet: try again in a moment.")
    return valid and look is not None


def _code(request: HttpRequest, metric: Metric, why: str) -> HttpResponse:
    """The definition as its file says it. By POST a refusal: what was sent is for a form that it has not."""
    written = defining.text_of("metrics", metric.key, MetricText(fields=metric_fields(metric)))
    context = {"section": "metrics", "still_page": True, "metric": metric, "why": why, "written": written}
    status = 409 if request.method == "POST" else 200
    return show(request, "metrics/warehouses/code.html", states.read(request), context, status=status)


def _page(
    request: HttpRequest,
    source: Source,
    form: ComputedForm,
    asked: tuple[Look | None, str, bool],
    trial: Trial | None,
    **more: Any,
) -> HttpResponse:
    look, error, asking = asked
    context: dict[str, Any] = {
        **FRAME,
        "source": source,
        "form": form,
        "groups": form.groups(),
        "comparisons": COMPARISON_CHOICES,
        "columns": list(form.columns.values()),
        "look": look,
        "error": error,
        "asking": asking,
        "trial": trial,
        "poll": request.path,
        **more,
    }
    if request.method == "POST" and wants_part(request):
        context["said"] = [*spoken(form), *form.wrong.values()]
        return show(request, PART, states.read(request), context, part=PART)
    status = 409 if more.get("meanwhile") else 422 if form.is_bound and form.errors else 200
    return show(request, "metrics/warehouses/metric.html", states.read(request), context, status=status)


def _beside(trial: Trial | None, metric: Metric, differences: tuple[Difference, ...]) -> Trial | None:
    """With what would change, and the figures that are stored."""
    if trial is None:
        return None
    now: dict[date, float | None] = {}
    if trial.preview is not None and trial.preview.figures:
        lines = stored_values(metric, trial.preview.grain, start=trial.preview.figures[0][0].start)
        now = {line.period_start: line.value for line in lines}
    return replace(trial, differences=differences, now=now)


def _columns(request: HttpRequest, source: Source) -> tuple[Look | None, str, bool]:
    spec = source.spec
    try:
        about, question = looking.look(
            source.warehouse, table=spec.get("table", ""), sql=spec.get("sql", ""), time=spec["time"]
        )
        return questions.ask(reader(request), about, question), "", False
    except StillAsking:
        return None, "", True
    except (WarehouseError, TooBusy) as error:
        return None, words(request, error), False


def _try(request: HttpRequest, form: ComputedForm, key: str, text: MetricText) -> Trial | None:
    """The figures of the last periods; None with the form told what is wrong."""
    user, unit = reader(request), form.cleaned_data["unit"]
    written = defining.text_of("metrics", key, text)
    try:
        intent, columns = defining.check(written, author=user)
        figures = inspection.preview_later(intent.whole, intent.file, key, PATIENCE)

        def question() -> Preview:
            columns()
            return figures()

        again = "poll" not in request.POST
        preview = questions.ask(
            user, ("preview", written), question, again=again, expected=(DefinitionsError,)
        )
    except StillAsking:
        return Trial(asking=True)
    except DefinitionsError as error:
        tell(form, (), error, "metrics", key)
        return None
    except (WarehouseError, TooBusy) as error:
        return Trial(error=words(request, error))
    return Trial(preview, unit, preview.error)


def _save(request: HttpRequest, form: ComputedForm, key: str, text: MetricText, expected: str = "") -> bool:
    """Whether it is stored; else the form says why not. expected: the token of what the page has shown."""
    user = reader(request)
    written = defining.text_of("metrics", key, text)
    try:
        intent, question = defining.check(written, author=user)
        if expected and key in touched(intent) and not text.reason:
            form.add_error("reason", "Figures will change: say why, it is kept with the new version.")
            return False
        questions.ask(user, ("columns", written), question, expected=(DefinitionsError,))
        defining.define(written, "metrics", key, author=user, expected=expected)
    except DefinitionsError as error:
        tell(form, (), error, "metrics", key)
    except ChangedMeanwhile as refused:
        if expected:
            form.add_error(None, refused)
        else:
            form.add_error("key", f"There is a metric “{key}” already. Choose another key.")
    except WarehouseError as error:
        form.add_error(None, words(request, error))
    except (StillAsking, TooBusy):
        form.add_error(
            None, "The warehouse has not answered in time. Nothing was saved: save again in a moment."
        )
    else:
        return True
    return False
