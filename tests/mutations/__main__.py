"""Runs, for every check, the tests that met it, in a copy of the tree that lacks it."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from tests.mutations.checks import CODE, TABLE, Check, checks, without
from tests.mutations.recorder import NOTES, ROOT

MOST = 25  # tests for one check; more of the same kind would say the same
LONGEST = 300  # seconds for them


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--only", default="", help="checks whose place or words hold this")
    given = options.parse_args()
    notes = read_notes()
    if not notes:
        print("Nothing is noted yet: python -m pytest -p tests.mutations.recorder -n 2 tests")
        return 2
    wanted = [check for check in checks(ROOT) if given.only in str(check)]
    trees: SimpleQueue[Path] = SimpleQueue()
    made = [copy(n) for n in range(given.workers)]
    for tree in made:
        trees.put(tree)

    def judge(check: Check) -> str:
        tests = tests_for(check, notes)
        if not tests:
            return "no test meets it"
        tree = trees.get()
        try:
            return "" if noticed(check, tests, tree) else "no test notices"
        finally:
            trees.put(tree)

    survivors = 0
    with ThreadPoolExecutor(given.workers) as pool:
        for check, verdict in zip(wanted, pool.map(judge, wanted), strict=True):
            survivors += bool(verdict)
            print(
                f"{'SURVIVES' if verdict else 'noticed '}  {check}{': ' + verdict if verdict else ''}",
                flush=True,
            )
    for tree in made:
        shutil.rmtree(tree, ignore_errors=True)
    print(f"{len(wanted)} checks taken away, {survivors} not noticed")
    return 1 if survivors else 0


def read_notes() -> dict[str, list[str]]:
    """Place -> tests in which the check there refused something."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in NOTES.glob("*.txt"):
        for line in path.read_text(encoding="utf-8").splitlines():
            place, _, test = line.partition("\t")
            found[place].add(test)
    return {place: sorted(tests) for place, tests in found.items()}


def tests_for(check: Check, notes: dict[str, list[str]]) -> list[str]:
    if check.path == TABLE:
        route = check.what.split()[0]
        return [f"tests/northstar/test_routes.py::test_the_table_is_what_happens[{route}]"]
    if check.path == CODE:
        return ["tests/owners/test_rules.py"]
    tests = list(dict.fromkeys(test for place in check.places for test in notes.get(place, ())))
    # A test of few words is cheap; those of the browser come last.
    tests.sort(key=lambda test: ("/browser/" in test, "test_routes" not in test, test))
    return tests[:MOST]


def copy(number: int) -> Path:
    """A copy of the tree to take checks out of."""
    tree = Path(tempfile.mkdtemp(prefix=f"northstar-mutant-{number}-"))
    tree.chmod(0o755)
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
    ).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name)
    return tree


def noticed(check: Check, tests: list[str], tree: Path) -> bool:
    """Whether one of the tests fails without the check."""
    kept = (tree / check.path).read_text(encoding="utf-8")
    (tree / check.path).write_text(without(ROOT, check), encoding="utf-8")
    address = os.environ.get("DATABASE_URL", "")
    apart = {"DATABASE_URL": address.replace("?", f"_{tree.name[-8:]}?", 1)} if "?" in address else {}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--reuse-db", *tests]
    try:
        done = subprocess.run(
            command,
            cwd=tree,
            env={**os.environ, **apart},
            capture_output=True,
            timeout=LONGEST,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return True
    finally:
        (tree / check.path).write_text(kept, encoding="utf-8")
    if done.returncode not in (0, 1):  # 0: all passed, 1: a test failed; anything else judges nothing
        raise RuntimeError(f"{check}: {done.stdout.decode()[-2000:]} {done.stderr.decode()[-1000:]}")
    return done.returncode == 1


if __name__ == "__main__":
    raise SystemExit(main())
