# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only file that asks CloudWatch for metrics."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import REFUSALS, RollbackError, reading
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.traffic import Minute, Way

NAMESPACE = "AWS/ApplicationELB"
PERIOD = 60  # seconds, in which Elastic Load Balancing reports
REQUESTS, ERRORS, LATENCY, BALANCERS = "requests", "errors", "latency", "balancers"


class CloudwatchGateway:
    """Reads the metrics of load balancers.

    :param client: boto3 client of cloudwatch.
    """

    def __init__(self, client: Any) -> None:
        self._cloudwatch = client

    def minutes(self, way: Way, begin: datetime, end: datetime) -> list[Minute]:
        """The Minutes of a Way from ``begin`` to before ``end`` (aware datetimes of whole minutes), in order.

        A minute without requests has no metrics at all, and one without errors none of those ("CloudWatch metrics for your Application Load
        Balancer": the metric is not reported).

        :raises RollbackError: these credentials may not ask.
        """
        found = self._read(_queries(way), begin, end)
        times = sorted({at for name in (REQUESTS, ERRORS, BALANCERS) for at in found[name]})
        return [
            Minute(
                at,
                found[REQUESTS].get(at, 0.0),
                found[ERRORS].get(at, 0.0) + found[BALANCERS].get(at, 0.0),
                found[LATENCY].get(at),
            )
            for at in times
        ]

    def _read(self, queries: list[dict[str, Any]], begin: datetime, end: datetime) -> dict[str, dict[datetime, float]]:
        """Name → time → value."""
        found: dict[str, dict[datetime, float]] = {name: {} for name in (REQUESTS, ERRORS, LATENCY, BALANCERS)}
        asked: dict[str, Any] = dict(
            MetricDataQueries=queries, StartTime=begin, EndTime=end, ScanBy="TimestampAscending"
        )
        while True:
            try:
                answer = self._cloudwatch.get_metric_data(**asked)
            except is_boto3_error_code(REFUSALS) as error:
                raise RollbackError(
                    "These credentials may not call GetMetricData. Allow cloudwatch:GetMetricData (docs/permissions.md), "
                    "or leave the load balancer's metrics out with metrics: false in verify_watch."
                ) from error
            with reading("GetMetricData"):
                for result in answer["MetricDataResults"]:
                    found[result["Id"]].update(zip(result["Timestamps"], result["Values"]))
            if not answer.get("NextToken"):
                return found
            asked["NextToken"] = answer["NextToken"]


def _queries(way: Way) -> list[dict[str, Any]]:
    group = dict(LoadBalancer=way.balancer, TargetGroup=way.group)
    asked = [
        (REQUESTS, "RequestCount", "Sum", group),
        (ERRORS, "HTTPCode_Target_5XX_Count", "Sum", group),
        (LATENCY, "TargetResponseTime", "p90", group),
    ]
    if way.whole:
        asked.append((BALANCERS, "HTTPCode_ELB_5XX_Count", "Sum", dict(LoadBalancer=way.balancer)))
    return [
        dict(
            Id=name,
            MetricStat=dict(
                Metric=dict(
                    Namespace=NAMESPACE,
                    MetricName=metric,
                    Dimensions=[dict(Name=key, Value=value) for key, value in dimensions.items()],
                ),
                Period=PERIOD,
                Stat=statistic,
            ),
        )
        for name, metric, statistic, dimensions in asked
    ]
