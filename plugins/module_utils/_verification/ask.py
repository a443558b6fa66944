# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a verification was asked for: refused when it cannot be used, then turned into checks."""

from __future__ import annotations

import os

from ansible_collections.spymeo.rollback.plugins.module_utils._e2e.check import (
    CURE,
    PURPOSE,
    as_task,
    on_controller,
    output_path,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._e2e.decide import CONTROLLER, TASK, problems
from ansible_collections.spymeo.rollback.plugins.module_utils._e2e.output import Output
from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.gateway import EcsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.looking import look_until_decided
from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.serving import (
    changed_since,
    verdict_of_changes,
    verdict_of_targets,
    verdict_of_tasks,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._elb.gateway import ElbGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._errors import BadInput, RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._http.gateway import Session
from ansible_collections.spymeo.rollback.plugins.module_utils._http.run import go_through_all
from ansible_collections.spymeo.rollback.plugins.module_utils._http.scenario import check_variables, read_scenarios
from ansible_collections.spymeo.rollback.plugins.module_utils._http.tell import BASE_URL, requests_of, told_all
from ansible_collections.spymeo.rollback.plugins.module_utils._logs.check import LogCheck
from ansible_collections.spymeo.rollback.plugins.module_utils._logs.gateway import LogsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._one_off.gateway import OneOffGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._progress import teller
from ansible_collections.spymeo.rollback.plugins.module_utils._run.identity import new_run_id
from ansible_collections.spymeo.rollback.plugins.module_utils._secrets.gateway import SecretsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._verification.credentials import (
    check_secrets,
    read_secrets,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._verification.data import verdict_of_data
from ansible_collections.spymeo.rollback.plugins.module_utils._verification.left import Leavers
from ansible_collections.spymeo.rollback.plugins.module_utils._verification.run import TARGETS, TASKS, Verification

JUDGES = ((TASKS, "tasks", verdict_of_tasks), (TARGETS, "targets", verdict_of_targets))


class Asked:
    """What the options of verify_application ask for.

    :param params: the module's options.
    :param now: aware datetime in UTC.
    :raises RollbackError: a scenario or an option cannot be used.
    """

    def __init__(self, params, now):
        self._http, self._tasks, self._e2e = params["http"], params["tasks"], params["e2e"]
        self._database = params["database"]
        self._run_id = params["run_id"] or new_run_id(now)
        self._logs = LogCheck.of(params["logs"], now) if params["logs"] else None
        self._settle = params["logs"]["settle"] if params["logs"] else 0
        self._scenarios = self._read_scenarios() if self._http else ()
        self.plan = requests_of(self._scenarios)
        if self._e2e:
            self._refuse_wrong_tests()
            self.plan.append("end-to-end tests: %s" % self._e2e["command"])

    def _refuse_wrong_tests(self):
        if self._e2e["runs_on"] == TASK and not self._tasks:
            raise BadInput("e2e_runs_on", TASK, "there is no service whose network the tests could run on")
        check_variables(self._e2e["environment"], shortest=0)
        check_variables(self._e2e["secret_environment"])
        found = problems(self._e2e, os.path.isdir)
        if found:
            raise RollbackError("The end-to-end tests cannot be run. No request was sent.", found)

    def _read_scenarios(self):
        if not BASE_URL.fullmatch(self._http["base_url"]):
            raise BadInput("base_url", self._http["base_url"], "it is not an http or https URL without user and path")
        check_variables(self._http["variables"])
        check_secrets(self._http["secrets"])
        names = {*self._http["variables"], *self._http["secrets"], "run_id"}
        return read_scenarios(self._http["scenarios"], names, self._http["lines"])

    def run(self, aws, measuring):
        """The checks, and the whole results by kind.

        :param aws: callable: the name of a service → its boto3 client. Called only here, because boto3 makes no clients side by side.
        :param measuring: see Verification.
        """
        parts = {}
        if self._http:
            reader = SecretsGateway(aws("secretsmanager")) if self._http["secrets"] else None
            parts["send"] = lambda: self._send(reader)
        if self._tasks:
            ecs, elb = EcsGateway(aws("ecs"), self._tasks["cluster"]), ElbGateway(aws("elbv2"))
            parts.update(
                look=lambda: self._look(ecs, elb), judges=JUDGES, look_again=lambda looks: self._look_again(ecs, looks)
            )
        if self._logs:
            logs = LogsGateway(aws("logs"))
            parts["read_logs"] = lambda looks, last: self._read_logs(ecs, logs, looks, last)
        if self._e2e:
            runs = {CONTROLLER: self._test_here, TASK: self._test_as_task}
            clients = (aws("ecs"), aws("logs")) if self._e2e["runs_on"] == TASK else ()
            parts["test"] = lambda: runs[self._e2e["runs_on"]](*clients)
        if self._database:
            database = SecretsGateway(aws("secretsmanager"))
            if self._database["expected"] is not None or self._database["data_rules"]:
                parts["ask"] = lambda: verdict_of_data(database, self._database)
            if self._database["failed"]:
                parts["leavers"] = lambda: self._left(database)
        verification = Verification(measuring, **parts)
        return verification.run(), verification.details

    def _left(self, secrets):
        asked = self._database
        url = secrets.database_url(asked["database_secret"], asked["key"], asked["failed"]["versions"])
        return Leavers(url, asked["failed"], asked["timeout"]).wait()

    def _send(self, reader):
        """(told scenarios, when the last request was sent)."""
        values = {**self._http["variables"], **read_secrets(reader, self._http["secrets"])}
        hidden = list(values.values())
        values["run_id"] = self._run_id
        outcomes = go_through_all(
            self._scenarios, lambda: Session(self._http["base_url"], self._http["timeout"]), values, hidden
        )
        sent = [outcome.sent for of_one in outcomes for outcome in of_one if outcome.sent]
        return told_all(self._scenarios, outcomes), max(sent, default=None)

    def _look(self, ecs, elb):
        asked = self._tasks
        return look_until_decided(
            ecs, asked["services"], elb, asked["targets"], asked["wait_timeout"], tell=teller("verification")
        )

    def _look_again(self, ecs, looks):
        now = {service.name: service for service in ecs.services(self._tasks["services"])}
        return verdict_of_changes([changed_since(seen, now[seen.service.name]) for seen in looks])

    def _read_logs(self, ecs, logs, looks, last):
        logs.refuse_missing_groups(self._logs.log_groups)
        return self._logs.run(ecs, logs, looks, requests=(last, self._settle) if last else None)

    def _test_here(self):
        return on_controller(self._e2e, self._environment(), self._output())

    def _test_as_task(self, ecs, logs):
        cluster, service = self._tasks["cluster"], self._tasks["services"][0]
        gateway = OneOffGateway(ecs, logs, cluster, PURPOSE, CURE)
        services = EcsGateway(ecs, cluster)
        definition = services.task_definition(
            self._e2e["task_definition"] or services.services([service])[0].task_definition
        )
        wanted = self._e2e["container"] or definition.containers[0].name
        container = next((item for item in definition.containers if item.name == wanted), None)
        if container is None:
            raise RollbackError(
                "Task definition %s has no container %s (rollback_e2e_container)." % (definition.arn, wanted)
            )
        placement = gateway.placement(service)
        return as_task(
            self._e2e, self._environment(), self._output(), gateway, container, definition.arn, placement, self._run_id
        )

    def _environment(self):
        base_url = {"BASE_URL": self._http["base_url"]} if self._http else {}
        own = {**self._e2e["environment"], **self._e2e["secret_environment"]}
        return {**base_url, "ROLLBACK_RUN_ID": self._run_id, **own}

    def _output(self):
        hidden = [*self._e2e["secret_environment"].values(), *(self._http or {}).get("variables", {}).values()]
        return Output(output_path(self._e2e["directory"], self._run_id), hidden)
