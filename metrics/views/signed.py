"""The link in a reminder: one check-in of one person, without signing in, and nothing else."""

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from metrics.queries import installation
from metrics.views.me import check_in_of
from metrics.views.metrics import visible_to
from metrics.views.shell import clear_refusal
from owners.services.check_in_links import opened, used
from owners.services.one_time import LinkGone


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def check_in(request: HttpRequest, token: str) -> HttpResponse:
    """Shows the check-in, and by POST saves it; 410 once the link is over, for whatever reason. Opens no
    session, and a program that only looks at the address changes nothing."""
    now = timezone.now()
    with timezone.override(installation.calendar().zone):
        try:
            link = opened(token, now)

            def onwards() -> HttpResponse:
                used(link, now)
                return render(
                    request, "metrics/signed_done.html", {"person": link.user, "key": link.metric_key}
                )

            found = visible_to(link.user, link.metric_key)
            action = reverse("check_in_link", args=[token])
            response = check_in_of(request, link.user, found, onwards, action, link)
        except (LinkGone, Http404, PermissionDenied):
            response = render(request, "metrics/signed_gone.html", status=410)
    response["Cache-Control"] = "no-store, private"
    # The token goes nowhere; without any referrer a browser would say no origin either, and could not save.
    response["Referrer-Policy"] = "strict-origin"
    response["X-Robots-Tag"] = "noindex"
    return response
