"""How one wants to be told: one's own page, and the link that ends mails."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from owners.forms.notices import HookForm, PreferencesForm
from owners.kinds import Topic
from owners.models import Channel, Habits, Preference, User
from owners.rules import admin, executive, leader_of
from owners.services import channels, preferences
from owners.services.routing import habits_of, own_hook, way_of
from owners.views import Signed
from owners.views.errors import add_errors


@require_http_methods(["GET", "HEAD", "POST"])
def notices(request: Signed) -> HttpResponse:
    """What one is told of, by which way and when."""
    topics = _topics(request.user)
    if request.method != "POST":
        return _page(request, PreferencesForm(topics=topics, initial=_initial(request.user, topics)))
    form = PreferencesForm(request.POST, topics=topics)
    if form.is_valid():
        given = form.cleaned_data
        try:
            preferences.choose(
                request.user,
                form.ways(),
                quiet=(given["quiet_from"], given["quiet_until"]),
                on_free_days=given["on_free_days"],
                digest=given["rhythm"] or habits_of(request.user).digest,
            )
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "Saved.")
            return redirect("account_notices")
    return _page(request, form, status=422)


@require_POST
def hook(request: Signed) -> HttpResponse:
    """Sets one's own web hook."""
    form = HookForm(request.POST)
    if form.is_valid():
        try:
            channels.save_own_hook(request.user, form.cleaned_data["kind"], form.cleaned_data["url"])
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "Your web hook is saved. Send a test to see whether it works.")
            return redirect("account_notices")
    topics = _topics(request.user)
    return _page(request, PreferencesForm(topics=topics, initial=_initial(request.user, topics)), form, 422)


@require_POST
def hook_test(request: Signed) -> HttpResponse:
    """Sends a test to one's own web hook."""
    error = channels.test_channel(request.user, _own(request.user))
    if error:
        messages.error(request, f"The test did not arrive. {error}")
    else:
        messages.success(request, "The test was taken. Look whether it is there.")
    return redirect("account_notices")


@require_POST
def hook_remove(request: Signed) -> HttpResponse:
    """Forgets one's own web hook; what came by it comes by e-mail."""
    channels.remove_channel(request.user, _own(request.user))
    messages.success(request, "Your web hook is forgotten. What came by it comes by e-mail.")
    return redirect("account_notices")


@csrf_exempt  # mail programs post it by themselves; the signature in the address is what allows it
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Ends a topic's mails for the person in the link, by POST only: scanners of mail follow every link."""
    try:
        if request.method == "POST":
            found, done = preferences.unsubscribe(token), True
        else:
            found, done = preferences.subscriber(token), False
    except ValueError:
        raise Http404("This is not a link of ours.") from None
    response = render(request, "owners/unsubscribe.html", {"topic": found.topic, "done": done})
    response["Referrer-Policy"] = "no-referrer"
    return response


def _own(user: User) -> Channel:
    found = own_hook(user)
    if found is None:
        raise Http404("You have no web hook.")
    return found


def _topics(user: User) -> list[Topic]:
    """What can concern this person."""
    leads = leader_of(user) is not None
    wanted = {
        Topic.CHECK_INS: leads,
        Topic.OWNING: leads or executive.test(user),
        Topic.DATA: leads or admin.test(user),
        Topic.DIGEST: executive.test(user),
    }
    return [topic for topic, concerned in wanted.items() if concerned]


def _initial(user: User, topics: list[Topic]) -> dict[str, Any]:
    habits, leader = habits_of(user), leader_of(user)
    return {
        "quiet_from": habits.quiet_from,
        "quiet_until": habits.quiet_until,
        "on_free_days": habits.on_free_days,
        "rhythm": habits.digest,
        **{topic.value: way_of(user, leader, topic) for topic in topics},
    }


def _page(
    request: Signed, form: PreferencesForm, hook_form: HookForm | None = None, status: int = 200
) -> HttpResponse:
    own = own_hook(request.user)
    ways = [way for way in Preference.Way.choices if own or way[0] != Preference.Way.HOOK]
    context = {
        "form": form,
        "hook_form": hook_form or HookForm(),
        "hook": own,
        "ways": ways,
        "rows": [(topic, form[topic.value]) for topic in form.topics],
        "digests": Habits.Digest.choices if Topic.DIGEST in form.topics else [],
        "kinds": Channel.Kind.choices,
    }
    return render(request, "owners/notices.html", context, status=status)
