# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks at what running tasks have read as the database's URL. URLs are kept in memory and told nowhere but for host and port."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.in_service import (
    GONE,
    UNREADABLE,
    InService,
    Read,
    in_service,
    version_read,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.url import DatabaseUrl, read_url
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.url_references import is_pinned
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.finding import Finding
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.preflight import ValueFrom
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.secrets import PREVIOUS, Secret
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.next_step import short
from ansible_collections.spymeo.rollback.plugins.module_utils._core.secrets.next_step import current_of
from ansible_collections.spymeo.rollback.plugins.module_utils._io.concurrency import side_by_side

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ecs import EcsGateway
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.secretsmanager import SecretsGateway
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import Service, ServiceTask
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.task_definition import TaskDefinition


class Urls:
    """The DatabaseUrl in each version of a secret, read once.

    :param secret: the Secret with its versions.
    :param key: the key of the URL, where the secret is a JSON object.
    """

    def __init__(self, gateway: SecretsGateway, secret: Secret, key: str) -> None:
        self._gateway, self.secret, self.key = gateway, secret, key
        self._known: dict[str, DatabaseUrl | None] = {}

    def of(self, version_id: str) -> DatabaseUrl | None:
        """The DatabaseUrl, None where that version holds none."""
        if version_id not in self._known:
            try:
                self._known[version_id] = self._parsed(version_id)
            except RollbackError:
                self._known[version_id] = None
        return self._known[version_id]

    def current(self, version_id: str = "") -> Read:
        """The Read of what a task reads that starts now and pins nothing.

        :param version_id: of the version that is to be current by then; empty for the one that is.
        :raises RollbackError: it holds no URL, or there is none.
        """
        version_id = version_id or current_of(self.secret).id
        self._known[version_id] = url = self._parsed(version_id)
        return Read("", "", version_id, url.host, url.port)

    def _parsed(self, version_id: str) -> DatabaseUrl:
        return DatabaseUrl.parse(read_url(self._gateway.value(self.secret, version_id).text, self.key))

    def of_what_serves(self, seen: InService) -> DatabaseUrl:
        """The DatabaseUrl of what is in service, with the user and password of what was read.

        :raises RollbackError: that version holds no URL any more.
        """
        read = next(
            (read for read in (*seen.reads, seen.current) if read.place == seen.place and read.version), seen.current
        )
        return (self.of(read.version) or self._parsed(read.version)).at(seen.host, seen.port)

    def same_as_previous(self, version_id: str) -> bool:
        """Whether a version leads where the one leads that was current before."""
        previous = self.secret.staged(PREVIOUS)
        one, other = self.of(version_id), self.of(previous.id) if previous else None
        return previous is None or bool(one and other and (one.host, one.port) == (other.host, other.port))


def data_in_service(
    ecs: EcsGateway, urls: Urls, services: Collection[Service], leaving_for: tuple[str, int] | None = None
) -> InService:
    """The InService of Services.

    :param urls: Urls of the database's secret.
    :param leaving_for: as ``in_service`` takes it.
    :raises RollbackError: AWSCURRENT holds no URL.
    """
    current = urls.current()
    tasks = ecs.tasks([service.name for service in services])
    known = ecs.there({task.task_definition for found in tasks.values() for task in found} | _wanted(services, tasks))
    started: Counter[Read] = Counter()
    for service in services:
        for task in tasks[service.name]:
            if task.task_definition in known:
                started.update(_reads(urls, service.name, known[task.task_definition], task.created))
    reads = [replace(read, tasks=count) for read, count in started.items()]
    for service in services:
        if service.task_definition in known and not tasks[service.name]:
            reads += _reads(urls, service.name, known[service.task_definition])
    return in_service(reads, current, leaving_for)


def _wanted(services: Collection[Service], tasks: Mapping[str, Collection[ServiceTask]]) -> set[str]:
    """What services without a task would start."""
    return {service.task_definition for service in services if not tasks[service.name]}


def reads_of(ecs: EcsGateway, urls: Urls, targets: Mapping[str, str], version_id: str = "") -> list[Read]:
    """What task definitions would read, as Reads.

    :param targets: service → ARN or family:revision.
    :param version_id: as ``Urls.current`` takes it.
    """
    names = sorted(targets)
    definitions = side_by_side(lambda name: ecs.task_definition(targets[name]), names)
    pairs = zip(names, definitions)
    return [read for name, definition in pairs for read in _reads(urls, name, definition, to_be_current=version_id)]


def _reads(
    urls: Urls, service: str, definition: TaskDefinition, started: datetime | None = None, to_be_current: str = ""
) -> list[Read]:
    """The distinct Reads of a TaskDefinition whose task was made at ``started`` (None: it is to be started)."""
    told: dict[str, Any] = dict(service=service, definition=short(definition.arn), run_id=definition.run_id)
    found: list[Read] = []
    for container in definition.containers:
        for name, value in container.environment:
            if name == urls.key:
                found += _plain(value, told)
        for _name, text in container.secrets:
            reference = ValueFrom.parse(text)
            if reference.id in urls.secret.names and reference.key in ("", urls.key):
                found.append(_read(urls, reference, started, to_be_current, told))
    return list(dict.fromkeys(found))


def _plain(value: str, told: dict[str, Any]) -> list[Read]:
    """The Read of a URL in the task definition itself; none of what is no URL."""
    try:
        url = DatabaseUrl.parse(value)
    except RollbackError:
        return []
    return [Read(host=url.host, port=url.port, **told)]


def _read(urls: Urls, reference: ValueFrom, started: datetime | None, to_be_current: str, told: dict[str, Any]) -> Read:
    pinned = is_pinned(reference)
    if not pinned and started is None and to_be_current:
        version_id, sure = to_be_current, True
    else:
        version, sure = version_read(urls.secret, reference, started)
        if version is None:
            return Read(pinned=pinned, why=GONE % (reference.version or reference.stage), **told)
        version_id = version.id
    url = urls.of(version_id)
    if url is None:
        return Read(version=version_id, pinned=pinned, why=UNREADABLE, **told)
    sure = sure or urls.same_as_previous(version_id)
    return Read(version=version_id, host=url.host, port=url.port, pinned=pinned, sure=sure, **told)


def in_service_result(seen: InService, found: Finding | None = None) -> dict[str, Any]:
    """An InService in JSON types."""
    return dict(
        host=seen.host,
        port=seen.port,
        version_id=next((read.version for read in seen.reads if read.place == seen.place), ""),
        current=dict(host=seen.current.host, port=seen.current.port, version_id=seen.current.version),
        apart=bool(seen.apart),
        several=seen.several,
        told=found.what if found else "",
        reads=[read_in_json(read) for read in seen.reads],
    )


def read_in_json(read: Read) -> dict[str, Any]:
    """A Read in JSON types."""
    return dict(
        service=read.service,
        task_definition=read.definition,
        version_id=read.version,
        host=read.host,
        port=read.port,
        pinned=read.pinned,
        run_id=read.run_id,
        tasks=read.tasks,
        why=read.why,
    )
