"""Targets on pages: split and paste before saving, agree and decide, and the members of a dimension."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from metrics.models import Benchmark, Metric, Target, TargetAnswer
from metrics.queries.target_grid import target_line
from metrics.queries.targets import goalposts, post_of
from metrics.services.agreements import accept, answer
from metrics.services.targets import set_target
from owners.models import Leader, Ownership
from tests.metrics import making
from tests.metrics.stage import CALENDAR, Stage, more_metrics, stage
from tests.metrics.test_pages_writing import grid, inputs, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def company() -> Stage:
    return stage(timezone.localdate())


def shown(page: str, name: str) -> str:
    return page.split(f'name="{name}" value="')[1].split('"')[0]


def months(page: str, company: Stage, key: str) -> list[str]:
    return [shown(page, f"month-{key}-{month:%Y-%m}") for month in company.months]


def token(company: Stage, key: str) -> str:
    target = Target.objects.get(metric__key=key, quarter=company.quarter, dimension="")
    return goalposts([target.metric_id], company.quarter)[target.metric_id].token


def last_year(company: Stage, key: str, *figures: float) -> None:
    for month, figure in zip(company.months, figures, strict=True):
        making.month(Metric.objects.get(key=key), month.year - 1, month.month, figure)


def test_another_form_of_the_same_numbers_is_no_change(company: Stage) -> None:
    client, path = signed_in(company.executive), f"/targets/{company.quarter}/"
    page = client.get(path).content.decode()
    assert shown(page, "target-orders") == "9,300"
    before = token(company, "orders")
    fields = inputs(client, path) | grid(company, "orders", "9300", "3 100", "3100", "3,100")
    client.post(path, fields)
    assert token(company, "orders") == before
    client.post(path, fields | grid(company, "orders", "9301", "3,101", "3100", "3100"))
    assert Target.objects.get(metric__key="orders").value == 9_301


def test_a_split_is_seen_before_it_is_saved(company: Stage) -> None:
    last_year(company, "orders", 200.0, 300.0, 500.0)
    client, path = signed_in(company.executive), f"/targets/{company.quarter}/"
    fields = inputs(client, path) | {"target-orders": "10,000"}
    by_season = client.post(path, fields | {"do": "season:orders"})
    assert by_season.status_code == 200
    page = by_season.content.decode()
    assert "Filled in, not saved yet" in page
    assert months(page, company, "orders") == ["2,000", "3,000", "5,000"]
    assert months(page, company, "on_time") == ["93", "94", "95"]  # the other lines stay
    evenly = client.post(path, fields | {"do": "even:orders"}).content.decode()
    assert months(evenly, company, "orders") == ["3,334", "3,333", "3,333"]
    assert Target.objects.get(metric__key="orders").value == 9_300
    # what was seen is what is saved
    seen = fields | grid(company, "orders", "10000", "2000", "3000", "5000")
    assert client.post(path, seen).status_code == 302
    assert list(Benchmark.objects.filter(target__metric__key="orders").values_list("value", flat=True)) == [
        2_000, 3_000, 5_000
    ]  # fmt: skip


@pytest.mark.parametrize("key", ["orders", "on_time"])
@pytest.mark.parametrize("figure", ["1e19", "-1e307", "-1e309", "9" * 60])
@pytest.mark.parametrize("do", ["save", "even", "season"])
def test_figures_that_nobody_can_mean_are_refused_in_words(
    company: Stage, key: str, figure: str, do: str
) -> None:
    client, path = signed_in(company.executive), f"/targets/{company.quarter}/"
    before = list(Target.objects.order_by("id").values_list("value", flat=True))
    fields = inputs(client, path) | {f"target-{key}": figure, "reason": "A slip"}
    answer = client.post(path, fields | {"do": do if do == "save" else f"{do}:{key}"})
    assert answer.status_code == (422 if do == "save" else 200)
    assert "is too large" in answer.content.decode()
    assert list(Target.objects.order_by("id").values_list("value", flat=True)) == before


def test_a_season_without_figures_is_said(company: Stage) -> None:
    client, path = signed_in(company.executive), f"/targets/{company.quarter}/"
    page = client.post(path, inputs(client, path) | {"do": "season:on_time"}).content.decode()
    assert "On-time share: last year’s months are not all known." in page.replace("&#x27;", "’")
    assert months(page, company, "on_time") == ["93", "94", "95"]


def test_a_quarter_that_runs_is_told_as_so_far(company: Stage) -> None:
    """Who plans the next quarter sees that this one's figure is not its last."""
    period = CALENDAR.quarter(company.quarter)
    following = CALENDAR.quarter_name(period.end)
    orders = Metric.objects.get(key="orders")
    making.figure(orders, "quarter", period.start, period.end, 6_200.0, status="provisional")
    runs = target_line(orders, following, as_of=period.end - timedelta(days=9))
    assert (runs.last_quarter, runs.last_quarter_runs) == (6_200.0, True)
    over = target_line(orders, following, as_of=period.end)
    assert (over.last_quarter, over.last_quarter_runs) == (6_200.0, False)


