# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a verification was asked for: refused when it cannot be used, then turned into checks."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from functools import lru_cache

from ansible_collections.spymeo.rollback.plugins.module_utils._cloudwatch.gateway import CloudwatchGateway
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
    verdict_of_tasks,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._elb.gateway import ElbGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._errors import BadInput, RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._http.gateway import Session
from ansible_collections.spymeo.rollback.plugins.module_utils._http.run import go_through_all, taken
from ansible_collections.spymeo.rollback.plugins.module_utils._http.scenario import check_variables, read_scenarios
from ansible_collections.spymeo.rollback.plugins.module_utils._http.tell import (
    BASE_URL,
    NO_HTTP,
    NOT_A_URL,
    requests_of,
    told_all,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._iso_time import parse_time
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
from ansible_collections.spymeo.rollback.plugins.module_utils._verification.targets import verdict_of_all_targets
from ansible_collections.spymeo.rollback.plugins.module_utils._verification.traffic import verdict_of_traffic
from ansible_collections.spymeo.rollback.plugins.module_utils._verification.watch import Watch, verdict_of
from ansible_collections.spymeo.rollback.plugins.module_utils._verification.watching import Living, Watching


def _with_http(given):
    """The option ``http``; None where the application has none.

    :raises BadInput: there are scenarios all the same.
    """
    if not given or given["base_url"] != NO_HTTP:
        return given
    if given["scenarios"]:
        raise BadInput("base_url", NO_HTTP, "there are scenarios, which need a URL")
    return None


class Asked:
    """What the options of verify_application ask for.

    :param params: the module's options.
    :param now: aware datetime in UTC.
    :raises RollbackError: a scenario or an option cannot be used.
    """

    def __init__(self, params, now):
        self._http, self._tasks, self._e2e = _with_http(params["http"]), params["tasks"], params["e2e"]
        self._database, self._watch = params["database"], params["watch"]
        self._run_id, self._known = params["run_id"] or new_run_id(now), None
        self._logs = LogCheck.of(params["logs"], now) if params["logs"] else None
        self._settle = params["logs"]["settle"] if params["logs"] else 0
        self._scenarios = self._read_scenarios() if self._http else ()
        self.plan = requests_of(self._scenarios)
        self._harm = parse_time("baseline_until", params["logs"]["baseline_until"]) if params["logs"] else None
        self._pulse = self._read_watch() if self._watch else None
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

    def _read_watch(self):
        """The Step that asks for the health while the application is watched, or None."""
        asked = self._watch
        for name, least in (("seconds", 1), ("interval", 0.1)):
            if asked[name] < least:
                raise BadInput("watch: %s" % name, asked[name], "it is less than %s" % least)
        if asked["failures"] < 0:
            raise BadInput("watch: failures", asked["failures"], "it is below 0")
        self._since = parse_time("since", asked["since"])
        told = "%d s long, every %g s: " % (asked["seconds"], asked["interval"])
        if not (asked["health"] and self._http):
            self.plan += ["watch, %sthe tasks" % told] if self._tasks else []
            return None
        (scenario,) = read_scenarios([dict(name="watch", steps=[asked["health"]])], self._names, {})
        self.plan.append("watch, %s%s %s" % (told, scenario.steps[0].method, scenario.steps[0].path))
        return scenario.steps[0]

    @property
    def _names(self):
        return {*self._http["variables"], *self._http["secrets"], "run_id"}

    def _read_scenarios(self):
        if not BASE_URL.fullmatch(self._http["base_url"]):
            raise BadInput("base_url", self._http["base_url"], NOT_A_URL)
        check_variables(self._http["variables"])
        check_secrets(self._http["secrets"])
        return read_scenarios(self._http["scenarios"], self._names, self._http["lines"])

    def run(self, aws, measuring):
        """The checks, and the whole results by kind.

        :param aws: callable: the name of a service → its boto3 client. Called only here, because boto3 makes no clients side by side.
        :param measuring: see Verification.
        """
        parts, ecs, reader = {}, None, None
        if self._http:
            reader = SecretsGateway(aws("secretsmanager")) if self._http["secrets"] else None
            parts["send"] = lambda: self._send(reader)
        if self._tasks:
            ecs, elb = EcsGateway(aws("ecs"), self._tasks["cluster"]), ElbGateway(aws("elbv2"))
            judges = (
                (TASKS, "tasks", verdict_of_tasks),
                (TARGETS, "targets", lambda looks: verdict_of_all_targets(elb, looks, self._tasks["wait_timeout"])),
            )
            parts.update(
                look=lambda: self._look(ecs, elb), judges=judges, look_again=lambda looks: self._look_again(ecs, looks)
            )
            if self._watch and self._watch["metrics"]:
                # When it is called, nothing else is at work, so the client can be made then.
                parts["compare"] = lambda looks: self._compare(
                    elb, lru_cache(lambda: CloudwatchGateway(aws("cloudwatch"))), looks
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
        if self._watch and (self._pulse or ecs):
            parts["watch"] = lambda over: self._watch_it(reader, ecs, measuring, over)
        verification = Verification(measuring, **parts)
        return verification.run(), verification.details

    def _left(self, secrets):
        asked = self._database
        url = secrets.database_url(asked["database_secret"], asked["key"], asked["failed"]["versions"])
        return Leavers(url, asked["failed"], asked["timeout"]).wait()

    def _watch_it(self, reader, ecs, measuring, over):
        """(verdict, reason, evidence, what was seen in JSON types)."""
        watch = Watch(self._watch["seconds"], self._watch["interval"], self._watch["failures"])
        living = Living(ecs, self._tasks["services"], self._tasks["targets"]).look if ecs else None
        ask, services = self._asking(reader) if self._pulse else None, len(self._tasks["services"]) if ecs else 0
        watched = Watching(watch, ask, living, measuring, services=services).run(over)
        seen = dict(
            seconds=round(watched.seconds, 1), requests=watched.asked, failed=len(watched.failed), ended=watched.ended
        )
        return (*verdict_of(watch, watched), seen)

    def _asking(self, reader):
        """A callable that sends one health request and gives (verdict, reason). Each has a connection of its own, as a user's first has."""
        values, hidden = self._values(reader)

        def ask():
            outcome = taken(self._pulse, Session(self._http["base_url"], self._http["timeout"]), values, hidden)
            return outcome.verdict, outcome.reason

        return ask

    def _compare(self, elb, cloudwatch, looks):
        return verdict_of_traffic(elb, cloudwatch, looks, self._since, self._harm, datetime.now(timezone.utc))

    def _values(self, reader):
        """(what ``${name}`` stands for, the values of it that are hidden)."""
        if self._known is None:
            self._known = {**self._http["variables"], **read_secrets(reader, self._http["secrets"])}
        return {**self._known, "run_id": self._run_id}, list(self._known.values())

    def _send(self, reader):
        """(told scenarios, when the last request was sent)."""
        values, hidden = self._values(reader)
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
