"""A computed metric, made or changed without a definitions file: figures first, then saved. One kind of form
for each kind of figure: from one source, a ratio, a formula, a conversion."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from metrics.definitions.metric import MetricText
from metrics.forms import computed, conversions, formulas, ratios
from metrics.forms.computed import ComputedForm
from metrics.forms.conversions import ConversionForm
from metrics.forms.filters import COMPARISON_CHOICES
from metrics.forms.formulas import FormulaForm
from metrics.forms.meaning import MeaningForm
from metrics.forms.ratios import RatioForm
from metrics.forms.sides import FIGURE, ROWS, Ground, SidesForm, source_in
from metrics.forms.warehouses import spoken
from metrics.models import Metric, Source
from metrics.queries import sources as queries
from metrics.queries.audit import Difference, definition_differences
from metrics.queries.dump import metric_fields
from metrics.queries.scope import visible_metrics
from metrics.services import defining, looking, questions
from metrics.services.looking import Look
from metrics.services.manual_metrics import token_of
from metrics.services.questions import StillAsking, TooBusy
from metrics.views import state as states
from metrics.views.metrics import visible
from metrics.views.shell import clear_refusal, reader, show, wants_part
from metrics.views.sources import FRAME, words
from metrics.views.trials import Trial, attempt, beside, save
from warehouse.catalog import Column
from warehouse.definitions import WarehouseError

PART = "metrics/warehouses/figures.html"
NOT_YET = "The warehouse has not told the columns yet: try again in a moment."
Columns = Mapping[str, Mapping[str, Column]]


@dataclass(frozen=True)
class Asked:
    """What warehouses have told of sources, by their keys; error: why not all; asking: it may come yet."""

    looks: Mapping[str, Look] = field(default_factory=dict)
    error: str = ""
    asking: bool = False
    whole: bool = True

    @property
    def columns(self) -> dict[str, dict[str, Column]]:
        return {
            key: {column.name: column for column in look.sample.columns} for key, look in self.looks.items()
        }


@dataclass(frozen=True)
class Kind:
    """A kind of figure made of others. template: its part of the page; new: the heading of a new one; unit:
    what such figures mostly are."""

    form: type[SidesForm] | type[FormulaForm]
    template: str
    new: str
    initial_of: Callable[[Mapping[str, Any], Columns], dict[str, Any] | None]
    unit: str


KINDS = {
    "ratio": Kind(RatioForm, "sides", "New ratio", ratios.initial_of, "ratio"),
    "derived": Kind(FormulaForm, "formula", "New formula", formulas.initial_of, "ratio"),
    "conversion": Kind(ConversionForm, "conversion", "New conversion", conversions.initial_of, "percent"),
}


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def new(request: HttpRequest, key: str) -> HttpResponse:
    """What to count in a source's rows. A dry run shows the last periods before anything is saved."""
    source = queries.live(key)
    if source is None:
        raise Http404(key)
    other = request.GET.get("source", key)
    if other != key and queries.live(other) is not None:
        return redirect("source_metric", other)
    asked = _ask(request, [source])
    form = ComputedForm(_typed(request), **_about(request, source, asked))
    several = queries.keys_and_tables()
    more = {"source": source, "sources": several if len(several) > 1 else (), "made": "source"}
    return _make(request, form, asked, more)


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def ratio(request: HttpRequest) -> HttpResponse:
    """One figure over another: rows of sources, or metrics."""
    return _new(request, "ratio")


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def formula(request: HttpRequest) -> HttpResponse:
    """Arithmetic over metrics that there are."""
    return _new(request, "derived")


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def conversion(request: HttpRequest) -> HttpResponse:
    """How many of one event are followed by another in time."""
    return _new(request, "conversion")


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def definition(request: HttpRequest, key: str) -> HttpResponse:
    """How a metric is computed, changed in the form in which it was made: a new version, for all history or
    from a day on. A definition that no form can say to the letter is shown as code, and not touched."""
    metric = visible(request, key)
    if metric.type == "manual":
        raise Http404("This metric is counted by hand.")
    stored = metric_fields(metric)
    if metric.type in ("simple", "ratio") and (own := queries.live(computed.source_of(stored))) is not None:
        about = {**_about(request, own, Asked()), "stored": stored}
        if _says(lambda data: ComputedForm(data, **about), computed.initial_of(stored, {}), stored):
            return _edit_simple(request, metric, stored, own)
    kind = KINDS.get(metric.type)
    if kind is not None:
        ground = _ground(request, without=key)
        made: dict[str, Any] = {"user": reader(request), "ground": ground, "stored": stored}
        if _says(lambda data: kind.form(data, **made), kind.initial_of(stored, {}), stored):
            return _edit(request, metric, stored, kind, ground)
    return _code(request, metric)


