"""A definition tried and saved from its page: the figures first, from the warehouse, then the new version."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from django.http import HttpRequest

from calc.calendar import Period
from metrics.definitions.metric import MetricText
from metrics.definitions.mistakes import DefinitionsError
from metrics.forms.meaning import MeaningForm
from metrics.models import Metric
from metrics.queries.audit import Difference
from metrics.queries.values import stored_values
from metrics.services import defining, inspection, questions
from metrics.services.apply import touched
from metrics.services.inspection import Preview
from metrics.services.questions import StillAsking, TooBusy
from metrics.views.shell import reader
from metrics.views.sources import words
from owners.services.meanwhile import ChangedMeanwhile
from warehouse.definitions import WarehouseError

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


def attempt(request: HttpRequest, form: MeaningForm, key: str, text: MetricText) -> Trial | None:
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
        tell(form, error, key)
        return None
    except (WarehouseError, TooBusy) as error:
        return Trial(error=words(request, error))
    return Trial(preview, unit, preview.error)


def beside(trial: Trial | None, metric: Metric, differences: tuple[Difference, ...]) -> Trial | None:
    """With what would change, and the figures that are stored."""
    if trial is None:
        return None
    now: dict[date, float | None] = {}
    if trial.preview is not None and trial.preview.figures:
        lines = stored_values(metric, trial.preview.grain, start=trial.preview.figures[0][0].start)
        now = {line.period_start: line.value for line in lines}
    return replace(trial, differences=differences, now=now)


def save(request: HttpRequest, form: MeaningForm, key: str, text: MetricText, expected: str = "") -> bool:
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
        tell(form, error, key)
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


def tell(form: MeaningForm, error: DefinitionsError, key: str) -> None:
    """Puts every mistake to its field; those elsewhere to the form, with their place."""
    for mistake in error.mistakes:
        path = mistake.path.split(".")
        own = path[:2] == ["metrics", key]
        field = form.field_of(path[2:]) if own else ""
        said = mistake.message if own else f"{mistake.path}: {mistake.message}"
        form.add_error(field or None, said)
