# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from datetime import UTC, datetime

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import (
    Balancer,
    Deployment,
    Service,
    ServiceTask,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.outcome import Failed, Pending, Ready
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.service_health import (
    ServiceObservation,
    choose_fence,
    decided,
    expected_of,
    judge_targets,
    judge_tasks,
    judge_traffic,
    some_healthy,
    verdict_of_targets,
    verdict_of_tasks,
)
from hypothesis import given
from hypothesis import strategies as st

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ARN = "arn:aws:ecs:eu-west-3:123456789012:task-definition/"
OLD, NEW = ARN + "app:1", ARN + "app:2"
BALANCER = Balancer(("blue", "green"), 8080)


def service(definition=OLD, desired=2, running=2, failed=0, state="COMPLETED", others=(), **changes):
    primary = Deployment("PRIMARY", definition, NOON, desired, running, failed, state)
    told = dict(status="ACTIVE", controller="ECS", deployments=(primary, *others), events=(), balancers=(BALANCER,))
    return Service("app", task_definition=definition, desired=desired, running=running, **{**told, **changes})


def tasks(*definitions, status="RUNNING", address=True):
    return tuple(
        ServiceTask(f"t{place}", "app", definition, NOON, status, f"10.0.0.{place}" if address else None)
        for place, definition in enumerate(definitions)
    )


def seen(of=None, running=None, expected=OLD, states=("healthy", "healthy"), health=None):
    found = tasks(OLD, OLD) if running is None else running
    blue = {task.address: (state, "") for task, state in zip(found, states, strict=False)}
    return ServiceObservation(of or service(), found, expected, ((BALANCER, (blue, {})),) if health is None else health)


ACTIVE = Deployment("ACTIVE", NEW, NOON, 2, 1, 0, "IN_PROGRESS")


@pytest.mark.parametrize(
    ("look", "answer", "words"),
    [
        (seen(), Ready, "2 of 2 tasks run app:1"),
        (seen(service(desired=0), ()), Failed, "scaled to 0"),
        (seen(service(status="DRAINING")), Failed, "app is DRAINING"),
        (seen(expected=NEW), Failed, "is to run app:1, not app:2"),
        (seen(service(failed=3), ()), Failed, "0 of 2 tasks run app:1, and 3 failed in a row"),
        (seen(service(state="FAILED"), tasks(OLD)), Failed, "its deployment has failed"),
        (seen(running=tasks(OLD)), Pending, "1 of 2 tasks run app:1"),
        (seen(running=tasks(OLD, OLD, NEW)), Pending, "others still run app:2"),
        (seen(running=tasks(OLD, OLD, status="PENDING")), Pending, "0 of 2 tasks run app:1"),
        (seen(service(others=(ACTIVE,))), Pending, "a deployment is under way"),
        (seen(service(state=None)), Ready, "2 of 2"),
    ],
)
def test_the_tasks_of_a_service(look, answer, words):
    found = judge_tasks(look)
    assert isinstance(found, answer)
    assert words in (found.reason if answer is Failed else found.detail)


@pytest.mark.parametrize(
    ("look", "answer", "words"),
    [
        (seen(), Ready, "2 of 2 tasks are healthy targets"),
        (seen(states=("healthy", "unhealthy")), Pending, "1 of 2 tasks are healthy targets, others are unhealthy"),
        (seen(states=("healthy", "draining")), Pending, "1 of 2"),
        (seen(health=((BALANCER, ({}, {})),)), Pending, "0 of 2 tasks are healthy targets, others are unused"),
        (seen(running=()), Pending, "0 of 2"),
        (seen(service(desired=0), ()), Pending, "0 of 0"),
        # a third task beyond the wanted ones, as in a rolling deployment, gets traffic too
        (seen(running=tasks(OLD, OLD, OLD), states=("healthy", "healthy", "unhealthy")), Pending, "2 of 2"),
    ],
)
def test_the_targets_of_a_service(look, answer, words):
    found = judge_targets(look)
    assert isinstance(found, answer)
    assert words in found.detail


def test_of_two_groups_that_take_turns_one_is_enough_and_of_two_load_balancers_none_is_left_out():
    first, second = tasks(OLD, OLD)
    well, away, ill = ("healthy", ""), ("unused", "not registered"), ("unhealthy", "Health checks failed")
    blue, green = {first.address: well, second.address: away}, {first.address: away, second.address: well}
    assert isinstance(judge_targets(seen(health=((BALANCER, (blue, green)),))), Ready)
    inner = {first.address: well, second.address: ill}
    both = judge_targets(seen(health=((BALANCER, (blue, green)), (Balancer(("inner",), 9090), (inner,)))))
    assert "1 of 2 tasks are healthy targets, others are unhealthy (Health checks failed)" in both.detail


def test_what_is_expected_is_what_the_service_says_unless_it_is_named():
    assert expected_of(service(), {}) == OLD
    assert expected_of(service(), {"app": "app:1", "web": "web:3"}) == OLD
    assert expected_of(service(), {"app": "app:2"}) == "app:2"


def test_looking_ends_when_all_is_decided_and_the_targets_of_what_has_failed_are_not_awaited():
    crashing = seen(service(failed=3), ())
    assert isinstance(decided([crashing, seen()]), Ready)
    assert isinstance(decided([seen(running=tasks(OLD))]), Pending)
    assert isinstance(decided([seen(states=("healthy", "initial"))]), Pending)
    assert isinstance(decided([seen(service(balancers=()), health=())]), Ready)


@pytest.mark.parametrize(
    ("looks", "tasks_verdict", "targets_verdict"),
    [
        ([seen()], "passed", "passed"),
        ([seen(service(failed=3), ())], "failed", "failed"),
        ([seen(running=tasks(OLD))], "failed", "failed"),
        ([seen(service(others=(ACTIVE,)))], "inconclusive", "passed"),
        ([seen(), seen(expected=NEW)], "failed", "passed"),
        ([seen(states=("initial", "initial"))], "passed", "failed"),
        ([seen(running=tasks(OLD, OLD, address=False), health=())], "passed", "inconclusive"),
    ],
)
def test_verdicts_at_the_last_look(looks, tasks_verdict, targets_verdict):
    found, reason, evidence = verdict_of_tasks(looks)
    assert (found, bool(evidence)) == (tasks_verdict, tasks_verdict != "passed")
    assert reason
    assert verdict_of_targets(looks)[0] == targets_verdict


def test_without_a_load_balancer_there_is_no_verdict_on_targets():
    assert verdict_of_targets([seen(service(balancers=()), health=())]) is None


STATES = st.sampled_from(["healthy", "unhealthy", "initial", "unused", "draining", "unavailable"])


@given(st.lists(st.sampled_from([OLD, NEW]), max_size=4), st.lists(STATES, min_size=4, max_size=4), st.integers(0, 4))
def test_passed_means_that_as_many_as_are_wanted_run_what_is_expected_and_get_traffic(definitions, states, desired):
    look = seen(service(desired=desired), tasks(*definitions), states=states)
    if verdict_of_tasks([look])[0] == "passed":
        assert definitions.count(OLD) == len(definitions) >= desired > 0
    if verdict_of_targets([look])[0] == "passed":
        assert states[: len(definitions)].count("healthy") == len(definitions) >= desired


ILL = seen(states=("unhealthy", "initial"))
EMPTY = seen(running=())


@pytest.mark.parametrize(
    ("looks", "value", "words"),
    [
        ([seen()], "none", "something serves"),
        ([seen(states=("healthy", "unhealthy"))], "none", "something serves"),
        ([EMPTY], "scale_to_zero", "app has no task that runs"),
        ([ILL], "scale_to_zero", "none of the 2 tasks of app is a healthy target"),
        ([ILL, EMPTY], "scale_to_zero", "; app has no task that runs"),
        ([EMPTY, seen()], "none", "something serves"),
        ([seen(service(balancers=()), health=())], "none", "something serves"),  # nobody can tell, so it may
        ([seen(service(balancers=()), running=tasks(OLD, status="PENDING"), health=())], "scale_to_zero", "no task"),
        ([ServiceObservation(service(), tasks(OLD), OLD, (), "AccessDenied")], "none", "something serves"),
        ([seen(running=tasks(OLD, address=False))], "none", "something serves"),
        ([seen(service(desired=0), ())], "none", "scaled to 0 already"),
    ],
)
def test_a_fence_is_put_up_by_itself_only_where_it_costs_nobody_anything(looks, value, words):
    found, why = choose_fence("auto", looks)
    assert found == value
    assert words in why


@pytest.mark.parametrize("asked", ["none", "scale_to_zero"])
def test_a_fence_that_was_decided_is_not_looked_at(asked):
    assert choose_fence(asked, [])[0] == asked
    assert choose_fence(asked, [], deployed=True)[0] == asked


def test_what_an_earlier_try_has_deployed_is_not_fenced():
    assert choose_fence("auto", [EMPTY], deployed=True) == (
        "none",
        "what comes back is deployed already, and nothing else is left",
    )
    assert choose_fence("auto", [EMPTY, seen()], deployed=True) == ("none", "something serves")


def told(**states):
    """Health of addresses (t0 is 10.0.0.0), in the first of two target groups."""
    return ((BALANCER, ({f"10.0.0.{name[1:]}": (state, "") for name, state in states.items()}, {})),)


@pytest.mark.parametrize(
    ("look", "left", "answer"),
    [
        (seen(), (), Ready),
        (seen(health=told(t0="healthy", t1="initial")), (), Pending),
        (seen(running=tasks(OLD)), (), Pending),
        (seen(service(desired=0), ()), (), Pending),
        # a task of something else that is still to run, and is a healthy target
        (seen(running=tasks(OLD, OLD, NEW), health=told(t0="healthy", t1="healthy", t2="healthy")), (), Pending),
        (seen(running=tasks(OLD, OLD, NEW), health=told(t0="healthy", t1="healthy", t2="unhealthy")), (), Ready),
        (seen(running=tasks(OLD, OLD, NEW), health=told(t0="healthy", t1="healthy", t2="draining")), (), Ready),
        # one that ECS is stopping already
        (seen(health=told(t0="healthy", t1="healthy", t9="healthy")), ("10.0.0.9",), Pending),
        (seen(health=told(t0="healthy", t1="healthy", t9="draining")), ("10.0.0.9",), Ready),
        (seen(health=told(t0="healthy", t1="healthy", t9="unused")), ("10.0.0.9",), Ready),
        # its address is a new task's by now
        (seen(), ("10.0.0.1",), Ready),
        # what cannot be known is not believed
        (seen(running=tasks(OLD, OLD, address=False)), (), Pending),
        (ServiceObservation(service(), tasks(OLD, OLD), OLD, (), "may not be read"), (), Pending),
        # without a load balancer
        (ServiceObservation(service(balancers=()), tasks(OLD, OLD), OLD), (), Ready),
        (ServiceObservation(service(balancers=()), tasks(OLD, OLD, NEW), OLD), (), Pending),
    ],
)
def test_all_traffic_is_on_healthy_tasks_of_the_release(look, left, answer):
    assert isinstance(judge_traffic(look, left), answer)


@pytest.mark.parametrize(
    ("look", "healthy"),
    [
        (seen(health=told(t0="healthy", t1="unhealthy")), True),
        (seen(states=("unhealthy", "initial")), False),
        (seen(running=()), False),
        (ServiceObservation(service(), tasks(OLD), OLD, (), "may not be read"), True),  # it may serve
        (ServiceObservation(service(balancers=()), tasks(OLD), OLD), True),
    ],
)
def test_some_task_serves_or_may(look, healthy):
    assert some_healthy(look) is healthy
