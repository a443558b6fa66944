# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which task definition a service goes back to. Histories are written as a person would tell them: "1 ok, 2 ok, 1 ok"."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.decide import (
    as_releases,
    choose_target,
    failed_tasks_that_prove_it,
    next_step,
    short,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.state import (
    Container,
    Deployment,
    Service,
    ServiceDeployment,
    TaskDefinition,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._errors import BadInput, RollbackError
from hypothesis import given
from hypothesis import strategies as st

START = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
STATUS = {"ok": "SUCCESSFUL", "stopped": "STOPPED", "running": "IN_PROGRESS", "failed": "ROLLBACK_FAILED"}


def arn(revision):
    return "arn:aws:ecs:eu-west-3:123456789012:task-definition/app:%s" % revision


def minute(number):
    return START + timedelta(minutes=number)


def history(story):
    """`"1 ok, 2 back-to-1"`: revision and outcome, a minute apart; back-to-N: the circuit breaker returned to N."""
    found = []
    for place, part in enumerate(filter(None, story.split(", "))):
        revision, outcome = part.split()
        back = outcome.partition("back-to-")[2]
        found.append(
            ServiceDeployment(
                arn="arn:deployment/%d" % place,
                status="ROLLBACK_SUCCESSFUL" if back else STATUS[outcome],
                reason="",
                created_at=minute(place),
                task_definition=arn(revision),
                brought_back=arn(back) if back else None,
            )
        )
    return found


def service(running, **changes):
    primary = Deployment("PRIMARY", arn(running), minute(0), 2, 2, 0, changes.pop("rollout_state", "COMPLETED"))
    values = dict(
        name="app",
        status="ACTIVE",
        controller="ECS",
        task_definition=arn(running),
        desired=2,
        running=2,
        deployments=(primary,),
        events=(),
    )
    return Service(**{**values, **changes})


def definition(revision, status="ACTIVE", origin=None):
    return TaskDefinition(arn(revision), status, START, (Container("app", "image"),), arn(origin) if origin else None)


@pytest.mark.parametrize(
    ("story", "running", "target", "bad_since"),
    [
        ("1 ok, 2 ok", 2, 1, 1),
        ("1 ok, 2 running", 2, 1, 1),  # a crash loop never ends
        ("1 ok, 3 ok", 3, 1, 1),  # revision 2 was registered and never deployed
        ("1 ok, 2 stopped, 3 running", 3, 1, 1),  # a failed retry is not the release before
        ("1 ok, 2 ok, 3 ok", 3, 2, 2),
        ("1 ok, 2 ok, 1 ok", 1, 1, 1),  # brought back already: a second run changes nothing
        ("0 ok, 1 ok, 2 stopped, 1 ok", 1, 1, 2),  # and does not go on to an even older one
        ("0 ok, 1 ok, 2 back-to-1", 1, 1, 2),  # ECS's circuit breaker has done it already
        ("1 ok, 2 ok, 1 ok, 3 ok", 3, 1, 1),  # 2 was rolled back from
        ("1 ok, 2 ok, 3 ok, 1 ok, 4 ok", 4, 1, 1),  # so were 2 and 3
        ("1 ok, 2 back-to-1, 3 ok", 3, 1, 1),
        ("1 ok, 2 ok, 1 ok, 2 ok", 2, 1, 1),  # the rollback was undone; 2 failed again
        ("1 ok, 1 ok, 2 ok", 2, 1, 2),  # deploying the same again is no rollback
        ("1 ok, 2 ok, 2 ok", 2, 1, 1),
    ],
)
def test_chooses_the_release_that_served_before(story, running, target, bad_since):
    choice = choose_target(service(running), history(story))
    assert (short(choice.target), choice.bad_since) == ("app:%d" % target, minute(bad_since))


@pytest.mark.parametrize(
    ("story", "running", "why"),
    [
        ("1 ok", 1, "nothing older than app:1 has served"),
        ("", 1, "AWS has no record that app:1 was deployed"),
        ("1 stopped, 2 ok", 2, "nothing older than app:2 has served"),
        ("2 ok", 7, "AWS has no record that app:7 was deployed"),
    ],
)
def test_refuses_to_guess(story, running, why):
    with pytest.raises(RollbackError, match=why) as refused:
        choose_target(service(running), history(story))
    assert "rollback_task_definition" in refused.value.message
    assert refused.value.evidence


def test_tells_every_candidate_and_why_it_was_not_chosen():
    with pytest.raises(RollbackError) as refused:
        choose_target(service(3), history("1 stopped, 3 ok"))
    assert refused.value.evidence == [
        "app:3  first deployed 2026-11-22T03:01:00+00:00  running",
        "app:1  first deployed 2026-11-22T03:00:00+00:00  never served",
    ]


def test_the_operators_word_comes_first():
    choice = choose_target(service(3), history("1 ok, 2 ok, 3 ok"), wanted=arn(1))
    assert (short(choice.target), choice.first_bad, choice.bad_since) == ("app:1", arn(2), minute(1))


def test_a_named_target_that_was_never_deployed_replaces_what_runs():
    choice = choose_target(service(3), history("1 ok, 3 ok"), wanted=arn(2))
    assert (choice.first_bad, choice.bad_since) == (arn(3), minute(1))


def test_going_forward_by_the_operators_word_finds_nothing_bad():
    choice = choose_target(service(1), history("1 ok, 2 ok, 1 ok"), wanted=arn(2))
    assert (short(choice.target), choice.first_bad, choice.bad_since) == ("app:2", None, None)


stories = st.lists(
    st.tuples(st.integers(1, 5), st.sampled_from(["ok", "stopped", "running", "back-to-1", "back-to-2"])),
    min_size=1,
    max_size=12,
)


@given(stories)
def test_never_chooses_what_never_served_nor_what_was_rolled_back_from(parts):
    past = history(", ".join("%d %s" % part for part in parts))
    running = past[-1].brought_back or past[-1].task_definition
    try:
        choice = choose_target(service(running.rpartition(":")[2]), past)
    except RollbackError:
        return
    verdicts = {item.task_definition: item.verdict for item in choice.candidates}
    assert verdicts[choice.target] in ("served", "running")
    if choice.target != running:
        born = {item.task_definition: item.first_deployed for item in choice.candidates}
        assert born[choice.target] <= born[running]


@given(stories)
def test_a_second_run_stays_where_the_first_one_went(parts):
    past = history(", ".join("%d %s" % part for part in parts))
    running = past[-1].brought_back or past[-1].task_definition
    try:
        first = choose_target(service(running.rpartition(":")[2]), past)
    except RollbackError:
        return
    if first.target == running:
        return
    rolled_back = ServiceDeployment("arn:ours", "SUCCESSFUL", "", minute(100), first.target)
    second = choose_target(service(first.target.rpartition(":")[2]), [*past, rolled_back])
    assert second.target == first.target


COPIES = {arn(3): definition(3, origin=1)}


@pytest.mark.parametrize(
    ("story", "running", "target"),
    [
        ("1 ok, 2 ok, 3 ok", 3, 1),  # 3 is a copy of 1: it was brought back already
        ("1 ok, 2 ok, 3 ok, 4 ok", 4, 1),  # and 2 was rolled back from
    ],
)
def test_a_copy_is_the_release_that_it_is_a_copy_of(story, running, target):
    releases, past = as_releases(service(running), history(story), COPIES)
    choice = choose_target(releases, past)
    assert short(choice.target) == "app:%d" % target
    assert {short(item.task_definition) for item in choice.candidates} <= {"app:1", "app:2", "app:4"}


def step(running, target=None, story="1 ok, 2 ok", changed_at=None, pins=(), **changes):
    newest_first = list(reversed(history(story)))
    return next_step(
        service(running, **changes), target or definition(1), definition(running), newest_first, changed_at, pins
    )


@pytest.mark.parametrize(
    ("running", "rollout_state", "secrets_changed_at", "verb", "force"),
    [
        (2, "COMPLETED", None, "deploy", False),
        (1, "COMPLETED", None, "nothing", False),
        (1, "IN_PROGRESS", None, "join", False),
        (1, "COMPLETED", minute(-1), "nothing", False),  # the tasks read it when they started
        (1, "COMPLETED", minute(1), "deploy", True),  # they did not
        (1, "IN_PROGRESS", minute(1), "deploy", True),
        (1, None, None, "nothing", False),  # only a rolling deployment has a rollout state
        (1, "FAILED", None, "deploy", True),  # ECS starts no more tasks of it
    ],
)
def test_deploys_only_what_is_not_there_yet(running, rollout_state, secrets_changed_at, verb, force):
    found = step(running, changed_at=secrets_changed_at, rollout_state=rollout_state)
    assert (found.verb, found.force, found.task_definition) == (verb, force, arn(1))


@pytest.mark.parametrize(
    ("story", "verb"),
    [
        ("1 ok, 1 running", "join"),
        ("1 ok, 2 running", "stop"),  # a canary: the service still names 1, and some users get 2
        ("0 ok, 2 running", "deploy"),
    ],
)
def test_a_deployment_under_way_counts_as_what_runs(story, verb):
    assert step(1, story=story, rollout_state=None).verb == verb
    choice = choose_target(service(1), history("1 ok, 2 running"))
    assert [item.verdict for item in choice.candidates] == ["running", "served"]


def test_a_service_that_runs_a_copy_of_the_target_runs_the_target():
    running = definition(3, origin=1)
    found = next_step(service(3), definition(1, "INACTIVE"), running, [])
    assert (found.verb, found.task_definition) == ("nothing", arn(3))


@pytest.mark.parametrize(
    ("story", "changed_at", "verb"),
    [
        ("1 ok, 2 running", None, "stop"),  # ECS rolls back to what succeeded last
        ("1 ok, 2 running", minute(-1), "stop"),
        ("1 ok, 2 running", minute(1), "deploy"),  # tasks of 1 that still run would keep the old secret
        ("1 ok, 3 ok, 2 running", None, "deploy"),  # it would lead to 3
        ("1 ok, 2 ok", None, "deploy"),  # what has succeeded cannot be stopped
    ],
)
def test_stops_a_deployment_only_where_that_leads_to_the_target(story, changed_at, verb):
    found = step(2, story=story, changed_at=changed_at, rollout_state="IN_PROGRESS")
    assert found.verb == verb
    assert bool(found.stopped) == (verb == "stop")


def test_registers_again_what_is_inactive_and_what_a_moved_tag_would_change():
    assert step(2, target=definition(1, "INACTIVE")).verb == "register"
    pinned = step(2, pins=[("app:1", "app@sha256:x")], story="1 ok, 2 running")
    assert (pinned.verb, pinned.pins) == ("register", (("app:1", "app@sha256:x"),))


@pytest.mark.parametrize(("desired", "failed"), [(1, 3), (2, 3), (6, 3), (7, 4), (100, 50), (1000, 200)])
def test_as_many_failures_as_ecs_itself_would_take_for_proof(desired, failed):
    assert failed_tasks_that_prove_it(desired) == failed


@pytest.mark.parametrize(
    ("changes", "target", "error", "words"),
    [
        (dict(controller="CODE_DEPLOY"), definition(1), RollbackError, "CODE_DEPLOY controller"),
        (dict(controller="EXTERNAL"), definition(1), RollbackError, "EXTERNAL controller"),
        (dict(status="INACTIVE"), definition(1), BadInput, "rollback_services"),
        (dict(status="DRAINING"), definition(1), BadInput, "DRAINING"),
        (dict(desired=0), definition(1), RollbackError, "scaled to 0"),
        (dict(), definition(1, "DELETE_IN_PROGRESS"), RollbackError, "DELETE_IN_PROGRESS"),
    ],
)
def test_refuses_what_could_not_work(changes, target, error, words):
    with pytest.raises(error, match=words):
        step(2, target=target, **changes)