def test_all_lines_without_months_are_filled_at_once(company: Stage) -> None:
    client, path = signed_in(company.executive), f"/targets/{company.quarter}/"
    fields = inputs(client, path) | {"target-nps": "45"} | grid(company, "orders", "9000", "", "", "")
    page = client.post(path, fields | {"do": "even"}).content.decode()
    assert months(page, company, "orders") == ["3,000", "3,000", "3,000"]
    assert months(page, company, "nps") == ["45", "45", "45"]
    assert months(page, company, "plans") == ["70", "75", "80"]


def test_a_block_with_names_is_pasted_without_script(company: Stage) -> None:
    client, path = signed_in(company.executive), f"/targets/{company.quarter}/"
    block = "Metric\tTarget\tJ\tA\tS\nORDERS\t9,600\t3,000\t3,200\t3,400\n"
    block += "On-time share\t96%\t\t\t96\nNobody\t1\t2\t3\t4"
    answer_ = client.post(path, inputs(client, path) | {"do": "paste", "block": block})
    page = answer_.content.decode()
    assert "Nobody\t1\t2\t3\t4</textarea>" in page  # what did not fit can be mended
    assert 'aria-describedby="block-how"></textarea>' in client.get(path).content.decode()
    assert shown(page, "target-orders") == "9,600"
    assert months(page, company, "orders") == ["3,000", "3,200", "3,400"]
    assert months(page, company, "on_time") == ["93", "94", "96"]  # an empty cell leaves what is there
    assert "“Nobody” is not in this grid." in page
    assert Target.objects.get(metric__key="orders").value == 9_300
    saved = client.post(
        path, inputs(client, path) | grid(company, "orders", "9,600", "3,000", "3,200", "3,400")
    )
    assert saved.status_code == 302
    assert Target.objects.get(metric__key="orders").value == 9_600


def test_a_growth_is_kept_as_written_with_its_number_beside(company: Stage) -> None:
    client, path = signed_in(company.executive), f"/targets/{company.quarter}/"
    metric = Target.objects.get(metric__key="orders").metric
    first = company.months[0]
    before = date(first.year - (first.month < 4), (first.month - 4) % 12 + 1, 1)
    making.figure(metric, "quarter", before, first, 8_000.0)
    assert (
        client.post(path, inputs(client, path) | grid(company, "orders", "10%", "", "", "")).status_code
        == 302
    )
    target = Target.objects.get(metric__key="orders")
    assert (target.value, target.growth) == (None, "10%")
    page = client.get(path).content.decode()
    assert shown(page, "target-orders") == "10%"
    assert "= 8\u202f800, preliminary" in page
    split = client.post(path, inputs(client, path) | {"do": "even:orders"}).content.decode()
    assert months(split, company, "orders") == ["2,934", "2,933", "2,933"]  # of 8,800
    wrong = client.post(path, inputs(client, path) | {"target-on_time": "x points"})
    assert wrong.status_code == 422 and "is not a growth" in wrong.content.decode()


@pytest.mark.parametrize("do", ["season:orders", "even", "paste", "save"])
@pytest.mark.parametrize("who", ["viewer", "elena", "charlie"])
def test_nobody_else_fills_or_saves_the_grid(company: Stage, who: str, do: str) -> None:
    client = signed_in(getattr(company, who))
    sent = client.post(
        f"/targets/{company.quarter}/", grid(company, "orders", "1", "1", "0", "0") | {"do": do}
    )
    assert sent.status_code == 403
    assert Target.objects.get(metric__key="orders").value == 9_300


def respond(client: Client, company: Stage, key: str, **fields: str) -> int:
    path = f"/targets/{company.quarter}/{key}/answer/"
    return client.post(path, {"token": token(company, key), **fields}).status_code


def test_an_owner_accepts_from_the_own_list(company: Stage) -> None:
    client = signed_in(company.elena)
    page = client.get("/me/").content.decode()
    expected = 2 if company.quarter == quarter_now(company) else 0
    assert ("2 targets wait for your answer" in page) == bool(expected)
    path = f"/targets/{company.quarter}/on_time/answer/"
    sent = client.post(path, {"do": "accept", "token": token(company, "on_time"), "back": "me"})
    assert (sent.status_code, sent["Location"]) == (302, "/me/")
    target = Target.objects.get(metric__key="on_time")
    assert (target.state, target.agreed_value, target.agreed_by) == ("agreed", 0.95, company.elena)
    assert "agreed" in client.get(f"/metrics/on_time/{company.state}").content.decode()


