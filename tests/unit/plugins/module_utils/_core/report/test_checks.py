# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a person reads once something has failed: what is up, what broke by its first telling line, what has passed."""

from __future__ import annotations

from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.checks import evidence_of, report_of
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.verify import check

HEALTH = check("health", "http", "passed", "1 step")
TASKS = check("tasks", "tasks", "passed", "app: 2 of 2 tasks run app:41")
PRINTED = [
    "their whole output is in /x.log",
    "| > test",
    "| ok 1",
    "| AssertionError: 1 != 2",
    "|   at a.js:1",
    "|   at b.js:2",
    "| 1 failed",
]


def test_what_is_up_what_broke_and_what_has_passed():
    logs = check("logs", "logs", "failed", "2 errors", ["1 time: TypeError: a is null"])
    targets = check("targets", "targets", "inconclusive", "these credentials may not")
    assert report_of([HEALTH, TASKS, targets, logs]) == [
        "UP        app: 2 of 2 tasks run app:41",
        "BROKE     logs, failed: 1 time: TypeError: a is null",
        "UNPROVEN  targets, inconclusive: these credentials may not",
        "PASSED    health, tasks",
    ]


def test_of_tests_the_first_telling_line_is_told_and_where_the_others_are():
    tests = check("end-to-end tests", "e2e", "failed", "they failed with exit code 1 after 9 s", PRINTED)
    assert [line.partition(": ")[2] for line in report_of([tests])] == [
        "they failed with exit code 1 after 9 s",
        "their whole output is in /x.log",
        "| AssertionError: 1 != 2",
    ]
    silent = check("end-to-end tests", "e2e", "failed", "they failed", PRINTED[:3])
    assert report_of([silent])[-1].endswith("| ok 1")


def test_much_is_cut():
    left = check("failed database", "left", "failed", "1 session is open", ["1 session is open", "role app"])
    assert report_of([left]) == ["BROKE     failed database, failed: %s" % line for line in left["evidence"]]
    many = check("logs", "logs", "failed", "9 errors", ["kind %d" % number for number in range(9)])
    assert report_of([many])[4:] == ["BROKE     logs, failed: kind 4", "BROKE     logs, and 4 more lines"]
    assert len(evidence_of([many, HEALTH])) == 9
