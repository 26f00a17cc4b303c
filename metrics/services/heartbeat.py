"""A sign of life while a warehouse works: a thread that prolongs the lease over a connection of its own."""

import threading
from types import TracebackType
from typing import Self

import structlog
from django.db import connection
from django.utils import timezone

from metrics.services.ledger import Claim, lease, renew

log = structlog.get_logger(__name__)


class Heartbeat:
    """Prolongs a claim's lease three times per lease, until the block ends or the run is given to another.

    It dies with its process, and stands still with it: what it renews is only ever its own fence.
    """

    def __init__(self, claimed: Claim) -> None:
        self._claim = claimed
        self._done = threading.Event()
        self._thread = threading.Thread(
            target=self._beat, name=f"heartbeat of run {claimed.run}", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join(timeout=10)

    def _beat(self) -> None:
        try:
            while not self._done.wait(lease().total_seconds() / 3):
                try:
                    if not renew(self._claim, timezone.now()):
                        return
                except Exception as error:
                    # The database may be back for the next beat; if not, the run is rightly lost.
                    log.warning("heartbeat missed", run=self._claim.run, error=str(error))
                    connection.close()
        finally:
            connection.close()
