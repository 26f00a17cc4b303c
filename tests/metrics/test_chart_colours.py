"""Every colour that carries a figure stands out from the page in light and dark (WCAG 2.2: 1.4.3, 1.4.11)."""

import re
from pathlib import Path

import pytest
from django.conf import settings

TOKENS = (Path(settings.BASE_DIR) / "static" / "css" / "tokens.css").read_text()
COLOURS = {
    name: (light, dark)
    for name, light, dark in re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", TOKENS)
}
QUIET = {"chart-grid", "chart-hole", "chart-doubt-soft"}  # ground for others, and what no figure hangs on
TEXT = {"chart-ink", "chart-target", "chart-doubt"}


def luminance(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("name", sorted(n for n in COLOURS if n.startswith("chart-") and n not in QUIET))
@pytest.mark.parametrize("ground", ["ground", "surface"])
@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_colours_of_charts_stand_out(name: str, ground: str, theme: int) -> None:
    least = 4.5 if name in TEXT else 3.0
    assert contrast(COLOURS[name][theme], COLOURS[ground][theme]) >= least


def test_no_colour_was_overlooked() -> None:
    assert {n for n in COLOURS if n.startswith("chart-")} == set(re.findall(r"--(chart-[\w-]+):", TOKENS))
