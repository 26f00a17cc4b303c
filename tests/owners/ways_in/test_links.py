"""Links that are on their way end with what they were made for, and stay secret."""

import pytest
from django.test import Client
from django.utils import timezone
from pghistory.models import Context

from owners.kinds import Topic
from owners.models import AdminLink, Channel, CheckInLink
from owners.secrets import encrypt
from owners.services import accounts, links, preferences, sso, tokens
from owners.services.check_in_links import link_path, opened
from owners.services.one_time import LinkGone, new_link
from owners.sso.client import Claims
from owners.sso.provider import Provider
from tests.owners.ways_in.steps import PASSWORD, choose_by, reset_link
from tests.people import SINCE, Company

SERVER = Provider(
    "https://sso.example.com", "id", "s", "Okta", ("openid",), "groups", (), "refuse", False, False
)


def test_a_new_password_ends_the_link_that_an_admin_made(people: Company) -> None:
    secret = accounts.fresh_link(people.admin, people.alice)
    assert choose_by(reset_link())
    with pytest.raises(LinkGone):
        links.join_link(secret)


@pytest.mark.parametrize("what", ["deactivated", "new password"])
def test_links_to_check_ins_end_for_good(people: Company, what: str) -> None:
    now = timezone.now()
    token = link_path(people.alice, "for_everyone", SINCE, now).split("/")[2]
    other = link_path(people.bob, "for_everyone", SINCE, now).split("/")[2]
    assert opened(token, now).user == people.alice
    if what == "deactivated":
        accounts.set_active(people.admin, people.alice, False)
        accounts.set_active(people.admin, people.alice, True)
    else:
        assert choose_by(reset_link())
    with pytest.raises(LinkGone):
        opened(token, now)
    assert opened(other, now).user == people.bob


def test_what_somebody_else_set_up_ends_when_the_owner_of_the_address_comes(people: Company) -> None:
    """Whoever used an invitation that was not theirs keeps nothing once its owner signs in by the server."""
    zoe, secret = accounts.invite(people.admin, "zoe@example.com", "Zoe", "analyst")
    thief = Client()
    assert thief.post(f"/account/join/{secret}/", {"password": PASSWORD}).status_code == 302
    _, stolen = tokens.create(zoe, "for later", ["read"], 365)
    Channel.objects.create(
        user=zoe,
        name="x",
        kind="webhook",
        host="evil.example",
        secret=encrypt({"url": "https://evil.example"}),
    )
    waiting = new_link(zoe.email)
    word = link_path(zoe, "for_everyone", SINCE, timezone.now()).split("/")[2]
    assert sso.admit(SERVER, Claims(SERVER.issuer, "z1", "zoe@example.com", "Zoe", ())) == zoe
    assert tokens.valid(stolen) is None
    assert not Channel.objects.filter(user=zoe, archived_at=None).exists()
    assert not Channel.objects.get(user=zoe).secret
    assert not AdminLink.objects.filter(email=zoe.email, used_at=None).exists()
    assert Client().get(f"/account/join/{waiting}/").status_code == 410
    with pytest.raises(LinkGone):
        opened(word, timezone.now())
    assert thief.get("/account/").status_code == 302
    assert CheckInLink.objects.get().revoked_at
    # once: what the owner makes afterwards stays
    _, own = tokens.create(zoe, "mine", ["read"], 30)
    assert sso.admit(SERVER, Claims(SERVER.issuer, "z1", "zoe@example.com", "Zoe", ())) == zoe
    assert tokens.valid(own) is not None


def test_the_history_keeps_no_secret_of_a_link(people: Company) -> None:
    _, secret = accounts.invite(people.admin, "zoe@example.com", "", "viewer")
    path = reset_link()
    joined = Client().post(f"/account/join/{secret}/", {"name": "Zoe", "password": PASSWORD})
    assert joined.status_code == 302
    assert choose_by(path)
    unsubscribe = preferences.token_of(people.bob, None, Topic.OWNING)
    assert Client().post(f"/n/{unsubscribe}/").status_code == 200
    said = [context.metadata for context in Context.objects.all()]
    urls = {str(metadata["url"]) for metadata in said if "url" in metadata}
    assert "/account/join/.../" in urls
    assert "/n/.../" in urls
    for hidden in (secret, unsubscribe, path.rsplit("-", 1)[1]):
        assert hidden not in str(said)
