# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only room that calls Elastic Load Balancing."""

from __future__ import annotations

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.spymeo.rollback.plugins.module_utils._errors import RollbackError, reading

REFUSALS = ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation"]


class ElbGateway:
    """Reads the health of targets.

    :param client: boto3 client of elbv2.
    """

    def __init__(self, client):
        self._elb = client

    def health(self, group, addresses, port):
        """What a target group (ARN) says of some addresses: address → (state, reason), as TargetHealth has them.

        An address that is not registered is ``unused``. Others are not asked for: those of the release before are draining for minutes.

        :raises RollbackError: there is no such target group, or these credentials may not ask.
        """
        targets = [{"Id": address, "Port": port} for address in addresses]
        try:
            answer = self._elb.describe_target_health(TargetGroupArn=group, Targets=targets)
        except is_boto3_error_code("TargetGroupNotFound") as error:
            raise RollbackError("There is no target group %s any more, which the service names." % group) from error
        except is_boto3_error_code(REFUSALS) as error:
            raise RollbackError(
                "These credentials may not call DescribeTargetHealth. Allow elasticloadbalancing:DescribeTargetHealth (docs/permissions.md)."
            ) from error
        with reading("DescribeTargetHealth"):
            return {
                item["Target"]["Id"]: (
                    item["TargetHealth"]["State"],
                    item["TargetHealth"].get("Description") or item["TargetHealth"].get("Reason", ""),
                )
                for item in answer["TargetHealthDescriptions"]
            }
