# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks for everything that may use a database, wherever it is in this account and region."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

from ansible_collections.spymeo.rollback.plugins.module_utils._aws.preflight import if_allowed
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.readers import (
    FUNCTION,
    SCHEDULE,
    SERVICE,
    Reader,
    use_of,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.preflight import NotRead
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.task_definition import Container
from ansible_collections.spymeo.rollback.plugins.module_utils._io.concurrency import pool_of_calls, side_by_side

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.references import ReferencesGateway


T = TypeVar("T")


def short(arn: str) -> str:
    """The last part of an ARN."""
    return arn.rpartition("/")[2]


def readers_of(gateway: ReferencesGateway, cluster: str, secret: Collection[str], ours: Collection[str]) -> list[str]:
    """The names of the services of a cluster that have tasks and read a secret, besides ``ours``.

    :param cluster: name or ARN.
    :param secret: everything that the secret may be called.
    """
    listed = [(name, arn) for name, arn, at_work in gateway.services(cluster) if name not in ours and at_work]
    definitions = _definitions(gateway, {arn for _name, arn in listed})
    uses = ((name, use_of(_reader(SERVICE, name, definitions[arn], False), secret, "")) for name, arn in listed)
    return sorted(name for name, use in uses if use.follows or use.pinned)


def others(gateway: ReferencesGateway, cluster: str, ours: Collection[str]) -> list[Reader]:
    """The Readers besides our own; what could not be listed, or not be read, is one that is unread.

    :param cluster: name or ARN of the cluster of ``ours``.
    :param ours: names of services that the run starts again.
    """
    clusters = if_allowed("ecs:ListClusters", gateway.clusters)
    if isinstance(clusters, NotRead):
        return [Reader(SERVICE, "", unread=clusters)]
    with pool_of_calls() as pool:
        services = pool.submit(if_allowed, "ecs:ListServices, DescribeServices", _services, gateway, clusters)
        rules = pool.submit(if_allowed, "events:ListRuleNamesByTarget, ListTargetsByRule", _rules, gateway, clusters)
        schedules = pool.submit(if_allowed, "scheduler:ListSchedules, GetSchedule", gateway.schedules, clusters)
        functions = pool.submit(if_allowed, "lambda:ListFunctions", gateway.functions)
    listed = [
        item for item in _listed(services) if (short(item[0]), item[1]) not in {(short(cluster), name) for name in ours}
    ]
    resting = {"%s (%s)" % (name, short(where)) for where, name, _arn, at_work in listed if not at_work}
    named = [(SERVICE, "%s (%s)" % (name, short(where)), arn) for where, name, arn, _at_work in listed]
    named += [(SCHEDULE, name, arn) for name, arn in [*_listed(rules), *_listed(schedules)]]
    definitions = _definitions(gateway, {arn for _kind, _name, arn in named})
    found = [_reader(kind, name, definitions[arn], kind == SERVICE and name in resting) for kind, name, arn in named]
    found += [
        Reader(FUNCTION, name, (Container(name, "", tuple(texts.items()), ()),)) for name, texts in _listed(functions)
    ]
    kinds = ((SERVICE, services), (SCHEDULE, rules), (SCHEDULE, schedules), (FUNCTION, functions))
    answers = [(kind, job.result()) for kind, job in kinds]
    return found + [Reader(kind, "", unread=answer) for kind, answer in answers if isinstance(answer, NotRead)]


def _reader(kind: str, name: str, containers: tuple[Container, ...] | NotRead, at_rest: bool) -> Reader:
    """``containers``: the Containers of its task definition, or a NotRead."""
    if isinstance(containers, NotRead):
        return Reader(kind, name, unread=containers)
    return Reader(kind, name, containers, at_rest)


def _services(gateway: ReferencesGateway, clusters: list[str]) -> list[tuple[str, str, str, bool]]:
    answers = side_by_side(lambda cluster: [(cluster, *item) for item in gateway.services(cluster)], clusters)
    return [item for answer in answers for item in answer]


def _rules(gateway: ReferencesGateway, clusters: list[str]) -> list[tuple[str, str]]:
    return [item for answer in side_by_side(gateway.rules, clusters) for item in answer]


def _listed(job: Future[list[T] | NotRead]) -> list[T]:
    answer = job.result()
    return [] if isinstance(answer, NotRead) else answer


def _definitions(gateway: ReferencesGateway, arns: Iterable[str]) -> dict[str, tuple[Container, ...] | NotRead]:
    """The Containers of each task definition (ARN), or a NotRead: somebody else's is no reason to stop."""
    wanted = sorted(arns)
    return dict(zip(wanted, side_by_side(lambda arn: _containers(gateway, arn), wanted)))


def _containers(gateway: ReferencesGateway, arn: str) -> tuple[Container, ...] | NotRead:
    found = if_allowed("ecs:DescribeTaskDefinition", gateway.containers_if_there, arn)
    if isinstance(found, NotRead):
        return found
    if found is None:
        return NotRead("its task definition %s is not there any more" % short(arn), "Look yourself what it gets.")
    return tuple(Container.from_boto(item) for item in found)
