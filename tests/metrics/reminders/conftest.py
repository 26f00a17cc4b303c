"""The people whom reminders go to."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from django.core.cache import cache

if TYPE_CHECKING:  # models cannot be imported before Django is set up
    from owners.models import User


@pytest.fixture
def cast(db: None, time_machine: Any) -> dict[str, User]:
    """Elena owns Orders (for everyone) and Plans (leadership); Grace owns nothing; Max steers."""
    from owners.models import Leader, Role, User
    from tests.metrics import making
    from tests.metrics.reminders.telling import MONDAY

    cache.clear()
    time_machine.move_to(MONDAY, tick=False)
    making.installation(timezone="UTC")
    users = {}
    for name, role in (("elena", Role.LEADER), ("grace", Role.LEADER), ("max", Role.EXECUTIVE)):
        users[name] = User.objects.create_user(f"{name}@example.com", name=name.title(), role=role)
    for name in ("elena", "grace"):
        user = users[name]
        Leader.objects.create(key=name, name=user.name, email=user.email, user=user)
    making.metric("orders", name="Orders")
    making.metric("plans", name="Plans", visible="leadership")
    for key in ("orders", "plans"):
        making.owner(key, "elena", date(2020, 1, 1))
    return users
