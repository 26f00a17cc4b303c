"""How often a password or a code may be tried, and how often the API may be asked: counted in PostgreSQL, in
one statement, before the try.

A cache would forget the count when it restarts, and counting after the check lets parallel tries through.
"""

import hashlib
import math
from dataclasses import dataclass

from django.db import connection


@dataclass(frozen=True)
class Limit:
    """At most `tries` under one key in `seconds`, counted from the first of them."""

    name: str
    tries: int
    seconds: int


# A person mistypes a few times; an office of forty behind one address does so together.
PER_ACCOUNT = Limit("account", 10, 300)
PER_ADDRESS = Limit("address", 60, 300)
PER_CODE = Limit("code", 5, 300)
PER_USE = Limit("use of a code", 1, 90)  # longer than a code is good, so that it works once
PER_LINK = Limit("link", 30, 300)
PER_BAD_TOKEN = Limit("bad token", 60, 300)
PER_RESET = Limit("reset", 5, 3600)  # mails to one address
PER_RESET_ADDRESS = Limit("reset address", 30, 300)
PER_PASSKEY = Limit("passkey", 60, 300)  # no secret can be guessed; each try costs a signature's check
PER_SSO = Limit("sso", 60, 300)  # each asks the single sign-on server something
PER_HOOK = Limit("hook", 5, 60)  # each asks a stranger's server, which may keep us waiting for 20 seconds
KEPT_SECONDS = 86_400

TAKE = """
insert into owners_attempt as a (key, count, since) values (%(key)s, 1, clock_timestamp())
on conflict (key) do update set
    count = case when a.since < clock_timestamp() - make_interval(secs => %(seconds)s)
                 then 1 else least(a.count + 1, 1000000) end,
    since = case when a.since < clock_timestamp() - make_interval(secs => %(seconds)s)
                 then clock_timestamp() else a.since end
returning count, %(seconds)s - extract(epoch from clock_timestamp() - since)
"""
GIVE_BACK = "update owners_attempt set count = greatest(count - 1, 0) where key = %(key)s"
FORGET = """
delete from owners_attempt where id in (
    select id from owners_attempt where since < clock_timestamp() - make_interval(secs => %(seconds)s)
    limit 100 for update skip locked
)
"""


def take(limit: Limit, subject: str) -> bool:
    """Counts one try of `subject` and says whether it is still within the limit. Atomic."""
    return wait_after(limit, subject) == 0


def wait_after(limit: Limit, subject: str) -> int:
    """Counts one try of `subject` as `take` does: 0 within the limit, else whole seconds until it ends."""
    with connection.cursor() as cursor:
        cursor.execute(TAKE, {"key": _key(limit, subject), "seconds": limit.seconds})
        count, left = cursor.fetchone()
        if count == 1:
            cursor.execute(FORGET, {"seconds": KEPT_SECONDS})
    return 0 if count <= limit.tries else max(1, math.ceil(left))


def give_back(limit: Limit, subject: str) -> None:
    """Uncounts a try that succeeded; never forgives the failed ones before it."""
    with connection.cursor() as cursor:
        cursor.execute(GIVE_BACK, {"key": _key(limit, subject)})


def _key(limit: Limit, subject: str) -> str:
    return hashlib.sha256(f"{limit.name}:{subject}".encode()).hexdigest()
