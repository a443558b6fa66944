# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deployments of several services side by side: start them all, then watch OURS until each is decided."""

from __future__ import annotations

from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.ready import all_of, judge
from ansible_collections.spymeo.rollback.plugins.module_utils._wait import wait_for


class Rollout:
    """``decided`` is a list of (Service, TaskDefinition, Step)."""

    def __init__(self, gateway, decided, clock):
        self._gateway = gateway
        self._targets = {service.name: target.arn for service, target, step in decided if step.verb != "nothing"}
        self._starts = [
            (service.name, target.arn, step.force) for service, target, step in decided if step.verb == "deploy"
        ]
        self._clock = clock
        self._before = {}
        self._ours = {}

    def start(self):
        """Start every deployment that has to be started; remember which deployments were there before."""
        for name, target, force in self._starts:
            self._before[name] = {item.arn for item in self._gateway.history(name)}
            self._gateway.deploy(name, target, force)

    def wait(self, timeout):
        """Return when every service runs its target.

        :param timeout: seconds.
        :raises RollbackError: a deployment failed or is not done in time; the evidence tells which and why.
        """
        if self._targets:
            wait_for("The deployment", self._look, timeout, self._clock, self._evidence)

    def _look(self):
        for name in set(self._targets) - set(self._ours):
            self._find(name)
        if self._ours:
            now = self._gateway.deployments([item.arn for item in self._ours.values()])
            self._ours = {name: next(seen for seen in now if seen.arn == item.arn) for name, item in self._ours.items()}
        services = self._gateway.services(sorted(self._targets))
        return all_of(
            [judge(service, self._ours.get(service.name), self._targets[service.name]) for service in services]
        )

    def _find(self, name):
        """Ours is the newest deployment of our target that was not there before; one that we joined is simply the newest."""
        before = self._before.get(name, ())
        for item in self._gateway.history(name):
            if item.arn not in before and item.task_definition == self._targets[name]:
                self._ours[name] = item
                return

    def _evidence(self):
        return [
            "%s: %s" % (name, line)
            for name, item in sorted(self._ours.items())
            for line in self._gateway.evidence(name, self._targets[name], item.created_at)
        ]
