# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a bench leaves behind, and what it says of budgets."""

from __future__ import annotations

import json
import re
import sys

import bench.__main__
from bench.keep import dated, keep
from bench.production import Failed
from bench.results import Row, Sample, Table, from_json
from bench.suite import missed


def table(name, *rows):
    return Table(name, name.capitalize(), "About.", ("wall", "cpu"), list(rows))


def row(case="spymeo.rollback", wall=50.0, budgets=None, size=1):
    return Row(case, [Sample(wall, 45.0, 20.0, 66.4, 110, 6, 16)], budgets or {}, size)


def test_a_page_all_numbers_and_the_pictures_that_they_make(tmp_path):
    tables = [table("full", row()), table("services", row(), row(size=100))]
    keep(tmp_path / "new", tables)
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [
        "fleet.svg",
        "full.svg",
        "measured.json",
        "measured.md",
    ]
    machine, kept = from_json(json.loads((tmp_path / "new/measured.json").read_text()))
    assert kept == tables
    assert machine["versions"].startswith("Python 3.")
    assert "| spymeo.rollback | 50.0 | 20.0 |" in (tmp_path / "new/measured.md").read_text()


def test_a_part_that_is_measured_anew_takes_its_place_and_the_others_stay(tmp_path):
    keep(tmp_path, [table("services", row()), table("full", row(wall=60.0)), table("large", row())])
    keep(tmp_path, [table("full", row(wall=50.0))])
    _machine, kept = from_json(json.loads((tmp_path / "measured.json").read_text()))
    assert [each.name for each in kept] == ["full", "services", "large"]
    assert kept[0].rows[0].median("wall") == 50.0


def test_what_was_measured_elsewhere_or_with_other_versions_does_not_stay(tmp_path):
    keep(tmp_path, [table("services", row())])
    stored = json.loads((tmp_path / "measured.json").read_text())
    stored["machine"]["versions"] = "Python 3.99"
    (tmp_path / "measured.json").write_text(json.dumps(stored))
    keep(tmp_path, [table("full", row())])
    assert [each.name for each in from_json(json.loads((tmp_path / "measured.json").read_text()))[1]] == ["full"]


def test_a_table_says_when_it_was_measured():
    assert re.fullmatch(
        r"2\d{3}-\d\d-\d\d \d\d:\d\d UTC, with a load of \d+\.\d over the last 15 minutes", dated(table("full")).when
    )


def test_each_missed_budget_is_told_and_the_growth_of_services():
    tables = [table("full", row(budgets={"cpu": 19, "wall": 60})), table("services", row(), row(wall=70.0, size=100))]
    assert missed(tables) == [
        "Full: spymeo.rollback: cpu is 20.00, its budget 19",
        "Code rollback, services: 100 take 1.40 times as long as one; the budget is 1.3",
    ]


def test_nothing_is_missed_when_all_is_kept():
    assert missed([table("full", row(budgets={"cpu": 20})), table("services", row(), row(wall=60.0, size=100))]) == []


def test_what_was_measured_before_a_failure_is_kept(tmp_path, monkeypatch, capsys):
    def measured(parts, times):
        yield table("full", row())
        raise Failed("code: production is not back")

    monkeypatch.setattr(bench.__main__.suite, "measured", measured)
    monkeypatch.setattr(bench.__main__, "QUICK_RESULTS", tmp_path)
    monkeypatch.setattr(sys, "argv", ["bench"])
    assert bench.__main__.main() == 1
    assert (tmp_path / "full.svg").exists()
    assert capsys.readouterr().out.endswith("FAILED: code: production is not back\n")
