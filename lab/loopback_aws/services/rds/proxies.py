# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""RDS Proxy as its API tells of it: proxies, their one target group, their targets. Nothing listens at their endpoints."""

from __future__ import annotations

import dataclasses
import datetime
import uuid
from typing import Any

from ...wire import ApiError
from . import query as rds_query
from .instance import USABLE
from .settings import check_identifier, conflict
from .store import Part, Store

GROUP = "default"  # a proxy has no other target group
CREATE = {
    "Auth", "DBProxyName", "DebugLogging", "DefaultAuthScheme", "EngineFamily", "IdleClientTimeout", "RequireTLS", "RoleArn", "Tags",
    "VpcSecurityGroupIds", "VpcSubnetIds",
}  # fmt: skip
SHOWN = CREATE - {"Tags"}


@dataclasses.dataclass
class Proxy:
    """One proxy. `members` are those of the shape DBProxy, `target` the DB instance that it sends to."""

    members: dict[str, Any]
    created_at: datetime.datetime
    group_arn: str
    target: str | None = None
    registering: bool = False


class Proxies(Part):
    """The part of RDS that keeps proxies."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._proxies: dict[str, Proxy] = {}

    def create_db_proxy(self, request: dict[str, Any]) -> dict[str, Any]:
        """A proxy without a target."""
        rds_query.refuse_unknown(request, CREATE, "CreateDBProxy")
        name, now = check_identifier(request["DBProxyName"], "DBProxyName"), self.lab.now()
        if name in self._proxies:
            raise ApiError("DBProxyAlreadyExistsFault", f"The specified proxy name {name} already exists.")
        vpc = self.store.network.subnets(request["VpcSubnetIds"])[0][2]
        groups = request.get("VpcSecurityGroupIds") or [self.store.network.default_security_group(vpc)]
        self.store.network.check_security_groups(groups, vpc)
        tags, number = rds_query.tags_from(request), uuid.uuid4().hex[:17]
        defaults = {"Auth": [], "RequireTLS": False, "IdleClientTimeout": 1800, "DebugLogging": False}
        members = {
            **defaults,
            **{member: request[member] for member in SHOWN if member in request},
            "DBProxyName": name,
            "DBProxyArn": self.lab.arn("rds", f"db-proxy:prx-{number}"),
            "Status": "creating",
            "VpcId": vpc,
            "VpcSecurityGroupIds": groups,
            "Endpoint": f"{name}.proxy-{number[:12]}.{self.lab.region}.rds.amazonaws.com",
            "CreatedDate": now,
            "UpdatedDate": now,
        }
        self._proxies[name] = Proxy(members, now, self.lab.arn("rds", f"target-group:prx-tg-{number}"))
        self.store.tags[members["DBProxyArn"]] = tags
        self.lab.after(self.lab.durations.modify, lambda: members.update(Status="available"))
        return {"DBProxy": dict(members)}

    def _find_proxy(self, request: dict[str, Any]) -> Proxy:
        name = request["DBProxyName"].lower()
        if name not in self._proxies:
            message = f"The specified proxy name {name} doesn't correspond to a proxy owned by your AWS account in the specified AWS Region."
            raise ApiError("DBProxyNotFoundFault", message)
        if request.get("TargetGroupName", GROUP) != GROUP:
            raise ApiError("DBProxyTargetGroupNotFoundFault", f"There is no target group {request['TargetGroupName']}.")
        return self._proxies[name]

    def describe_db_proxies(self, request: dict[str, Any]) -> dict[str, Any]:
        """The proxies by name."""
        if "DBProxyName" in request:
            return {"DBProxies": [dict(self._find_proxy(request).members)]}
        found = [dict(proxy.members) for _, proxy in sorted(self._proxies.items())]
        return rds_query.answer("DBProxies", found, request)

    def describe_db_proxy_target_groups(self, request: dict[str, Any]) -> dict[str, Any]:
        """The proxy's target group."""
        proxy = self._find_proxy(request)
        group = {
            "DBProxyName": proxy.members["DBProxyName"],
            "TargetGroupName": GROUP,
            "TargetGroupArn": proxy.group_arn,
            "IsDefault": True,
            "Status": "available",
            "ConnectionPoolConfig": {
                "MaxConnectionsPercent": 100,
                "MaxIdleConnectionsPercent": 50,
                "ConnectionBorrowTimeout": 120,
            },
            "CreatedDate": proxy.created_at,
            "UpdatedDate": proxy.created_at,
        }
        return rds_query.answer("TargetGroups", [group], request)

    def describe_db_proxy_targets(self, request: dict[str, Any]) -> dict[str, Any]:
        """The proxy's target, if it has one."""
        return rds_query.answer("Targets", self._targets(self._find_proxy(request)), request)

    def _targets(self, proxy: Proxy) -> list[dict[str, Any]]:
        if proxy.target not in self.store.instances:
            return []
        instance = self.store.instances[proxy.target]
        if proxy.registering:
            health = {"State": "REGISTERING"}
        elif instance.status in USABLE and instance.reachable:
            health = {"State": "AVAILABLE"}
        else:
            health = {"State": "UNAVAILABLE", "Reason": "UNREACHABLE"}
        shown = {
            "TargetArn": instance.arn,
            "RdsResourceId": instance.identifier,
            "Port": instance.settings["Port"],
            "Type": "RDS_INSTANCE",
            "Role": "READ_WRITE",
            "TargetHealth": health,
        }
        return [{**shown, "Endpoint": instance.server.address} if instance.endpoint else shown]

    def register_db_proxy_targets(self, request: dict[str, Any]) -> dict[str, Any]:
        """Let the proxy send to a DB instance. It has one at most."""
        rds_query.refuse_unknown(
            request, {"DBProxyName", "TargetGroupName", "DBInstanceIdentifiers"}, "RegisterDBProxyTargets"
        )
        proxy, names = self._find_proxy(request), request.get("DBInstanceIdentifiers", [])
        if len(names) != 1:
            raise conflict("Specify exactly one DB instance.")
        instance = self.store.find_instance(names[0])
        self.store.require(instance, *USABLE)
        if proxy.target in self.store.instances:
            message = f"The proxy is already associated with the DB instance {proxy.target}."
            raise ApiError("DBProxyTargetAlreadyRegisteredFault", message)
        proxy.target, proxy.registering = instance.identifier, True
        self.lab.after(self.lab.durations.modify, lambda: setattr(proxy, "registering", False))
        return {"DBProxyTargets": self._targets(proxy)}

    def deregister_db_proxy_targets(self, request: dict[str, Any]) -> dict[str, Any]:
        """Let the proxy send to nobody."""
        proxy = self._find_proxy(request)
        names = [name.lower() for name in request.get("DBInstanceIdentifiers", [])]
        if proxy.target is None or names != [proxy.target]:
            raise ApiError("DBProxyTargetNotFoundFault", f"{', '.join(names)} is no target of the proxy.")
        proxy.target = None
        return {}
