"""Ticks: what is due, what is late, who is told; and the delivery of that."""

from datetime import UTC, date, datetime, timedelta

import pytest
from celery import current_app
from django.core import mail
from django.core.management import CommandError, call_command

from metrics.models import Run, Source
from metrics.services import bell, ledger, schedule
from metrics.services.freshness import expected_watermark
from owners.models import Leader, Notice, Role, User
from owners.services import outbox
from tests.metrics.shop import ALL, DAY, ORDERS, Shop, everything, figures, some_rows

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was rung, instead of a broker."""
    heard: list[str] = []
    monkeypatch.setattr(bell, "ring", lambda: heard.append("work"))
    monkeypatch.setattr(bell, "ring_for_notices", lambda: heard.append("notices"))
    return heard


def test_two_ticks_insert_one_run(shop: Shop, rung: list[str]) -> None:
    shop.create(some_rows(date(2026, 2, 1), 37), loaded_to=date(2026, 3, 10))
    shop.define()
    assert schedule.tick(shop.now).asked == ("orders",)
    assert schedule.tick(shop.now).asked == ()
    assert schedule.tick(shop.now + MINUTE).asked == ()
    assert Run.objects.count() == 1
    assert rung == ["work"] * 3  # rung again until somebody has heard it
    shop.work()
    rung.clear()
    shop.now += MINUTE
    assert schedule.tick(shop.now) == schedule.Tick((), (), False, False)
    assert rung == []
    shop.now += 14 * MINUTE
    assert schedule.tick(shop.now).asked == ("orders",)


def test_a_failed_run_and_a_lost_worker_are_rung_for_again(shop: Shop, rung: list[str]) -> None:
    shop.create()
    shop.define()
    schedule.tick(shop.now)
    claimed = ledger.claim("w", shop.now)
    assert claimed
    rung.clear()
    schedule.tick(shop.now + MINUTE)
    assert rung == []  # somebody works on it
    lost = shop.now + ledger.lease() + MINUTE
    assert schedule.tick(lost).work
    claimed = ledger.claim("w", lost)
    assert claimed
    ledger.fail(claimed, "boom", lost)
    assert not schedule.tick(lost).work
    assert schedule.tick(lost + 3 * MINUTE).work


def test_a_source_whose_run_was_put_aside_rests_for_a_day(shop: Shop, rung: list[str]) -> None:
    shop.create()
    source = shop.define()
    schedule.tick(shop.now)
    Run.objects.update(state=Run.State.QUARANTINED, finished_at=shop.now)
    shop.metrics["orders"].versions.update(created_at=shop.now - DAY)
    assert schedule.tick(shop.now + timedelta(hours=23)).asked == ()
    assert schedule.is_due(source, shop.now + timedelta(hours=25))
    shop.metrics["orders"].versions.update(created_at=shop.now + MINUTE)
    assert schedule.is_due(source, shop.now + timedelta(hours=1))  # an edit may have mended it


def test_two_days_without_a_load_make_no_zero_but_a_notice(shop: Shop, rung: list[str]) -> None:
    shop.create(some_rows(date(2026, 2, 1), 37), loaded_to=date(2026, 3, 10))
    source = shop.define(metrics=ALL, by=["country"], fresh_by="08:00", lateness="1 day")
    shop.now = datetime(2026, 3, 10, 9, tzinfo=UTC)
    shop.recompute()
    before = everything()
    assert schedule.tick(shop.now).late == ()
    for hour in (1, 12, 23, 30, 47):
        shop.now = datetime(2026, 3, 10, 9, tzinfo=UTC) + timedelta(hours=hour)
        schedule.tick(shop.now)
        shop.work()
    assert everything() == before  # no zero, and nothing became final that was not
    assert max(figures("orders")) == date(2026, 3, 9)
    source.refresh_from_db()
    assert source.watermark == date(2026, 3, 10)
    assert source.late_since == datetime(2026, 3, 11, 8, tzinfo=UTC)
    notice = Notice.objects.get(kind="source_late")
    assert notice.leader.key == "ana"
    assert (
        "10 Mar 2026 should be in the source orders, and are not: it is loaded through 9 Mar 2026"
        in notice.body
    )
    shop.load(some_rows(date(2026, 3, 10), 2, first_id=7000), loaded_to=date(2026, 3, 12))
    shop.now += timedelta(minutes=20)
    schedule.tick(shop.now)
    shop.work()
    source.refresh_from_db()
    assert source.late_since is None
    assert Notice.objects.filter(kind="source_loaded").count() == 1
    assert figures("orders")[date(2026, 3, 11)] == 2


def test_what_is_expected_follows_the_local_clock(shop: Shop) -> None:
    from calc.calendar import Calendar

    shop.create()
    source = shop.define(fresh_by="08:00")
    london = Calendar("Europe/London")
    summer = datetime(2026, 7, 10, 7, 30, tzinfo=UTC)  # 08:30 in London
    assert expected_watermark(source, london, summer) == date(2026, 7, 10)
    assert expected_watermark(source, london, summer - timedelta(hours=1)) == date(2026, 7, 9)
    source.spec.pop("fresh_by")
    assert expected_watermark(source, london, summer) is None


def test_a_dead_broker_costs_nothing(shop: Shop, settings, monkeypatch: pytest.MonkeyPatch) -> None:
    from metrics import tasks
    from owners.tasks import deliver

    tries = []

    def refuse(name: str, **_: object) -> None:
        tries.append(name)
        raise ConnectionError("no broker")

    monkeypatch.setattr(current_app, "send_task", refuse)
    monkeypatch.setattr(bell, "_silent_until", 0.0)
    shop.create()
    shop.define()
    assert schedule.tick(shop.now).work
    assert not bell.ring()
    assert len(tries) == 1  # after a failure it stays silent for a while
    assert tries == [tasks.work.name]  # called by name, so the name must be that of the task
    monkeypatch.setattr(bell, "_silent_until", 0.0)
    assert not bell.ring_for_notices()
    assert tries[-1] == deliver.name
    assert Run.objects.count() == 1


def tell(key: str = "late:orders", leader: Leader | None = None) -> Notice:
    return Notice.objects.create(
        key=key, kind="source_late", leader=leader, subject="Late\nload", body="It is late."
    )


def test_notices_are_sent_once_with_their_key(db: None) -> None:
    ana = Leader.objects.create(key="ana", name="Ana", email="ana@example.com")
    notice = tell(leader=ana)
    now = datetime(2026, 3, 10, 12, tzinfo=UTC)
    assert outbox.deliver(lambda: now) == 1
    assert outbox.deliver(lambda: now) == 0
    (sent,) = mail.outbox
    assert sent.to == ["ana@example.com"]
    assert sent.subject == "Late load"
    assert sent.extra_headers["X-Northstar-Key"] == "late:orders"
    assert sent.extra_headers["Message-ID"].startswith(f"<notice-{notice.pk}@")
    notice.refresh_from_db()
    assert notice.sent_at == now


def test_a_notice_without_leader_goes_to_the_admins(db: None) -> None:
    User.objects.create_user("root@example.com", role=Role.ADMIN)
    User.objects.create_user("leader@example.com", role=Role.LEADER)
    tell()
    outbox.deliver(lambda: datetime(2026, 3, 10, 12, tzinfo=UTC))
    assert [m.to for m in mail.outbox] == [["root@example.com"]]


def test_a_mail_server_that_fails_is_tried_again(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.core.mail import EmailMessage

    ana = Leader.objects.create(key="ana", name="Ana", email="ana@example.com")
    tell("a", ana)
    send = EmailMessage.send

    def refuse(self: EmailMessage, fail_silently: bool = False) -> int:
        raise ConnectionRefusedError("no mail server")

    now = datetime(2026, 3, 10, 12, tzinfo=UTC)
    monkeypatch.setattr(EmailMessage, "send", refuse)
    assert outbox.deliver(lambda: now) == 0
    notice = Notice.objects.get()
    assert notice.attempts == 1
    assert "no mail server" in notice.error
    assert notice.not_before == now + MINUTE
    monkeypatch.setattr(EmailMessage, "send", send)
    assert outbox.deliver(lambda: now) == 0
    assert outbox.deliver(lambda: now + MINUTE) == 1
    assert len(mail.outbox) == 1


def test_the_command_says_what_it_did(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    shop.create(some_rows(date(2026, 2, 1), 37), loaded_to=date(2026, 3, 10))
    shop.define(metrics=ALL)
    call_command("recompute")
    said = capsys.readouterr().out
    assert said.startswith("orders: ")
    assert figures("aov", "month")
    call_command("recompute", "aov")
    assert ", 0 changed" in capsys.readouterr().out.splitlines()[-1]
    call_command("recompute", "aov", "--from", "2026-02-10", "--to", "2026-02-11")
    assert Run.objects.filter(window_start=date(2026, 2, 10), state=Run.State.DONE).count() == 2


def test_the_command_refuses_unknown_keys_and_windows_that_end_before_they_begin(shop: Shop) -> None:
    shop.create()
    shop.define()
    for arguments in (["nothing"], ["orders", "--from", "2026-02-10", "--to", "2026-02-10"]):
        with pytest.raises(CommandError) as refused:
            call_command("recompute", *arguments)
        assert refused.value.returncode == 2
    assert not Run.objects.exists()


def test_the_command_fails_when_something_fails(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    shop.create(some_rows(date(2026, 2, 1), 37), loaded_to=date(2026, 3, 10))
    broken = {"measure": {"source": "orders", "agg": "sum", "expr": "missing"}}
    shop.define(metrics={"orders": ("simple", ORDERS), "broken": ("simple", broken)})
    with pytest.raises(CommandError) as failed:
        call_command("recompute")
    assert failed.value.returncode == 1
    assert "broken failed" in capsys.readouterr().err
    assert figures("orders")
    Source.objects.update(watermark=None)
    shop.path.unlink()
    with pytest.raises(CommandError):
        call_command("recompute")
    assert "does not exist" in capsys.readouterr().err


def test_the_command_computes_what_an_edit_has_asked_for_only_once(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.create(some_rows(date(2025, 2, 1), 402), loaded_to=date(2026, 3, 10))
    source = shop.define(metrics={"orders": ("simple", ORDERS)})
    ledger.request(source, metrics=["orders"], start=ledger.FROM_THE_START, cause="definition", ring=False)
    call_command("recompute")
    capsys.readouterr()
    (history,) = Run.objects.all()
    assert history.state == Run.State.DONE
    assert history.rows_written is not None and history.rows_written > 402
    source.refresh_from_db()
    assert source.watermark == date(2026, 3, 10)


def test_the_command_does_not_ask_a_failing_source_twice(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    source = shop.define(metrics={"orders": ("simple", ORDERS)})
    ledger.request(source, metrics=["orders"], start=ledger.FROM_THE_START, cause="definition", ring=False)
    with pytest.raises(CommandError):
        call_command("recompute")
    assert capsys.readouterr().err.count("failed:") == 1
