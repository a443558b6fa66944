# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Elastic Load Balancing v2: Application Load Balancers whose listeners are real ports, and target groups that are really probed."""

from __future__ import annotations

import dataclasses
import secrets
from typing import TYPE_CHECKING, Any

from moto.ec2.exceptions import InvalidSubnetIdError
from moto.ec2.models import ec2_backends

from ...wire import ApiError
from . import balancer as alb
from .groups import TargetGroups
from .shapes import check_name, named, page, pairs, wanted_attributes
from .targets import Forward

if TYPE_CHECKING:
    from ...lab import Lab

PRIVILEGED_PORTS = 1024
BALANCER_ATTRIBUTES = {"idle_timeout.timeout_seconds": "60", "deletion_protection.enabled": "false"}


@dataclasses.dataclass
class Listener:
    """A listener: its shape, where it sends requests, and the port that is really open."""

    settings: dict[str, Any]
    forward: Forward
    opened: alb.Front | None = None  # once there is a way from a port to the listener

    @property
    def front(self) -> alb.Front:
        """What listens."""
        if self.opened is None:
            raise RuntimeError("the listener is not open yet")
        return self.opened


class Elbv2(TargetGroups):
    """The load balancers of the lab's account."""

    model = "elbv2"

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self._balancers: dict[str, dict[str, Any]] = {}
        self._attributes: dict[str, dict[str, str]] = {}
        self._listeners: dict[str, Listener] = {}
        self._tags: dict[str, dict[str, str]] = {}

    # Load balancers

    def create_load_balancer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Create an Application Load Balancer in at least two Availability Zones."""
        name = request["Name"]
        check_name(name)
        if request.get("Type", "application") != "application":
            raise ApiError("InvalidConfigurationRequest", "The lab has Application Load Balancers only.")
        zones, vpc = self._zones(
            request.get("Subnets") or [mapping["SubnetId"] for mapping in request.get("SubnetMappings", [])]
        )
        existing = next(
            (balancer for balancer in self._balancers.values() if balancer["LoadBalancerName"] == name), None
        )
        if existing and existing["AvailabilityZones"] == zones:
            return {"LoadBalancers": [existing]}
        if existing:
            message = f"A load balancer with the same name '{name}' exists, but with different settings"
            raise ApiError("DuplicateLoadBalancerName", message)
        arn = self.lab.arn("elasticloadbalancing", f"loadbalancer/app/{name}/{secrets.token_hex(8)}")
        scheme = request.get("Scheme", "internet-facing")
        internal = "internal-" if scheme == "internal" else ""
        self._balancers[arn] = {
            "LoadBalancerArn": arn,
            "DNSName": f"{internal}{name}-{secrets.randbelow(10**10)}.{self.lab.region}.elb.amazonaws.com",
            "CanonicalHostedZoneId": "Z3Q77PNBQS71R4",
            "CreatedTime": self.lab.now(),
            "LoadBalancerName": name,
            "Scheme": scheme,
            "VpcId": vpc,
            "State": {"Code": "active"},
            "Type": "application",
            "AvailabilityZones": zones,
            "SecurityGroups": request.get("SecurityGroups", []),
            "IpAddressType": "ipv4",
        }
        self._attributes[arn] = dict(BALANCER_ATTRIBUTES)
        self.tag(arn, request)
        return {"LoadBalancers": [self._balancers[arn]]}

    def _zones(self, subnet_ids: list[str]) -> tuple[list[dict[str, Any]], str]:
        network = ec2_backends[self.lab.account][self.lab.region]
        try:
            subnets = [network.get_subnet(subnet) for subnet in subnet_ids]
        except InvalidSubnetIdError as error:
            raise ApiError("SubnetNotFound", f"One of the subnets {', '.join(subnet_ids)} does not exist") from error
        if len({subnet.availability_zone for subnet in subnets}) < 2:
            raise ApiError(
                "ValidationError", "At least two subnets in two different Availability Zones must be specified"
            )
        zones = [
            {"ZoneName": subnet.availability_zone, "SubnetId": subnet.id, "LoadBalancerAddresses": []}
            for subnet in subnets
        ]
        return zones, subnets[0].vpc_id

    def describe_load_balancers(self, request: dict[str, Any]) -> dict[str, Any]:
        """The load balancers asked for by ARN or by name, or all."""
        found = named(self._balancers.values(), request.get("LoadBalancerArns"), request.get("Names"), "LoadBalancer")
        return page("LoadBalancers", found, request)

    def delete_load_balancer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Delete a load balancer with its listeners; one that does not exist is no error."""
        arn = request["LoadBalancerArn"]
        if arn in self._balancers and self._attributes[arn]["deletion_protection.enabled"] == "true":
            raise ApiError(
                "OperationNotPermitted",
                f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled",
            )
        for listener in self._listeners_of(arn):
            self.delete_listener({"ListenerArn": listener.settings["ListenerArn"]})
        self._balancers.pop(arn, None)
        return {}

    def describe_load_balancer_attributes(self, request: dict[str, Any]) -> dict[str, Any]:
        """The attributes of a load balancer."""
        self.balancer(request["LoadBalancerArn"])
        return {"Attributes": pairs(self._attributes[request["LoadBalancerArn"]])}

    def modify_load_balancer_attributes(self, request: dict[str, Any]) -> dict[str, Any]:
        """Change the idle timeout or the deletion protection."""
        self.balancer(request["LoadBalancerArn"])
        attributes = self._attributes[request["LoadBalancerArn"]]
        wanted = wanted_attributes(request, attributes)
        if not 1 <= int(wanted.get("idle_timeout.timeout_seconds", 60)) <= 4000:
            raise ApiError("InvalidConfigurationRequest", "idle_timeout.timeout_seconds is from 1 to 4000")
        attributes.update(wanted)
        return {"Attributes": pairs(attributes)}

    # Listeners

    def create_listener(self, request: dict[str, Any]) -> dict[str, Any]:
        """Open a port and forward what comes.

        Ports under 1024 would need root, and 80 may be another lab's: they become any free port. `port_of` tells which.
        """
        balancer, port = self.balancer(request["LoadBalancerArn"]), request.get("Port")
        if request.get("Protocol") != "HTTP" or port is None:
            raise ApiError(
                "UnsupportedProtocol", "The lab's listeners have a port and speak HTTP: there are no certificates."
            )
        if any(listener.settings["Port"] == port for listener in self._listeners_of(balancer["LoadBalancerArn"])):
            raise ApiError(
                "DuplicateListener",
                f"A listener already exists on this port for this load balancer '{balancer['LoadBalancerArn']}'",
            )
        forward = self._forward(request["DefaultActions"], balancer["LoadBalancerArn"])
        arn = balancer["LoadBalancerArn"].replace(":loadbalancer/", ":listener/") + f"/{secrets.token_hex(8)}"
        settings = {
            "ListenerArn": arn,
            "LoadBalancerArn": balancer["LoadBalancerArn"],
            "Port": port,
            "Protocol": "HTTP",
            "DefaultActions": _actions(request["DefaultActions"], forward),
        }
        listener = Listener(settings, forward)
        listener.opened = alb.Front(
            0 if port < PRIVILEGED_PORTS else port,
            lambda: self._route(listener),
            lambda *of: self._measure(listener, *of),
        )
        self._listeners[arn] = listener
        self.tag(arn, request)
        self.follow_use()
        return {"Listeners": [settings]}

    def _forward(self, actions: list[dict[str, Any]], balancer_arn: str) -> Forward:
        if len(actions) != 1 or actions[0]["Type"] != "forward":
            raise ApiError("InvalidLoadBalancerAction", "The lab's listeners have one action, of type forward.")
        config = actions[0].get("ForwardConfig") or {
            "TargetGroups": [{"TargetGroupArn": actions[0].get("TargetGroupArn", "")}]
        }
        if config.get("TargetGroupStickinessConfig", {}).get("Enabled"):
            raise ApiError("InvalidLoadBalancerAction", "The lab has no target group stickiness.")
        weights = {group["TargetGroupArn"]: group.get("Weight", 1) for group in config["TargetGroups"]}
        for arn in weights:
            self.group(arn)
            if {balancer_arn} != {*self.users(arn), balancer_arn}:
                message = f"The following target groups cannot be associated with more than one load balancer: {arn}"
                raise ApiError("TargetGroupAssociationLimit", message)
        if not all(0 <= weight <= 999 for weight in weights.values()):
            raise ApiError("ValidationError", "Weights are from 0 to 999")
        return Forward(weights)

    def describe_listeners(self, request: dict[str, Any]) -> dict[str, Any]:
        """The listeners of a load balancer, or those asked for by ARN."""
        if "ListenerArns" in request:
            found = [self._listener(arn).settings for arn in request["ListenerArns"]]
        elif "LoadBalancerArn" in request:
            balancer = self.balancer(request["LoadBalancerArn"])
            found = [listener.settings for listener in self._listeners_of(balancer["LoadBalancerArn"])]
        else:
            raise ApiError("ValidationError", "You must specify either listener ARNs or a load balancer ARN")
        return page("Listeners", found, request)

    def modify_listener(self, request: dict[str, Any]) -> dict[str, Any]:
        """Change where a listener sends requests: that is how weights shift."""
        listener = self._listener(request["ListenerArn"])
        if set(request) - {"ListenerArn", "DefaultActions"}:
            raise ApiError("InvalidConfigurationRequest", "The lab changes the default actions of a listener only.")
        if "DefaultActions" in request:
            listener.forward = self._forward(request["DefaultActions"], listener.settings["LoadBalancerArn"])
            listener.settings["DefaultActions"] = _actions(request["DefaultActions"], listener.forward)
            self.follow_use()
        return {"Listeners": [listener.settings]}

    def delete_listener(self, request: dict[str, Any]) -> dict[str, Any]:
        """Close a port."""
        self._listener(request["ListenerArn"])
        self._listeners.pop(request["ListenerArn"]).front.close()
        self.follow_use()
        return {}

    def describe_rules(self, request: dict[str, Any]) -> dict[str, Any]:
        """A listener of the lab has its default rule only."""
        if "RuleArns" in request:
            rules = [
                rule for rule in map(_default_rule, self._listeners.values()) if rule["RuleArn"] in request["RuleArns"]
            ]
            if len(rules) != len(set(request["RuleArns"])):
                raise ApiError("RuleNotFound", "One or more rules not found")
        elif "ListenerArn" in request:
            rules = [_default_rule(self._listener(request["ListenerArn"]))]
        else:
            raise ApiError("ValidationError", "You must specify either listener rule ARNs or a listener ARN")
        return page("Rules", rules, request)

    def send(self, rule_arn: str, weights: dict[str, int]) -> None:
        """What ECS does through its role when it shifts traffic (ModifyRule).

        :raises ApiError: there is no such rule.
        """
        listener = next((each for each in self._listeners.values() if _default_rule(each)["RuleArn"] == rule_arn), None)
        if listener is None:
            raise ApiError("RuleNotFound", "One or more rules not found")
        listener.forward = Forward(weights)
        listener.settings["DefaultActions"] = _actions(listener.settings["DefaultActions"], listener.forward)
        self.follow_use()

    def port_of(self, listener_arn: str) -> int:
        """The port on 127.0.0.1 where a listener really is."""
        return self._listener(listener_arn).front.port

    def _measure(self, listener: Listener, group: str | None, status: int, seconds: float | None) -> None:
        self.lab.cloudwatch.forwarded(listener.settings["LoadBalancerArn"], group, status, seconds)

    def _route(self, listener: Listener) -> tuple[str, str, int, float]:
        with self.lab.lock:
            group = self._groups.get(listener.forward.choose() or "")
            target = group.choose() if group else None
            if group is None or target is None:
                raise alb.NoTarget
            attributes = self._attributes[listener.settings["LoadBalancerArn"]]
            return group.arn, target.address, target.port, float(attributes["idle_timeout.timeout_seconds"])

    # Tags

    def add_tags(self, request: dict[str, Any]) -> dict[str, Any]:
        """Add tags to load balancers, listeners and target groups."""
        for arn in self._existing(request["ResourceArns"]):
            self.tag(arn, request)
        return {}

    def describe_tags(self, request: dict[str, Any]) -> dict[str, Any]:
        """The tags of each resource."""
        arns = self._existing(request["ResourceArns"])
        return {"TagDescriptions": [{"ResourceArn": arn, "Tags": pairs(self._tags.get(arn, {}))} for arn in arns]}

    def tag(self, arn: str, request: dict[str, Any]) -> None:
        """Give a resource the request's Tags."""
        self._tags.setdefault(arn, {}).update({tag["Key"]: tag.get("Value", "") for tag in request.get("Tags", [])})

    def _existing(self, arns: list[str]) -> list[str]:
        for arn in arns:
            look_up = {"loadbalancer": self.balancer, "listener": self._listener}.get(
                arn.split(":")[-1].split("/")[0], self.group
            )
            look_up(arn)
        return arns

    # Shapes

    def close(self) -> None:
        """Close every listener."""
        for listener in self._listeners.values():
            listener.front.close()

    def balancer(self, arn: str) -> dict[str, Any]:
        """A load balancer by its ARN.

        :raises ApiError: LoadBalancerNotFound.
        """
        if arn not in self._balancers:
            raise ApiError("LoadBalancerNotFound", "One or more load balancers not found")
        return self._balancers[arn]

    def _listener(self, arn: str) -> Listener:
        if arn not in self._listeners:
            raise ApiError("ListenerNotFound", "One or more listeners not found")
        return self._listeners[arn]

    def _listeners_of(self, balancer_arn: str) -> list[Listener]:
        return [
            listener for listener in self._listeners.values() if listener.settings["LoadBalancerArn"] == balancer_arn
        ]

    def users(self, group_arn: str) -> set[str]:
        """The ARNs of the load balancers that send requests to a group."""
        return {
            each.settings["LoadBalancerArn"] for each in self._listeners.values() if group_arn in each.forward.weights
        }


def _actions(actions: list[dict[str, Any]], forward: Forward) -> list[dict[str, Any]]:
    """DefaultActions as AWS answers them: a single group is reported in both ways."""
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in forward.weights.items()]
    single = {"TargetGroupArn": groups[0]["TargetGroupArn"]} if len(groups) == 1 else {}
    config = {"TargetGroups": groups, "TargetGroupStickinessConfig": {"Enabled": False}}
    return [{"Type": "forward", **single, "Order": actions[0].get("Order", 1), "ForwardConfig": config}]


def _default_rule(listener: Listener) -> dict[str, Any]:
    arn = listener.settings["ListenerArn"]
    return {
        "RuleArn": arn.replace(":listener/", ":listener-rule/") + "/" + arn[-16:],
        "Priority": "default",
        "Conditions": [],
        "Actions": listener.settings["DefaultActions"],
        "IsDefault": True,
    }
