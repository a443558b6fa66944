# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How a service is brought to what it goes back to. Histories are written as a person would tell them: "1 ok, 2 ok, 1 ok"."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput, RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import (
    Deployment,
    Service,
    ServiceDeployment,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.service_revision import Revision
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.task_definition import (
    Container,
    Edit,
    TaskDefinition,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.next_step import (
    failed_tasks_that_prove_it,
    next_step,
    running_revision,
)

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
        (dict(), definition(1, "FORGOTTEN"), RollbackError, "FORGOTTEN"),
    ],
)
def test_refuses_what_could_not_work(changes, target, error, words):
    with pytest.raises(error, match=words):
        step(2, target=target, **changes)


def test_what_is_being_deleted_is_registered_again_as_long_as_its_content_is_known():
    decided = step(2, target=definition(1, "DELETE_IN_PROGRESS"))
    assert (decided.verb, decided.task_definition) == ("register", arn(1))


@pytest.mark.parametrize("status", ["ACTIVE", "DELETE_IN_PROGRESS"])
def test_a_copy_that_is_to_come_back_as_it_is_is_not_what_it_is_a_copy_of(status):
    pinned = replace(
        definition(3, status), origin=arn(1), containers=(Container("app", "app:1", secrets=(("URL", "x:v2"),)),)
    )
    plain = replace(definition(1), containers=(Container("app", "app:1", secrets=(("URL", "x"),)),))
    assert next_step(service(1), pinned, plain, history("1 ok")).verb == "nothing"
    decided = next_step(service(1), pinned, plain, history("1 ok"), as_is=True)
    assert (decided.verb, decided.task_definition) == ("deploy" if status == "ACTIVE" else "register", pinned.arn)
    assert next_step(service(3), pinned, pinned, history("3 ok"), as_is=True).verb == "nothing"


def ran(revision, image="a", group="sg"):
    """A Revision with one image and one security group."""
    network = {"networkConfiguration": {"awsvpcConfiguration": {"securityGroups": [group]}}}
    return Revision(f"r/{revision}/{image}/{group}", arn(revision), (("app:1", f"sha256:{image}"),), network)


def deployed(*revisions, last="SUCCESSFUL"):
    """A history, newest first, of these Revisions."""
    statuses = ["SUCCESSFUL"] * (len(revisions) - 1) + [last]
    return [
        ServiceDeployment(
            f"d/{place}", status, "", minute(place), item.task_definition, None, item.digests, revision=item
        )
        for place, (item, status) in enumerate(zip(revisions, statuses, strict=True))
    ][::-1]


@pytest.mark.parametrize(
    ("before", "now", "pins", "verb", "force", "told"),
    [
        (ran(1), ran(1), (), "nothing", False, ()),
        (ran(1), ran(1, "b"), (("app:1", "app@sha256:a"),), "register", False, ()),  # its tag means b today
        (ran(1), ran(1, "b"), (), "deploy", True, ()),  # it means a again
        (ran(1), ran(1, group="wrong"), (), "deploy", True, ("securityGroups: wrong -> sg",)),
        (ran(1), ran(2, "b", "wrong"), (), "deploy", False, ("securityGroups: wrong -> sg",)),
    ],
)
def test_it_is_the_service_revision_that_comes_back_images_and_configuration_as_well(
    before, now, pins, verb, force, told
):
    running = int(now.task_definition.rpartition(":")[2])
    history = deployed(before, now)
    found = next_step(service(running), definition(1), definition(running), history, None, pins, (), before)
    assert (found.verb, found.force, found.changes.lines) == (verb, force, told)


@pytest.mark.parametrize(
    ("wanted", "verb"), [(ran(1), "stop"), (ran(1, group="other"), "deploy"), (ran(1, "z"), "deploy")]
)
def test_a_deployment_is_stopped_only_where_ecs_goes_back_to_that_very_revision(wanted, verb):
    history = deployed(ran(1), ran(2, "b", "wrong"), last="IN_PROGRESS")
    found = next_step(service(2, rollout_state="IN_PROGRESS"), definition(1), definition(2), history, wanted=wanted)
    assert found.verb == verb
    assert bool(found.changes) == (wanted.configuration != history[0].revision.configuration)


def test_what_runs_is_what_was_deployed_or_what_ecs_went_back_to():
    back = ServiceDeployment(
        "d/1", "ROLLBACK_SUCCESSFUL", "", minute(1), arn(2), arn(1), (), revision=ran(2), back=ran(1)
    )
    assert running_revision(service(1), [back]) == ran(1)
    assert running_revision(service(2), deployed(ran(1), ran(2))) == ran(2)
    assert running_revision(service(7), deployed(ran(1), ran(2))).task_definition == arn(7)


EDITS = (Edit("app", "secrets", "URL", "secret:::v2"),)


def reading(revision, reference, origin=None, status="ACTIVE"):
    container = Container("app", "image", secrets=(("URL", reference),))
    return TaskDefinition(arn(revision), status, START, (container,), arn(origin) if origin else None)


PLAIN, PINNED, OTHER = reading(1, "secret"), reading(3, "secret:::v2", 1), reading(4, "secret:::v1", 1)


@pytest.mark.parametrize(
    ("running", "target", "state", "verb", "deployed"),
    [
        (definition(2), PLAIN, "COMPLETED", "register", 1),
        (PLAIN, PLAIN, "COMPLETED", "register", 1),  # the same release, which reads the old version
        (PINNED, PLAIN, "COMPLETED", "nothing", 3),  # the same run goes on after its deployment
        (PINNED, PINNED, "COMPLETED", "nothing", 3),
        (PINNED, PLAIN, "IN_PROGRESS", "join", 3),
        (PINNED, PLAIN, "FAILED", "deploy", 3),
        (OTHER, PLAIN, "COMPLETED", "register", 1),  # another run's version
        (OTHER, OTHER, "COMPLETED", "register", 4),
    ],
)
def test_where_a_database_moves_only_a_copy_that_reads_its_version_counts(running, target, state, verb, deployed):
    number = int(running.arn.rpartition(":")[2])
    found = next_step(service(number, rollout_state=state), target, running, [], edits=EDITS)
    assert (found.verb, found.task_definition) == (verb, arn(deployed))
    assert found.edits == (EDITS if verb == "register" else ())


@pytest.mark.parametrize(("status", "verb"), [("ACTIVE", "deploy"), ("INACTIVE", "register")])
def test_what_pins_a_version_that_is_not_current_any_more_is_deployed_again_without(status, verb):
    target = reading(1, "secret", status=status)
    found = next_step(service(3), target, PINNED, [], superseded=True)
    assert (found.verb, found.task_definition) == (verb, arn(1))
    assert "is not the current one any more" in found.reason
    assert next_step(service(3), target, PINNED, []).verb == "nothing"
