# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads what a database rollback is decided on, then what its restore needs, side by side."""

from __future__ import annotations

from datetime import datetime, timezone

from ansible_collections.spymeo.rollback.plugins.module_utils._kms.gateway import KmsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._preflight.gateway import if_allowed
from ansible_collections.spymeo.rollback.plugins.module_utils._rds.checks import Observation
from ansible_collections.spymeo.rollback.plugins.module_utils._rds.decide import decide_rollback
from ansible_collections.spymeo.rollback.plugins.module_utils._side_by_side import pool_of_calls


def where_it_stands(gateway, db_instance, wanted, current_host, run_id):
    """The Rollback.

    :param gateway: RdsGateway.
    :param wanted: decide.Wanted.
    :raises BadInput, RollbackError: it cannot be done.
    """
    instances = gateway.instances()
    named = gateway.snapshot(wanted.snapshot) if wanted.by_name else None
    if named:
        snapshots = [named]
    elif wanted.point_in_time:
        snapshots = []
    else:
        family = [item.name for item in instances if db_instance in (item.name, item.replaces)] or [db_instance]
        snapshots = [snapshot for name in family for snapshot in gateway.snapshots_of(name)]
    now = datetime.now(timezone.utc)
    return decide_rollback(db_instance, wanted, current_host, run_id, instances, snapshots, now)


def observe(gateway, make_client, rollback, run_id):
    """The Observation of a Rollback that is still to be done.

    :param make_client: callable: the name of a service → a new boto3 client.
    """
    if rollback.state == "done":
        return Observation(rollback, run_id)
    current, key = rollback.current, rollback.source.kms_key
    group = current.description.get("DBSubnetGroup")
    kms = KmsGateway(make_client("kms")) if key else None
    with pool_of_calls() as pool:

        def ask(action, read, *args):
            return pool.submit(if_allowed, action, read, *args)

        readings = dict(
            safety=pool.submit(gateway.snapshot, rollback.safety_snapshot),
            quotas=ask("rds:DescribeAccountAttributes", gateway.quotas),
            offered=ask("rds:DescribeOrderableDBInstanceOptions", gateway.offered, current),
            proxies=ask("rds:DescribeDBProxies, DescribeDBProxyTargets", gateway.proxies_of, current.name),
        )
        if group:
            readings["subnet_group"] = ask(
                "rds:DescribeDBSubnetGroups", gateway.subnet_group, group["DBSubnetGroupName"]
            )
        if key:
            readings["key_state"] = ask("kms:DescribeKey", kms.state, key)
    return Observation(rollback, run_id, **{name: reading.result() for name, reading in readings.items()})
