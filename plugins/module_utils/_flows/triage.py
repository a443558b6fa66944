# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads every part of the evidence, side by side. What cannot be read is reported as not measured, and keeps no other part from being read."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Callable

from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ecs import EcsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.logs import LogsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.rds import RdsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.secretsmanager import SecretsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.triage import TriageGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.in_service import finding
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.select_source import RestoreSelector
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import (
    BadInput,
    RollbackError,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.verdict import streams_of
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.secrets import CURRENT
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.release_points import (
    read_release_points,
    select_release_point,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.service_past import service_seen
from ansible_collections.spymeo.rollback.plugins.module_utils._core.secrets.next_step import may_be_unread
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage import logs as log
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.conditions.words import HEALTH
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.evidence import (
    DATABASE,
    HTTP,
    INSTANCE,
    LOGS,
    SECRETS,
    SERVICES,
    TARGETS,
    TASKS,
    ApartSeen,
    DatabaseSeen,
    Evidence,
    InstanceSeen,
    Missing,
    SecretSeen,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import FAILED
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.data_in_service import Urls, data_in_service
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.database import where_it_stands
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.logs import LogReader
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.proof_foreseen import proof_of
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.releases import (
    choose_release,
    named_release,
    points_of,
    stay,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.service_record import read_service_records
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.triage_database import TO_TELL, database_seen
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.triage_questions import NotAsked, Questions
from ansible_collections.spymeo.rollback.plugins.module_utils._io.concurrency import beside, side_by_side

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.in_service import InService
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.url import DatabaseUrl
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.found import Found
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import Service, ServiceTask
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.finding import Finding
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rds import DbInstance, DbSnapshot
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.secrets import Secret
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.service_revision import Revision
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.stopped_task import (
        LoggedTask,
        StoppedTask,
    )
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.release_points import ReleasePoint
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.release_selection import (
        ReleaseSelection,
    )
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.service_record import ServiceRecord
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.evidence import (
        HttpSeen,
        LogsSeen,
        ServiceSeen,
        TargetsSeen,
    )
    from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import Clock

LOGS_LATE = 3  # seconds to wait for what a failed request has left in the logs
# Each after those that it waits for.
BEFORE = ("ecs", "described", "running", "records", "point", "chosen", "dead", "serves", "url", "unprovable")
PARTS = (HTTP, SERVICES, TASKS, TARGETS, LOGS, INSTANCE, DATABASE, SECRETS)
SKEW = timedelta(seconds=5)  # between this machine's clock and AWS's


class Look:
    """One look at everything.

    :param client: callable: the name of a service → its boto3 client. Called from several threads.
    :param questions: Questions.
    :param clock: Clock.
    :param seconds: how long the look may take, HTTP scenarios aside, which end by their own limits.
    """

    def __init__(self, client: Callable[[str], Any], questions: Questions, clock: Clock, seconds: float) -> None:
        self._asked, self._client, self._clock = questions, client, clock
        self._deadline = clock.now() + seconds
        self._seconds = seconds
        self._triage = TriageGateway(client, questions.cluster)
        self._began: dict[str, Future[Any]] = {}
        self._now = datetime.now(timezone.utc)

    def evidence(self, now: datetime, explained: Callable[[BaseException], str]) -> Evidence:
        """The Evidence.

        :param now: datetime in UTC.
        :param explained: callable: an exception → why a part was not measured.
        """
        self._now = now
        for name in (*BEFORE, *PARTS):
            self._began[name] = beside(getattr(self, "_%s" % name))
        parts: dict[str, Any] = {}
        missing = []
        for name in PARTS:
            # Scenarios clean up after themselves, so they are never left alone.
            seconds = None if name == HTTP else max(0.1, self._deadline - self._clock.now())
            try:
                error = self._began[name].exception(seconds)
            except TimeoutError:
                missing.append(Missing(name, "it took more than %d s" % self._seconds))
                continue
            if error is None:
                parts[name] = self._of(name)
            else:
                missing.append(Missing(name, explained(error)))
        return Evidence(
            at=now,
            runs=self._asked.runs,
            unfinished=self._asked.unfinished,
            not_measured=tuple(missing),
            apart=self._apart(),
            unprovable=self._seen_unprovable(),
            at_work=self._asked.at_work,
            cluster=self._asked.cluster,
            times=self._asked.times,
            **parts,
        )

    def _of(self, name: str) -> Any:
        """The result of another reading, waited for."""
        return self._began[name].result()

    # ECS

    def _ecs(self) -> EcsGateway:
        return EcsGateway(self._client("ecs"), self._asked.cluster)

    def _described(self) -> list[Service]:
        ecs: EcsGateway = self._of("ecs")
        return ecs.services(self._asked.services)

    def _running(self) -> dict[str, list[ServiceTask]]:
        """The tasks of each service that are to run."""
        ecs: EcsGateway = self._of("ecs")
        return ecs.tasks(self._asked.services)

    def _records(self) -> list[ServiceRecord]:
        return read_service_records(
            self._of("ecs"), self._of("described"), self._asked.named, self._asked.served_at_least
        )

    def _point(self) -> ReleasePoint | None:
        """The ReleasePoint that a rollback would go back to, or None."""
        records: list[ServiceRecord] = self._of("records")
        wanted = self._asked.release_point
        named = {item.service.name: self._named(item) for item in records}
        points = read_release_points(self._asked.release_points, wanted)
        return select_release_point(
            points, [item.as_past for item in records], *points_of(records, named, wanted)
        ).point

    def _named(self, record: ServiceRecord) -> Revision | None:
        """The Revision that the operator named for a service, or None."""
        return named_release(self._of("ecs"), record, self._asked.named.get(record.service.name, ""))

    def _chosen(self) -> list[tuple[ReleaseSelection, str]]:
        records: list[ServiceRecord] = self._of("records")
        return side_by_side(self._choose, records)

    def _choose(self, record: ServiceRecord) -> tuple[ReleaseSelection, str]:
        ecs: EcsGateway = self._of("ecs")
        try:
            word, wanted = self._asked.named.get(record.service.name, ""), self._asked.release_point
            return choose_release(ecs, record, self._named(record), self._of("point"), bool(wanted), word), ""
        except BadInput as error:
            return stay(ecs, record), error.message
        except RollbackError as error:
            return stay(ecs, record), error.message.partition(": ")[2].partition(". ")[0]

    def _services(self) -> tuple[ServiceSeen, ...]:
        chosen: list[tuple[ReleaseSelection, str]] = self._of("chosen")
        return tuple(service_seen(*pair) for pair in chosen)

    def _dead(self) -> list[LoggedTask]:
        return [dead for found in side_by_side(self._triage.stopped_tasks, self._asked.services) for dead in found]

    def _tasks(self) -> tuple[StoppedTask, ...]:
        ended: list[LoggedTask] = self._of("dead")
        return tuple(dead.task for dead in ended)

    def _targets(self) -> tuple[TargetsSeen, ...]:
        services: list[Service] = self._of("described")
        groups = list(dict.fromkeys(arn for service in services for arn in service.target_groups))
        found = side_by_side(self._triage.target_health, groups)
        return tuple(
            replace(seen, services=tuple(service.name for service in services if arn in service.target_groups))
            for arn, seen in zip(groups, found)
        )

    # The application

    def _http(self) -> HttpSeen:
        if self._asked.play is None:
            raise NotAsked("rollback_base_url is not set")
        return self._asked.play()

    def _unprovable(self) -> tuple[Finding, ...]:
        return tuple(found for found in proof_of(self._asked.proof, self._client).findings if found.verdict == FAILED)

    def _seen_unprovable(self) -> tuple[Finding, ...]:
        """Empty also where that is not known: the plan finds it."""
        try:
            error = self._began["unprovable"].exception(max(0.1, self._deadline - self._clock.now()))
        except TimeoutError:
            return ()
        found: tuple[Finding, ...] = () if error else self._of("unprovable")
        return found

    def _logs(self) -> LogsSeen:
        if not self._asked.log_groups:
            raise NotAsked("rollback_log_groups is not set")
        gateway, groups = LogsGateway(self._client("logs")), self._asked.log_groups
        ecs: EcsGateway = self._of("ecs")
        gateway.refuse_missing_groups(groups)
        tasks: dict[str, list[ServiceTask]] = self._of("running")
        running = [task for found in tasks.values() for task in found if task.status == "RUNNING"]
        chosen = log.tasks_to_read(running, self._of("dead"), self._of(SERVICES))
        definitions = ecs.task_definitions(task.task_definition for tasks in chosen for task in tasks)
        live, ended, before = chosen
        elsewhere = self._asked.log_elsewhere
        streams, unread = streams_of(live, definitions, groups, None, ended, elsewhere)
        of_before, _unread = streams_of([], definitions, groups, None, before, elsewhere)
        how = (gateway, self._asked.rules_of_logs, self._asked.noise, self._clock, self._deadline - TO_TELL)
        reader = LogReader(*how, window=log.WINDOW.total_seconds())
        readings: list[Callable[[], Found]] = [lambda: reader.read(streams), lambda: LogReader(*how).read(of_before)]
        found, earlier = side_by_side(lambda reading: reading(), readings)
        more = None
        if self._failed_request():
            known = {group.fingerprint for group in found.collection.groups}
            of_live = [stream for stream in streams if not stream.dead]
            more = reader.until_new(of_live, self._now - SKEW, known, LOGS_LATE)
        return log.logs_seen(streams, unread, found, more, earlier)

    def _failed_request(self) -> bool:
        """Whether a request of ours has failed in an application that serves: its logs will tell of it."""
        if self._began[HTTP].exception():
            return False
        http: HttpSeen = self._of(HTTP)
        steps = http.steps
        serves = any(step.scenario == HEALTH and step.verdict == "passed" for step in steps)
        return serves and any(step.verdict == "failed" and (step.status or 0) >= 500 for step in steps)

    # The database

    def _serves(self) -> tuple[Urls, InService]:
        """What the running tasks have read as the database's URL."""
        if not self._asked.database_secret:
            raise NotAsked("rollback_database_secret is not set")
        secrets = SecretsGateway(self._client("secretsmanager"))
        urls = Urls(secrets, secrets.secret("database_secret", self._asked.database_secret), self._asked.key)
        return urls, data_in_service(self._of("ecs"), urls, self._of("described"))

    def _url(self) -> DatabaseUrl:
        if self._asked.database_secret and self._began["described"].exception():
            # What runs is not known; that is reported with the services.
            secrets = SecretsGateway(self._client("secretsmanager"))
            return secrets.database_url(self._asked.database_secret, self._asked.key)
        serves: tuple[Urls, InService] = self._of("serves")
        return serves[0].of_what_serves(serves[1])

    def _apart(self) -> ApartSeen | None:
        """What a plan would refuse for, where tasks have read another database than AWSCURRENT names; None also where that is not known by now."""
        serves = self._began["serves"]
        if not serves.done() or serves.exception():
            return None
        _urls, seen = serves.result()
        found = finding(seen)
        if found is None or found.verdict != FAILED:
            return None
        strange = [read for read in seen.apart if read.sure]
        run = next((read.run_id for read in strange if read.run_id), "")
        read = next((read.version for read in strange if read.version), "")
        return ApartSeen(found.what, self._asked.database_secret, run, read if not run else "", seen.current.version)

    def _instance(self) -> InstanceSeen:
        if not self._asked.db_instance:
            raise NotAsked("rollback_db_instance is not set")
        gateway = RdsGateway(self._client("rds"))
        # Why there is none is reported with the database.
        url: DatabaseUrl | None = None if self._began["url"].exception() else self._of("url")
        instances = gateway.instances()
        used = next((item for item in instances if url and item.host == url.host), None)
        used = used or next((item for item in instances if item.name == self._asked.db_instance), None)
        if used is None:
            used = gateway.source(self._asked.db_instance)
        snapshot, problem = self._snapshot(gateway)
        return InstanceSeen(
            name=used.name,
            status=used.status,
            address="%s:%d" % (url.host, url.port) if url else "",
            events=self._triage.instance_events(used.name),
            snapshot=snapshot.name if snapshot else "",
            data_from=snapshot.data_from if snapshot else self._asked.data_from,
            snapshot_problem=problem,
            storage=used.allocated_storage,
            restorable_until=used.restorable_until,
            restored_by=self._restored_by(gateway, used, url) if used.run_id else "",
        )

    def _restored_by(self, gateway: RdsGateway, used: DbInstance, url: DatabaseUrl | None) -> str:
        """The run that has restored the instance in use from the data that a plan would choose; empty when it is to restore something else."""
        moment, name = self._asked.data_from, self._snapshot_name()[0]
        # A time may be that of a point in time, or the one before which a snapshot is wanted.
        all_wanted = (
            [RestoreSelector(point_in_time=moment), RestoreSelector(before=moment)]
            if moment
            else [RestoreSelector(name)]
        )
        for wanted in all_wanted:
            try:
                plan, _window = where_it_stands(gateway, used.name, wanted, url.host if url else None, "")
            except RollbackError:  # why there is no plan is reported elsewhere
                continue
            if plan.state == "done":
                return used.run_id or ""
        return ""

    def _snapshot(self, gateway: RdsGateway) -> tuple[DbSnapshot | None, str]:
        """(DbSnapshot or None, what is wrong with it)."""
        if self._asked.data_from:
            return None, ""
        name, whence = self._snapshot_name()
        if not name:
            return None, "neither rollback_snapshot nor rollback_snapshot_before nor rollback_point_in_time is set"
        found = gateway.snapshot(name)
        if found is None:
            return None, "there is no DB snapshot %s (%s)" % (name, whence)
        return found, "snapshot %s: %s" % (found.name, found.problem) if found.problem else ""

    def _snapshot_name(self) -> tuple[str, str]:
        """(name, who says so): the inventory's, else that of the release point."""
        point: ReleasePoint | None = None if self._began["point"].exception() else self._of("point")
        if self._asked.snapshot or point is None:
            return self._asked.snapshot, "rollback_snapshot"
        return (point.record.get("database") or {}).get("snapshot", ""), point.label

    def _database(self) -> DatabaseSeen:
        return database_seen(self._of("url"), self._asked, self._clock, self._deadline, self._seconds)

    # Secrets

    def _secrets(self) -> tuple[SecretSeen, ...]:
        url = self._asked.database_secret
        names = list(dict.fromkeys([*self._asked.secrets, *([url] if url else [])]))
        if not names:
            return ()
        gateway = SecretsGateway(self._client("secretsmanager"))
        found = side_by_side(lambda name: gateway.secret("secrets", name), names)
        return tuple(
            SecretSeen(secret.name, current.created, url in (secret.name, secret.arn), self._unread(secret))
            for secret in found
            for current in (secret.staged(CURRENT),)
            if current
        )

    def _unread(self, secret: Secret) -> tuple[str, ...]:
        """The services of which a running task reads a secret and has, or may have, another value than the current one. That tasks are not known is reported
        with the services."""
        if self._began["running"].exception():
            return ()
        ecs: EcsGateway = self._of("ecs")
        tasks: dict[str, list[ServiceTask]] = self._of("running")
        old = {
            name: {task.task_definition for task in found if may_be_unread(secret, task.created)}
            for name, found in tasks.items()
        }
        known = ecs.there({arn for found in old.values() for arn in found})
        reads = {arn for arn, definition in known.items() if secret.names & set(definition.secret_arns)}
        return tuple(name for name, found in old.items() if found & reads)
