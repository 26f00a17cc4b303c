"""A pytest plugin that runs no test as such, but takes checks away and runs the tests that met them."""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import pytest
from _pytest.runner import runtestprotocol

from tests.mutations import listening
from tests.mutations.checks import CODE, TABLE, Check

MOST = 60  # tests for one check; more of the same kind would say the same
# Tests that say such things are about who may do and see what, and come first.
RIGHTS = re.compile(
    r"hidden|refuse|routes|rules|scopes|stranger|foreign|teammate|reader|\b(may|see|seen|sees|own)\b"
)
SLOW = ("/browser/", "test_hostile_forms")  # they come last
STRANGERS = "tests/northstar/test_routes.py::test_strangers_find_what_is_told_here_and_nothing_else"
TABLED = "tests/northstar/test_routes.py::test_the_table_is_what_happens"


class Judge:
    """checks: those to take away; notes: the tests that met them, by place. Prints a line for each check.

    survivors: the checks that no test missed.
    """

    def __init__(self, checks: Sequence[Check], notes: Mapping[str, Sequence[str]]) -> None:
        self.tests = {check: tests_for(check, notes) for check in checks}
        self.survivors: list[Check] = []
        self.away: frozenset[str] = frozenset()

    @property
    def files(self) -> list[str]:
        """The files of tests that are needed."""
        return sorted({test.partition("::")[0] for tests in self.tests.values() for test in tests})

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        listening.listen(lambda place: place in self.away)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        for check, tests in self.tests.items():
            known = [items[test] for test in tests if test in items]
            if not (noticed := bool(known) and apart(lambda: self.is_missed(check, known))):  # noqa: B023
                self.survivors.append(check)
            said = f"noticed   {check}" if noticed else f"SURVIVES  {check}: {len(known)} tests met it"
            print(said, flush=True)
        return True

    def is_missed(self, check: Check, items: Sequence[pytest.Item]) -> bool:
        """Whether one of the tests fails without the check and passes with it."""

        def fails(item: pytest.Item) -> bool:
            item._initrequest()  # type: ignore[attr-defined]  # an item that runs again needs fresh fixtures
            return any(report.failed for report in runtestprotocol(item, log=False, nextitem=None))

        for item in items:
            with self.without(check):
                gone = fails(item)
            if gone and not fails(item):
                return True
        return False

    @contextmanager
    def without(self, check: Check) -> Iterator[None]:
        from owners import routes, rules

        if check.path == TABLE:
            held = routes.ROUTES[check.name]
            gone = routes.PUBLIC if held[check.method] == routes.SIGNED_IN else routes.SIGNED_IN
            routes.ROUTES[check.name] = {**held, check.method: gone}
            try:
                yield
            finally:
                routes.ROUTES[check.name] = held
        elif check.path == CODE:
            right = rules.PERMISSIONS[check.name]
            rules.PERMISSIONS[check.name] = rules.signed_in
            try:
                yield
            finally:
                rules.PERMISSIONS[check.name] = right
        else:
            self.away = frozenset(check.places)
            try:
                yield
            finally:
                self.away = frozenset()


def apart(question: Callable[[], bool]) -> bool:
    """The answer of a process of its own, so that what a broken test leaves behind troubles no other."""
    child = os.fork()
    if not child:
        answer = False
        try:
            answer = question()
        finally:
            os._exit(0 if answer else 1)
    return os.waitpid(child, 0)[1] == 0


def tests_for(check: Check, notes: Mapping[str, Sequence[str]]) -> list[str]:
    """Those that met it, the cheap ones first."""
    if check.path == TABLE:
        return [STRANGERS, f"{TABLED}[{check.name}]"]
    tests = list(dict.fromkeys(test for place in check.places for test in notes.get(place, ())))

    def rank(test: str) -> tuple[bool, bool, bool, str]:
        told_anew = check.path == CODE and test.startswith("tests/owners/test_rules.py")
        said = RIGHTS.search(re.sub(r"[_/:]", " ", test))
        return not told_anew, any(slow in test for slow in SLOW), said is None, test

    return sorted(tests, key=rank)[:MOST]
