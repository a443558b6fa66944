# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a run has deployed anything with the instance that it has restored: where that cannot be read, nobody knows it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.deployment_history import History
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.lineage import never_deployed
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.database import runs_deployed, staged_instances
from botocore.exceptions import ClientError

SINCE = datetime.now(UTC) - timedelta(days=1)


def deployment(number, hours):
    return SimpleNamespace(task_definition="app:%d" % number, created_at=SINCE + timedelta(hours=hours))


class Ecs:
    """The two readings of an EcsGateway. ``runs``: task definition → run."""

    def __init__(self, past, runs, whole=True, refuse=()):
        self.past, self.runs, self.whole, self.refuse = past, runs, whole, refuse

    def _may(self, action):
        if action in self.refuse:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, action)

    def histories(self, services, enough):
        self._may("ListServiceDeployments")
        history = History(sorted(self.past, key=lambda item: item.created_at, reverse=True))
        history.whole = self.whole
        if not self.whole:
            enough("app", history)
        return dict.fromkeys(services, history)

    def there(self, arns):
        self._may("DescribeTaskDefinition")
        return {arn: SimpleNamespace(run_id=self.runs[arn]) for arn in arns if arn in self.runs}


PAST = [deployment(1, -500), deployment(2, -1.5), deployment(3, 2)]
RUNS = {"app:1": "", "app:2": "", "app:3": "rb-later"}


@pytest.mark.parametrize(
    ("past", "runs", "more", "known"),
    [
        (PAST, RUNS, {}, {"rb-later"}),
        # the clock that wrote down when the instance went into service may be ahead of ECS's
        ([deployment(4, -0.5)], {"app:4": "rb-ready"}, {}, {"rb-ready"}),
        (PAST, RUNS, {"whole": False}, {"rb-later"}),  # it goes back far enough
        (PAST[1:][1:], RUNS, {"whole": False}, None),  # it does not
        ([], RUNS, {"whole": False}, None),
        (PAST, {"app:1": ""}, {}, None),  # a task definition was deleted, so whose it was nobody knows
        (PAST, RUNS, {"refuse": ["ListServiceDeployments"]}, None),
        (PAST, RUNS, {"refuse": ["DescribeTaskDefinition"]}, None),
    ],
)
def test_which_runs_have_deployed_something(past, runs, more, known):
    found = runs_deployed(Ecs(past, runs, **more), ["app"], SINCE)
    assert found == known


def test_without_services_and_beyond_what_ecs_remembers_nobody_knows():
    assert runs_deployed(Ecs(PAST, RUNS), [], SINCE) is None
    assert runs_deployed(Ecs(PAST, RUNS), ["app"], SINCE - timedelta(days=100)) is None


class Instance(SimpleNamespace):
    """What is asked of a DbInstance."""


READY = Instance(name="ready", run_id="rb-ready", host="ready.rds", served=(SimpleNamespace(since=SINCE, until=None),))


@pytest.mark.parametrize(
    ("deployed", "staged"),
    [
        (lambda since: {"rb-later"}, {"ready"}),
        (lambda since: set(), {"ready"}),
        (lambda since: {"rb-ready"}, set()),
        (lambda since: None, set()),
        (None, set()),
    ],
)
def test_an_instance_is_called_never_in_service_only_where_that_is_known(deployed, staged):
    assert staged_instances([READY], ["ready"], "db.rds", deployed) == staged
    assert staged_instances([READY], ["another-applications"], "db.rds", deployed) == set()
    assert never_deployed([READY], ["rb-ready"]) == set()


def test_ecs_is_asked_nothing_where_no_instance_is_in_doubt():
    def ask(since):
        raise AssertionError("a call for nothing")

    assert staged_instances([READY], ["ready"], "ready.rds", ask) == set()
