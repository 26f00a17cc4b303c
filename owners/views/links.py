"""One-time links: the first admin, and an invited person's password."""

from allauth.account.utils import perform_login
from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from owners.addresses import network_of
from owners.forms.accounts import FirstAdminForm, JoinForm
from owners.services import limits, links
from owners.services.one_time import LinkGone, server_instead
from owners.views.errors import add_errors


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
def first(request: HttpRequest, secret: str) -> HttpResponse:
    """The first admin of an empty installation: once, for one person; 410 ever after."""
    if not limits.take(limits.PER_LINK, network_of(request)):
        return render(request, "429.html", status=429)
    form = FirstAdminForm(request.POST or None)
    try:
        links.first_link(secret)
        if request.method == "POST" and form.is_valid():
            user = links.redeem_first(secret, **form.cleaned_data)
            return perform_login(request, user, redirect_url=reverse("start"))
    except LinkGone:
        return _gone(request)
    except ValidationError as error:
        add_errors(form, error)
    return _form(request, form, "Set up North Star", "You will be the first admin.", "Begin")


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
def join(request: HttpRequest, secret: str) -> HttpResponse:
    """An invited person, or one whose admin made a fresh link, sets a password and is signed in.

    Signing in goes on to the second factor where there is one: a link replaces the password alone.
    """
    if not limits.take(limits.PER_LINK, network_of(request)):
        return render(request, "429.html", status=429)
    form = JoinForm(request.POST or None)
    try:
        _, user = links.join_link(secret)
        server = server_instead(user)
        if server is not None:
            return render(request, "account/link_sso.html", {"server": server}, status=403)
        if user.name:
            del form.fields["name"]
        if request.method == "POST" and form.is_valid():
            user = links.redeem_join(secret, **form.cleaned_data)
            return perform_login(request, user)
    except LinkGone:
        return _gone(request)
    except ValidationError as error:
        add_errors(form, error)
    return _form(request, form, f"Welcome, {user}", f"Choose a password for {user.email}.", "Sign in")


def _form(request: HttpRequest, form: forms.Form, title: str, lead: str, button: str) -> HttpResponse:
    context = {"form": form, "title": title, "lead": lead, "button": button}
    status = 422 if form.errors else 200
    return render(request, "account/link.html", context, status=status)


def _gone(request: HttpRequest) -> HttpResponse:
    return render(request, "account/link_gone.html", status=410)
