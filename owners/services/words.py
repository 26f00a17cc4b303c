"""What leaders write: the quarter's summary in their own words."""

from django.db import transaction

from owners.models import Leader, Summary, User
from owners.rules import require
from owners.services.meanwhile import ChangedMeanwhile


@transaction.atomic
def summarise(
    user: User | None, leader: Leader, quarter: str, *, text: str, needs: str, token: str | None = None
) -> Summary:
    """Writes `leader`'s summary of a quarter; both are Markdown.

    token: the `updated_at` (ISO, "" for none) that the writer had before them; ValidationError if somebody
    has written since. None writes over whatever is there. PermissionDenied unless `user` is that leader.
    """
    require(user, "leader.write_summary", leader)
    Leader.objects.select_for_update().get(pk=leader.pk)  # two first summaries at once wait for each other
    found = Summary.objects.filter(leader=leader, quarter=quarter).first()
    state = found.updated_at.isoformat() if found else ""
    if token is not None and token != state:
        raise ChangedMeanwhile(
            "This summary was changed while you were writing. Your text is kept below; open the page in "
            "another tab to see the other one, then save again."
        )
    summary = found or Summary(leader=leader, quarter=quarter)
    summary.text, summary.needs, summary.author = text.strip(), needs.strip(), user
    summary.save()
    return summary
