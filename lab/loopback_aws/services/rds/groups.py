# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""RDS's groups: DB subnet groups, DB parameter groups and option groups, with the defaults that every account has."""

from __future__ import annotations

from typing import Any

from ...wire import ApiError
from . import query as rds_query
from .settings import ENGINE, MINORS, check_identifier, conflict, invalid
from .store import Part, Store


class Groups(Part):
    """The part of RDS that keeps groups."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._subnet_groups: dict[str, dict[str, Any]] = {}
        self._parameter_groups = dict(self._default_parameter_group(number) for number in MINORS)
        self._option_groups = dict(self._default_option_group(number) for number in MINORS)
        for arn in [group["DBParameterGroupArn"] for group in self._parameter_groups.values()]:
            self.store.tags[arn] = {}

    # Subnet groups

    def create_db_subnet_group(self, request: dict[str, Any]) -> dict[str, Any]:
        """A subnet group; its subnets must be in one VPC and cover two availability zones."""
        name = check_identifier(request["DBSubnetGroupName"], "DBSubnetGroupName", 255)
        if name == "default":
            raise invalid("The parameter DBSubnetGroupName is not valid: default is reserved.")
        if name in self._subnet_groups:
            raise ApiError("DBSubnetGroupAlreadyExists", f"The DB subnet group '{name}' already exists.")
        group, tags = (
            self._subnet_group(name, request["DBSubnetGroupDescription"], request["SubnetIds"]),
            rds_query.tags_from(request),
        )
        self._subnet_groups[name] = group
        self.store.tags[group["DBSubnetGroupArn"]] = tags
        return {"DBSubnetGroup": group}

    def _subnet_group(self, name: str, description: str, subnet_ids: list[str]) -> dict[str, Any]:
        subnets = self.store.network.subnets(subnet_ids)
        zones = {zone for _, zone, _ in subnets}
        if len(zones) < 2:
            raise ApiError(
                "DBSubnetGroupDoesNotCoverEnoughAZs",
                "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current AZ coverage: "
                f"{', '.join(sorted(zones))}. Add subnets to cover at least 2 AZs.",
            )
        return {
            "DBSubnetGroupName": name,
            "DBSubnetGroupDescription": description,
            "DBSubnetGroupArn": self.lab.arn("rds", f"subgrp:{name}"),
            "VpcId": subnets[0][2],
            "SubnetGroupStatus": "Complete",
            "SupportedNetworkTypes": ["IPV4"],
            "Subnets": [
                {
                    "SubnetIdentifier": subnet,
                    "SubnetAvailabilityZone": {"Name": zone},
                    "SubnetOutpost": {},
                    "SubnetStatus": "Active",
                }
                for subnet, zone, _ in subnets
            ],
        }

    def describe_db_subnet_groups(self, request: dict[str, Any]) -> dict[str, Any]:
        """The subnet groups by name."""
        if "DBSubnetGroupName" in request:
            return {"DBSubnetGroups": [self.subnet_group(request["DBSubnetGroupName"])]}
        groups = [self.subnet_group(name) for name in sorted({*self._subnet_groups, "default"})]
        return rds_query.answer("DBSubnetGroups", rds_query.filtered(groups, request, {}), request)

    def subnet_group(self, name: str | None) -> dict[str, Any]:
        """A subnet group; without a name the default one, which has the default VPC's subnets.

        :raises ApiError: DBSubnetGroupNotFoundFault.
        """
        name = (name or "default").lower()
        if name == "default" and name not in self._subnet_groups:
            self._subnet_groups[name] = self._subnet_group(name, "default", self.store.network.default_subnets())
        if name not in self._subnet_groups:
            raise ApiError("DBSubnetGroupNotFoundFault", f"DB subnet group '{name}' does not exist.")
        return self._subnet_groups[name]

    # Parameter groups

    def _default_parameter_group(self, number: str) -> tuple[str, dict[str, Any]]:
        name = f"default.{ENGINE}{number}"
        return name, self._parameter_group(name, f"{ENGINE}{number}", f"Default parameter group for {ENGINE}{number}")

    def _parameter_group(self, name: str, family: str, description: str) -> dict[str, Any]:
        return {
            "DBParameterGroupName": name,
            "DBParameterGroupFamily": family,
            "Description": description,
            "DBParameterGroupArn": self.lab.arn("rds", f"pg:{name}"),
        }

    def create_db_parameter_group(self, request: dict[str, Any]) -> dict[str, Any]:
        """A parameter group for one family. It has the family's values: the lab does not change parameters."""
        name = check_identifier(request["DBParameterGroupName"], "DBParameterGroupName", 255)
        family = request["DBParameterGroupFamily"]
        if name in self._parameter_groups:
            raise ApiError("DBParameterGroupAlreadyExists", f"Parameter group {name} already exists")
        if family not in {f"{ENGINE}{number}" for number in MINORS}:
            raise invalid(f"ParameterGroupFamily {family} is not a valid parameter group family")
        group, tags = self._parameter_group(name, family, request["Description"]), rds_query.tags_from(request)
        self._parameter_groups[name] = group
        self.store.tags[group["DBParameterGroupArn"]] = tags
        return {"DBParameterGroup": group}

    def describe_db_parameter_groups(self, request: dict[str, Any]) -> dict[str, Any]:
        """The parameter groups by name, the default ones included."""
        if "DBParameterGroupName" in request:
            return {"DBParameterGroups": [self._find_parameter_group(request["DBParameterGroupName"])]}
        groups = [group for _, group in sorted(self._parameter_groups.items())]
        return rds_query.answer("DBParameterGroups", rds_query.filtered(groups, request, {}), request)

    def _find_parameter_group(self, name: str) -> dict[str, Any]:
        if name.lower() not in self._parameter_groups:
            raise ApiError("DBParameterGroupNotFound", f"DBParameterGroup not found: {name}")
        return self._parameter_groups[name.lower()]

    def parameter_group(self, name: str | None, number: str) -> str:
        """The name of a parameter group that fits major version `number`; without a name the default one.

        :raises ApiError: there is none, or it is of another family.
        """
        group = self._find_parameter_group(name or f"default.{ENGINE}{number}")
        family = group["DBParameterGroupFamily"]
        if family != f"{ENGINE}{number}":
            raise conflict(
                f"The Parameter Group {group['DBParameterGroupName']} with DBParameterGroupFamily {family} cannot be used for this "
                f"instance. Please use a Parameter Group with DBParameterGroupFamily {ENGINE}{number}"
            )
        return str(group["DBParameterGroupName"])

    # Option groups

    def _default_option_group(self, number: str) -> tuple[str, dict[str, Any]]:
        name = f"default:{ENGINE}-{number}"
        return name, self._option_group(name, number, f"Default option group for {ENGINE} {number}")

    def _option_group(self, name: str, number: str, description: str) -> dict[str, Any]:
        return {
            "OptionGroupName": name,
            "OptionGroupDescription": description,
            "EngineName": ENGINE,
            "MajorEngineVersion": number,
            "Options": [],
            "AllowsVpcAndNonVpcInstanceMemberships": True,
            "OptionGroupArn": self.lab.arn("rds", f"og:{name}"),
        }

    def create_option_group(self, request: dict[str, Any]) -> dict[str, Any]:
        """An option group without options: PostgreSQL has none."""
        name = check_identifier(request["OptionGroupName"], "OptionGroupName", 255)
        number = request["MajorEngineVersion"]
        if name in self._option_groups:
            raise ApiError("OptionGroupAlreadyExistsFault", f"An option group named {name} already exists.")
        if request["EngineName"] != ENGINE or number not in MINORS:
            raise conflict(f"Cannot find major version {number} for {request['EngineName']}")
        group, tags = self._option_group(name, number, request["OptionGroupDescription"]), rds_query.tags_from(request)
        self._option_groups[name] = group
        self.store.tags[group["OptionGroupArn"]] = tags
        return {"OptionGroup": group}

    def describe_option_groups(self, request: dict[str, Any]) -> dict[str, Any]:
        """The option groups by name, the default ones included."""
        if "OptionGroupName" in request:
            return {"OptionGroupsList": [self._find_option_group(request["OptionGroupName"])]}
        if "MajorEngineVersion" in request and "EngineName" not in request:
            raise conflict("MajorEngineVersion requires EngineName.")
        wanted = {name: request[name] for name in ("EngineName", "MajorEngineVersion") if name in request}
        groups = [group for _, group in sorted(self._option_groups.items()) if wanted.items() <= group.items()]
        return rds_query.answer("OptionGroupsList", rds_query.filtered(groups, request, {}), request)

    def _find_option_group(self, name: str) -> dict[str, Any]:
        if name.lower() not in self._option_groups:
            raise ApiError("OptionGroupNotFoundFault", f"Specified OptionGroupName: {name} not found.")
        return self._option_groups[name.lower()]

    def option_group(self, name: str | None, number: str) -> str:
        """The name of an option group that fits major version `number`; without a name the default one.

        :raises ApiError: there is none, or it is for another version.
        """
        group = self._find_option_group(name or f"default:{ENGINE}-{number}")
        if group["MajorEngineVersion"] != number:
            raise conflict(
                f"The option group {group['OptionGroupName']} is associated with {ENGINE} {group['MajorEngineVersion']}, "
                f"which is different from {ENGINE} {number}."
            )
        return str(group["OptionGroupName"])
