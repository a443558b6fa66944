# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which runs are under way, from the results of tasks, and what is said of them at a signal."""

from __future__ import annotations

import pytest
from ansible_collections.spymeo.rollback.plugins.plugin_utils._stopped import Run, heard, stopped

ID = "rb-20261128-201010"
OURS = "spymeo.rollback.rollback_"
LOOKED = OURS + "run", {"run_id": ID, "alone": True}
FINISHES = OURS + "run", {"run_id": ID, "alone": True, "by_id": False}
TOOK = OURS + "begin", {"run": {"fencing": 3, "lease": 30}, "record": f"lab/app/runs/{ID}"}
ENDED = OURS + "end", {"outcome": "complete"}
FENCED = "spymeo.rollback.ecs_fence", {"changed": True}
DEPLOYED = "spymeo.rollback.ecs_rollback", {"changed": True}
OTHER = "ansible.builtin.debug", {"run_id": "x", "run": {"lease": 3}}


def after(*results, host="app"):
    runs = {}
    for action, result in results:
        runs = heard(runs, host, action, result)
    return runs


@pytest.mark.parametrize(
    ("results", "runs"),
    [
        ([], {}),
        ([OTHER], {}),
        ([LOOKED], {"app": Run(ID)}),
        ([("rollback_run", LOOKED[1])], {"app": Run(ID)}),
        ([(LOOKED[0], {"run_id": ID, "alone": False})], {}),
        ([(LOOKED[0], {"run_id": ID})], {}),
        ([(LOOKED[0], {"censored": "no_log"})], {}),
        ([LOOKED, OTHER, TOOK], {"app": Run(ID, 30)}),
        ([LOOKED, (TOOK[0], {"run": {}})], {"app": Run(ID)}),  # check mode
        ([TOOK], {"app": Run(ID, 30)}),
        ([LOOKED, TOOK, ENDED], {}),
        ([LOOKED, TOOK, FENCED], {"app": Run(ID, 30, True)}),
        ([LOOKED, TOOK, FENCED, DEPLOYED], {"app": Run(ID, 30)}),
        ([LOOKED, FENCED], {"app": Run(ID)}),  # check mode
        ([FENCED], {}),
        ([FINISHES], {"app": Run(ID, by_id=False)}),
        ([FINISHES, TOOK], {"app": Run(ID, 30, by_id=False)}),
        ([LOOKED, TOOK, OTHER, ENDED, OTHER], {}),
    ],
)
def test_a_run_is_under_way_from_its_beginning_to_its_end(results, runs):
    assert after(*results) == runs


def test_one_that_ends_leaves_the_others():
    both = {"app": Run(ID, 30), "shop": Run("rb-2", 30)}
    assert heard(both, "app", *ENDED) == {"shop": Run("rb-2", 30)}


def told(runs, task="Restore", environment=()):
    return stopped("SIGTERM", runs, task, lambda run_id, host: f"go on {run_id} {host}", dict(environment))


def test_it_says_which_run_that_the_lock_is_kept_and_how_to_go_on():
    assert told({"app": Run(ID, 30)}) == [
        f"STOPPED   by SIGTERM during the task 'Restore': run {ID} of app has not ended.",
        "          AWS may go on with what was asked for. The lock of the run is free once its lease has ended, within 30 s.",
        f"NEXT      go on {ID} None",
    ]


def test_it_says_that_nobody_is_served_while_a_fence_stands():
    assert "nobody is served until the run goes on" in told({"app": Run(ID, 30, True)})[2]


def test_of_several_each_has_its_command():
    assert told({"app": Run(ID, 30), "shop": Run("rb-2", 30)})[2::3] == [
        f"NEXT      go on {ID} app",
        "NEXT      go on rb-2 shop",
    ]


def test_before_the_lock_nothing_was_changed():
    assert told({"app": Run(ID)}, task="") == [
        f"STOPPED   by SIGTERM: run {ID} of app has not ended.",
        "          It had not taken its lock, so it has changed nothing. Start again as before.",
    ]


def test_where_no_run_was_under_way_nothing_is_said():
    assert told({}) == []


def test_in_awx_nobody_can_paste_a_command():
    text = "\n".join(told({"app": Run(ID, 30)}, environment={"JOB_ID": "7"}))
    assert f"extra variable rollback_run_id: {ID}" in text
    assert "go on" not in text.partition("NEXT")[2]


def test_what_takes_no_id_of_its_own_is_played_again_as_it_was_typed():
    finish = {"app": Run(ID, 30, by_id=False)}
    assert told(finish)[-1] == "NEXT      go on None None"
    assert told(finish, environment={"JOB_ID": "7"})[-1] == "NEXT      Launch the job template again"


def test_nothing_moves_the_cursor():
    assert all(line.isprintable() for line in told({"app": Run(ID, 30)}, task="a\x1b[2J\nDONE"))
