# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""CloudWatch: the metrics of the lab's load balancers, of the requests that they have really forwarded ("CloudWatch metrics for your
Application Load Balancer"). Health checks are no requests."""

from __future__ import annotations

import collections
import datetime
import math
import re
import statistics
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..wire import ApiError, Service

if TYPE_CHECKING:
    from ..lab import Lab

NAMESPACE = "AWS/ApplicationELB"
MINUTE = 60  # seconds: "Elastic Load Balancing measures and sends its metrics in 60-second intervals"
PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,10})?|100)")
STATISTICS: dict[str, Callable[[list[float]], float]] = {
    "Sum": sum,
    "Average": statistics.fmean,
    "Minimum": min,
    "Maximum": max,
    "SampleCount": len,
}

Key = tuple[str, frozenset[Any]]
"""A metric's name and its dimensions."""


class Cloudwatch(Service):
    """What was measured, by metric and minute. A metric without a value has no data point: it is not reported."""

    model = "cloudwatch"
    of_moto = frozenset({"PutMetricAlarm", "SetAlarmState", "DescribeAlarms", "DeleteAlarms"})

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self._points: dict[Key, dict[int, list[float]]] = collections.defaultdict(lambda: collections.defaultdict(list))

    def controls(self) -> dict[str, Any]:
        """What a test may have had users do."""
        return {"traffic": self._traffic}

    def forwarded(
        self, balancer: str, group: str | None, status: int, seconds: float | None, at: float | None = None
    ) -> None:
        """Take in a request that was answered. `seconds`: until the target has begun to answer, None where it has not.

        :param balancer: ARN. `group`: ARN of the target group that a target was chosen of, None where there was none.
        """
        minute = int((self._now() if at is None else at) // MINUTE) * MINUTE
        of_balancer = {("LoadBalancer", balancer.partition(":loadbalancer/")[2])}
        both = [of_balancer, of_balancer | {("TargetGroup", group.rpartition(":")[2])}] if group else [of_balancer]
        for dimensions in both if group else ():
            self._add("RequestCount", dimensions, minute, 1)
        if seconds is None:
            self._add(f"HTTPCode_ELB_{status // 100}XX_Count", of_balancer, minute, 1)
            return
        for dimensions in both:
            self._add(f"HTTPCode_Target_{status // 100}XX_Count", dimensions, minute, 1)
            self._add("TargetResponseTime", dimensions, minute, seconds)

    def _now(self) -> float:
        return self.lab.now().timestamp()

    def _add(self, metric: str, dimensions: set[Any], minute: int, value: float) -> None:
        with self.lab.lock:
            self._points[metric, frozenset(dimensions)][minute].append(value)

    def _traffic(
        self, target_group: str, first: int, last: int, requests: int, seconds: float = 0.05, errors: int = 0
    ) -> None:
        """What users have sent in the minutes from `first` to `last` ago, in each: a test has no hour to wait."""
        (balancer,) = self.lab.elbv2.users(target_group)
        for ago in range(last, first + 1):
            for number in range(requests):
                status = 500 if number < errors else 200
                self.forwarded(
                    balancer,
                    target_group,
                    status,
                    seconds * (0.9 + 0.2 * (number % 10) / 10),
                    self._now() - ago * MINUTE,
                )

    def get_metric_data(self, request: dict[str, Any]) -> dict[str, Any]:
        """The data points of metrics, each by its own id."""
        start, end = request["StartTime"].timestamp(), request["EndTime"].timestamp()
        if start >= end:
            raise ApiError("ValidationError", "The parameter StartTime must be less than the parameter EndTime.")
        descending = request.get("ScanBy", "TimestampDescending") == "TimestampDescending"
        results = []
        for query in request["MetricDataQueries"]:
            if "MetricStat" not in query:
                raise ApiError("ValidationError", "The lab has no metric math.")
            points = sorted(self._series(query["MetricStat"], start, end).items(), reverse=descending)
            results.append(
                {
                    "Id": query["Id"],
                    "Label": query.get("Label", query["MetricStat"]["Metric"]["MetricName"]),
                    "Timestamps": [datetime.datetime.fromtimestamp(at, datetime.UTC) for at, _value in points],
                    "Values": [float(value) for _at, value in points],
                    "StatusCode": "Complete",
                }
            )
        return {"MetricDataResults": results, "Messages": []}

    def _series(self, asked: dict[str, Any], start: float, end: float) -> dict[int, float]:
        period, metric = asked["Period"], asked["Metric"]
        if period % MINUTE:
            raise ApiError("ValidationError", "The lab has no metrics of high resolution: Period is a multiple of 60.")
        if metric.get("Namespace") != NAMESPACE:
            return {}
        dimensions = frozenset((item["Name"], item["Value"]) for item in metric.get("Dimensions", []))
        known = self._now() - MINUTE - self.lab.durations.metrics_delay
        values: dict[int, list[float]] = collections.defaultdict(list)
        for minute, points in self._points.get((metric["MetricName"], dimensions), {}).items():
            at = minute // period * period
            if start <= at < end and minute <= known:
                values[at] += points
        return {at: _statistic(asked["Stat"], found) for at, found in values.items()}


def _statistic(name: str, values: list[float]) -> float:
    if name in STATISTICS:
        return STATISTICS[name](values)
    percentile = PERCENTILE.fullmatch(name)
    if percentile is None:
        raise ApiError("ValidationError", f"The value {name} for parameter Stat is not supported.")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(float(percentile[1]) / 100 * len(ordered)) - 1)]
