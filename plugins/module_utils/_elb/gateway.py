# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only room that calls Elastic Load Balancing."""

from __future__ import annotations

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.spymeo.rollback.plugins.module_utils._errors import RollbackError, reading

REFUSALS = ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation"]


class ElbGateway:
    """Reads the health of targets, and who sends requests to them.

    :param client: boto3 client of elbv2.
    """

    def __init__(self, client):
        self._elb = client

    def health(self, group, addresses, port):
        """What a target group (ARN) says of some addresses: address → (state, reason), as TargetHealth has them.

        An address that is not registered is ``unused``. Others are not asked for: those of the release before are draining for minutes.

        :raises RollbackError: there is no such target group, or these credentials may not ask.
        """
        answer = self._health(TargetGroupArn=group, Targets=[{"Id": address, "Port": port} for address in addresses])
        return {target: told for (target, _port), told in answer.items()}

    def whole_health(self, group):
        """The same of all that is registered in a target group: (id of the target, port) → (state, reason).

        :raises RollbackError: as above.
        """
        return self._health(TargetGroupArn=group)

    def _health(self, **asked):
        group = asked["TargetGroupArn"]
        try:
            answer = self._elb.describe_target_health(**asked)
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
                for item in answer["TargetHealthDescriptions"]
            }

    def balancers(self, groups):
        """The load balancers that send requests to target groups: ARN of a group → tuple of their ARNs.

        :param groups: ARNs.
        :raises RollbackError: there is no such target group, or these credentials may not ask.
        """
        return {
            group["TargetGroupArn"]: tuple(group["LoadBalancerArns"])
            for group in self._groups(TargetGroupArns=list(groups))
        }

    def groups_of(self, balancer):
        """The ARNs (set) of the target groups that a load balancer (ARN) sends requests to.

        :raises RollbackError: these credentials may not ask.
        """
        return {group["TargetGroupArn"] for group in self._groups(LoadBalancerArn=balancer)}

    def _groups(self, **asked):
        pages = self._elb.get_paginator("describe_target_groups").paginate(**asked)
        try:
            with reading("DescribeTargetGroups"):
                return [group for page in pages for group in page["TargetGroups"]]
        except is_boto3_error_code("TargetGroupNotFound") as error:
            raise RollbackError("A target group that the service names is not there any more.") from error
        except is_boto3_error_code(REFUSALS) as error:
            raise _refused("DescribeTargetGroups") from error


def _refused(operation):
    return RollbackError(
        "These credentials may not call %s. Allow elasticloadbalancing:%s (docs/permissions.md)."
        % (operation, operation)
    )
