# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks for everything that may use a database, wherever it is in this account and region."""

from __future__ import annotations

from ansible_collections.spymeo.rollback.plugins.module_utils._preflight.gateway import if_allowed
from ansible_collections.spymeo.rollback.plugins.module_utils._preflight.state import NotRead
from ansible_collections.spymeo.rollback.plugins.module_utils._references.find import Container
from ansible_collections.spymeo.rollback.plugins.module_utils._references.readers import (
    FUNCTION,
    SCHEDULE,
    SERVICE,
    Reader,
    unread,
    use_of,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._side_by_side import pool_of_calls, side_by_side


def short(arn):
    """The last part of an ARN."""
    return arn.rpartition("/")[2]


def readers_of(gateway, cluster, secret, ours):
    """The names of the services of a cluster that have tasks and read a secret, besides ``ours``.

    :param cluster: name or ARN.
    :param secret: everything that the secret may be called.
    """
    listed = [(name, arn) for name, arn, at_work in gateway.services(cluster) if name not in ours and at_work]
    definitions = _definitions(gateway, {arn for _name, arn in listed})
    uses = ((name, use_of(Reader(SERVICE, name, definitions[arn]), secret, "")) for name, arn in listed)
    return sorted(name for name, use in uses if use.follows or use.pinned)


def others(gateway, cluster, ours):
    """The Readers besides our own, and (kind, NotRead) of what could not be listed.

    :param gateway: ReferencesGateway.
    :param cluster: name or ARN of the cluster of ``ours``.
    :param ours: names of services that the run starts again.
    """
    clusters = if_allowed("ecs:ListClusters", gateway.clusters)
    if isinstance(clusters, NotRead):
        return unread(SERVICE, clusters)
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
    found = [Reader(kind, name, definitions[arn], kind == SERVICE and name in resting) for kind, name, arn in named]
    found += [
        Reader(FUNCTION, name, (Container(name, tuple(texts.items()), ()),)) for name, texts in _listed(functions)
    ]
    kinds = ((SERVICE, services), (SCHEDULE, rules), (SCHEDULE, schedules), (FUNCTION, functions))
    return found + [(kind, job.result()) for kind, job in kinds if isinstance(job.result(), NotRead)]


def _services(gateway, clusters):
    answers = side_by_side(lambda cluster: [(cluster, *item) for item in gateway.services(cluster)], clusters)
    return [item for answer in answers for item in answer]


def _rules(gateway, clusters):
    return [item for answer in side_by_side(gateway.rules, clusters) for item in answer]


def _listed(job):
    answer = job.result()
    return [] if isinstance(answer, NotRead) else answer


def _definitions(gateway, arns):
    """The Containers of each task definition (ARN)."""
    wanted = sorted(arns)
    read = side_by_side(lambda arn: tuple(Container.from_boto(item) for item in gateway.containers(arn)), wanted)
    return dict(zip(wanted, read))