def quarter_now(company: Stage) -> str:
    return CALENDAR.quarter_name(company.today)


def test_an_answer_waits_for_the_executive_who_decides(company: Stage) -> None:
    leader, executive = signed_in(company.elena), signed_in(company.executive)
    assert respond(leader, company, "on_time", do="answer", figure="93", text="") == 422
    assert respond(leader, company, "on_time", do="answer", figure="", text="Why") == 422
    assert respond(leader, company, "on_time", do="answer", figure="93", text="The depot opens late.") == 302
    assert Target.objects.get(metric__key="on_time").state == "answered"
    page = executive.get(f"/targets/{company.quarter}/").content.decode()
    if company.quarter == quarter_now(company):
        assert "1 answer waits for your decision" in page
    assert "Take 93" in executive.get(f"/targets/{company.quarter}/on_time/").content.decode()
    path = f"/targets/{company.quarter}/on_time/decide/"
    seen = {"token": token(company, "on_time")}
    refused = executive.post(path, seen | {"do": "keep", "text": ""})
    assert refused.status_code == 422
    assert "Say in a sentence why the proposal stays." in refused.content.decode()
    assert executive.post(path, seen | {"do": "take", "text": "Fair."}).status_code == 302
    target = Target.objects.get(metric__key="on_time")
    assert (target.state, target.value, target.agreed_value) == ("agreed", 0.93, 0.93)
    talk = executive.get(f"/targets/{company.quarter}/on_time/").content.decode()
    assert "The depot opens late." in talk and "Fair." in talk


@pytest.mark.parametrize("who", ["viewer", "charlie", "analyst", "executive", "admin"])
def test_a_foreign_owner_agrees_to_nothing(company: Stage, who: str) -> None:
    client = signed_in(getattr(company, who))
    for do in ("accept", "answer"):
        assert respond(client, company, "on_time", do=do, figure="90", text="Mine.") == 403
    target = Target.objects.get(metric__key="on_time")
    assert (target.state, target.agreed_at, TargetAnswer.objects.count()) == ("proposed", None, 0)


@pytest.mark.parametrize("who", ["viewer", "elena", "charlie", "analyst"])
def test_nobody_else_decides(company: Stage, who: str) -> None:
    found = Target.objects.get(metric__key="on_time").metric
    answer(company.elena, found, company.quarter, 0.9, "The depot opens late.")
    path = f"/targets/{company.quarter}/on_time/decide/"
    sent = signed_in(getattr(company, who)).post(path, {"do": "take", "token": token(company, "on_time")})
    assert sent.status_code == 403
    assert Target.objects.get(metric__key="on_time").state == "answered"


def test_what_one_may_not_see_is_not_there(company: Stage) -> None:
    making.target(Metric.objects.get(key="nps"), company.quarter, 45)
    for who in ("viewer", "charlie"):
        client = signed_in(getattr(company, who))
        assert client.get(f"/targets/{company.quarter}/nps/").status_code == 404
        assert client.post(f"/targets/{company.quarter}/nps/answer/", {"do": "accept"}).status_code == 404
        assert client.post(f"/targets/{company.quarter}/nps/decide/", {"do": "take"}).status_code == 404
    assert Target.objects.get(metric__key="nps").state == "proposed"


def test_a_change_after_that_needs_a_reason_and_is_seen_everywhere(company: Stage) -> None:
    metric = Target.objects.get(metric__key="orders").metric
    accept(company.charlie, metric, company.quarter)
    client, path = signed_in(company.executive), f"/targets/{company.quarter}/"
    fields = inputs(client, path) | grid(company, "orders", "9,000", "3,100", "3,000", "2,900")
    refused = client.post(path, fields)
    assert refused.status_code == 422
    assert "This target is agreed; say why it changes." in refused.content.decode()
    assert client.post(path, fields | {"reason": "A depot burned down."}).status_code == 302
    for page in (
        f"/{company.state}",
        f"/targets/{company.quarter}/",
        f"/metrics/orders/{company.state}",
        f"/leaders/charlie/{company.state}",
        f"/targets/{company.quarter}/orders/",
    ):
        assert "9\u202f300" in client.get(page).content.decode(), page
    shown_ = client.get(f"/metrics/orders/{company.state}").content.decode()
    assert "A depot burned down." in shown_
    assert "as agreed" in shown_  # the chart's legend: the agreed marks are drawn
    line = client.get(f"/api/v1/targets/?metric=orders&quarter={company.quarter}").json()["results"][0]
    assert (line["value"], line["agreed_value"], line["state"]) == (9_000, 9_300, "agreed")
    assert list(line["agreed_months"].values()) == [3_100, 3_100, 3_100]