def _edit_simple(
    request: HttpRequest, metric: Metric, stored: Mapping[str, Any], own: Source
) -> HttpResponse:
    source = queries.live(request.POST.get("source", "") or request.GET.get("source", "")) or own
    asked = _ask(request, [source])
    about = {**_about(request, source, asked), "stored": stored}
    columns = asked.columns.get(source.key, {})
    form = ComputedForm(
        _typed(request), initial=_opened(metric, computed.initial_of(stored, columns)), **about
    )
    return _change(request, metric, form, asked, {"source": source, "sources": queries.keys_and_tables()})


def _new(request: HttpRequest, name: str) -> HttpResponse:
    kind, ground = KINDS[name], _ground(request)
    first = request.GET.get("source", "")
    known = [source.key for source in ground.sources]
    start = first if first in known else next(iter(known), "")
    initial = {"unit": kind.unit}
    if issubclass(kind.form, SidesForm):
        of = f"{ROWS}{start}" if start else f"{FIGURE}{ground.metrics[0].key}" if ground.metrics else ""
        initial |= {f"{side}_of": of for side in kind.form.SIDES}
    asked, ground = _look(request, kind, ground, initial)
    form = _form(request, kind, ground, initial)
    nothing = ""
    if issubclass(kind.form, FormulaForm) and not ground.metrics:
        nothing = "A formula is made of other metrics, and there is none yet."
    elif issubclass(kind.form, SidesForm) and not (
        ground.sources or (kind.form.OF_METRICS and ground.metrics)
    ):
        nothing = "There is nothing to compute it from yet: no source of rows."
    return _make(request, form, asked, {"kind": kind, "made": name, "nothing": nothing})


def _edit(
    request: HttpRequest, metric: Metric, stored: Mapping[str, Any], kind: Kind, ground: Ground
) -> HttpResponse:
    asked, ground = _look(request, kind, ground, kind.initial_of(stored, {}) or {})
    initial = _opened(metric, kind.initial_of(stored, ground.columns))
    form = _form(request, kind, ground, initial, stored=stored)
    return _change(request, metric, form, asked, {"kind": kind})


def _form(
    request: HttpRequest, kind: Kind, ground: Ground, initial: dict[str, Any], **about: Any
) -> MeaningForm:
    """Bound, unless only the columns of other sources are asked for: then what was typed stays as it is."""
    about |= {"user": reader(request), "ground": ground}
    typed = _typed(request)
    if typed is not None and typed.get("action") == "columns":
        return kind.form(initial={**typed.dict(), "by": typed.getlist("by")}, **about)
    return kind.form(typed, initial=initial, **about)


def _make(request: HttpRequest, form: MeaningForm, asked: Asked, more: dict[str, Any]) -> HttpResponse:
    """The page of something new; by POST tries or saves it."""
    trial: Trial | None = None
    if _is_sound(form, asked):
        name = form.key_for(set(Metric.objects.values_list("key", flat=True)))
        text = form.text()
        if request.POST.get("action") != "save":
            trial = attempt(request, form, name, text)
        elif save(request, form, name, text):
            messages.success(request, f"{text.fields['name']} is saved. Its figures are being computed.")
            return redirect("metric", name)
    more |= {"section": "metrics", "first_source": queries.first(), "poll": request.path}
    return _page(request, form, asked, trial, more)


def _change(
    request: HttpRequest, metric: Metric, form: MeaningForm, asked: Asked, more: dict[str, Any]
) -> HttpResponse:
    """The page of a stored metric; by POST tries or saves the change."""
    trial: Trial | None = None
    meanwhile: tuple[Difference, ...] = ()
    if _is_sound(form, asked):
        said, key = form.text(), metric.key
        differences = definition_differences(form.stored, said.fields)
        if request.POST.get("action") != "save":
            trial = beside(attempt(request, form, key, said), metric, differences)
        elif not differences:
            messages.success(request, "Nothing was changed.")
            return redirect("metric", key)
        elif save(request, form, key, said, expected=form.cleaned_data["token"]):
            messages.success(request, f"{said.fields['name']} is saved. What changes is being computed.")
            return redirect("metric", key)
        elif form.has_error("__all__", "conflict"):
            meanwhile = definition_differences(metric_fields(visible(request, key)), said.fields)
            typed = {**request.POST.dict(), "by": request.POST.getlist("by")}
            form.data = {**typed, "token": token_of(visible(request, key))}
    more |= {"section": "metrics", "metric": metric, "meanwhile": meanwhile, "poll": request.path}
    return _page(request, form, asked, trial, more)


