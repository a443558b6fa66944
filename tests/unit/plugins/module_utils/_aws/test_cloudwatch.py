# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What CloudWatch may say that the lab does not: more than one page, and no."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import boto3
import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.cloudwatch import CloudwatchGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.traffic import Minute, Way
from botocore.stub import Stubber

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ONE = NOON + timedelta(minutes=1)
WAY = Way("app/spymeo/1", "targetgroup/app/1", whole=True)


@pytest.fixture
def cloudwatch():
    client = boto3.client(
        "cloudwatch", region_name="eu-west-3", aws_access_key_id="AKIA", aws_secret_access_key="secret"
    )
    with Stubber(client) as stubber:
        yield CloudwatchGateway(client), stubber
        stubber.assert_no_pending_responses()


def series(name, **points):
    return {
        "Id": name,
        "Timestamps": [NOON if key == "noon" else ONE for key in points],
        "Values": list(points.values()),
    }


def test_pages_are_joined_and_what_is_not_reported_is_nothing(cloudwatch):
    gateway, stubber = cloudwatch
    first = {"MetricDataResults": [series("requests", noon=100.0), series("latency", noon=0.2)], "NextToken": "more"}
    last = {
        "MetricDataResults": [series("requests", one=90.0), series("errors", one=2.0), series("balancers", one=3.0)]
    }
    stubber.add_response("get_metric_data", first)
    stubber.add_response("get_metric_data", last)
    assert gateway.minutes(WAY, NOON, NOON + timedelta(minutes=2)) == [
        Minute(NOON, 100.0, 0.0, 0.2),
        Minute(ONE, 90.0, 5.0, None),
    ]


def test_a_minute_in_which_no_target_was_there_is_one(cloudwatch):
    gateway, stubber = cloudwatch
    stubber.add_response("get_metric_data", {"MetricDataResults": [series("balancers", noon=80.0)]})
    (minute,) = gateway.minutes(WAY, NOON, ONE)
    assert (minute.requests, minute.errors, minute.share) == (0.0, 80.0, 1.0)


def test_a_missing_permission_comes_with_what_to_allow(cloudwatch):
    gateway, stubber = cloudwatch
    stubber.add_client_error("get_metric_data", "AccessDenied")
    with pytest.raises(
        RollbackError, match=r"Allow cloudwatch:GetMetricData .* or leave .* metrics: false in verify_watch"
    ):
        gateway.minutes(WAY, NOON, ONE)
