# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What RDS asks EC2: security groups, subnets, the default VPC. They live in moto, in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.ec2.exceptions import InvalidSubnetIdError
from moto.ec2.models import EC2Backend, ec2_backends
from moto.ec2.models.security_groups import SecurityGroupRule
from moto.kms.models import kms_backends

from ...wire import ApiError

if TYPE_CHECKING:
    from ...lab import Lab


class Network:
    """EC2 of the lab's account and region, as RDS sees it."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    @property
    def _ec2(self) -> EC2Backend:
        return ec2_backends[self._lab.account][self._lab.region]

    @property
    def default_vpc(self) -> str:
        """The id of the account's default VPC."""
        vpc = self._ec2.get_default_vpc()
        if vpc is None:
            raise ApiError("InvalidVPCNetworkStateFault", "No default VPC")
        return str(vpc.id)

    def default_security_group(self, vpc: str) -> str:
        """The id of a VPC's default security group: it lets in its own members only."""
        group = self._ec2.get_default_security_group(vpc)
        if group is None:
            raise ApiError("InvalidVPCNetworkStateFault", f"{vpc} has no default security group")
        return str(group.id)

    def default_subnets(self) -> list[str]:
        """The ids of the default VPC's default subnets, one an availability zone."""
        return [subnet.id for _, subnet in sorted(self._ec2.get_default_subnets().items())]

    def subnets(self, ids: list[str]) -> list[tuple[str, str, str]]:
        """(subnet id, availability zone, VPC id) of each subnet.

        :raises ApiError: InvalidSubnet when one does not exist or they are not all in one VPC.
        """
        try:
            found = [self._ec2.get_subnet(subnet) for subnet in ids]
        except InvalidSubnetIdError as error:
            raise ApiError("InvalidSubnet", f"Some input subnets in :[{', '.join(ids)}] are invalid.") from error
        if len({subnet.vpc_id for subnet in found}) != 1:
            raise ApiError("InvalidSubnet", f"Some input subnets in :[{', '.join(ids)}] are invalid.")
        return [(subnet.id, subnet.availability_zone, subnet.vpc_id) for subnet in found]

    def key(self, name: str) -> str:
        """The ARN of a KMS key, by its ARN, id or alias.

        :raises ApiError: KMSKeyNotAccessibleFault when there is none or it is disabled.
        """
        kms = kms_backends[self._lab.account][self._lab.region]
        alias = kms.get_alias_name(name)
        key_id = kms.get_key_id_from_alias(alias) if alias.startswith("alias/") else kms.get_key_id(name)
        key = kms.keys.get(key_id or "")
        if key is None or not key.enabled:
            message = f"The specified KMS key [{name}] does not exist, is not enabled or you do not have permissions to access it."
            raise ApiError("KMSKeyNotAccessibleFault", message)
        return key.arn

    def check_security_groups(self, ids: list[str], vpc: str) -> None:
        """Refuse groups that do not exist or belong to another VPC.

        :raises ApiError: InvalidParameterValue, InvalidParameterCombination.
        """
        for group_id in ids:
            group = self._ec2.get_security_group_from_id(group_id)
            if group is None:
                raise ApiError("InvalidParameterValue", f"Invalid security group , groupId= {group_id}, groupName=.")
            if group.vpc_id != vpc:
                raise ApiError(
                    "InvalidParameterCombination",
                    "The DB instance and EC2 security group are in different VPCs. "
                    f"The DB instance is in {vpc} and the EC2 security group is in {group.vpc_id}",
                )

    def lets_in(self, ids: list[str], port: int) -> bool:
        """Whether one of the groups has a rule that opens TCP `port` to anyone but the groups' own members."""
        found = [self._ec2.get_security_group_from_id(group_id) for group_id in ids]
        return any(_opens(rule, port, set(ids)) for group in found if group for rule in group.ingress_rules)


def _opens(rule: SecurityGroupRule, port: int, members: set[str]) -> bool:
    """The lab's application is no member of a database's group, so a group that lets in its own members opens to nobody."""
    in_range = rule.ip_protocol == "-1" or (
        rule.ip_protocol == "tcp" and (rule.from_port or 0) <= port <= (rule.to_port or 0)
    )
    return in_range and bool(rule.ip_range or (rule.source_group and rule.source_group.get("GroupId") not in members))