def split_of(company: Stage, client: Client, target: str, *figures: str) -> dict[str, str]:
    """The fields of the grid by city with Leeds as given."""
    fields = inputs(client, f"/targets/{company.quarter}/orders/?by=city")
    (name,) = [n for n in fields if n.startswith("target-") and leeds(client, company, n)]
    key = name.removeprefix("target-")
    cells = {f"month-{key}-{m:%Y-%m}": text for m, text in zip(company.months, figures, strict=True)}
    return fields | {name: target} | cells


def leeds(client: Client, company: Stage, name: str) -> bool:
    page = client.get(f"/targets/{company.quarter}/orders/?by=city").content.decode()
    return (
        f'name="{name}"' in page
        and 'aria-label="Leeds, target"' in page.split(f'name="{name}"')[1].split(">")[0]
    )


def test_members_have_targets_and_the_rest_is_shown(company: Stage) -> None:
    client = signed_in(company.executive)
    path = f"/targets/{company.quarter}/orders/?by=city"
    assert "No member has a target yet." in client.get(path).content.decode()
    fields = split_of(company, client, "6,000", "2,000", "2,000", "2,000")
    assert client.post(path, fields).status_code == 302
    made = Target.objects.get(member="Leeds")
    assert (made.value, made.dimension, made.metric.key) == (6_000, "city", "orders")
    page = client.get(path).content.decode()
    assert "3\u202f300 of 9\u202f300 is given to nobody." in page
    assert Target.objects.get(metric__key="orders", dimension="").value == 9_300
    segments = client.get(f"/metrics/orders/{company.state}").content.decode()
    assert "6\u202f000" in segments


@pytest.mark.parametrize("who", ["viewer", "elena", "charlie"])
def test_nobody_else_sets_targets_of_members(company: Stage, who: str) -> None:
    fields = split_of(company, signed_in(company.executive), "6,000", "2,000", "2,000", "2,000")
    path = f"/targets/{company.quarter}/orders/?by=city"
    assert signed_in(getattr(company, who)).post(path, fields).status_code == 403
    assert not Target.objects.exclude(dimension="").exists()


def test_a_dimension_that_is_none_is_refused(company: Stage) -> None:
    client = signed_in(company.executive)
    assert client.get(f"/targets/{company.quarter}/orders/?by=planet").status_code == 400
    assert client.post(f"/targets/{company.quarter}/on_time/").status_code == 400


def test_pages_cost_no_more_for_more_metrics(company: Stage) -> None:
    client: Client = signed_in(company.executive)

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(f"/targets/{company.quarter}/").status_code == 200
        return len(queries)

    before = cost()
    more_metrics(8)
    assert cost() == before


def test_a_member_with_an_owner_of_its_own(company: Stage) -> None:
    """Leeds is Elena's, the other orders are Charlie's: it is she who sees its target and answers."""
    quarter, orders = CALENDAR.quarter_name(company.today), Metric.objects.get(key="orders")
    elena = Leader.objects.get(user=company.elena)
    own = {"metric_key": "orders", "dimension": "city", "member": "Leeds", "leader": elena}
    Ownership.objects.create(**own, from_date=company.today)
    place = {"dimension": "city", "member": "Leeds"}
    set_target(orders, quarter, 6_000, {}, author=company.executive, **place)
    page = signed_in(company.executive).get(f"/targets/{quarter}/orders/").content.decode()
    leeds = page.split('<div class="who"><bdi>Leeds</bdi>')[1].split("</th>")[0]
    assert "Elena" in leeds
    segments = signed_in(company.elena).get("/metrics/orders/").content.decode()
    assert "Elena" in segments.split('<th scope="row"><bdi>Leeds</bdi>')[1].split("</th>")[0]
    waits = "<bdi>Orders</bdi>, <bdi>Leeds</bdi>"
    assert waits in signed_in(company.elena).get("/me/").content.decode()
    assert waits not in signed_in(company.charlie).get("/me/").content.decode()

    path = f"/targets/{quarter}/orders/answer/"
    target = Target.objects.get(member="Leeds")
    said = {"do": "accept", "token": post_of(target).token, "back": "me", **place}
    for stranger in (company.charlie, company.executive, company.viewer):
        assert signed_in(stranger).post(path, said).status_code == 403
        target.refresh_from_db()
        assert target.state == "proposed"
    assert signed_in(company.elena).post(path, said)["Location"] == "/me/"
    target.refresh_from_db()
    assert (target.state, target.agreed_value, target.agreed_by) == ("agreed", 6_000, company.elena)
