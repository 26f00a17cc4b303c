"""The company's channels: where the digest and news of the data go besides people's own mail."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from owners.forms.notices import ChannelForm
from owners.models import Channel
from owners.services import channels as service
from owners.views import Signed
from owners.views.errors import add_errors


@require_http_methods(["GET", "HEAD", "POST"])
def channels(request: Signed) -> HttpResponse:
    """All of them, and by POST one more."""
    form = ChannelForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and _save(request, form, None):
        messages.success(request, "The channel is saved. Send a test to see whether it works.")
        return redirect("channels")
    return _page(request, form)


@require_http_methods(["GET", "HEAD", "POST"])
def channel(request: Signed, pk: int) -> HttpResponse:
    """Changes one; its address is not shown, an empty field keeps it."""
    found = _found(pk)
    fields = ("name", "kind", "audience", "digest", "news")
    initial = {name: getattr(found, name) for name in fields}
    form = ChannelForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and _save(request, form, found):
        messages.success(request, "Saved.")
        return redirect("channels")
    return _page(request, form, found)


@require_POST
def test(request: Signed, pk: int) -> HttpResponse:
    """Sends a test."""
    found = _found(pk)
    error = service.test_channel(request.user, found)
    if error:
        messages.error(request, f"The test did not arrive at {found}. {error}")
    else:
        messages.success(request, f"{found} took the test. Look whether it is there.")
    return redirect("channels")


@require_POST
def remove(request: Signed, pk: int) -> HttpResponse:
    """Forgets a channel and its address."""
    found = _found(pk)
    service.remove_channel(request.user, found)
    messages.success(request, f"{found} is removed, and its address forgotten.")
    return redirect("channels")


def _found(pk: int) -> Channel:
    return get_object_or_404(Channel, pk=pk, user=None, archived_at=None)


def _save(request: Signed, form: ChannelForm, found: Channel | None) -> bool:
    if not form.is_valid():
        return False
    try:
        service.save_channel(request.user, service.Wanted(**form.cleaned_data), found)
    except ValidationError as error:
        add_errors(form, error)
        return False
    return True


def _page(request: Signed, form: ChannelForm, found: Channel | None = None) -> HttpResponse:
    context = {
        "section": "settings",
        "tab": "channels",
        "still_page": True,
        "channels": Channel.objects.filter(user=None, archived_at=None),
        "form": form,
        "found": found,
    }
    return render(request, "owners/channels.html", context, status=422 if form.errors else 200)
