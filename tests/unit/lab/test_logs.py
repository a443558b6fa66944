# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lab's CloudWatch Logs as boto3 sees it."""

from __future__ import annotations

import time

import pytest
from botocore.exceptions import ClientError

from loopback_aws.errors import StartFailure
from loopback_aws.wire import LONG, ApiError, fitting, service_model

GROUP = "/ecs/spymeo-app"
MINUTE, DAY = 60_000, 86_400_000  # milliseconds


@pytest.fixture(name="logs")
def _logs(lab):
    client = lab.client("logs")
    client.create_log_group(logGroupName=GROUP)
    return client


def refusal(call, **arguments) -> tuple[str, str]:
    """(code, message) of the error that a call ends in."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def now() -> int:
    """Milliseconds since the epoch."""
    return int(time.time() * 1000)


def put(logs, stream: str, messages: list[str], start: int) -> None:
    """Put one event a millisecond from `start` on, and wait until they can be found."""
    if not logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix=stream)["logStreams"]:
        logs.create_log_stream(logGroupName=GROUP, logStreamName=stream)
    events = [{"timestamp": start + number, "message": message} for number, message in enumerate(messages)]
    logs.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=events)
    time.sleep(0.06)


def messages_of(pages) -> list[str]:
    """The messages of an answer or of many."""
    return [event["message"] for page in (pages if isinstance(pages, list) else [pages]) for event in page["events"]]


def test_a_long_answer_is_as_a_short_one(logs):
    """The middle of long lists goes past the validator and the serializer."""
    start = now() - MINUTE
    texts = [f'line {number} é \u2028 "x" \x1b[31m' for number in range(2 * LONG)]
    put(logs, "a", texts, start)
    told = logs.get_log_events(logGroupName=GROUP, logStreamName="a", startFromHead=True, limit=2 * LONG)
    assert messages_of(told) == texts
    assert [event["timestamp"] for event in told["events"]] == list(range(start, start + 2 * LONG))
    assert {type(event["ingestionTime"]) for event in told["events"]} == {int}
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=GROUP)
    assert messages_of(list(pages)) == texts


def test_what_does_not_fit_is_no_answer_however_long_it_is():
    operation = service_model("logs").operation_model("FilterLogEvents")
    event = {"message": "x", "timestamp": 1}
    assert isinstance(fitting(operation, {"events": [*[event] * LONG, {"message": 5}]}), ApiError)
    assert isinstance(fitting(operation, {"events": [event] * (2 * LONG)}), dict)


def test_what_is_missing_is_refused(logs):
    assert refusal(logs.filter_log_events, logGroupName="none") == (
        "ResourceNotFoundException",
        "The specified log group does not exist.",
    )
    code, message = refusal(logs.filter_log_events, logGroupName=GROUP, logStreamNames=["none"])
    assert (code, message) == ("ResourceNotFoundException", "The specified log stream does not exist.")
    assert refusal(logs.create_log_group, logGroupName=GROUP)[0] == "ResourceAlreadyExistsException"
    assert refusal(logs.get_log_events, logStreamName="none")[0] == "InvalidParameterException"


def test_ingestion_lags(lab, logs):
    lab.lab.logs.write(GROUP, "app/web/1", "started")
    assert messages_of(logs.filter_log_events(logGroupName=GROUP)) == []
    time.sleep(0.06)
    assert messages_of(logs.filter_log_events(logGroupName=GROUP)) == ["started"]


def test_a_task_cannot_log_into_a_group_that_does_not_exist(lab):
    with pytest.raises(StartFailure) as caught:
        lab.lab.logs.write("none", "app/web/1", "started")
    assert caught.value.reason.startswith("ResourceInitializationError: failed to validate logger args")
    assert "The specified log group does not exist." in caught.value.reason


def test_an_empty_page_with_a_token_is_normal(logs):
    put(logs, "app/web/1", ["fine"] * 250 + ["P2022"], now() - MINUTE)
    pages = list(logs.get_paginator("filter_log_events").paginate(logGroupName=GROUP, filterPattern="P2022"))
    assert [len(page["events"]) for page in pages] == [0, 0, 1]
    assert "nextToken" in pages[0]
    assert "nextToken" not in pages[-1]


def test_after_a_first_short_page_pages_are_as_large_as_those_of_aws(logs):
    put(logs, "app/web/1", ["fine"] * 10_000, now() - MINUTE)
    put(logs, "app/web/2", ["x" * 10_000] * 100, now() - MINUTE)
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=GROUP, logStreamNames=["app/web/1"])
    assert [len(page["events"]) for page in pages] == [100, 9_900]
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=GROUP)
    assert len(next(iter(pages))["events"]) == 100
    assert (
        sum(len(page["events"]) for page in logs.get_paginator("filter_log_events").paginate(logGroupName=GROUP))
        == 10_100
    )


def test_event_ids_are_unique_and_stable_and_streams_are_interleaved_by_time(logs):
    start = now() - MINUTE
    put(logs, "app/web/1", ["a", "c"], start)
    put(logs, "app/web/2", ["b", "d"], start)
    first = logs.filter_log_events(logGroupName=GROUP)["events"]
    assert [event["message"] for event in first] == ["a", "b", "c", "d"]
    assert len({event["eventId"] for event in first}) == 4
    assert logs.filter_log_events(logGroupName=GROUP)["events"] == first


def test_a_late_event_does_not_shift_the_pages_under_way(logs):
    start = now() - MINUTE
    put(logs, "app/web/1", ["1", "2", "3"], start)
    page = logs.filter_log_events(logGroupName=GROUP, limit=2)
    put(logs, "app/web/1", ["late"], start - 10)
    rest = logs.filter_log_events(logGroupName=GROUP, limit=2, nextToken=page["nextToken"])
    assert messages_of([page, rest]) == ["1", "2", "3"]


def test_a_token_belongs_to_its_question(logs):
    put(logs, "app/web/1", ["1", "2", "3"], now() - MINUTE)
    token = logs.filter_log_events(logGroupName=GROUP, limit=1)["nextToken"]
    assert (
        refusal(logs.filter_log_events, logGroupName=GROUP, filterPattern="x", nextToken=token)[0]
        == "InvalidParameterException"
    )


def test_times_are_milliseconds_and_both_ends_count(logs):
    start = now() - MINUTE
    put(logs, "app/web/1", ["0", "1", "2", "3"], start)
    answer = logs.filter_log_events(logGroupName=GROUP, startTime=start + 1, endTime=start + 2)
    assert messages_of(answer) == ["1", "2"]
    answer = logs.get_log_events(logGroupName=GROUP, logStreamName="app/web/1", startTime=start + 1, endTime=start + 2)
    assert messages_of(answer) == ["1"]  # here the end does not count


def test_stream_names_and_prefix_exclude_each_other(logs):
    put(logs, "app/web/1", ["one"], now() - MINUTE)
    put(logs, "app/web/2", ["two"], now() - MINUTE)
    put(logs, "job/web/3", ["three"], now() - MINUTE)
    assert messages_of(logs.filter_log_events(logGroupName=GROUP, logStreamNames=["app/web/2"])) == ["two"]
    assert sorted(messages_of(logs.filter_log_events(logGroupName=GROUP, logStreamNamePrefix="app/"))) == ["one", "two"]
    both = {"logStreamNames": ["app/web/1"], "logStreamNamePrefix": "app/"}
    assert refusal(logs.filter_log_events, logGroupName=GROUP, **both)[0] == "InvalidParameterException"


def test_a_pattern_that_is_not_quoted_is_refused(logs):
    code, message = refusal(logs.filter_log_events, logGroupName=GROUP, filterPattern="code:P2022")
    assert code == "InvalidParameterException"
    assert message.startswith("Invalid filter pattern")


def test_get_log_events_repeats_the_token_at_the_end(logs):
    put(logs, "app/web/1", ["1", "2", "3"], now() - MINUTE)
    stream = {"logGroupName": GROUP, "logStreamName": "app/web/1", "limit": 2}
    first = logs.get_log_events(**stream, startFromHead=True)
    second = logs.get_log_events(**stream, startFromHead=True, nextToken=first["nextForwardToken"])
    end = logs.get_log_events(**stream, startFromHead=True, nextToken=second["nextForwardToken"])
    assert [messages_of(page) for page in (first, second, end)] == [["1", "2"], ["3"], []]
    assert end["nextForwardToken"] == second["nextForwardToken"]
    put(logs, "app/web/1", ["4"], now())
    assert messages_of(logs.get_log_events(**stream, nextToken=end["nextForwardToken"])) == ["4"]


def test_get_log_events_starts_with_the_latest_and_goes_backward(logs):
    put(logs, "app/web/1", ["1", "2", "3"], now() - MINUTE)
    stream = {"logGroupName": GROUP, "logStreamName": "app/web/1", "limit": 2}
    latest = logs.get_log_events(**stream)
    earlier = logs.get_log_events(**stream, nextToken=latest["nextBackwardToken"])
    assert [messages_of(page) for page in (latest, earlier)] == [["2", "3"], ["1"]]
    assert (
        logs.get_log_events(**stream, nextToken=earlier["nextBackwardToken"])["nextBackwardToken"]
        == earlier["nextBackwardToken"]
    )


def test_streams_by_last_event_tell_when_they_were_last_written(logs):
    start = now() - MINUTE
    put(logs, "a", ["late", "latest"], start)
    put(logs, "b", ["early"], start - MINUTE)
    logs.create_log_stream(logGroupName=GROUP, logStreamName="c")
    streams = logs.describe_log_streams(logGroupName=GROUP, orderBy="LastEventTime", descending=True)["logStreams"]
    assert [stream["logStreamName"] for stream in streams] == ["a", "b", "c"]
    assert (streams[0]["firstEventTimestamp"], streams[0]["lastEventTimestamp"]) == (start, start + 1)
    assert "lastEventTimestamp" not in streams[2]
    both = {"orderBy": "LastEventTime", "logStreamNamePrefix": "a"}
    assert refusal(logs.describe_log_streams, logGroupName=GROUP, **both)[0] == "InvalidParameterException"


def test_pages_of_streams_and_groups_are_followed_to_the_end(logs):
    for number in range(5):
        logs.create_log_stream(logGroupName=GROUP, logStreamName=f"app/web/{number}")
        logs.create_log_group(logGroupName=f"/ecs/{number}")
    pages = list(
        logs.get_paginator("describe_log_streams").paginate(logGroupName=GROUP, PaginationConfig={"PageSize": 2})
    )
    assert [len(page["logStreams"]) for page in pages] == [2, 2, 1]
    groups = logs.get_paginator("describe_log_groups").paginate(
        logGroupNamePrefix="/ecs/", PaginationConfig={"PageSize": 4}
    )
    assert sum(len(page["logGroups"]) for page in groups) == 6


def test_a_batch_is_chronological_and_says_what_it_rejects(logs):
    logs.create_log_stream(logGroupName=GROUP, logStreamName="s")
    stream, day, hour = {"logGroupName": GROUP, "logStreamName": "s"}, DAY, 60 * MINUTE
    wrong = [{"timestamp": now(), "message": "2"}, {"timestamp": now() - 5, "message": "1"}]
    assert refusal(logs.put_log_events, **stream, logEvents=wrong)[0] == "InvalidParameterException"
    old = [{"timestamp": now() - 15 * day, "message": "old"}]
    assert logs.put_log_events(**stream, logEvents=old)["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1}
    new = [{"timestamp": now(), "message": "now"}, {"timestamp": now() + 3 * hour, "message": "tomorrow"}]
    assert logs.put_log_events(**stream, logEvents=new)["rejectedLogEventsInfo"] == {"tooNewLogEventStartIndex": 1}
    time.sleep(0.06)
    assert messages_of(logs.get_log_events(**stream)) == ["now"]


def test_retention_hides_what_is_older(logs):
    put(logs, "s", ["old"], now() - 2 * DAY)
    logs.put_retention_policy(logGroupName=GROUP, retentionInDays=1)
    assert messages_of(logs.filter_log_events(logGroupName=GROUP)) == []
    assert logs.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"][0]["retentionInDays"] == 1
    assert refusal(logs.put_retention_policy, logGroupName=GROUP, retentionInDays=2)[0] == "InvalidParameterException"


def test_a_deleted_group_is_gone_with_its_events(logs):
    put(logs, "s", ["line"], now() - MINUTE)
    logs.delete_log_group(logGroupName=GROUP)
    assert refusal(logs.filter_log_events, logGroupName=GROUP)[0] == "ResourceNotFoundException"
    logs.create_log_group(logGroupName=GROUP)
    assert messages_of(logs.filter_log_events(logGroupName=GROUP)) == []
