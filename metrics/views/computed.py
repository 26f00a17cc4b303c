"""A metric computed from a source, without a definitions file: figures first, then saved."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from metrics.definitions.metric import MetricText
from metrics.definitions.mistakes import DefinitionsError
from metrics.forms.computed import COMPARISON_CHOICES, ComputedForm
from metrics.forms.warehouses import spoken
from metrics.models import Metric, Source
from metrics.queries import sources as queries
from metrics.services import defining, inspection, looking, questions
from metrics.services.inspection import Preview
from metrics.services.looking import Look
from metrics.services.questions import StillAsking, TooBusy
from metrics.views import state as states
from metrics.views.shell import clear_refusal, reader, show, wants_part
from metrics.views.sources import FRAME, tell, words
from owners.rules import require
from owners.services.meanwhile import ChangedMeanwhile
from warehouse.definitions import WarehouseError

PART = "metrics/warehouses/figures.html"
PATIENCE = 60.0  # seconds for one statement of a preview, which a page does not wait for


@dataclass(frozen=True)
class Trial:
    """What a dry run has brought so far."""

    preview: Preview | None = None
    unit: str = "count"
    error: str = ""
    asking: bool = False

    @property
    def most(self) -> float:
        """The largest figure, for the length of bars; 1 where there is none above 0."""
        values = [value for _, value in self.preview.figures if value is not None] if self.preview else []
        return max([value for value in values if value > 0], default=1.0)


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def new(request: HttpRequest, key: str) -> HttpResponse:
    """What to count in a source's rows. A dry run shows the last periods before anything is saved."""
    user = reader(request)
    require(user, "metric.define")
    source = queries.live(key)
    if source is None:
        raise Http404(key)
    look, error, asking = _columns(request, source)
    columns = {column.name: column for column in look.sample.columns} if look else {}
    dimensions = source.spec.get("dimensions", {})
    given = request.POST if request.method == "POST" else None
    entity = source.spec.get("entity", "")
    form = ComputedForm(given, user=user, columns=columns, dimensions=dimensions, entity=entity)
    trial: Trial | None = None
    if request.method == "POST" and look is None:
        form.is_valid()
        form.add_error(None, error or "The warehouse has not told the columns yet: try again in a moment.")
    elif request.method == "POST" and form.is_valid():
        name = form.key_for(set(Metric.objects.values_list("key", flat=True)))
        text = form.text(source.key)
        if request.POST.get("action") == "save":
            if _save(request, form, name, text):
                return redirect("metric", name)
        else:
            trial = _try(request, form, name, text)
    context: dict[str, Any] = {
        **FRAME,
        "source": source,
        "form": form,
        "groups": form.groups(),
        "comparisons": COMPARISON_CHOICES,
        "columns": list(columns.values()),
        "look": look,
        "error": error,
        "asking": asking,
        "trial": trial,
        "poll": request.path,
    }
    if request.method == "POST" and wants_part(request):
        context["said"] = [*spoken(form), *form.wrong.values()]
        return show(request, PART, states.read(request), context, part=PART)
    status = 422 if form.is_bound and form.errors else 200
    return show(request, "metrics/warehouses/metric.html", states.read(request), context, status=status)


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


def _save(request: HttpRequest, form: ComputedForm, key: str, text: MetricText) -> bool:
    """Whether it is stored; else the form says why not."""
    user = reader(request)
    written = defining.text_of("metrics", key, text)
    try:
        _, question = defining.check(written, author=user)
        questions.ask(user, ("columns", written), question, expected=(DefinitionsError,))
        defining.define(written, "metrics", key, author=user, expected="")
    except DefinitionsError as error:
        tell(form, (), error, "metrics", key)
    except ChangedMeanwhile:
        form.add_error("key", f"There is a metric “{key}” already. Choose another key.")
    except WarehouseError as error:
        form.add_error(None, words(request, error))
    except (StillAsking, TooBusy):
        form.add_error(
            None, "The warehouse has not answered in time. Nothing was saved: save again in a moment."
        )
    else:
        messages.success(request, f"{text.fields['name']} is saved. Its figures are being computed.")
        return True
    return False
