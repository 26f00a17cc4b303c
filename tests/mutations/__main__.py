"""Runs, for every check, the tests that met it, while the check is away."""

import argparse
from collections import defaultdict

import pytest

from tests.mutations.checks import checks
from tests.mutations.judge import Judge
from tests.mutations.listening import ROOT
from tests.mutations.recorder import NOTES


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument(
        "--only", default="", help="checks whose place or words hold one of these, split by commas"
    )
    options.add_argument("--share", default="1/1", help="2/3: the second third of them")
    given = options.parse_args()
    notes = read_notes()
    if not notes:
        print("Nothing is noted yet: python -m pytest -p tests.mutations.recorder -n 2 tests")
        return 2
    number, of = (int(part) for part in given.share.split("/"))
    wanted = [check for check in checks(ROOT) if any(part in str(check) for part in given.only.split(","))][
        number - 1 :: of
    ]
    judge = Judge(wanted, notes)
    said = pytest.main(
        ["-q", "-p", "no:cacheprovider", "--reuse-db", "-p", "no:xdist", "--no-header", *judge.files], [judge]
    )
    print(f"{len(wanted)} checks taken away, {len(judge.survivors)} not noticed")
    return int(said) or bool(judge.survivors)


def read_notes() -> dict[str, list[str]]:
    """Place -> tests in which the check there refused something."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in NOTES.glob("*.txt"):
        for line in path.read_text(encoding="utf-8").splitlines():
            place, _, test = line.partition("\t")
            found[place].add(test)
    return {place: sorted(tests) for place, tests in found.items()}


if __name__ == "__main__":
    raise SystemExit(main())
