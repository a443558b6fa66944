# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only file that calls Elastic Load Balancing."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

try:
    from botocore.exceptions import ClientError
except ImportError as missing:
    BOTOCORE_MISSING = missing  # the module has told which library to install before it comes here

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import (
    REFUSALS,
    RefusedByAws,
    RollbackError,
    reading,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._io.concurrency import side_by_side

# What a service's deployment depends on, by the names of DescribeTargetGroups and of DescribeTargetGroupAttributes.
HEALTH_CHECK = (
    "HealthCheckIntervalSeconds",
    "HealthCheckTimeoutSeconds",
    "HealthyThresholdCount",
    "UnhealthyThresholdCount",
)
DELAY = "deregistration_delay.timeout_seconds"
Arns = set[str]  # the gateway has a method ``set``


class ElbGateway:
    """Reads the health of targets, who sends requests to them, and what target groups are set to; changes the latter.

    :param client: boto3 client of elbv2.
    """

    def __init__(self, client: Any) -> None:
        self._elb = client

    def health(self, group: str, addresses: Iterable[str], port: int) -> dict[str, tuple[str, str]]:
        """What a target group (ARN) says of some addresses: address → (state, reason), as TargetHealth has them.

        An address that is not registered is ``unused``. Others are not asked for: those of the release before are draining for minutes.

        :raises RollbackError: there is no such target group, or these credentials may not ask.
        """
        answer = self._health(TargetGroupArn=group, Targets=[{"Id": address, "Port": port} for address in addresses])
        return {target: told for (target, _port), told in answer.items()}

    def whole_health(self, group: str) -> dict[tuple[str, int | None], tuple[str, str]]:
        """The same of all that is registered in a target group: (id of the target, port) → (state, reason).

        :raises RollbackError: as above.
        """
        return self._health(TargetGroupArn=group)

    def _health(self, **asked: Any) -> dict[tuple[str, int | None], tuple[str, str]]:
        group = asked["TargetGroupArn"]
        try:
            answer = described_health(self._elb, **asked)
        except is_boto3_error_code("TargetGroupNotFound") as error:
            raise RollbackError("There is no target group %s any more, which the service names." % group) from error
        except is_boto3_error_code(REFUSALS) as error:
            raise _refused("DescribeTargetHealth") from error
        with reading("DescribeTargetHealth"):
            return {
                (item["Target"]["Id"], item["Target"].get("Port")): (
                    item["TargetHealth"]["State"],
                    item["TargetHealth"].get("Description") or item["TargetHealth"].get("Reason", ""),
                )
                for item in answer
            }

    def settings(self, groups: Collection[str]) -> dict[str, dict[str, int]]:
        """What target groups (ARNs) are set to: ARN → name → int, of HEALTH_CHECK and DELAY; without those that are gone.

        :raises RefusedByAws: these credentials may not ask.
        """
        return {arn: found for arn, found in zip(groups, side_by_side(self._settings, groups)) if found}

    def _settings(self, group: str) -> dict[str, int] | None:
        with _refused_for(group):
            try:
                described = self._elb.describe_target_groups(TargetGroupArns=[group])["TargetGroups"][0]
                answer = self._elb.describe_target_group_attributes(TargetGroupArn=group)
            except is_boto3_error_code("TargetGroupNotFound"):
                return None
        with reading("DescribeTargetGroups"):
            found = {name: described[name] for name in HEALTH_CHECK}
        with reading("DescribeTargetGroupAttributes"):
            return dict(found, **{DELAY: int({item["Key"]: item["Value"] for item in answer["Attributes"]}[DELAY])})

    def set(self, group: str, values: Mapping[str, int]) -> None:
        """Change settings (name → int) of a target group (ARN), and nothing else.

        :raises RefusedByAws: it may not be, or not so.
        """
        health_check = {name: value for name, value in values.items() if name != DELAY}
        with _refused_for(group):
            if health_check:
                self._elb.modify_target_group(TargetGroupArn=group, **health_check)
            if DELAY in values:
                attributes = [{"Key": DELAY, "Value": str(values[DELAY])}]
                self._elb.modify_target_group_attributes(TargetGroupArn=group, Attributes=attributes)

    def balancers(self, groups: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """The load balancers that send requests to target groups: ARN of a group → tuple of their ARNs.

        :param groups: ARNs.
        :raises RollbackError: there is no such target group, or these credentials may not ask.
        """
        return {
            group["TargetGroupArn"]: tuple(group["LoadBalancerArns"])
            for group in self._groups(TargetGroupArns=list(groups))
        }

    def groups_of(self, balancer: str) -> Arns:
        """The ARNs (set) of the target groups that a load balancer (ARN) sends requests to.

        :raises RollbackError: these credentials may not ask.
        """
        return {group["TargetGroupArn"] for group in self._groups(LoadBalancerArn=balancer)}

    def _groups(self, **asked: Any) -> list[dict[str, Any]]:
        pages = self._elb.get_paginator("describe_target_groups").paginate(**asked)
        try:
            with reading("DescribeTargetGroups"):
                return [group for page in pages for group in page["TargetGroups"]]
        except is_boto3_error_code("TargetGroupNotFound") as error:
            raise RollbackError("A target group that the service names is not there any more.") from error
        except is_boto3_error_code(REFUSALS) as error:
            raise _refused("DescribeTargetGroups") from error


def described_health(client: Any, **asked: Any) -> list[dict[str, Any]]:
    """DescribeTargetHealth: the shapes TargetHealthDescription.

    :param client: boto3 client of elbv2.
    """
    answer = client.describe_target_health(**asked)
    with reading("DescribeTargetHealth"):
        found: list[dict[str, Any]] = answer["TargetHealthDescriptions"]
        return found


@contextlib.contextmanager
def _refused_for(group: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        answer = error.response["Error"]
        raise RefusedByAws(
            "Elastic Load Balancing refuses %s for %s (%s: %s)"
            % (error.operation_name, group, answer["Code"], answer["Message"])
        ) from error


def _refused(operation: str) -> RollbackError:
    return RollbackError(
        "These credentials may not call %s. Allow elasticloadbalancing:%s (docs/permissions.md)."
        % (operation, operation)
    )
