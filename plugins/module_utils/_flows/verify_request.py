# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a verification was asked for: refused when it cannot be used, then turned into checks."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._aws.cloudwatch import CloudwatchGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ecs import EcsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ecs_tasks import OneOffGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.elbv2 import ElbGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.logs import LogsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.secretsmanager import SecretsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput, RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.names import new_run_id
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.service_health import (
    ServiceObservation,
    changed_since,
    verdict_of_changes,
    verdict_of_tasks,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.times import parse_time
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import INCONCLUSIVE
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.e2e import CONTROLLER, TASK, e2e_problems
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.scenario import (
    check_variables,
    read_scenarios,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.scenario_result import (
    BASE_URL,
    NO_HTTP,
    NOT_A_URL,
    requests_of,
    scenario_results,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.summary import TARGETS, TASKS
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.watch import Watch, verdict_of
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.credentials import (
    check_secrets,
    read_secrets,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.data_check import verdict_of_data
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.e2e import (
    CURE,
    PURPOSE,
    as_task,
    on_controller,
    output_path,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.left_sessions import Leavers
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.log_check import LogCheck
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.scenario import go_through_all, taken
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.services import look_until_decided
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.targets import verdict_of_all_targets
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.traffic import verdict_of_traffic
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.verify import (
    Check,
    Judged,
    Measuring,
    Verification,
    WatchSeen,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.watch import Living, Watching
from ansible_collections.spymeo.rollback.plugins.module_utils._io.command_output import Output
from ansible_collections.spymeo.rollback.plugins.module_utils._io.http import ScenarioSession
from ansible_collections.spymeo.rollback.plugins.module_utils._io.progress import teller

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.http import Scenario, ScenarioStep


Options = Mapping[str, Any]  # of one option of the module


def _with_http(given: Options | None) -> Options | None:
    """The option ``http``; None where the application has none.

    :raises BadInput: there are scenarios all the same.
    """
    if not given or given["base_url"] != NO_HTTP:
        return given
    if given["scenarios"]:
        raise BadInput("base_url", NO_HTTP, "there are scenarios, which need a URL")
    return None


def _names(http: Options) -> set[str]:
    return {*http["variables"], *http["secrets"], "run_id"}


def _read_scenarios(http: Options) -> tuple[Scenario, ...]:
    if not BASE_URL.fullmatch(http["base_url"]):
        raise BadInput("base_url", http["base_url"], NOT_A_URL)
    check_variables(http["variables"])
    check_secrets(http["secrets"])
    return read_scenarios(http["scenarios"], _names(http), http["lines"])


class VerificationRequest:
    """What the options of verify_application ask for.

    :param params: the module's options.
    :param now: aware datetime in UTC.
    :raises RollbackError: a scenario or an option cannot be used.
    """

    def __init__(self, params: Mapping[str, Any], now: datetime) -> None:
        self._http: Options | None = _with_http(params["http"])
        self._tasks: Options | None = params["tasks"]
        self._e2e: Options | None = params["e2e"]
        self._database: Options | None = params["database"]
        self._watch: Options | None = params["watch"]
        self._run_id: str = params["run_id"] or new_run_id(now)
        self._known: dict[str, Any] | None = None
        self._logs = LogCheck.of(params["logs"], now) if params["logs"] else None
        self._settle = params["logs"]["settle"] if params["logs"] else 0
        self._scenarios = _read_scenarios(self._http) if self._http else ()
        self.plan = requests_of(self._scenarios)
        self._harm = parse_time("baseline_until", params["logs"]["baseline_until"]) if params["logs"] else None
        self._since = parse_time("since", self._watch["since"]) if self._watch else None
        self._pulse = self._read_watch(self._watch) if self._watch else None
        if self._e2e:
            self._refuse_wrong_tests(self._e2e)
            self.plan.append("end-to-end tests: %s" % self._e2e["command"])

    def _refuse_wrong_tests(self, e2e: Options) -> None:
        if e2e["runs_on"] == TASK and not self._tasks:
            raise BadInput("e2e_runs_on", TASK, "there is no service whose network the tests could run on")
        check_variables(e2e["environment"], shortest=0)
        check_variables(e2e["secret_environment"])
        found = e2e_problems(e2e, os.path.isdir)
        if found:
            raise RollbackError("The end-to-end tests cannot be run. No request was sent.", found)

    def _read_watch(self, asked: Options) -> ScenarioStep | None:
        """The ScenarioStep that asks for the health while the application is watched, or None."""
        for name, least in (("seconds", 1), ("interval", 0.1)):
            if asked[name] < least:
                raise BadInput("watch: %s" % name, asked[name], "it is less than %s" % least)
        if asked["failures"] < 0:
            raise BadInput("watch: failures", asked["failures"], "it is below 0")
        told = "%d s long, every %g s: " % (asked["seconds"], asked["interval"])
        if not (asked["health"] and self._http):
            self.plan += ["watch, %sthe tasks" % told] if self._tasks else []
            return None
        (scenario,) = read_scenarios([dict(name="watch", steps=[asked["health"]])], _names(self._http), {})
        self.plan.append("watch, %s%s %s" % (told, scenario.steps[0].method, scenario.steps[0].path))
        return scenario.steps[0]

    def run(self, aws: Callable[[str], Any], measuring: Measuring) -> tuple[list[Check], dict[str, Any]]:
        """The checks, and the whole results by kind.

        :param aws: callable: the name of a service → its boto3 client. Called only here, because boto3 makes no clients side by side.
        :param measuring: see Verification.
        """
        parts: dict[str, Any] = {}
        reader = ecs = None
        http, tasks, e2e, database, watch = self._http, self._tasks, self._e2e, self._database, self._watch
        if http:
            reader = SecretsGateway(aws("secretsmanager")) if http["secrets"] else None
            parts["send"] = partial(self._send, http, reader)
        if tasks:
            ecs, elb = EcsGateway(aws("ecs"), tasks["cluster"]), ElbGateway(aws("elbv2"))
            parts.update(_of_tasks(tasks, ecs, elb))
            if watch and watch["metrics"]:
                # When it is called, nothing else is at work, so the client can be made then.
                parts["compare"] = partial(self._compare, elb, lru_cache(lambda: CloudwatchGateway(aws("cloudwatch"))))
            if self._logs:
                parts["read_logs"] = partial(self._read_logs, self._logs, ecs, LogsGateway(aws("logs")))
        if e2e and e2e["runs_on"] == CONTROLLER:
            parts["test"] = partial(self._test_here, e2e)
        elif e2e and tasks:
            parts["test"] = partial(self._test_as_task, e2e, tasks, aws("ecs"), aws("logs"))
        if database:
            parts.update(_of_database(database, SecretsGateway(aws("secretsmanager"))))
        if watch and (self._pulse or ecs):
            asking = partial(self._asking, http, self._pulse, reader) if http and self._pulse else None
            living = Living(ecs, tasks["services"], tasks["targets"]).look if ecs and tasks else None
            services = len(tasks["services"]) if tasks else 0
            parts["watch"] = partial(_watch, watch, asking, living, measuring, services)
        verification = Verification(measuring, **parts)
        return verification.run(), verification.details

    def _asking(
        self, http: Options, pulse: ScenarioStep, reader: SecretsGateway | None
    ) -> Callable[[], tuple[str, str]]:
        """What sends one health request and gives (verdict, reason). Each has a connection of its own, as a user's first has."""

        values, hidden = self._values(http, reader)

        def ask() -> tuple[str, str]:
            outcome = taken(pulse, ScenarioSession(http["base_url"], http["timeout"]), values, hidden)
            return outcome.verdict or INCONCLUSIVE, outcome.reason

        return ask

    def _compare(
        self, elb: ElbGateway, cloudwatch: Callable[[], CloudwatchGateway], looks: list[ServiceObservation]
    ) -> tuple[str | None, str, list[str]] | None:
        return verdict_of_traffic(elb, cloudwatch, looks, self._since, self._harm, datetime.now(timezone.utc))

    def _values(self, http: Options, reader: SecretsGateway | None) -> tuple[dict[str, Any], list[Any]]:
        """(what ``${name}`` stands for, the values of it that are hidden)."""
        if self._known is None:
            secrets = read_secrets(reader, http["secrets"]) if reader else {}
            self._known = {**http["variables"], **secrets}
        return {**self._known, "run_id": self._run_id}, list(self._known.values())

    def _send(self, http: Options, reader: SecretsGateway | None) -> tuple[list[dict[str, Any]], datetime | None]:
        """(told scenarios, when the last request was sent)."""
        values, hidden = self._values(http, reader)
        outcomes = go_through_all(
            self._scenarios, lambda: ScenarioSession(http["base_url"], http["timeout"]), values, hidden
        )
        sent = [outcome.sent for of_one in outcomes for outcome in of_one if outcome.sent]
        return scenario_results(self._scenarios, outcomes), max(sent, default=None)

    def _read_logs(
        self,
        check: LogCheck,
        ecs: EcsGateway,
        logs: LogsGateway,
        looks: list[ServiceObservation],
        last: datetime | None,
    ) -> dict[str, Any]:
        logs.refuse_missing_groups(check.log_groups)
        return check.run(ecs, logs, looks, requests=(last, self._settle) if last else None)

    def _test_here(self, e2e: Options) -> dict[str, Any]:
        return on_controller(e2e, self._environment(e2e), self._output(e2e))

    def _test_as_task(self, e2e: Options, tasks: Options, ecs: Any, logs: Any) -> dict[str, Any]:
        cluster, service = tasks["cluster"], tasks["services"][0]
        gateway = OneOffGateway(ecs, logs, cluster, PURPOSE, CURE)
        services = EcsGateway(ecs, cluster)
        definition = services.task_definition(e2e["task_definition"] or services.services([service])[0].task_definition)
        wanted = e2e["container"] or definition.containers[0].name
        container = next((item for item in definition.containers if item.name == wanted), None)
        if container is None:
            raise RollbackError(
                "Task definition %s has no container %s (rollback_e2e_container)." % (definition.arn, wanted)
            )
        placement = gateway.placement(service)
        return as_task(
            e2e,
            self._environment(e2e),
            self._output(e2e),
            gateway,
            container,
            definition.arn,
            placement,
            self._run_id,
        )

    def _environment(self, e2e: Options) -> dict[str, str]:
        base_url = {"BASE_URL": self._http["base_url"]} if self._http else {}
        own = {**e2e["environment"], **e2e["secret_environment"]}
        return {**base_url, "ROLLBACK_RUN_ID": self._run_id, **own}

    def _output(self, e2e: Options) -> Output:
        hidden = [*e2e["secret_environment"].values(), *(self._http or {}).get("variables", {}).values()]
        return Output(output_path(e2e["directory"], self._run_id), hidden)


def _of_tasks(tasks: Options, ecs: EcsGateway, elb: ElbGateway) -> dict[str, Any]:
    """What Verification takes of the services."""
    names = tasks["services"]

    def look() -> list[ServiceObservation]:
        timeout, telling = tasks["wait_timeout"], teller("verification")
        return look_until_decided(ecs, names, elb, tasks["targets"], timeout, tell=telling)

    def look_again(looks: list[ServiceObservation]) -> Judged:
        now = {service.name: service for service in ecs.services(names)}
        return verdict_of_changes([changed_since(seen, now[seen.service.name]) for seen in looks])

    def judge_targets(looks: list[ServiceObservation]) -> Judged | None:
        return verdict_of_all_targets(elb, looks, tasks["wait_timeout"])

    judges = ((TASKS, "tasks", verdict_of_tasks), (TARGETS, "targets", judge_targets))
    return dict(look=look, judges=judges, look_again=look_again)


def _of_database(database: Options, secrets: SecretsGateway) -> dict[str, Any]:
    """What Verification takes of the databases."""
    parts: dict[str, Any] = {}
    if database["expected"] is not None or database["data_rules"]:
        parts["ask"] = partial(verdict_of_data, secrets, database)
    if database["failed"]:
        parts["leavers"] = partial(_left, database, secrets)
    return parts


def _left(database: Options, secrets: SecretsGateway) -> Leavers:
    url = secrets.database_url(database["database_secret"], database["key"], database["failed"]["versions"])
    return Leavers(url, database["failed"], database["timeout"]).wait()


def _watch(
    asked: Options,
    asking: Callable[[], Callable[[], tuple[str, str]]] | None,
    living: Callable[[], tuple[list[str], list[str]]] | None,
    measuring: Measuring,
    services: int,
    over: threading.Event,
) -> WatchSeen:
    watch = Watch(asked["seconds"], asked["interval"], asked["failures"])
    ask = asking() if asking else None
    watched = Watching(watch, ask, living, measuring, services=services).run(over)
    seen = dict(
        seconds=round(watched.seconds, 1), requests=watched.asked, failed=len(watched.failed), ended=watched.ended
    )
    return (*verdict_of(watch, watched), seen)
