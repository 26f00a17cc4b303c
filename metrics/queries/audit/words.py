"""What the list of changes calls things: the columns of every tracked model, keys inside of them, and values
that stand for words. A column without words fails a test."""

# Columns that say nothing of their own beside who, when and what.
SILENT = frozenset(
    {
        *("id", "author_id", "entered_at", "updated_at", "created_at", "date_joined", "origin"),
        *("watermark", "failed_since", "late_since"),
    }
)
# What columns are called wherever they stand; `COLUMNS` says where one is called otherwise.
SHARED = {
    "answer": "answer",
    "archived_at": "archived",
    "country": "holidays of",
    "dimension": "dimension",
    "email": "e-mail address",
    "figure": "figure",
    "grain": "period",
    "growth": "growth",
    "holidays": "holidays of",
    "key": "key",
    "kind": "kind",
    "leader_id": "leader",
    "member": "member",
    "metric_id": "metric",
    "metric_key": "metric",
    "name": "name",
    "note": "note",
    "period_end": "period, up to but without",
    "period_start": "period from",
    "quarter": "quarter",
    "reason": "reason",
    "state": "state",
    "team_id": "team",
    "text": "words",
    "timezone": "time zone",
    "until_date": "until",
    "user_id": "account",
}
COLUMNS: dict[str, dict[str, str]] = {
    "metrics.Metric": {
        "role": "role",
        "lens": "seen as",
        "stage": "how mature it is",
        "definition": "definition",
        "success": "what success is",
        "segment": "for whom",
        "unit": "unit",
        "better": "which way is good",
        "low": "band from",
        "high": "band to",
        "visible": "who sees it",
        "type": "type",
        "spec": "",  # its keys speak for themselves
        "by": "kept by",
        "plausible": "plausible",
        "goal": "goal",
        "plan": "shape of the plan inside a month",
        "position": "place in the list",
        "version": "version of the computation",
    },
    "metrics.Source": {
        "warehouse_id": "warehouse",
        "warehouse": "warehouse",
        "spec": "",
        "data_owner_id": "data owner",
    },
    "metrics.Driver": {
        "metric_id": "what is moved",
        "driver_id": "what moves it",
        "relation": "how they hang together",
        "lag": "after",
    },
    "metrics.Warehouse": {"engine": "engine", "options": "connection"},
    "metrics.Installation": {
        "name": "company",
        "week_start": "weeks begin on",
        "fiscal_year_start": "fiscal year opens in",
        "demo": "made-up company",
    },
    "metrics.Entry": {"value": "figure", "numerator": "how many", "denominator": "of how many"},
    "metrics.HeldDecision": {
        "value": "figure that was held",
        "check_words": "why it was held",
        "outcome": "decision",
        "decided_at": "decided",
        "ended_at": "ended",
    },
    "metrics.Dispute": {
        "figure": "figure that looks wrong",
        "text": "what looks wrong",
        "raised_at": "raised",
        "outcome": "outcome",
        "closed_by_id": "closed by",
        "closed_at": "closed",
    },
    "metrics.Target": {
        "value": "target",
        "baseline": "baseline",
        "benchmarks": "our plan",
        "agreed_value": "agreed target",
        "agreed_growth": "agreed growth",
        "agreed_baseline": "agreed baseline",
        "agreed_months": "agreed plan",
        "agreed_at": "agreed",
        "agreed_by_id": "agreed by",
    },
    "metrics.Benchmark": {"target_id": "target", "month": "month", "value": "our plan"},
    "metrics.TargetAnswer": {"target_id": "target", "kind": "step"},
    "metrics.Disposition": {"text": "what it was", "leader_name": "said by"},
    "metrics.Start": {"steps": "screens", "finished_at": "finished"},
    "metrics.SheetImport": {
        "name": "file",
        "choices": "how it is read",
        "matches": "which metric is which",
        "changes": "figures",
        "accepted_at": "taken over",
        "undone_at": "taken back",
    },
    "owners.Deviation": {
        "shortfall": "may be behind plan by",
        "asked_by_id": "asked for by",
        "asked_at": "asked for",
        "accepted_by_id": "accepted by",
        "accepted_at": "accepted",
        "ended_by_id": "ended by",
        "ended_at": "ended",
        "answer": "why it was declined",
    },
    "owners.Ownership": {
        "from_date": "from",
        "leader_id": "owner",
        "is_returned": "back to the metric’s owner",
        "note": "hand-over",
    },
    "owners.Leave": {"from_date": "from", "delegate_id": "who stands in"},
    "owners.Cadence": {
        "every": "how often",
        "weekday": "day of the week",
        "working_days": "working day after the period’s end",
        "weeks": "every so many weeks",
        "first": "first on",
    },
    "owners.User": {
        "is_superuser": "all rights",
        "role": "role",
        "is_active": "may sign in",
        "invited_by_id": "invited by",
        "second_factor_reset_at": "second factor reset",
    },
    "owners.Team": {},
    "owners.Leader": {"title": "title"},
    "owners.ApiToken": {
        "prefix": "begins with",
        "scopes": "may",
        "metric_keys": "only for",
        "expires_at": "good until",
        "revoked_at": "revoked",
    },
    "owners.Identity": {"issuer": "service", "subject": "known there as"},
    "owners.Channel": {
        "host": "sends to",
        "audience": "who reads it",
        "digest": "digest",
        "news": "news of the data",
    },
    "owners.StatusCall": {"status": "called", "made_at": "said", "withdrawn_at": "taken back"},
    "owners.CheckIn": {
        "date": "day",
        "text": "what changed",
        "confidence": "confidence",
        "next_step": "next step",
        "help_needed": "help needed",
    },
    "owners.Summary": {"needs": "needed from others"},
    "owners.Action": {"text": "action", "due_date": "due", "done_at": "done"},
    "owners.Preference": {"topic": "told of", "way": "how"},
    "owners.Habits": {
        "quiet_from": "quiet from",
        "quiet_until": "quiet until",
        "on_free_days": "also on free days",
        "digest": "digest",
    },
}
# Keys inside of definitions, as the definitions file has them.
KEYS = {
    "additive": "adds up",
    "agg": "aggregate",
    "at_risk": "at risk from",
    "base": "starting events",
    "by": "by whom",
    "calculation": "calculated as",
    "changed_at": "column of the last change",
    "collect": "counting",
    "conversion": "events that follow",
    "data_owner": "data owner",
    "database": "database",
    "denominator": "denominator",
    "dimensions": "dimensions",
    "due": "due after the period",
    "engine": "engine",
    "entity": "whom it counts",
    "every": "how often",
    "expr": "expression",
    "files": "files",
    "fill": "empty periods",
    "formula": "formula",
    "fresh_by": "fresh by",
    "from": "from where",
    "grain": "period",
    "high": "at most",
    "host": "host",
    "how": "how",
    "inputs": "inputs",
    "kind": "kind",
    "lateness": "rows may come late by",
    "loaded_to": "how far it is loaded",
    "low": "at least",
    "match": "same in both",
    "max_change": "largest change",
    "measure": "measure",
    "metric": "metric",
    "numerator": "numerator",
    "offset": "earlier by",
    "on_track": "on track from",
    "password": "password",
    "path": "file",
    "period_by": "counts in the period in which it",
    "port": "port",
    "row_cap": "most rows",
    "rows": "rows are",
    "schema": "schema",
    "source": "source",
    "sql": "SQL",
    "sslmode": "encryption of the line",
    "table": "table",
    "thresholds": "limits",
    "time": "time column",
    "timeout": "longest question in seconds",
    "timezone": "time zone",
    "to": "since the start of the",
    "tolerance": "tolerance",
    "user": "database user",
    "warehouse": "warehouse",
    "where": "only rows where",
    "within": "within",
}
# Below these keys people choose the names themselves.
NAMED = frozenset({"dimensions", "files", "inputs", "steps", "choices", "matches"})
# What the model's own choices do not say: the place of a value ("model.column", or a key inside) -> words.
VALUES: dict[str, dict[str, str]] = {
    "metrics.Metric.role": {
        "north_star": "North Star",
        "focus": "focus metric",
        "guardrail": "guardrail: must not get worse",
        "supporting": "supporting metric",
        "part": "part of a ratio",
    },
    "metrics.Metric.stage": {"crawl": "engagement", "walk": "value", "run": "health score"},
    "metrics.Metric.better": {"up": "up", "down": "down", "band": "inside a band"},
    "metrics.Metric.visible": {
        "everyone": "everyone",
        "team": "the owner’s team",
        "leadership": "leadership",
    },
    "metrics.Metric.type": {
        "simple": "one aggregate",
        "manual": "counted by hand",
        "derived": "formula",
    },
    "metrics.Metric.plan": {
        "flat": "the same every day",
        "working_days": "working days",
        "last_year": "as last year",
    },
    "metrics.Driver.relation": {
        "influence": "influence: a hypothesis",
        "component": "component: arithmetic",
    },
    "metrics.Metric.goal.kind": {
        "total": "a total over the quarter",
        "level": "a level to stand at",
    },
    "metrics.Metric.kind": {
        "amount": "an amount that adds up",
        "level": "a level",
        "share": "a share of two numbers",
    },
    "agg": {
        "count": "number of rows",
        "count_distinct": "number of different ones",
        "count_new": "number of new ones",
        "sum": "sum",
        "sum_boolean": "number of rows for which it is true",
        "avg": "average",
        "min": "smallest",
        "max": "largest",
        "first": "first",
        "last": "last",
    },
    "period_by": {"start": "starts", "due": "is due"},
    "rows": {"events": "events: a day without rows is empty", "daily": "daily: one row a day is promised"},
    "owners.StatusCall.status": {
        "on_track": "on track",
        "at_risk": "at risk",
        "off_track": "off track",
    },
    "owners.Cadence.every": {
        "week": "every week",
        "month": "every month",
        "quarter": "every quarter",
        "weeks": "every few weeks",
        "never": "never",
    },
    "owners.Channel.audience": {
        "everyone": "everyone",
        "leadership": "leadership",
    },
    "engine": {"duckdb": "DuckDB", "postgres": "PostgreSQL"},
}
# Figures in the unit of their metric.
FIGURES = frozenset(
    {
        "metrics.Target.value",
        "metrics.Target.baseline",
        "metrics.Target.agreed_value",
        "metrics.Target.agreed_baseline",
        "metrics.Target.agreed_months",
        "metrics.Target.benchmarks",
        "metrics.Benchmark.value",
        "metrics.TargetAnswer.figure",
        "metrics.Entry.value",
        "metrics.HeldDecision.value",
        "metrics.Dispute.figure",
        "metrics.Metric.low",
        "metrics.Metric.high",
        "metrics.Metric.plausible.low",
        "metrics.Metric.plausible.high",
    }
)
GAPS = frozenset({"owners.Deviation.shortfall", "metrics.Metric.goal.tolerance"})
SHARES = frozenset(
    {
        "owners.CheckIn.confidence",
        "metrics.Metric.goal.thresholds.on_track",
        "metrics.Metric.goal.thresholds.at_risk",
        "metrics.Metric.plausible.max_change",
    }
)


def column_words(model: str, column: str) -> str | None:
    """What a column is called on the page; None where nobody has said so."""
    own = COLUMNS.get(model, {})
    return own[column] if column in own else SHARED.get(column)


def plain(name: str) -> str:
    """A name of the machinery's that has no words: `app_events` is `app events`."""
    return name.replace("_", " ")


def unit_words(unit: str) -> str:
    """`money in GBP`, `hours`, `a number`, `percent`."""
    kind, _, of = unit.partition(":")
    return {"currency": f"money in {of}", "duration": of, "count": "a number"}.get(kind, kind)
