"""Finding a metric or a leader by a few letters."""

from django.db.models import Q

from metrics.queries.scope import visible_metrics
from owners.models import Leader, User

MOST = 12


def find(user: User | None, text: str) -> tuple[tuple[str, str, str], ...]:
    """(kind, name, path) of metrics and leaders whose name holds `text`; only what `user` may see."""
    wanted = text.strip()[:100]
    if not wanted:
        return ()
    metrics = visible_metrics(user).filter(Q(name__icontains=wanted) | Q(key__icontains=wanted))
    people = Leader.objects.filter(archived_at=None, name__icontains=wanted)
    found = [("metric", name, f"/metrics/{key}/") for key, name in metrics.values_list("key", "name")[:MOST]]
    found += [("leader", name, f"/leaders/{key}/") for key, name in people.values_list("key", "name")[:MOST]]
    return tuple(found[:MOST])
