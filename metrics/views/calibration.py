"""What one's own confidence was worth."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from metrics.queries.calibration import calibration_page
from metrics.views import state as states
from metrics.views.shell import clear_refusal, reader, show


@require_safe
@clear_refusal
def calibration(request: HttpRequest) -> HttpResponse:
    """The reader's own, and nobody else's: there is no address for another person's."""
    state = states.read(request)
    page = calibration_page(reader(request))
    return show(request, "metrics/calibration.html", state, {"section": "me", "page": page})
