# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import boto3
import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.logs import LogsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput, UnexpectedAnswer
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.logs import Event
from botocore.stub import Stubber

ONE = ["ecs/web/aaaa"]
ASKED = {"logGroupName": "/ecs/app", "logStreamNames": ONE, "startTime": 7}


@pytest.fixture
def logs():
    client = boto3.client("logs", region_name="eu-west-3", aws_access_key_id="AKIA", aws_secret_access_key="secret")
    with Stubber(client) as stubber:
        stubber.gateway = LogsGateway(client)
        yield stubber
        stubber.assert_no_pending_responses()


def line(number):
    return {"eventId": f"e{number}", "timestamp": number, "message": f"line {number}", "logStreamName": ONE[0]}


def event(number):
    return Event(f"e{number}", number, f"line {number}", ONE[0])


def test_refuses_a_log_group_that_does_not_exist(logs):
    logs.add_response("filter_log_events", {"events": []}, {"logGroupName": "/ecs/app", "limit": 1})
    logs.add_client_error("filter_log_events", "ResourceNotFoundException")
    with pytest.raises(BadInput, match=r"rollback_log_groups \(option log_groups\) is '/ecs/nix'"):
        logs.gateway.refuse_missing_groups(["/ecs/app", "/ecs/nix"])


def test_reads_on_after_an_empty_page(logs):
    logs.add_response("filter_log_events", {"events": [line(1)], "nextToken": "2"}, ASKED)
    logs.add_response("filter_log_events", {"events": [], "nextToken": "3"}, {**ASKED, "nextToken": "2"})
    logs.add_response("filter_log_events", {"events": [line(2)]}, {**ASKED, "nextToken": "3"})
    assert list(logs.gateway.pages("/ecs/app", ONE, 7)) == [[event(1)], [], [event(2)]]


def test_of_several_streams_one_that_does_not_exist_keeps_no_other_from_being_read(logs):
    refused = "ResourceNotFoundException"
    logs.add_client_error("filter_log_events", refused, expected_params={**ASKED, "logStreamNames": ["a", "b", "c"]})
    logs.add_client_error("filter_log_events", refused, expected_params={**ASKED, "logStreamNames": ["a"]})
    logs.add_response("filter_log_events", {"events": [line(1)]}, {**ASKED, "logStreamNames": ["b", "c"]})
    assert list(logs.gateway.pages("/ecs/app", ["a", "b", "c"], 7)) == [[event(1)]]


def test_what_was_logged_before_a_time_is_read_by_the_beginning_of_the_streams_names(logs):
    asked = {"logGroupName": "/ecs/app", "logStreamNamePrefix": "ecs/web/", "startTime": 1, "endTime": 8}
    logs.add_response("filter_log_events", {"events": [line(1)]}, asked)
    assert list(logs.gateway.pages_before("/ecs/app", "ecs/web/", 1, 9)) == [[event(1)]]


def test_an_answer_without_what_it_must_have_is_an_error(logs):
    logs.add_response("filter_log_events", {"events": [{"message": "x", "timestamp": 1}]})
    with pytest.raises(UnexpectedAnswer, match="it lacks eventId"):
        list(logs.gateway.pages("/ecs/app", ONE, 7))


def test_a_stream_that_does_not_exist_has_logged_nothing(logs):
    logs.add_client_error("filter_log_events", "ResourceNotFoundException")
    assert logs.gateway.has_logged("/ecs/app", ONE, 7) is False


def test_one_line_is_enough_to_have_logged(logs):
    asked = {**ASKED, "limit": 1}
    logs.add_response("filter_log_events", {"events": [], "nextToken": "2"}, asked)
    logs.add_response("filter_log_events", {"events": [line(1)], "nextToken": "3"}, {**asked, "nextToken": "2"})
    assert logs.gateway.has_logged("/ecs/app", ONE, 7) is True
