"""Loads the demo company into this installation: people, definitions, warehouse, figures and words."""

import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from io import StringIO
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import transaction

from calc.calendar import Grain
from demo import entries, truth
from demo.agreements import agree
from demo.definitions import definitions
from demo.generate import BEFORE, Story, about, correct, generate
from demo.reasons import doubt
from demo.words import say
from metrics.models import Installation, Value
from metrics.queries.installation import today as local_today
from metrics.services.apply import Conflicts, apply
from owners.models import User
from owners.services.accounts import create_user, link_leaders

Log = Callable[[str], None]

PASSWORD = "northstar"  # noqa: S105 - of a demo, printed at every load
LEADER = "elena"  # signs in as leader@: she has the metric that is off pace and counts one by hand
CHIEF = "priya"  # signs in as executive@
ACCOUNTS = (
    ("admin", "Ada Admin", "admin"),
    ("executive", "Priya Nair", "executive"),
    ("analyst", "Noor Haddad", "analyst"),
    ("leader", "Elena Rossi", "leader"),
    ("viewer", "Vic Turner", "viewer"),
)


class NotHere(Exception):
    """The demo is not loaded into an installation with production settings."""


def warehouse_path() -> Path:
    """Where the demo's warehouse lies."""
    return Path(settings.DATA_DIR) / "demo" / "warehouse.duckdb"


def load(
    today: date | None = None,
    *,
    seed: int = truth.SEED,
    scale: float = 1.0,
    loaded_through: date | None = None,
    log: Log = print,
) -> None:
    """Loads the demo company as on `today` (default: the local day); a repeat for that day changes nothing.

    loaded_through: the last day that the loads have brought, by default yesterday; an earlier one is a load
    that has stopped. scale: of the number of customers. NotHere with production settings.
    """
    if settings.PRODUCTION:
        raise NotHere("the demo is not loaded with production settings")
    started = time.monotonic()
    today = today or local_today(truth.CALENDAR)
    facts = truth.story(today)
    story = Story(facts, loaded_through or today - timedelta(days=1), seed, scale)
    path = warehouse_path()
    found = about(path)
    told = found.startswith(f"{story.tale} through") and not found.endswith(BEFORE) and _has_figures(facts)
    if not told:
        # The payment provider's correction is lived through, so that the restated month has a real revision.
        generate(path, Story(facts, story.loaded_through, seed, scale, restated=False), log)
        _define(path, facts, log)
        # All history, so that the run is the one that the definitions have asked for, and not a second one.
        _recompute(log, "before the correction", "--from", date.min.isoformat())
        correct(path, story)
        # Its rows say that they changed weeks ago, so the run has to be told where to look.
        start, end = facts.restated_month
        _recompute(log, "after the correction", "refund_share", "--from", f"{start}", "--to", f"{end}")
    elif found != story.about:
        generate(path, story, log)
        _define(path, facts, log)
    _accounts()
    _count_by_hand(facts, today)
    agreed = agree(facts)
    log(f"{agreed} targets agreed" if agreed else "all targets are as they were agreed")
    said = say(facts, today)
    log(f"{said} words of the leaders added" if said else "the leaders have said nothing new")
    if told:
        _recompute(log)
    doubted = doubt(facts, today)  # after the update: a dispute is about a figure that stands there
    log(f"{doubted} words beside the figures added" if doubted else "nothing new is said beside the figures")
    Installation.objects.update(demo=True, name=truth.COMPANY)
    log(
        f"{truth.COMPANY} is loaded through {story.loaded_through} in {time.monotonic() - started:.0f} s;"
        f" sign in as {', '.join(name for name, _, _ in ACCOUNTS)} (at demo.example), password {PASSWORD}"
    )


def _has_figures(facts: truth.Truth) -> bool:
    """Whether this database has taken the warehouse in: the file may have outlived another one."""
    restated = {"grain": Grain.MONTH, "period_start": facts.restated_month[0]}
    return Value.objects.filter(metric__key="refund_share", **restated).exists()


def _define(path: Path, facts: truth.Truth, log: Log) -> None:
    """Applies the definitions; where somebody has edited them on a page, the edits are kept and said."""
    text = definitions(path, facts)
    kept = path.with_name("definitions.yaml")
    try:
        apply(text)
    except Conflicts as conflicts:
        log(f"definitions kept as they were edited here:\n{conflicts}")
        return
    kept.write_text(text)


def _recompute(log: Log, when: str = "", *what: str) -> None:
    out = StringIO()
    started = time.monotonic()
    call_command("recompute", *what, stdout=out)
    lines = out.getvalue().strip().splitlines()
    said = f": {lines[-1]}" if lines else ""
    log(f"recomputed{' ' + when if when else ''} in {time.monotonic() - started:.1f} s{said}")


@transaction.atomic
def _accounts() -> None:
    leads = {"leader": LEADER, "executive": CHIEF}
    for name, person, role in ACCOUNTS:
        email = f"{name}@demo.example"
        if not User.objects.filter(email=email).exists():
            create_user(email, person, role, PASSWORD, leader_key=leads.get(role))
    link_leaders()


def _count_by_hand(facts: truth.Truth, today: date) -> None:
    """The months that were due and counted by today, as a file would bring them."""
    lines = ["metric,period_start,value,numerator,denominator"]
    for month in entries.counted(facts, today):
        done, due = entries.success_plans(facts)[month]
        lines.append(f"nps,{month},{entries.nps(facts)[month]:g},,")
        lines.append(f"success_plans,{month},,{done:g},{due:g}")
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        call_command("import", file.name, stdout=StringIO())