def _typed(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _opened(metric: Metric, said: dict[str, Any] | None) -> dict[str, Any]:
    return {**(said or {}), "token": token_of(metric)}


def _says(
    build: Callable[[dict[str, Any]], MeaningForm], data: dict[str, Any] | None, stored: Mapping[str, Any]
) -> bool:
    """Whether the form says a stored definition to the letter."""
    if data is None:
        return False
    form = build(data)
    return form.is_valid() and form.text().fields == dict(stored)


def _about(request: HttpRequest, source: Source, asked: Asked) -> dict[str, Any]:
    return {
        "user": reader(request),
        "source": source.key,
        "columns": asked.columns.get(source.key, {}),
        "dimensions": source.spec.get("dimensions", {}),
        "entity": source.spec.get("entity", ""),
    }


def _ground(request: HttpRequest, without: str = "") -> Ground:
    """All that the reader may make a metric of; columns are not known yet."""
    seen = visible_metrics(reader(request)).exclude(key=without).order_by("name", "key")
    return Ground(queries.all_live(), tuple(seen))


def _look(request: HttpRequest, kind: Kind, ground: Ground, said: Mapping[str, Any]) -> tuple[Asked, Ground]:
    """With the columns of the sources that the sides are of, as typed or else as in `said`."""
    if not issubclass(kind.form, SidesForm):
        return Asked(), ground
    given = _typed(request) or said
    wanted = {source_in(given.get(f"{side}_of", "")) for side in kind.form.SIDES}
    asked = _ask(request, [source for source in ground.sources if source.key in wanted])
    return asked, Ground(ground.sources, ground.metrics, asked.columns)


def _ask(request: HttpRequest, sources: Iterable[Source]) -> Asked:
    looks: dict[str, Look] = {}
    error, asking, whole = "", False, True
    for source in sources:
        spec = source.spec
        try:
            about, question = looking.look(
                source.warehouse, table=spec.get("table", ""), sql=spec.get("sql", ""), time=spec["time"]
            )
            looks[source.key] = questions.ask(reader(request), about, question)
        except StillAsking:
            asking, whole = True, False
        except (WarehouseError, TooBusy) as refused:
            error, whole = words(request, refused), False
    return Asked(looks, error, asking, whole)


def _is_sound(form: MeaningForm, asked: Asked) -> bool:
    """Whether something valid was sent; without the columns nothing is."""
    if not form.is_bound:
        return False
    valid = form.is_valid()
    if not asked.whole:
        form.add_error(None, asked.error or NOT_YET)
    return valid and asked.whole


def _code(request: HttpRequest, metric: Metric) -> HttpResponse:
    """The definition as its file says it. By POST a refusal: what was sent is for a form that it has not."""
    written = defining.text_of("metrics", metric.key, MetricText(fields=metric_fields(metric)))
    context = {"section": "metrics", "still_page": True, "metric": metric, "written": written}
    status = 409 if request.method == "POST" else 200
    return show(request, "metrics/warehouses/code.html", states.read(request), context, status=status)


def _page(
    request: HttpRequest, form: MeaningForm, asked: Asked, trial: Trial | None, more: dict[str, Any]
) -> HttpResponse:
    context: dict[str, Any] = {
        **FRAME,
        "form": form,
        "comparisons": COMPARISON_CHOICES,
        "error": asked.error,
        "asking": asked.asking,
        "trial": trial,
        **more,
    }
    if isinstance(form, ComputedForm):
        look = asked.looks.get(form.source)
        context |= {"groups": form.groups(), "columns": list(form.columns.values()), "look": look}
    elif isinstance(form, SidesForm):
        context |= {"sides": form.sides(), "groups": form.groups()}
    elif isinstance(form, FormulaForm):
        context |= {"named": form.lines(), "times": formulas.TIMES, "usable": form.ground.metrics}
    if request.method == "POST" and wants_part(request):
        context["said"] = [*spoken(form), *getattr(form, "wrong", {}).values()]
        return show(request, PART, states.read(request), context, part=PART)
    status = 409 if more.get("meanwhile") else 422 if form.is_bound and form.errors else 200
    return show(request, "metrics/warehouses/metric.html", states.read(request), context, status=status)
