# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Target groups and their targets: the API, and the health checks that run behind it."""

from __future__ import annotations

import ipaddress
import re
import secrets
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from moto.ec2.exceptions import InvalidVPCIdError
from moto.ec2.models import ec2_backends

from ...wire import ApiError, Service
from . import balancer as alb
from .shapes import check_name, named, page, pairs, wanted_attributes
from .targets import DRAINING, NOT_IN_USE, NOT_REGISTERED, REGISTERING, Target, TargetGroup, shape

if TYPE_CHECKING:
    from ...lab import Lab

HEALTH_CHECK = {
    "HealthCheckProtocol": "HTTP",
    "HealthCheckPort": "traffic-port",
    "HealthCheckEnabled": True,
    "HealthCheckPath": "/",
    "HealthCheckIntervalSeconds": 30,
    "HealthCheckTimeoutSeconds": 6,
    "HealthyThresholdCount": 5,
    "UnhealthyThresholdCount": 2,
    "Matcher": {"HttpCode": "200"},
}
FIXED_ATTRIBUTES = ("stickiness.enabled", "load_balancing.algorithm.type", "slow_start.duration_seconds")


class TargetGroups(Service, ABC):
    """The part of Elastic Load Balancing that knows targets. Whether a group is in use is told by `users`."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self._groups: dict[str, TargetGroup] = {}

    @abstractmethod
    def users(self, group_arn: str) -> set[str]:
        """The ARNs of the load balancers that send requests to a group."""

    @abstractmethod
    def balancer(self, arn: str) -> dict[str, Any]:
        """A load balancer by its ARN.

        :raises ApiError: LoadBalancerNotFound.
        """

    @abstractmethod
    def tag(self, arn: str, request: dict[str, Any]) -> None:
        """Give a resource the request's Tags."""

    # Target groups

    def create_target_group(self, request: dict[str, Any]) -> dict[str, Any]:
        """Create a target group of IP addresses; the same call again gives the same group."""
        name = request["Name"]
        check_name(name)
        if request.get("TargetType") != "ip" or request.get("Protocol") != "HTTP" or "Port" not in request:
            raise ApiError(
                "InvalidConfigurationRequest",
                "The lab's target groups have targets of type ip, protocol HTTP and a port.",
            )
        self._check_vpc(request.get("VpcId", ""))
        settings = {key: request[key] for key in ("Protocol", "Port", "VpcId", "TargetType")}
        settings |= {"TargetGroupName": name, "ProtocolVersion": "HTTP1", "IpAddressType": "ipv4"}
        settings |= {**HEALTH_CHECK, **{key: request[key] for key in HEALTH_CHECK if key in request}}
        _check_health_check(settings)
        existing = next((group for group in self._groups.values() if group.settings["TargetGroupName"] == name), None)
        if existing and settings == {key: value for key, value in existing.settings.items() if key != "TargetGroupArn"}:
            return {"TargetGroups": [self._shape(existing)]}
        if existing:
            raise ApiError(
                "DuplicateTargetGroupName",
                f"A target group with the same name '{name}' exists, but with different settings",
            )
        arn = self.lab.arn("elasticloadbalancing", f"targetgroup/{name}/{secrets.token_hex(8)}")
        self._groups[arn] = TargetGroup({"TargetGroupArn": arn, **settings})
        self.tag(arn, request)
        return {"TargetGroups": [self._shape(self._groups[arn])]}

    def _check_vpc(self, vpc: str) -> None:
        try:
            ec2_backends[self.lab.account][self.lab.region].get_vpc(vpc)
        except InvalidVPCIdError as error:
            raise ApiError("ValidationError", f"The VPC ID '{vpc}' is not found") from error

    def describe_target_groups(self, request: dict[str, Any]) -> dict[str, Any]:
        """The target groups asked for by ARN, by name or by load balancer, or all."""
        shapes = [self._shape(group) for group in self._groups.values()]
        if "LoadBalancerArn" in request:
            balancer = self.balancer(request["LoadBalancerArn"])["LoadBalancerArn"]
            shapes = [each for each in shapes if balancer in each["LoadBalancerArns"]]
        found = named(shapes, request.get("TargetGroupArns"), request.get("Names"), "TargetGroup")
        return page("TargetGroups", found, request)

    def modify_target_group(self, request: dict[str, Any]) -> dict[str, Any]:
        """Change the health check."""
        group = self.group(request["TargetGroupArn"])
        changed = {**group.settings, **{key: request[key] for key in HEALTH_CHECK if key in request}}
        _check_health_check(changed)
        group.settings = changed
        return {"TargetGroups": [self._shape(group)]}

    def delete_target_group(self, request: dict[str, Any]) -> dict[str, Any]:
        """Delete a target group that no listener uses."""
        group = self.group(request["TargetGroupArn"])
        if self.users(group.arn):
            raise ApiError("ResourceInUse", f"Target group '{group.arn}' is currently in use by a listener or a rule")
        del self._groups[group.arn]
        return {}

    def describe_target_group_attributes(self, request: dict[str, Any]) -> dict[str, Any]:
        """The attributes of a target group."""
        return {"Attributes": pairs(self.group(request["TargetGroupArn"]).attributes)}

    def modify_target_group_attributes(self, request: dict[str, Any]) -> dict[str, Any]:
        """Change the deregistration delay; what the lab's balancer does not do is refused."""
        group = self.group(request["TargetGroupArn"])
        wanted = wanted_attributes(request, group.attributes)
        for key in FIXED_ATTRIBUTES:
            if wanted.get(key, group.attributes[key]) != group.attributes[key]:
                raise ApiError("InvalidConfigurationRequest", f"The lab's {key} is {group.attributes[key]}")
        if not 0 <= int(wanted.get("deregistration_delay.timeout_seconds", 300)) <= 3600:
            raise ApiError("InvalidConfigurationRequest", "deregistration_delay.timeout_seconds is from 0 to 3600")
        group.attributes.update(wanted)
        return {"Attributes": pairs(group.attributes)}

    # Targets

    def register_targets(self, request: dict[str, Any]) -> dict[str, Any]:
        """Register addresses of the lab."""
        group = self.group(request["TargetGroupArn"])
        for target in request["Targets"]:
            if not _is_loopback(target["Id"]):
                raise ApiError(
                    "InvalidTarget", f"The following targets are not addresses of this lab: '{target['Id']}'"
                )
        for target in request["Targets"]:
            self.register(group.arn, target["Id"], target.get("Port", group.settings["Port"]))
        return {}

    def deregister_targets(self, request: dict[str, Any]) -> dict[str, Any]:
        """Drain addresses; one that is not registered is an error."""
        group = self.group(request["TargetGroupArn"])
        keys = [(target["Id"], target.get("Port", group.settings["Port"])) for target in request["Targets"]]
        missing = [address for address, port in keys if (address, port) not in group.targets]
        if missing:
            raise ApiError("InvalidTarget", f"The following targets are not registered: {', '.join(missing)}")
        for address, port in keys:
            self.deregister(group.arn, address, port)
        return {}

    def describe_target_health(self, request: dict[str, Any]) -> dict[str, Any]:
        """The health of all targets of a group, or of those asked for."""
        group = self.group(request["TargetGroupArn"])
        keys = [(target["Id"], target.get("Port", group.settings["Port"])) for target in request.get("Targets", [])]
        return {
            "TargetHealthDescriptions": [
                {
                    "Target": {"Id": address, "Port": port},
                    "HealthCheckPort": str(self._health_check_port(group, port)),
                    "TargetHealth": self.health(group.arn, address, port) or shape("unused", NOT_REGISTERED),
                }
                for address, port in keys or group.targets
            ]
        }

    def register(self, target_group_arn: str, address: str, port: int) -> None:
        """Register an address; registered already, it stays as it is, unless it is draining."""
        with self.lab.lock:
            group = self.group(target_group_arn)
            known = group.targets.get((address, port))
            if known is None or known.state == "draining":
                self._start(group, address, port)

    def deregister(self, target_group_arn: str, address: str, port: int) -> None:
        """Send an address no new requests; forget it when the deregistration delay is over."""
        with self.lab.lock:
            group = self.group(target_group_arn)
            target = group.targets.get((address, port))
            if target is None or target.state == "draining":
                return
            if target.state == "unused":
                del group.targets[address, port]
                return
            target.state, target.why = "draining", DRAINING
            self.lab.after(
                self.lab.durations.deregistration_delay * group.drain_share(), lambda: self._drained(group, target)
            )

    def health(self, target_group_arn: str, address: str, port: int) -> dict[str, Any] | None:
        """TargetHealth of an address; None when it is not registered."""
        with self.lab.lock:
            target = self.group(target_group_arn).targets.get((address, port))
            return target.health() if target else None

    def _drained(self, group: TargetGroup, target: Target) -> None:
        if group.targets.get((target.address, target.port)) is target:
            del group.targets[target.address, target.port]

    def _start(self, group: TargetGroup, address: str, port: int) -> None:
        used = bool(self.users(group.arn))
        target = Target(address, port, "initial" if used else "unused", REGISTERING if used else NOT_IN_USE)
        group.targets[address, port] = target
        if used:
            self._check_later(group, target)

    def follow_use(self) -> None:
        """Targets of a group that a listener begins or ceases to use start anew."""
        for group in self._groups.values():
            used = bool(self.users(group.arn))
            for target in list(group.targets.values()):
                if target.state != "draining" and used is (target.state == "unused"):
                    self._start(group, target.address, target.port)

    def _check_later(self, group: TargetGroup, target: Target) -> None:
        self.lab.after(
            self.lab.durations.health_check_interval * group.check_share(),
            lambda: self.lab.background(lambda: self._check(group, target)),
        )

    def _check(self, group: TargetGroup, target: Target) -> None:
        settings = group.settings
        if not self._is_checked(group, target):
            return
        port = self._health_check_port(group, target.port)
        failure = alb.probe(
            target.address, port, settings["HealthCheckPath"], group.accepts, settings["HealthCheckTimeoutSeconds"]
        )
        with self.lab.lock:
            if self._is_checked(group, target):
                target.checked(failure, settings["HealthyThresholdCount"], settings["UnhealthyThresholdCount"])
                self._check_later(group, target)

    def _is_checked(self, group: TargetGroup, target: Target) -> bool:
        return group.targets.get((target.address, target.port)) is target and target.state in (
            "initial",
            "healthy",
            "unhealthy",
        )

    def _health_check_port(self, group: TargetGroup, port: int) -> int:
        wanted = group.settings["HealthCheckPort"]
        return port if wanted == "traffic-port" else int(wanted)

    def group(self, arn: str) -> TargetGroup:
        """A target group by its ARN.

        :raises ApiError: TargetGroupNotFound.
        """
        if arn not in self._groups:
            raise ApiError("TargetGroupNotFound", "One or more target groups not found")
        return self._groups[arn]

    def _shape(self, group: TargetGroup) -> dict[str, Any]:
        return {**group.settings, "LoadBalancerArns": sorted(self.users(group.arn))}


def _check_health_check(settings: dict[str, Any]) -> None:
    if settings["HealthCheckProtocol"] != "HTTP" or not settings["HealthCheckEnabled"]:
        raise ApiError("InvalidConfigurationRequest", "The lab's health checks are enabled and speak HTTP.")
    if settings["HealthCheckTimeoutSeconds"] >= settings["HealthCheckIntervalSeconds"]:
        raise ApiError(
            "ValidationError",
            "Health check timeout '{HealthCheckTimeoutSeconds}' must be smaller than the interval "
            "'{HealthCheckIntervalSeconds}'".format_map(settings),
        )
    codes = settings["Matcher"].get("HttpCode", "")
    if not re.fullmatch(r"[2-4]\d\d(-[2-4]\d\d)?(,[2-4]\d\d(-[2-4]\d\d)?)*", codes):
        raise ApiError(
            "ValidationError", f"Health check matcher HTTP code '{codes}' must be within '200-499' inclusive"
        )


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.IPv4Address(address).is_loopback
    except ValueError:
        return False
