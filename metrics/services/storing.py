"""Writes the differences that a definitions file makes, then versions, and asks for what must be
recomputed."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any

from django.utils import timezone

from metrics.definitions.build import PART, calendar_of, parts_of, source_keys_of
from metrics.definitions.changes import Change, rename_in
from metrics.definitions.file import Definitions
from metrics.definitions.promises import OwnerRow
from metrics.models import (
    Benchmark,
    Driver,
    Installation,
    Metric,
    Source,
    Target,
    Warehouse,
)
from metrics.queries.dump import COLUMNS
from metrics.secrets import UnreadableSecret, decrypt, encrypt
from metrics.services import bell, ledger, versions
from metrics.services.manual import recompute_manual
from metrics.services.talking import is_open, tell_of_change
from metrics.services.writing import retire_periods
from owners.models import Action, CheckIn, Deviation, Leader, Leave, Ownership, StatusCall, Team, User
from owners.services import tokens
from owners.services.ownership import hand_over, state_history

# Options that say which data a connection leads to; others (password, timeout) do not change a figure.
PLACES = ("engine", "path", "files", "host", "port", "database", "schema")
LEADER_TEXTS = ("name", "email", "title", "country", "timezone")
STATUS_KEYS = (
    "lateness",
    "top",
)  # of a source: they change which figures are final, or which members are named


def store(
    file: Definitions,
    before: Definitions,
    whole: Definitions,
    changes: Collection[Change],
    renames: Mapping[str, str],
    *,
    author: User | None,
    today: date,
    archive: bool,
) -> tuple[dict[str, date | None], int]:
    """Writes what `changes` say; returns the metrics with a new version (-> effective day) and the number of
    runs asked for. Belongs into the transaction that has compared, in the context of `apply`."""
    _Store(file, before, whole, changes, author, today).run(renames, archive=archive)
    rows = {row.key: row for row in Metric.objects.filter(archived_at=None)}
    renewed = versions.renew(rows, whole, file.metrics or {}, author=author)
    return renewed, _request(rows, renewed, changes, author)


class _Store:
    def __init__(
        self,
        file: Definitions,
        before: Definitions,
        whole: Definitions,
        changes: Collection[Change],
        author: User | None,
        today: date,
    ) -> None:
        self.file, self.before, self.whole = file, before, whole
        self.changes, self.author, self.today = changes, author, today
        self.now = timezone.now()
        self.talked: list[tuple[Target, str, bool, bool]] = []  # targets with their reason, and what is new

    def run(self, renames: Mapping[str, str], *, archive: bool) -> None:
        for old, new in renames.items():
            rename_metric(old, new)
        if any(change.section == "calendar" for change in self.changes):
            Installation.objects.update_or_create(id=1, defaults=self.file.calendar or {})
            retire_periods(calendar_of(Installation.objects.first()), self.now)
        for key in self._changed("teams"):
            name = (self.file.teams or {})[key]["name"]
            Team.objects.update_or_create(key=key, defaults={"name": name, "archived_at": None})
        for key in self._changed("leaders"):
            self._leader(key, (self.file.leaders or {})[key])
        for key in self._changed("warehouses"):
            self._warehouse(key, (self.file.warehouses or {})[key])
        for key, secrets in self.file.secrets.items():
            self._secrets(key, secrets)
        for key in self._changed("sources"):
            self._source(key, (self.file.sources or {})[key])
        self._metrics()
        if archive:
            self._archive()

    def _changed(self, section: str) -> list[str]:
        keys = (c.key for c in self.changes if c.section == section and c.what in ("new", "changed"))
        return list(dict.fromkeys(keys))

    def _leader(self, key: str, fields: Mapping[str, Any]) -> None:
        team = Team.objects.get(key=fields["team"]) if fields.get("team") else None
        said = {name: fields.get(name, "") for name in LEADER_TEXTS}
        Leader.objects.update_or_create(key=key, defaults={**said, "team": team, "archived_at": None})

    def _warehouse(self, key: str, fields: Mapping[str, Any]) -> None:
        options = {name: value for name, value in fields.items() if name != "engine"}
        row = Warehouse.objects.filter(key=key).first() or Warehouse(key=key)
        known = opened(row)
        # What the file now reads from the environment, or what the new engine does not know, is forgotten.
        same = fields["engine"] == row.engine
        kept = {name: secret for name, secret in known.items() if same and name not in options}
        if kept != known:
            row.secrets = encrypt(kept)
        row.engine, row.options, row.archived_at = fields["engine"], options, None
        row.save()

    def _secrets(self, key: str, secrets: Mapping[str, str]) -> None:
        row = Warehouse.objects.get(key=key)
        known = opened(row)
        if {**known, **secrets} != known:
            row.secrets = encrypt({**known, **secrets})
            row.save(update_fields=["secrets"])

    def _source(self, key: str, fields: Mapping[str, Any]) -> None:
        apart = ("warehouse", "data_owner")
        owner = fields.get("data_owner")
        Source.objects.update_or_create(
            key=key,
            defaults={
                "warehouse": Warehouse.objects.get(key=fields["warehouse"]),
                "spec": {name: value for name, value in fields.items() if name not in apart},
                "data_owner": Leader.objects.get(key=owner) if owner else None,
                "archived_at": None,
            },
        )

    def _metrics(self) -> None:
        if self.file.metrics is None:
            return
        rows = {row.key: row for row in Metric.objects.all()}
        fields_changed = {c.key for c in self.changes if c.section == "metrics" and not c.part}
        for position, (key, text) in enumerate((self.whole.metrics or {}).items()):
            row = rows.get(key)
            if row is None:
                row = rows[key] = Metric(key=key, version=1)
            if key in fields_changed and key in self.file.metrics:
                for name, default in COLUMNS.items():
                    setattr(row, name, text.fields.get(name, default))
                row.archived_at, row.position = None, position
                row.save()
                self._parts(row, rows)
            elif row.position != position:
                row.position = position
                row.save(update_fields=["position"])
        for change in self.changes:
            if change.section == "metrics" and change.what == "changed":
                self._promise(change, rows)
        for target, reason, figure, months in self.talked:  # by now everybody owns what the file gives them
            tell_of_change(target, self.author, reason, figure, months, by="the definitions file")

    def _parts(self, row: Metric, rows: dict[str, Metric]) -> None:
        """Keeps the hidden halves of a ratio over two sources as metrics of their own."""
        wanted = parts_of(row)
        for key, spec in wanted.items():
            part = rows.get(key) or Metric(key=key, version=1)
            side = key.rpartition("__")[2]
            part.name, part.role, part.type = f"{row.name} ({side})", PART, "simple"
            part.spec, part.by, part.visible = spec, row.by, row.visible
            part.position, part.archived_at = row.position, None
            part.save()
            rows[key] = part
        for key, part in rows.items():
            stale = part.role == PART and key.rpartition("__")[0] == row.key and key not in wanted
            if stale and part.archived_at is None:
                part.archived_at = self.now
                part.save(update_fields=["archived_at"])

    def _promise(self, change: Change, rows: Mapping[str, Metric]) -> None:
        match change.part:
            case "owners" if isinstance(change.new, OwnerRow):
                leader = Leader.objects.get(key=change.new.leader) if change.new.leader else None
                hand_over(change.key, leader, self.today, author=None)
            case "owners":
                people = {leader.key: leader for leader in Leader.objects.all()}
                history = [
                    (date.fromisoformat(row.start), people[row.leader] if row.leader else None, row.note)
                    for row in change.new
                ]
                state_history(change.key, history, author=None)
            case "target":
                text = (self.file.metrics or {})[change.key]
                reason = (text.targets or {})[change.name].get("reason", "")
                self._target(rows[change.key], change.name, change.new, reason)
            case "drivers":
                self._drivers(rows[change.key], change.new, rows)

    def _target(self, metric: Metric, quarter: str, said: Mapping[str, Any], reason: str) -> None:
        of: dict[str, Any] = {"metric": metric, "quarter": quarter, "dimension": "", "member": ""}
        stored = Target.objects.filter(**of).first()
        fields: dict[str, Any] = {
            "value": said.get("value"),
            "growth": said.get("growth", ""),
            "baseline": said.get("baseline"),
            "reason": reason,
            "author": self.author,
        }
        figure = stored is None or (stored.value, stored.growth) != (fields["value"], fields["growth"])
        before = {} if stored is None else {row.month: row.value for row in stored.benchmarks.all()}
        if stored is not None and figure and not stored.agreed_at:
            fields["state"] = Target.State.PROPOSED
        target, _ = Target.objects.update_or_create(**of, defaults=fields)
        months = {date.fromisoformat(f"{m}-01"): v for m, v in said.get("benchmarks", {}).items()}
        write_benchmarks(target, months)
        if is_open(target) or (stored is not None and (stored.agreed_at or stored.answers.exists())):
            self.talked.append((target, reason, figure, months != before))

    def _drivers(self, metric: Metric, said: Iterable[Mapping[str, str]], rows: Mapping[str, Metric]) -> None:
        wanted = {edge["metric"]: edge for edge in said}
        for row in Driver.objects.filter(metric=metric).select_related("driver"):
            if row.driver.key not in wanted:
                row.delete()
        for key, edge in wanted.items():
            Driver.objects.update_or_create(
                metric=metric,
                driver=rows[key],
                defaults={"relation": edge.get("relation", "influence"), "lag": edge.get("lag", "")},
            )

    def _archive(self) -> None:
        models: dict[str, Any] = {
            "metrics": Metric,
            "sources": Source,
            "warehouses": Warehouse,
            "leaders": Leader,
            "teams": Team,
        }
        for section, model in models.items():
            for change in self.changes:
                if change.section == section and change.what == "archived":
                    for row in model.objects.filter(key=change.key):
                        row.archived_at = self.now
                        row.save(update_fields=["archived_at"])
                    if section == "leaders":
                        Leave.objects.filter(leader__key=change.key, from_date__gt=self.today).delete()
                    if section == "metrics":
                        for part in Metric.objects.filter(role=PART, key__startswith=f"{change.key}__"):
                            part.archived_at = self.now
                            part.save(update_fields=["archived_at"])


def opened(row: Warehouse) -> dict[str, str]:
    """The stored secrets; none where no key of this installation opens them, so that a file can replace
    them."""
    try:
        return decrypt(row.secrets)
    except UnreadableSecret:
        return {}


def write_benchmarks(target: Target, months: Mapping[date, float]) -> None:
    """Makes the target's benchmarks those of `months`; rows that stay as they are are not touched."""
    stored = {row.month: row for row in target.benchmarks.all()}
    for month, row in stored.items():
        if month not in months:
            row.delete()
    for month, value in months.items():
        if month not in stored:
            Benchmark.objects.create(target=target, month=month, value=value)
        elif stored[month].value != value:
            stored[month].value = value
            stored[month].save(update_fields=["value"])


