# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a deployment of ours has succeeded, when it has failed, and when it is still on its way. Pure."""

from __future__ import annotations

from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.decide import short
from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.state import ENDED_BY_ROLLBACK
from ansible_collections.spymeo.rollback.plugins.module_utils._readiness import Failed, Pending, Ready


def judge(service, deployment, target):
    """How far OUR deployment is. A steady service proves nothing: it is steady after a breaker rollback, too.

    :param service: Service, observed now.
    :param deployment: our ServiceDeployment, or None while AWS does not list it yet.
    :param target: ARN of the task definition that we asked for.
    """
    if deployment is None:
        return Pending(0, service.desired, "%s: the deployment of %s is not listed yet" % (service.name, short(target)))
    if deployment.status in ENDED_BY_ROLLBACK:
        return Failed(
            "ECS gave up %s on %s and rolled back (%s: %s)"
            % (short(target), service.name, deployment.status, deployment.reason)
        )
    if deployment.status in ("STOPPED", "STOP_REQUESTED"):
        return Failed(
            "the deployment of %s to %s was stopped by somebody else (%s)"
            % (short(target), service.name, deployment.reason)
        )
    if deployment.status != "SUCCESSFUL":
        return _pending(service, target)
    if deployment.task_definition != target:
        return Failed(
            "%s now deploys %s, not %s: somebody else deployed at the same time"
            % (service.name, short(deployment.task_definition), short(target))
        )
    return _proven(service, target)


def _proven(service, target):
    primary = service.primary
    if primary is None or primary.task_definition != target:
        return Failed(
            "%s succeeded, but %s was deployed to %s since"
            % (short(target), short(service.task_definition), service.name)
        )
    if len(service.deployments) > 1 or primary.running != service.desired or not primary.running:
        return _pending(service, target)
    return Ready("%s: %d of %d tasks run %s" % (service.name, primary.running, service.desired, short(target)))


def _pending(service, target):
    running = sum(item.running for item in service.deployments if item.task_definition == target)
    failed = sum(item.failed_tasks for item in service.deployments if item.task_definition == target)
    return Pending(
        running,
        service.desired,
        "%s: %d of %d tasks run %s, %d failed" % (service.name, running, service.desired, short(target), failed),
    )


def all_of(answers):
    """One answer for several services: it fails only when all are decided, so that one failure does not hide another."""
    waiting = [answer for answer in answers if isinstance(answer, Pending)]
    if waiting:
        return Pending(
            sum(a.done for a in waiting), sum(a.total for a in waiting), "; ".join(a.detail for a in waiting)
        )
    failed = [answer.reason for answer in answers if isinstance(answer, Failed)]
    return Failed("; ".join(failed)) if failed else Ready("; ".join(answer.detail for answer in answers))
