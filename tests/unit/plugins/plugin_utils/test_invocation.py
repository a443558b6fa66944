# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whichever of Ansible's switches would play a part of a playbook, or nobody's, is refused before the first task."""

from __future__ import annotations

import pytest
from ansible_collections.spymeo.rollback.plugins.plugin_utils._invocation import LISTINGS, problem

WHOLE = {"tags": ("all",), "skip_tags": (), "start_at_task": None, "step": False, "subset": None}
ONE, THREE = {"all": ["spymeo"], "web": ["spymeo"]}, {"all": ["spymeo", "shop-01", "shop-02"]}


@pytest.mark.parametrize("cliargs", [WHOLE, {}, {**WHOLE, "tags": ("all", "x")}, {**WHOLE, "tags": ()}])
@pytest.mark.parametrize("writes", [True, False])
def test_a_whole_play_for_one_host_is_played(cliargs, writes):
    assert problem(cliargs, ONE, writes, False) is None


@pytest.mark.parametrize(
    ("switch", "words"),
    [
        ({"tags": ("x", "y")}, "--tags x,y would play a part"),
        ({"tags": ("always",)}, "--tags always would play a part"),
        ({"tags": ("untagged",)}, "would play a part"),
        ({"skip_tags": ("always",)}, "--skip-tags always would play a part"),
        ({"skip_tags": ("nosuch",)}, "would play a part"),
        ({"start_at_task": "Verify"}, "--start-at-task 'Verify' would play a part"),
        ({"step": True}, "--step would play a part"),
    ],
)
@pytest.mark.parametrize("writes", [True, False])
def test_a_part_is_refused(switch, words, writes):
    answer = problem({**WHOLE, **switch}, ONE, writes, True)
    assert words in answer
    assert answer.endswith("Nothing was changed.")


@pytest.mark.parametrize("writes", [True, False])
def test_nobody_is_refused(writes):
    assert "has no host" in problem(WHOLE, {"all": []}, writes, True)


def test_several_applications_are_changed_only_when_that_is_said():
    answer = problem(WHOLE, THREE, True, False)
    assert "has 3 hosts (spymeo, shop-01, shop-02)" in answer
    assert "--limit spymeo" in answer
    assert "-e rollback_several_hosts=true" in answer
    assert problem(WHOLE, THREE, True, True) is None
    assert problem({**WHOLE, "subset": "shop*"}, THREE, True, False) is None
    assert problem(WHOLE, THREE, False, False) is None


def test_of_many_hosts_some_are_named():
    assert "h4, …)" in problem(WHOLE, {"all": [f"h{number}" for number in range(40)]}, True, False)


@pytest.mark.parametrize("listing", LISTINGS)
def test_what_plays_nothing_is_left_alone(listing):
    assert problem({**WHOLE, listing: True, "tags": ("x",)}, {"all": []}, True, False) is None


@pytest.mark.parametrize(
    "limit",
    ["spymeo", "web", "web,spymeo", "all", "spym*", "web:!spymeo", "@hosts.retry", "~sp.*", "web[0]", "web:&all"],
)
def test_a_limit_that_names_somebody_is_taken(limit):
    assert problem({**WHOLE, "subset": limit}, ONE, True, False) is None


@pytest.mark.parametrize("limit", ["spymo", "spymeo,app-bb", "web:app-bb"])
def test_a_word_of_a_limit_that_names_nobody_is_refused(limit):
    answer = problem({**WHOLE, "subset": limit}, ONE, True, False)
    assert "the inventory has no host and no group of that name. There are: spymeo, web." in answer
