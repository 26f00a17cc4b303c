"""Questions to a warehouse that a page waits for, though never long: each is asked in a thread of its own,
and who comes back a moment later finds its answer.

Answers stay in this process's memory, for a minute and for whoever asked: rows of a warehouse are written
nowhere. Another process of the web server asks for itself. What a thread works with was read beforehand, so
that it holds no connection of ours to the database.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog
from django.utils.crypto import salted_hmac

from owners.models import User
from warehouse.definitions import WarehouseError

T = TypeVar("T")

WAIT = 4.0  # seconds that a request waits
KEPT = 60.0  # seconds that an answer is kept
MOST = 6  # questions at once in a process
log = structlog.get_logger(__name__)


class StillAsking(Exception):
    """The answer is not here yet. `seconds`: since when it is awaited."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__("The warehouse has not answered yet.")


class TooBusy(Exception):
    """Too many questions are under way."""

    def __init__(self) -> None:
        super().__init__("Other questions to warehouses are under way. Try again in a moment.")


@dataclass
class _Question:
    begun: float
    answered: threading.Event = field(default_factory=threading.Event)
    ended: float = 0.0
    answer: Any = None
    error: Exception | None = None


_lock = threading.Lock()
_questions: dict[str, _Question] = {}


def ask(
    user: User,
    about: object,
    work: Callable[[], T],
    *,
    again: bool = False,
    expected: tuple[type[Exception], ...] = (),
) -> T:
    """What `work` returns, or raises. StillAsking after WAIT seconds: the work goes on, and the next call
    with the same `about` by the same user gets its answer. again: an answer that is kept does not do.
    TooBusy if there are too many questions already.

    work: asks the warehouse within limits of its own; it may not touch the database. expected: what else than
    a WarehouseError it may raise without being at fault.
    """
    key = salted_hmac("metrics.questions", repr((user.pk, about))).hexdigest()
    now = time.monotonic()
    with _lock:
        for old in [k for k, q in _questions.items() if q.ended and now - q.ended > KEPT]:
            del _questions[old]
        question = _questions.get(key)
        if question is None or (again and question.ended):
            if sum(not q.ended for q in _questions.values()) >= MOST:
                raise TooBusy
            question = _questions[key] = _Question(now)
            threading.Thread(
                target=_answer,
                args=(question, work, (WarehouseError, *expected)),
                daemon=True,
                name="question",
            ).start()
    if not question.answered.wait(WAIT):
        raise StillAsking(time.monotonic() - question.begun)
    if question.error is not None:
        with _lock:  # whoever asks again wants to know whether it works now
            if _questions.get(key) is question:
                del _questions[key]
        # A new traceback each time: the exception is raised by every request that finds it.
        raise question.error.with_traceback(None)
    return question.answer


def _answer(question: _Question, work: Callable[[], Any], expected: tuple[type[Exception], ...]) -> None:
    try:
        question.answer = work()
    except expected as error:
        question.error = error
    except Exception as error:
        log.exception("a question to a warehouse failed")
        question.error = error
    finally:
        question.ended = time.monotonic()
        question.answered.set()
