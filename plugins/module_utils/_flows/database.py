# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads what a database rollback is decided on, then what its restore needs, side by side."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import Future
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._aws.kms import KmsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.preflight import if_allowed
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.data_holders import Holder, holders
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.lineage import (
    Tree,
    never_deployed,
    staged_only,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.plan import (
    Rollback,
    decide_rollback,
    in_service,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.preflight import DatabaseObservation
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.preflight import NotRead
from ansible_collections.spymeo.rollback.plugins.module_utils._io.concurrency import pool_of_calls, side_by_side

RECORD = timedelta(days=89)  # ECS remembers deployments for 90
SKEW = timedelta(hours=1)  # of the clock that has written down when an instance went into service

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.deployment_history import History
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ecs import EcsGateway
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.rds import RdsGateway
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.select_source import RestoreSelector
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rds import DbInstance


def where_it_stands(
    gateway: RdsGateway,
    db_instance: str,
    wanted: RestoreSelector,
    current_host: str | None,
    run_id: str,
    deployed: Callable[[datetime], frozenset[str] | None] | None = None,
) -> tuple[Rollback, NotRead | None]:
    """(the Rollback, None or the NotRead in the place of the earliest time that can be restored).

    :param wanted: RestoreSelector.
    :param deployed: as ``staged_instances`` takes it.
    :raises BadInput, RollbackError: it cannot be done.
    """
    instances = gateway.instances()
    names = sorted(Tree(instances, ()).family_of(db_instance))
    with pool_of_calls() as pool:
        staging = pool.submit(staged_instances, instances, names, current_host, deployed)
        windows = pool.submit(side_by_side, partial(_windows, gateway), names) if wanted.point_in_time else None
        snapshots = [item for found in pool.map(gateway.snapshots_of, names) for item in found]
    if wanted.by_name and wanted.snapshot not in [item.name for item in snapshots]:
        snapshots += filter(None, [gateway.snapshot(wanted.snapshot)])
    now = datetime.now(timezone.utc)
    read = windows.result() if windows else []
    earliest = {of: since for window in read if not isinstance(window, NotRead) for of, since in window.items()}
    staged = staging.result()
    rollback = decide_rollback(db_instance, wanted, current_host, run_id, instances, snapshots, now, earliest, staged)
    return rollback, next((window for window in read if isinstance(window, NotRead)), None)


def where_the_data_are(
    gateway: RdsGateway,
    db_instance: str,
    current_host: str | None,
    deployed: Callable[[datetime], frozenset[str] | None] | None = None,
) -> tuple[Tree, DbInstance, tuple[Holder, ...]]:
    """(lineage.Tree, the DbInstance that is in service, every Holder of something that is not in it).

    :param deployed: as ``staged_instances`` takes it.
    :raises BadInput: there is no such instance, or the application uses another one.
    """
    instances = gateway.instances()
    names = sorted(Tree(instances, ()).family_of(db_instance))
    with pool_of_calls() as pool:
        staging = pool.submit(staged_instances, instances, names, current_host, deployed)
        snapshots = [item for found in pool.map(gateway.snapshots_of, names) for item in found]
    tree = Tree(instances, snapshots, staging.result())
    if db_instance not in tree.by_name:
        raise BadInput("db_instance", db_instance, "there is no such DB instance in this region")
    current = in_service(tree.by_name[db_instance], current_host, tree.by_name)
    now = datetime.now(timezone.utc)
    found = holders(tree, current, tree.line_of(current, now))
    return tree, current, tuple(holder for holder in found if not holder.serves)


def staged_instances(
    instances: Iterable[DbInstance],
    names: Collection[str],
    current_host: str | None,
    deployed: Callable[[datetime], frozenset[str] | None] | None,
) -> frozenset[str]:
    """The names of the instances that a run has made ready and then deployed nothing with. Where that is not known, none.

    :param names: those of the application's instances.
    :param deployed: since when → the ids of the runs that have deployed something since then, or None where AWS does not tell that. None: nobody
        knows it.
    """
    doubtful = staged_only((one for one in instances if one.name in names), current_host)
    told = deployed(min(one.served[-1].since for one in doubtful)) if doubtful and deployed else None
    return never_deployed(doubtful, told) if told is not None else frozenset()


def runs_deployed(ecs: EcsGateway, services: Sequence[str], since: datetime) -> frozenset[str] | None:
    """The ids of the runs that have registered what was deployed to services since a time; None where that is not known.

    :param services: names; of none nothing is known.
    """
    since -= SKEW
    if not services or since < datetime.now(timezone.utc) - RECORD:
        return None

    def enough(_name: str, past: History) -> bool:
        return bool(past) and past[-1].created_at < since

    read = if_allowed("ecs:ListServiceDeployments", ecs.histories, services, enough)
    if isinstance(read, NotRead):
        return None
    if not all(past.whole or enough(name, past) for name, past in read.items()):
        return None
    wanted = {item.task_definition for past in read.values() for item in past if item.created_at >= since}
    known = if_allowed("ecs:DescribeTaskDefinition", ecs.there, wanted)
    if isinstance(known, NotRead) or wanted - set(known):
        return None
    return frozenset(item.run_id for item in known.values())


def _windows(gateway: RdsGateway, name: str) -> dict[str, datetime] | NotRead:
    return if_allowed("rds:DescribeDBInstanceAutomatedBackups", gateway.earliest_restorable, name)


def observe(
    gateway: RdsGateway, make_client: Callable[[str], Any], rollback: Rollback, run_id: str, now: datetime, **more: Any
) -> DatabaseObservation:
    """The DatabaseObservation of a Rollback that is still to be done.

    :param make_client: callable: the name of a service → a new boto3 client.
    :param more: what of the DatabaseObservation is known already.
    """
    if rollback.state == "done":
        return DatabaseObservation(rollback, run_id, now)
    current, key = rollback.current, rollback.source.kms_key
    group, certificate = current.description.get("DBSubnetGroup"), current.description.get("CACertificateIdentifier")
    with pool_of_calls() as pool:

        def ask(action: str, read: Callable[..., object], *args: Any) -> Future[Any]:
            return pool.submit(if_allowed, action, read, *args)

        readings = dict(
            quotas=ask("rds:DescribeAccountAttributes", gateway.quotas),
            offered=ask("rds:DescribeOrderableDBInstanceOptions", gateway.offered, current),
            proxies=ask("rds:DescribeDBProxies, DescribeDBProxyTargets", gateway.proxies_of, current.name),
        )
        if rollback.safety_snapshot:
            readings["safety"] = pool.submit(gateway.snapshot, rollback.safety_snapshot)
        if group:
            readings["subnet_group"] = ask(
                "rds:DescribeDBSubnetGroups", gateway.subnet_group, group["DBSubnetGroupName"]
            )
        if key:
            readings["key_state"] = ask("kms:DescribeKey", KmsGateway(make_client("kms")).state, key)
        if certificate:
            readings["authorities"] = ask("rds:DescribeCertificates", gateway.authorities)
    return DatabaseObservation(
        rollback, run_id, now, **{name: reading.result() for name, reading in readings.items()}, **more
    )
