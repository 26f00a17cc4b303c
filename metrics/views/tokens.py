"""Tokens of the API: one's own to make and revoke, for admins all to revoke."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from metrics.forms.tokens import TokenForm
from metrics.views import state as states
from metrics.views.shell import clear_refusal, reader, show
from owners.models import ApiToken
from owners.queries.tokens import tokens as lines
from owners.rules import can, require
from owners.services import tokens as services
from owners.views.errors import add_errors


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def tokens(request: HttpRequest) -> HttpResponse:
    """One's tokens and a form for another; by POST makes it and shows its secret, this once."""
    person = reader(request)
    form = TokenForm(request.POST or None, by=person)
    state = states.read(request)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            token, secret = services.create(
                person, said["name"], said["scopes"], said["days"], said["metrics"]
            )
        except ValidationError as error:
            add_errors(form, error)
        else:
            made = {"section": "settings", "still_page": True, "tab": "tokens"}
            made |= {"token": token, "secret": secret, "api": request.build_absolute_uri("/api/v1/")}
            return show(request, "metrics/token_made.html", state, made)
    now = timezone.now()
    manages = can(person, "token.manage")
    context = {
        "section": "settings",
        "still_page": True,
        "tab": "tokens",
        "form": form,
        "own": lines(now, of=person),
        "others": lines(now, besides=person) if manages else (),
        "manages": manages,
    }
    status = 422 if request.method == "POST" else 200
    return show(request, "metrics/tokens.html", state, context, status=status)


@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Ends a token at once."""
    token = get_object_or_404(ApiToken, pk=pk)
    require(reader(request), "token.revoke", token)
    services.revoke(reader(request), token)
    messages.success(request, f"{token.name} is revoked: nothing can use it any more.")
    return redirect("tokens")
