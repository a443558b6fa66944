# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What AWS's record of deployments costs to read: of a service with 1,800 of them, as many calls as the answer needs."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import hypothesis.strategies as st
import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.deployment_history import MOST
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ecs import EcsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import (
    BadInput,
    RollbackError,
    UnexpectedAnswer,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.next_step import short
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.release_points import ReleasePoint
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.releases import choose_release, named_release
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.service_record import read_service_records
from botocore.exceptions import ClientError
from hypothesis import example, given, settings

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
PREFIX = "arn:aws:ecs:eu-west-3:123456789012"
AT_MOST = 60  # calls for 1,800 deployments (issue 17)


class Ecs:
    """ECS with a long history, which counts what it is asked.

    :param deployments: how many, one an hour.
    :param image: number of a deployment (0 is the oldest) → number of its image.
    :param outcome: number → status.
    :param gone: numbers of task definitions that were deleted.
    :param dying: numbers of task definitions whose deletion is in progress. ``inactive``: of those that were deregistered.
    :param copies: number of a task definition → number of what it is a copy of.
    """

    def __init__(
        self,
        deployments,
        image=lambda number: number,
        outcome=lambda number: "SUCCESSFUL",
        gone=(),
        copies=None,
        dying=(),
        inactive=(),
    ):
        self.calls, self._count, self._image, self._outcome, self._gone = Counter(), deployments, image, outcome, gone
        self._copies = copies or {}
        self._status = {**dict.fromkeys(inactive, "INACTIVE"), **dict.fromkeys(dying, "DELETE_IN_PROGRESS")}
        events = SimpleNamespace(register=lambda *_arguments: None)
        self.meta = SimpleNamespace(events=events, region_name="eu-west-3")

    def _at(self, number):
        return NOW - timedelta(hours=self._count - number)

    def _brief(self, number):
        return {
            "serviceDeploymentArn": f"{PREFIX}:service-deployment/production/app/{number}",
            "targetServiceRevisionArn": f"{PREFIX}:service-revision/production/app/{number}",
            "createdAt": self._at(number),
            "finishedAt": self._at(number) + timedelta(minutes=1),
            "status": self._outcome(number),
        }

    def list_service_deployments(self, cluster, service, maxResults=20, nextToken="0", **_filters):  # noqa: N803 - names of parameters are botocore\'s
        """Newest first, as AWS does; at most 100 a page."""
        self.calls["ListServiceDeployments"] += 1
        assert (cluster, service, maxResults <= 100) == ("production", "app", True)
        first = int(nextToken)
        numbers = range(self._count - 1 - first, max(-1, self._count - 1 - first - maxResults), -1)
        more = first + maxResults < self._count
        return {
            "serviceDeployments": [self._brief(number) for number in numbers],
            **({"nextToken": str(first + maxResults)} if more else {}),
        }

    def describe_service_deployments(self, serviceDeploymentArns):  # noqa: N803 - names of parameters are botocore\'s
        """At most 20."""
        self.calls["DescribeServiceDeployments"] += 1
        assert len(serviceDeploymentArns) <= 20
        numbers = [int(arn.rpartition("/")[2]) for arn in serviceDeploymentArns]
        told = []
        for number in numbers:
            brief = self._brief(number)
            source = [{"arn": f"{PREFIX}:service-revision/production/app/{number - 1}"}] if number else []
            back = (
                {"rollback": {"serviceRevisionArn": source[0]["arn"]}} if brief["status"].startswith("ROLLBACK") else {}
            )
            target = {"arn": brief.pop("targetServiceRevisionArn")}
            told.append({**brief, **back, "targetServiceRevision": target, "sourceServiceRevisions": source})
        return {"serviceDeployments": told}

    def describe_service_revisions(self, serviceRevisionArns):  # noqa: N803 - names of parameters are botocore\'s
        """At most 20."""
        self.calls["DescribeServiceRevisions"] += 1
        assert len(serviceRevisionArns) <= 20
        numbers = [int(arn.rpartition("/")[2]) for arn in serviceRevisionArns]
        return {
            "serviceRevisions": [
                {
                    "serviceRevisionArn": f"{PREFIX}:service-revision/production/app/{number}",
                    "taskDefinition": f"{PREFIX}:task-definition/app:{number + 1}",
                    "createdAt": self._at(number),
                    "containerImages": [
                        {
                            "containerName": "app",
                            "image": f"app:{number}",
                            "imageDigest": f"sha256:{self._image(number)}",
                        }
                    ],
                }
                for number in numbers
            ]
        }

    def describe_task_definition(self, taskDefinition, include):  # noqa: N803 - names of parameters are botocore\'s
        """One at a time."""
        self.calls["DescribeTaskDefinition"] += 1
        number = int(taskDefinition.rpartition(":")[2])
        if number in self._gone:
            raise ClientError(
                {"Error": {"Code": "ClientException", "Message": "Unable to describe task definition."}}, "x"
            )
        told = {
            "taskDefinitionArn": f"{PREFIX}:task-definition/app:{number}",
            "status": self._status.get(number, "ACTIVE"),
            "registeredAt": self._at(number - 1) - timedelta(minutes=5),
            "family": "app",
            "revision": number,
            "containerDefinitions": [{"name": "app", "image": f"app:{number}"}],
        }
        origin = self._copies.get(number)
        tags = [{"key": "spymeo:rollback-origin", "value": f"{PREFIX}:task-definition/app:{origin}"}] if origin else []
        return {"taskDefinition": told, "tags": tags}

    def list_task_definitions(self, **_asked):
        """None."""
        return {"taskDefinitionArns": []}

    def service(self):
        """The Service, on the newest revision."""
        arn, at = f"{PREFIX}:task-definition/app:{self._count}", self._at(self._count - 1)
        primary = SimpleNamespace(status="PRIMARY", task_definition=arn, created_at=at, rollout_state="COMPLETED")
        return SimpleNamespace(name="app", task_definition=arn, deployments=(primary,), primary=primary)


def answer(ecs, named=None):
    """The ReleaseSelection."""
    gateway = EcsGateway(ecs, "production")
    (looked,) = read_service_records(gateway, [ecs.service()], {"app": named} if named else None, now=NOW)
    return choose_release(gateway, looked, named_release(gateway, looked, named), None)


@pytest.mark.parametrize(
    ("ecs", "target", "most"),
    [
        (Ecs(1800), 1799, 20),  # each deployment a release of its own
        (Ecs(1800, image=lambda number: number // 150), 1650, 30),  # the bad one was deployed 150 times
        (Ecs(1800, image=lambda number: number // 450), 1350, AT_MOST),  # 450 times
        (Ecs(1800, outcome=lambda number: "STOPPED" if number > 1300 else "SUCCESSFUL"), 1301, AT_MOST),
        (Ecs(1800, outcome=lambda number: "SUCCESSFUL" if number % 2 else "ROLLBACK_SUCCESSFUL"), 1798, 25),
        (Ecs(1800, gone=range(1760, 1800)), 1759, AT_MOST),
        (Ecs(3), 2, 10),
    ],
)
def test_a_long_history_costs_what_the_answer_needs(ecs, target, most):
    assert short(answer(ecs).target.arn) == f"app:{target}"
    assert ecs.calls.total() <= most, ecs.calls


def test_a_release_that_is_named_is_looked_for_as_far_back_as_it_takes():
    ecs = Ecs(1800)
    assert short(answer(ecs, "app:1420").target.arn) == "app:1420"
    assert ecs.calls.total() <= AT_MOST, ecs.calls


def test_a_service_revision_can_be_named_and_that_of_another_service_cannot():
    ecs = Ecs(1800)
    named = f"{PREFIX}:service-revision/production/app/3"
    chosen = answer(ecs, named)
    assert (chosen.revision.arn, short(chosen.target.arn)) == (named, "app:4")
    with pytest.raises(BadInput, match="of another service than app"):
        answer(Ecs(3), named.replace("/app/", "/worker/"))


def test_where_what_is_bad_has_the_images_of_what_is_named_the_good_time_ends_with_it():
    ecs = Ecs(3, image=lambda number: min(number, 1))
    told = answer(ecs, f"{PREFIX}:service-revision/production/app/1").to_result()
    deployed = [ecs._at(number) for number in range(3)]
    assert told["bad_since"] == deployed[2].isoformat()
    assert told["began"] == (deployed[2] - timedelta(minutes=5)).isoformat()  # when it was registered
    ((since, until),) = told["served"]
    assert deployed[1].isoformat() <= since < until == deployed[2].isoformat()


def test_a_copy_of_what_is_named_is_not_what_went_bad():
    ecs = Ecs(4, image=lambda number: min(number, 1), copies={3: 2})
    told = answer(ecs, f"{PREFIX}:service-revision/production/app/1").to_result()
    assert told["bad_since"] == ecs._at(3).isoformat()


def test_a_release_point_that_is_named_brings_its_task_definition_back_and_one_that_is_not_brings_images():
    ecs = Ecs(3, image=lambda number: min(number, 1))
    gateway = EcsGateway(ecs, "production")
    (looked,) = read_service_records(gateway, [ecs.service()], now=NOW)
    arn = f"{PREFIX}:task-definition/app:2"
    recorded = {"app": {"release": arn, "task_definition": arn, "digest": {"app": "sha256:1"}}}
    point = ReleasePoint.from_record({"id": "cp-a", "created": NOW.isoformat(), "services": recorded})
    chosen = choose_release(gateway, looked, None, point, insisted=True)
    assert (chosen.target.arn, chosen.choice.bad_since) == (arn, ecs._at(2))
    assert choose_release(gateway, looked, None, point).stays


def offers(ecs, named=None):
    """Each value of rollback_task_definition that a plan, or its refusal, offers; what it goes to comes first."""
    try:
        chosen = answer(ecs, named)
    except BadInput as error:
        return OPTION.findall(error.message)
    except RollbackError as error:
        return OPTION.findall("\n".join([error.message, *error.evidence]))
    told = chosen.to_result()
    lines = [told["reason"], *told["notes"], *(item["told"] for item in told["next"])]
    return [short(chosen.target.arn), *OPTION.findall("\n".join(lines))]


OPTION = re.compile(r"-e rollback_task_definition=(\S+)")
STATUSES = ("SUCCESSFUL", "SUCCESSFUL", "SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL")


@given(
    images=st.lists(st.integers(1, 4), min_size=2, max_size=12),
    outcomes=st.lists(st.sampled_from(STATUSES), min_size=12, max_size=12),
    lost=st.dictionaries(st.integers(1, 12), st.sampled_from(["gone", "dying", "inactive"])),
    named=st.none() | st.integers(1, 4).map(lambda image: f"sha256:{image}"),
)
@example(  # what runs is not what the record ends with, and a refusal lists more than a plan does
    images=[1, 1, 1, 1, 1, 3, 1, 1, 2, 2, 2, 1],
    outcomes=["SUCCESSFUL"] * 11 + ["ROLLBACK_SUCCESSFUL"],
    lost={1: "gone", 6: "gone"},
    named=None,
)
@settings(max_examples=150, deadline=None)
def test_nothing_is_offered_that_was_deleted(images, outcomes, lost, named):
    lost.pop(len(images), None)  # what runs is there
    of = {how: [number for number in lost if lost[number] == how] for how in ("gone", "dying", "inactive")}
    ecs = Ecs(
        len(images),
        image=lambda number: images[number],
        outcome=lambda number: outcomes[number] if number else "SUCCESSFUL",
        **of,
    )
    try:
        offered = offers(ecs, named)
    except UnexpectedAnswer:
        return
    for value in offered if named is None else offered[1:]:
        number = value.rpartition(":")[2]
        if value.startswith("app:"):
            assert int(number) not in (*of["gone"], *of["dying"]), value


def test_what_is_inactive_is_offered_because_it_is_registered_again():
    ecs = Ecs(3, inactive=[1, 2])
    assert offers(ecs) == ["app:2", "app:1"]
    assert short(answer(Ecs(3, inactive=[1, 2]), "app:1").target.arn) == "app:1"
    assert offers(Ecs(4, inactive=[1], gone=[2], dying=[3])) == ["app:1"]


def test_where_the_same_release_was_started_again_and_again_it_ends_and_says_so():
    ecs = Ecs(1800, image=lambda _number: 1)
    with pytest.raises(RollbackError, match="nothing older than app:1800 has served"):
        answer(ecs)
    assert ecs.calls.total() <= AT_MOST, ecs.calls
    assert ecs.calls["ListServiceDeployments"] == MOST // 100


def test_looking_again_reads_the_newest_only_and_describes_what_is_new_only():
    ecs = Ecs(1800)
    gateway = EcsGateway(ecs, "production")
    gateway.histories(["app"])
    ecs.calls.clear()
    for _look in range(10):
        gateway.histories(["app"], most=20)
    assert ecs.calls == {"ListServiceDeployments": 10}


def test_a_revision_that_aws_leaves_out_is_an_error():
    ecs = Ecs(2)
    ecs.describe_service_revisions = lambda **_asked: {"serviceRevisions": []}
    with pytest.raises(UnexpectedAnswer, match="it left out"):
        EcsGateway(ecs, "production").histories(["app"])
