# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What people see of the bench: tables and pictures."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from bench.picture import bars, curves
from bench.results import Row, Sample, Table
from bench.table import document, markdown, spread

SVG = "{http://www.w3.org/2000/svg}"


def row(case="ours", walls=(50.0, 60.0, 55.0), budgets=None, size=1, processes=16):
    samples = [Sample(wall, 50.0, 20.0, 66.4, 110, 6, processes) for wall in walls]
    return Row(case, samples, budgets or {}, size)


@pytest.mark.parametrize(
    ("values", "text"), [([1.0], "1.0"), ([2.0, 1.0, 4.0], "2.0 (1.0 to 4.0)"), ([1.01, 0.99], "1.0"), ([], "")]
)
def test_a_spread_is_median_and_range(values, text):
    assert spread(values) == text


def test_a_line_tells_budgets_and_which_of_them_is_missed():
    table = Table("full", "Full", "About.", ("ratio", "cpu", "processes"), [row(budgets={"ratio": 1.05, "cpu": 25})])
    assert (
        markdown(table).splitlines()[-1]
        == "| ours | 1.10 (1.00 to 1.20); budget 1.05, **missed** | 20.0; budget 25 | 16 |"
    )


def test_the_page_says_where_and_when():
    page = document({"machine": "2 cores"}, [Table("full", "Full", "About.", ("wall",), [row()], "2026-11-25")])
    assert "- machine: 2 cores\n" in page
    assert (
        "## Full\n\nAbout. Measured 2026-11-25.\n\n| case | wall s |\n| --- | ---: |\n| ours | 55.0 (50.0 to 60.0) |\n"
        in page
    )


def test_bars_are_as_long_as_their_medians_and_ours_stands_out():
    drawn = ElementTree.fromstring(bars("Full", [row(), row("theirs <&>", (100.0, 110.0, 120.0))], "ratio", "ours"))
    ours, theirs = drawn.findall(f"{SVG}rect")
    assert float(theirs.get("width")) == pytest.approx(2 * float(ours.get("width")), rel=0.01)
    assert ours.get("fill") != theirs.get("fill")
    assert "theirs <&>" in [text.text for text in drawn.iter(f"{SVG}text")]


def test_a_curve_has_a_point_for_each_size_in_order():
    drawn = ElementTree.fromstring(
        curves("One for many", "s", {"services": [row(size=100, walls=(70.0,)), row(walls=(55.0,))]})
    )
    points = [(float(point.get("cx")), float(point.get("cy"))) for point in drawn.iter(f"{SVG}circle")]
    assert len(points) == 2
    assert points == sorted(
        points, key=lambda point: (point[0], -point[1])
    )  # the larger is further right, and higher up