def rename_metric(old: str, new: str) -> None:
    """Another key for a metric; figures, targets, owners, check-ins and actions go along, and what refers to
    it."""
    row = Metric.objects.get(key=old)
    # An archived metric of that name keeps its history under a name that nothing else can have.
    taken = Metric.objects.filter(key=new).first()
    if taken is not None:
        taken.key = f"{new[:60]}__archived_{taken.pk}"
        taken.save(update_fields=["key"])
    row.key = new
    row.save(update_fields=["key"])
    for part in Metric.objects.filter(role=PART, key__startswith=f"{old}__"):
        part.key = f"{new}__{part.key.rpartition('__')[2]}"
        part.save(update_fields=["key"])
    for metric in Metric.objects.all():
        if rename_in(metric.spec, {old: new}):
            metric.save(update_fields=["spec"])
    for model in (Ownership, CheckIn, Action, StatusCall, Deviation):
        for named in model._default_manager.filter(metric_key=old):
            named.metric_key = new
            named.save(update_fields=["metric_key"])
    tokens.rename_metric(old, new)


def _request(
    rows: Mapping[str, Metric],
    renewed: Mapping[str, date | None],
    changes: Collection[Change],
    author: User | None,
) -> int:
    """Asks for the recomputes that the changes need; returns how many."""
    effective: dict[str, date | None] = dict(renewed)
    for key, row in rows.items():
        if key not in effective and _is_moved(row, changes):
            effective[key] = None
    windows: dict[tuple[str, date], list[str]] = {}
    manual = []
    for key, day in effective.items():
        row = rows[key]
        if row.type == "manual":
            manual.append(key)
            continue
        sources = source_keys_of(row)
        start = day or ledger.FROM_THE_START
        windows.setdefault((sources[0] if sources else "", start), []).append(key)
    if manual:
        recompute_manual(manual, cause="definition")
    by_key = {source.key: source for source in Source.objects.all()}
    # Dependents last: by then what they follow from is in the queue before them.
    for (source, start), keys in sorted(windows.items(), key=lambda item: (not item[0][0], item[0])):
        ledger.request(by_key.get(source), metrics=keys, start=start, cause="definition", user=author)
    if windows:
        bell.ring_on_commit()
    return len(windows)


def _is_moved(row: Metric, changes: Collection[Change]) -> bool:
    """Whether the metric's data lie elsewhere now, or its figures become final at another time."""
    sources = source_keys_of(row)
    if not sources:
        return False
    known = {
        source.key: source for source in Source.objects.filter(key__in=sources).select_related("warehouse")
    }
    for change in changes:
        if change.section == "sources" and change.key in known and change.name in STATUS_KEYS:
            return True
        moved = change.section == "warehouses" and change.name in PLACES
        if moved and any(source.warehouse.key == change.key for source in known.values()):
            return True
    return False
