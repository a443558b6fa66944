# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads what the targets of a rollback need, side by side: images, roles, log groups, secrets, parameters."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ecr import EcrGateway, by_repository
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.preflight import PreflightGateway, if_allowed
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.secretsmanager import SecretsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import ENDED
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.preflight import (
    LogGroup,
    NotRead,
    ReleaseObservation,
    ReleaseTarget,
    TaskDefinitionNeeds,
    ValueFrom,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.preflight import references
from ansible_collections.spymeo.rollback.plugins.module_utils._io.concurrency import pool_of_calls

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ecs import EcsGateway
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecr import Image
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.secrets import Secret
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.release_selection import (
        ReleaseSelection,
    )


K = TypeVar("K")
R = TypeVar("R")


class Clients:
    """boto3 clients, each made when it is first needed. Making one is not safe in several threads, using one is."""

    def __init__(self, make: Callable[[str], Any]) -> None:
        self._make = make
        self._made: dict[str, Any] = {}
        self._lock = threading.Lock()

    def __call__(self, service: str) -> Any:
        with self._lock:
            if service not in self._made:
                self._made[service] = self._make(service)
            return self._made[service]


def target_of(gateway: EcsGateway, release: ReleaseSelection) -> ReleaseTarget:
    """The ReleaseTarget of a ReleaseSelection, without another call to AWS.

    :param gateway: the EcsGateway that chose it.
    """
    primary = release.service.primary
    under_way = tuple(item for item in release.history if item.status not in ENDED)
    settled = primary if primary and primary.rollout_state in (None, "COMPLETED") else None
    return ReleaseTarget(
        service=release.service,
        definition=TaskDefinitionNeeds.from_boto(gateway.described(release.target.arn)["taskDefinition"]),
        under_way=under_way,
        recorded=release.recorded,
        since=settled.created_at if settled and release.stays and not under_way else None,
        left=None if release.stays else release.began,
    )


def observe(
    make_client: Callable[[str], Any], targets: dict[str, ReleaseTarget], restored: Iterable[str], wait_timeout: int
) -> ReleaseObservation:
    """The ReleaseObservation of ``targets`` (service → Target).

    :param make_client: callable: the name of a service → a new boto3 client.
    :param restored: names or ARNs of the secrets that this run brings back.
    :param wait_timeout: seconds that the deployment may take.
    """
    clients = Clients(make_client)
    seen = ReleaseObservation(clients("ecr").meta.region_name, targets, frozenset(restored), wait_timeout)
    gateway = PreflightGateway(clients)
    here = _Here(seen.region, clients, gateway)
    definitions = [target.definition for target in targets.values()]
    named = [ValueFrom.parse(text) for item in definitions for text in item.secrets]
    keyed = [text for item in definitions for text in item.secrets if ValueFrom.parse(text).key]
    roles = [role for item in definitions for role in (item.execution_role, item.task_role) if role]
    groups = [group for item in definitions for group in item.log_groups]
    named_images = [text for item in targets.values() for text in references(item.definition, item.recorded)]
    with pool_of_calls() as pool:

        def ask(action: str, read: Callable[[K], R], keys: Iterable[K]) -> dict[K, Future[R | NotRead]]:
            return {key: pool.submit(if_allowed, action, read, key) for key in dict.fromkeys(keys)}

        images = ask("ecr:DescribeImages", here.images, by_repository(named_images))
        secrets = "secretsmanager:DescribeSecret, ListSecretVersionIds"
        readings: tuple[tuple[dict[Any, Any], dict[Any, Future[Any]]], ...] = (
            (seen.roles, ask("iam:GetRole", gateway.role, roles)),
            (seen.log_groups, ask("logs:DescribeLogStreams", here.log_group, groups)),
            (seen.secrets, ask(secrets, here.secret, _ids(named, "secret"))),
            (seen.keys, ask("secretsmanager:GetSecretValue, kms:Decrypt", here.json_key, keyed)),
            (seen.parameters, ask("ssm:GetParameters", here.parameter, _ids(named, "parameter"))),
        )
    for reading, jobs in readings:
        reading.update((key, job.result()) for key, job in jobs.items())
    for asked, job in images.items():
        found = job.result()
        seen.images.update(dict.fromkeys(asked, found) if isinstance(found, NotRead) else found)
    return seen


def _ids(named: Iterable[ValueFrom], kind: str) -> list[str]:
    return [reference.id for reference in named if reference.kind == kind]


class _Here:
    """Readings that take clients of this region; what is in another one is a NotRead."""

    def __init__(self, region: str, clients: Clients, gateway: PreflightGateway) -> None:
        self._region, self._clients, self._gateway = region, clients, gateway

    def _elsewhere(self, region: str) -> NotRead | None:
        if region in ("", self._region):
            return None
        return NotRead("it is in %s, and only %s is looked at" % (region, self._region), "Look there yourself.")

    def images(self, texts: Iterable[str]) -> dict[str, Image]:
        """A dict reference → Image."""
        return EcrGateway(self._clients("ecr")).images(texts)

    def log_group(self, group: LogGroup) -> bool | NotRead:
        """Whether a LogGroup is there."""
        return self._elsewhere(group.region) or self._gateway.log_group(group.name)

    def secret(self, arn: str) -> Secret | NotRead | None:
        """The Secret with its versions, None when there is none."""
        elsewhere = self._elsewhere(ValueFrom.parse(arn).region)
        if elsewhere:
            return elsewhere
        try:
            return SecretsGateway(self._clients("secretsmanager")).secret("secrets", arn)
        except BadInput:
            return None

    def json_key(self, text: str) -> str | NotRead:
        """What reading the JSON key of a ``valueFrom`` came to."""
        reference = ValueFrom.parse(text)
        return self._elsewhere(reference.region) or self._gateway.json_key(reference)

    def parameter(self, name: str) -> bool | NotRead:
        """Whether a parameter is there."""
        return self._elsewhere(ValueFrom.parse(name).region) or self._gateway.parameter(name)
