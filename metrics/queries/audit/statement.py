"""The one statement that reads all histories as a single list, newest first."""

from metrics.queries.recorded import events

# Kind on the page -> models (app.Model, title of one). Words that leaders say are no part of this.
SOURCES: dict[str, tuple[tuple[str, str], ...]] = {
    "definition": (
        ("metrics.Metric", "metric"),
        ("metrics.Source", "source"),
        ("metrics.Driver", "driver"),
        ("metrics.Warehouse", "warehouse"),
        ("metrics.Installation", "installation"),
    ),
    "figure": (
        ("metrics.Entry", "figure"),
        ("metrics.HeldDecision", "held figure"),
        ("metrics.Dispute", "dispute"),
    ),
    "target": (
        ("metrics.Target", "target"),
        ("metrics.Benchmark", "plan of a month"),
        ("owners.Deviation", "accepted deviation"),
    ),
    "owner": (
        ("owners.Ownership", "owner"),
        ("owners.Leave", "leave"),
        ("owners.Cadence", "rhythm of check-ins"),
    ),
    "person": (
        ("owners.User", "account"),
        ("owners.Leader", "leader"),
        ("owners.Team", "team"),
        ("owners.ApiToken", "token"),
        ("owners.Identity", "single sign-on"),
        ("owners.Channel", "channel"),
    ),
}
MODELS = {title: model for models in SOURCES.values() for model, title in models}
# What the machinery moves by itself is no change of a definition.
_WITHOUT = {
    "metrics.Source": "'{watermark,failed_since,late_since,pgh_id,pgh_created_at,pgh_label,pgh_context_id}'"
    "::text[]"
}

_HITS = """
    hit AS (
        SELECT id, key FROM metrics_metric WHERE name ILIKE %(like)s OR key ILIKE %(like)s
    ), heard AS (
        SELECT id FROM owners_leader WHERE name ILIKE %(like)s OR key ILIKE %(like)s
    )"""
# A warehouse's options are not searched: an answer would tell what is hidden on the page.
_FOUND = """
    (e.after - 'options')::text ILIKE %(like)s
    OR e.after->>'metric_id' IN (SELECT id::text FROM hit)
    OR e.after->>'driver_id' IN (SELECT id::text FROM hit)
    OR e.after->>'metric_key' IN (SELECT key FROM hit)
    OR e.after->>'leader_id' IN (SELECT id::text FROM heard)
    OR e.after->>'target_id' IN (SELECT t.id::text FROM metrics_target t JOIN hit ON hit.id = t.metric_id)
    OR c.metadata->>'address' = %(address)s"""


def statement(kinds: list[str], conditions: list[str], *, text: bool) -> str:
    """SQL of the changes.

    Its parameters: `like` and `address` (if `text`), `limit`, `offset` and those of `conditions`, which speak
    of `e` and its context `c`. Columns: title, object's id, label, when, context's metadata, after, before,
    event's id.
    """
    models = [(model, title) for kind in kinds for model, title in SOURCES[kind]]
    branches = " UNION ALL ".join(_branch(model, title) for model, title in models)
    before = " UNION ALL ".join(_before(model, title) for model, title in models)
    where = " AND ".join([*conditions, *([f"({_FOUND})"] if text else [])]) or "true"
    return f"""
    WITH {_HITS if text else "nothing AS (SELECT 1)"},
    e AS ({branches}),
    shown AS (
        SELECT e.*, c.metadata FROM e LEFT JOIN pghistory_context c ON c.id = e.context
        WHERE {where}
        ORDER BY e.at DESC, e.title, e.event DESC LIMIT %(limit)s OFFSET %(offset)s
    )
    SELECT s.title, s.object, s.label, s.at, s.metadata, s.after, b.before, s.event
    FROM shown s LEFT JOIN LATERAL ({before}) b ON true
    ORDER BY s.at DESC, s.title, s.event DESC"""  # noqa: S608 (names of our own tables)


def _branch(model: str, title: str) -> str:
    table = table_of(model)
    moved = ""
    if model in _WITHOUT:
        moved = f"""
        WHERE h.pgh_label <> 'update' OR to_jsonb(h) - {_WITHOUT[model]} IS DISTINCT FROM (
            SELECT to_jsonb(p) - {_WITHOUT[model]} FROM {table} p
            WHERE p.pgh_obj_id = h.pgh_obj_id AND p.pgh_id < h.pgh_id ORDER BY p.pgh_id DESC LIMIT 1)"""  # noqa: S608
    return f"""
        SELECT '{title}' AS title, h.pgh_id AS event, h.pgh_obj_id AS object, h.pgh_label AS label,
               h.pgh_created_at AS at, h.pgh_context_id AS context, to_jsonb(h) AS after
        FROM {table} h {moved}"""  # noqa: S608


def _before(model: str, title: str) -> str:
    return f"""
        (SELECT to_jsonb(p) AS before FROM {table_of(model)} p
         WHERE s.title = '{title}' AND p.pgh_obj_id = s.object AND p.pgh_id < s.event
         ORDER BY p.pgh_id DESC LIMIT 1)"""  # noqa: S608


def table_of(model: str) -> str:
    """The table that keeps the history of `app.Model`."""
    from django.apps import apps

    return str(events(apps.get_model(model))._meta.db_table)
