"""What opens an account or speaks for it without a password, and how that ends."""

from django.apps import apps
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.utils import timezone

from owners.models import AdminLink, Channel, User
from owners.services import sessions
from owners.services.check_in_links import revoke_links
from owners.services.tokens import revoke_all


class ResetTokens(PasswordResetTokenGenerator):
    """Of links to a new password. Beside what ends them in Django (use, a sign-in, a new password, time) they
    end when the account is deactivated, and for good: to let somebody in again brings no old link back."""

    def _make_hash_value(self, user: User, timestamp: int) -> str:
        """One statement."""
        events = apps.get_model("owners", "UserEvent").objects.filter(pgh_obj_id=user.pk, is_active=False)
        ended = events.order_by("-pgh_id").values_list("pgh_id", flat=True).first()
        return f"{super()._make_hash_value(user, timestamp)}{user.is_active}{ended}"


reset_tokens = ResetTokens()


def end_links(user: User) -> None:
    """Ends the links that are on their way to somebody: to a password, and to single check-ins."""
    AdminLink.objects.filter(email=user.email, used_at=None).delete()
    revoke_links(user, timezone.now())


def end_all(user: User) -> None:
    """Ends all that is open or speaks for the account: browsers, links, tokens. Belongs into the transaction
    that says why."""
    end_links(user)
    sessions.end_all(user)
    revoke_all(user)


def forget_hook(user: User) -> None:
    """Nothing goes to the account's own web hook any more."""
    for hook in Channel.objects.filter(user=user, archived_at=None):
        hook.archived_at, hook.secret = timezone.now(), ""
        hook.save(update_fields=["archived_at", "secret"])
