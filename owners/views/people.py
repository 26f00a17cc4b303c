"""People and roles. Executives read and invite, admins change."""

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.forms import CheckboxInput
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from owners.forms.people import ActiveForm, InviteForm, RoleForm, of_leader
from owners.models import Role, User
from owners.queries.leave import away_on
from owners.queries.people import invitations_on_their_way, waiting_links
from owners.queries.people import people as everybody
from owners.rules import can, require
from owners.services import accounts, joining, links
from owners.services.leaders import LooksAlike
from owners.services.one_time import server_instead
from owners.views import Signed
from owners.views.errors import add_errors


@require_safe
def people(request: Signed) -> HttpResponse:
    """Everybody who can sign in or answers for something."""
    return _page(request, InviteForm(by=request.user, initial=of_leader(request.GET.get("leader", ""))))


@never_cache
@require_POST
def invite(request: Signed) -> HttpResponse:
    """Makes an account and shows, this once, the link by which its owner sets a password."""
    form = InviteForm(request.POST, by=request.user)
    if form.is_valid():
        by_mail = bool(form.cleaned_data.get("by_mail"))
        try:
            user, secret = joining.invite(request.user, form.newcomer, by_mail=by_mail)
            if by_mail:
                messages.success(
                    request, f"{user} is invited. The link goes to {user.email} within a minute."
                )
                return redirect("people")
            server = server_instead(user)
            if server is not None:
                messages.success(request, f"{user} can sign in with {server.name}. {_tell(user)}")
                return redirect("people")
        except LooksAlike as error:
            add_errors(form, error)
            form.fields["confirmed"].widget = CheckboxInput()
        except ValidationError as error:
            add_errors(form, error)
        else:
            return _link_page(request, user, secret)
    return _page(request, form, status=422)


def _invited(request: Signed, pk: int) -> User:
    """The account, for whoever may renew its invitation. Those who invite nobody are refused before it is
    looked up, so that the answer does not tell them which numbers exist."""
    require(request.user, "people.invite")
    user = get_object_or_404(User, pk=pk)
    require(request.user, "people.renew", user)
    return user


@never_cache
@require_POST
def link(request: Signed, pk: int) -> HttpResponse:
    """A fresh link for somebody who lost the first one or the password."""
    user = _invited(request, pk)
    try:
        if settings.MAIL_SERVER and request.POST.get("how") == "mail":
            accounts.mail_link(request.user, user)
            messages.success(request, f"A link goes to {user.email} within a minute.")
            return redirect("people")
        secret = accounts.fresh_link(request.user, user)
        server = server_instead(user)
        if server is not None:
            words = f"The next to sign in with {server.name} as {user.email} gets this account."
            messages.success(request, f"{words} {_tell(user)}")
            return redirect("people")
    except ValidationError as error:
        return _refused(request, error)
    return _link_page(request, user, secret)


@require_POST
def revoke(request: Signed, pk: int) -> HttpResponse:
    """Ends the invitation of somebody who has not come yet."""
    user = _invited(request, pk)
    try:
        user = accounts.revoke_invitation(request.user, user)
    except ValidationError as error:
        return _refused(request, error)
    messages.success(request, f"The invitation of {user} is revoked. Invite the same address to undo that.")
    return redirect("people")


@require_http_methods(["GET", "HEAD", "POST"])
def second_factor(request: Signed, pk: int) -> HttpResponse:
    """Removes the second factor of somebody who has lost the phone, after a look at what that does."""
    user = get_object_or_404(User, pk=pk)
    if request.method != "POST":
        return render(request, "owners/people_second_factor.html", {"person": user, "section": "settings"})
    try:
        user = accounts.reset_second_factor(request.user, user)
    except ValidationError as error:
        return _refused(request, error)
    messages.success(request, f"{user} signs in by the password alone, and can set a second factor up again.")
    return redirect("people")


@require_POST
def role(request: Signed, pk: int) -> HttpResponse:
    """Changes somebody's role."""
    user = get_object_or_404(User, pk=pk)
    form = RoleForm(request.POST)
    if not form.is_valid():
        return _page(request, InviteForm(by=request.user), refused="Choose one of the roles.", status=422)
    try:
        user = accounts.change_role(request.user, user, form.cleaned_data["role"], keep=_key(request))
    except ValidationError as error:
        return _refused(request, error)
    messages.success(request, f"{user} is now {user.get_role_display().lower()}.")
    return redirect("people")


@require_POST
def active(request: Signed, pk: int) -> HttpResponse:
    """Deactivates somebody, or lets them in again."""
    user = get_object_or_404(User, pk=pk)
    form = ActiveForm(request.POST)
    if not form.is_valid():
        return _page(request, InviteForm(by=request.user), refused="Say active=yes or no.", status=422)
    wanted = form.cleaned_data["active"] == "yes"
    try:
        user = accounts.set_active(request.user, user, wanted)
    except ValidationError as error:
        return _refused(request, error)
    messages.success(request, f"{user} {'can sign in again' if wanted else 'is deactivated'}.")
    return redirect("people")


@require_POST
def sessions(request: Signed, pk: int) -> HttpResponse:
    """Signs somebody out of every browser (oneself: of every other one)."""
    user = get_object_or_404(User, pk=pk)
    ended = accounts.end_sessions(request.user, user, keep=_key(request))
    messages.success(request, f"{user} is signed out of {ended} browser{'' if ended == 1 else 's'}.")
    return redirect("people")


def _key(request: Signed) -> str:
    return request.session.session_key or ""


def _refused(request: Signed, error: ValidationError) -> HttpResponse:
    return _page(request, InviteForm(by=request.user), refused=" ".join(error.messages), status=409)


def _page(request: Signed, form: InviteForm, refused: str = "", status: int = 200) -> HttpResponse:
    now = timezone.now()
    today = timezone.localdate(now)
    persons = everybody(today)
    away = {absent.leader.key: absent for absent in away_on(today).values()}
    waiting = waiting_links([p.email for p in persons if p.user_id and not p.joined], now)
    context = {
        "section": "settings",
        "tab": "people",
        "still_page": True,
        "rows": [
            (
                person,
                waiting.get(person.email),
                can(request.user, "people.renew", person),
                away.get(person.leader_key),
            )
            for person in persons
        ],
        "sso": settings.OIDC,
        "mailed": invitations_on_their_way(),
        "mail_server": settings.MAIL_SERVER,
        "form": form,
        "refused": refused,
        "roles": Role.choices,
        "may_manage": can(request.user, "people.manage"),
    }
    return render(request, "owners/people.html", context, status=status)


def _tell(user: User) -> str:
    return f"Tell {user.email}: {settings.SITE_URL}"


def _link_page(request: Signed, user: User, secret: str) -> HttpResponse:
    url = links.join_url(request.build_absolute_uri("/"), secret)
    return render(request, "owners/people_link.html", {"person": user, "url": url})
