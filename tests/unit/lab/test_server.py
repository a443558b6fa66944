# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the endpoint does for all services: throttling as AWS does it, on request."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from loopback_aws import server
from loopback_aws.errors import NotStarted
from loopback_aws.lab import ACCESS_KEY, REGION, SECRET_KEY


def test_an_operation_is_throttled_as_often_as_was_asked_and_others_are_not(lab):
    ecs = lab.client("ecs")
    assert lab.lab.control("throttle", {"operation": "ListClusters", "times": 2}) == (200, {})
    for _ in range(2):
        with pytest.raises(ClientError) as caught:
            ecs.list_clusters()
        assert caught.value.response["Error"] == {"Code": "ThrottlingException", "Message": "Rate exceeded"}
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
        assert ecs.list_task_definitions()["taskDefinitionArns"] == []
    assert ecs.list_clusters()["clusterArns"] == []


def test_a_throttled_call_changes_nothing_and_is_told_in_the_call_log(lab):
    lab.lab.control("throttle", {"operation": "CreateCluster", "times": 1})
    with pytest.raises(ClientError):
        lab.client("ecs").create_cluster(clusterName="main")
    assert lab.client("ecs").list_clusters()["clusterArns"] == []
    call = next(call for call in lab.api.calls.all() if call["operation"] == "CreateCluster")
    assert (call["error"], call["writes"]) == ("ThrottlingException", True)


def test_a_client_that_tries_again_does_not_notice(lab):
    patient = boto3.client(
        "ecs",
        endpoint_url=f"http://127.0.0.1:{lab.port}",
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        config=Config(retries={"mode": "standard", "total_max_attempts": 3}),
    )
    lab.lab.control("throttle", {"operation": "ListClusters", "times": 2})
    assert patient.list_clusters()["clusterArns"] == []
    assert [call["error"] for call in lab.api.calls.all()] == ["ThrottlingException", "ThrottlingException", None]


def test_a_port_that_is_taken_is_told_or_another_one_serves(lab):
    with pytest.raises(NotStarted, match=rf"somebody listens on port {lab.port} of 127\.0\.0\.1; end that first"):
        server.start(lab.api, lab.port)
    other = server.start(lab.api, lab.port, poll_interval=0.02, or_any=True)
    assert other.port not in (0, lab.port)
    other.shutdown()
    other.server_close()


@pytest.mark.parametrize(
    ("name", "arguments", "status", "words"),
    [
        ("throtle", {}, 404, "no control throtle; there are "),
        ("throttle", {"operation": "ListClusters", "time": 2}, 400, "'times'; it takes operation, times"),
        ("rds_next_restore", {"status": "sad"}, 400, "no terminal state sad; there are "),
    ],
)
def test_a_control_that_is_asked_wrongly_says_what_it_takes(lab, name, arguments, status, words):
    asked = urllib.request.Request(f"http://127.0.0.1:{lab.port}/_lab/{name}", json.dumps(arguments).encode())
    asked.add_header("Content-Type", "application/json")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(asked)
    with caught.value as answer:
        assert (answer.code, words in json.load(answer)["error"]) == (status, True)
