"""Writes activity.csv, loads.csv and entries.csv of this example: `python examples/community/generate.py`.

Only `Random.random()` is drawn from, which every Python gives alike, so a second run writes the same bytes.
"""

import csv
import math
import random
from datetime import date, timedelta
from pathlib import Path

HERE = Path(__file__).resolve().parent
SEED = 45
FIRST_DAY = date(2024, 4, 1)
LOADED_BEFORE = date(2025, 10, 6)  # exclusive: the last Monday's load brought the week before
DISTRICTS = {"Northgate": 0.42, "Riverside": 0.33, "Hilltop": 0.25}
ANSWERS_BY_HAND = 18  # months with NPS and success plans, April 2024 to September 2025


def activity(chance: random.Random) -> list[tuple[date, int, str, str, str]]:
    """(day, household, event, district, days that a fulfilled request was open), in the order of days."""
    rows: list[tuple[date, int, str, str, str]] = []
    household = 1000
    day = FIRST_DAY
    while day < LOADED_BEFORE:
        months = (day - FIRST_DAY).days / 30.4
        expected = (1.6 + 0.05 * months) * (0.1 if day.weekday() >= 5 else 1.3)
        for _ in range(poisson(chance, expected)):
            household += 1
            district = pick(chance.random())
            rows.append((day, household, "onboarded", district, ""))
            for _ in range(1 + (chance.random() < 0.3)):
                requested = day + timedelta(days=int(18 * chance.random() ** 2))
                rows.append((requested, household, "requested", district, ""))
                if chance.random() < 0.9:
                    pace = (26 - 0.5 * months) * (1.35 if district == "Hilltop" else 1.0)
                    open_days = int(-pace * math.log(1 - chance.random()))
                    done = requested + timedelta(days=open_days)
                    rows.append((done, household, "fulfilled", district, str(open_days)))
        day += timedelta(days=1)
    return sorted((row for row in rows if row[0] < LOADED_BEFORE), key=lambda row: row[:3])


def poisson(chance: random.Random, expected: float) -> int:
    """Knuth's product of uniforms; fine for the small numbers here."""
    count, product, floor = 0, chance.random(), math.exp(-expected)
    while product > floor:
        count += 1
        product *= chance.random()
    return count


def pick(luck: float) -> str:
    for district, share in DISTRICTS.items():
        if luck < share:
            return district
        luck -= share
    return list(DISTRICTS)[-1]


def entries(chance: random.Random) -> list[tuple[str, date, str, str, str]]:
    """(metric, period_start, value, numerator, denominator) for `import`."""
    rows = []
    for n in range(ANSWERS_BY_HAND):
        start = date(2024 + (3 + n) // 12, (3 + n) % 12 + 1, 1)
        due = 14 + n // 2 + int(4 * chance.random())
        done = round(due * (0.52 + 0.012 * n + 0.06 * chance.random()))
        rows.append(("success_plans", start, "", str(done), str(due)))
        rows.append(("nps", start, str(24 + n + int(5 * chance.random())), "", ""))
    return sorted(rows)


def write(name: str, header: list[str], rows: list[tuple[object, ...]]) -> None:
    with (HERE / name).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def main() -> None:
    chance = random.Random(SEED)  # noqa: S311
    events = [(n, *row) for n, row in enumerate(activity(chance), start=1)]
    write(
        "activity.csv", ["event_id", "happened_on", "household", "event", "district", "days_open"], [*events]
    )
    write("loads.csv", ["loaded_before"], [(LOADED_BEFORE,)])
    header = ["metric", "period_start", "value", "numerator", "denominator"]
    write("entries.csv", header, [*entries(chance)])


if __name__ == "__main__":
    main()
