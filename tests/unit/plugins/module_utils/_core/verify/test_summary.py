# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.summary import next_steps, summary
from hypothesis import given
from hypothesis import strategies as st

VERDICTS = ("passed", "failed", "inconclusive")


def checks(**verdicts):
    return [{"name": name, "verdict": verdict} for name, verdict in verdicts.items()]


@pytest.mark.parametrize(
    ("given", "verdict", "reason"),
    [
        (checks(health="passed", logs="passed"), "passed", "all 2 checks have passed"),
        (
            checks(health="failed", login="inconclusive", logs="failed", tasks="passed"),
            "failed",
            "1 of 4 checks passed; failed: health, logs; inconclusive: login",
        ),
        (checks(health="passed", logs="inconclusive"), "inconclusive", "1 of 2 checks passed; inconclusive: logs"),
        (checks(health="passed"), "passed", "the only check has passed"),
        (checks(health="failed"), "failed", "0 of 1 check passed; failed: health"),
        ([], "inconclusive", "0 of 0 checks passed; nothing was measured"),
    ],
)
def test_says_which_checks_did_not_pass(given, verdict, reason):
    assert summary(given) == (verdict, reason)


@given(st.lists(st.sampled_from(VERDICTS)))
def test_passed_means_that_there_is_a_check_and_that_each_has_passed(verdicts):
    verdict = summary([{"name": "x", "verdict": item} for item in verdicts])[0]
    assert (verdict == "passed") == (set(verdicts) == {"passed"})
    assert (verdict == "failed") == ("failed" in verdicts)


@pytest.mark.parametrize(
    ("verdict", "after", "codes", "words"),
    [
        ("inconclusive", "nothing", [], "Fix what kept the checks from measuring"),
        ("inconclusive", "code", ["P2022"], "Fix what kept the checks from measuring"),
        ("failed", "nothing", ["P2022"], "playbooks/triage.yml tells whether to roll back"),
        ("failed", "code", [], "If not, playbooks/triage.yml tells what else helps"),
        ("failed", "code", ["P1001", "P2022"], "playbooks/rollback_full.yml brings both back"),
        ("failed", "database", ["P2022"], "If not, playbooks/triage.yml tells what else helps"),
        (
            "failed",
            "secrets",
            ["P2022"],
            "If not, playbooks/triage.yml tells what else helps",
        ),  # no release was brought back
    ],
)
def test_says_what_to_do_next(verdict, after, codes, words):
    assert words in " ".join(next_steps(verdict, after, codes))


def test_names_the_release_that_would_be_next():
    told = " ".join(next_steps("failed", "code", [], "app:1, which served 3 d: -e rollback_task_definition=app:1"))
    assert "the next release is app:1, which served 3 d: -e rollback_task_definition=app:1" in told


def test_when_all_is_well_there_is_nothing_to_do():
    assert next_steps("passed", "code", []) == []
