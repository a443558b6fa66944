# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a service runs and what ran before. Histories are written as a person would tell them: "1 ok, 2 ok"."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import (
    Deployment,
    Service,
    ServiceDeployment,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.fence import Fence
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.task_definition import (
    Container,
    TaskDefinition,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.service_past import service_seen
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.releases import choose_release
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.service_record import read_service_records

START = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
ARN = "arn:aws:ecs:eu-west-3:123456789012:task-definition/app:"
STATUS = {"ok": "SUCCESSFUL", "stopped": "STOPPED", "running": "IN_PROGRESS"}


def minute(number):
    return START + timedelta(minutes=number)


class Gateway:
    """What EcsGateway reads, of a story; each deployment takes half a minute."""

    def __init__(self, story, copies=None):
        self._copies, self._history = copies or {}, []
        for place, part in enumerate(story.split(", ")):
            revision, outcome = part.split()
            back = outcome.partition("back-to-")[2]
            self._history.append(
                ServiceDeployment(
                    arn=f"deployment/{place}",
                    status="ROLLBACK_SUCCESSFUL" if back else STATUS[outcome],
                    reason="tasks failed to start" if back else "",
                    created_at=minute(place),
                    task_definition=ARN + revision,
                    brought_back=ARN + back if back else None,
                    finished_at=minute(place) + timedelta(seconds=30),
                )
            )

    def histories(self, services, _enough=None):
        return dict.fromkeys(services, self._history[::-1])

    def task_definition(self, arn):
        origin = self._copies.get(arn.rpartition(":")[2])
        return TaskDefinition(
            arn, "ACTIVE", START - timedelta(days=1), (Container("app", "app:1"),), origin and ARN + origin
        )

    def there(self, arns):
        return {arn: self.task_definition(arn) for arn in arns}


def chosen(gateway, service):
    return choose_release(gateway, read_service_records(gateway, [service])[0], None)


def seen(story, release, copies=None, **changes):
    primary = Deployment("PRIMARY", ARN + release, minute(9), 2, 2, changes.pop("failed", 0), "COMPLETED")
    told = {
        "desired": 2,
        "running": 2,
        "pending": 0,
        "events": ((minute(1), "steady"), (minute(0), "started")),
        **changes,
    }
    service = Service("app", "ACTIVE", "ECS", ARN + release, deployments=(primary,), **told)
    return service_seen(chosen(Gateway(story, copies), service), "")


def test_a_new_release_came_after_one_that_was_proven():
    found = seen("1 ok, 2 ok", "2", failed=3)
    assert (found.release, found.before, found.brought_back) == ("app:2", "app:1", False)
    assert (found.came, found.proven) == (minute(1), minute(0) + timedelta(seconds=30))
    assert found.failed_tasks == 3
    assert found.events == ("steady", "started")
    assert [item.release for item in found.deployments] == ["app:2", "app:1"]


def test_what_was_brought_back_is_as_old_as_it_is_and_tells_what_was_given_up():
    for story in ("1 ok, 2 ok, 1 ok", "1 ok, 2 back-to-1"):
        found = seen(story, "1")
        assert (found.brought_back, found.gone, found.came) == (True, ("app:2",), minute(0))
        assert found.proven == minute(0) + timedelta(seconds=30)  # what came to the database later is not its own


def test_a_rollback_by_ecs_proves_the_release_that_it_brought_back():
    assert seen("1 ok, 2 back-to-1, 3 ok", "3").proven == minute(1) + timedelta(seconds=30)
    assert seen("1 ok, 2 stopped, 3 ok", "3").proven == minute(0) + timedelta(seconds=30)


def test_a_release_that_was_only_started_again_is_not_new():
    assert seen("1 ok, 2 ok, 2 ok", "2").came == minute(1)


def test_what_is_being_deployed_is_what_runs():
    assert seen("1 ok, 2 running", "2").release == "app:2"


def test_a_copy_of_a_release_is_that_release():
    found = seen("1 ok, 2 ok, 3 ok", "3", copies={"3": "1"})
    assert (found.brought_back, found.came) == (True, minute(0))


def test_a_fence_is_told_while_it_stands():
    fence = Fence("rb-1", 2, None)
    assert seen("1 ok, 2 ok", "2", desired=0, running=0, fence=fence).fenced_by == "rb-1"
    assert seen("1 ok, 2 ok", "2", fence=fence).fenced_by == ""


def test_where_no_release_can_be_chosen_the_reason_is_told():
    gateway = Gateway("1 ok, 2 ok")
    service = Service("app", "ACTIVE", "ECS", ARN + "2", 2, 2, (), ())
    found = service_seen(chosen(gateway, service), "nothing older than app:2 has served")
    assert (found.before, found.before_reason, found.brought_back) == ("", "nothing older than app:2 has served", False)
