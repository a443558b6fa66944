# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which errors say only that AWS is away, and which are certain: botocore's own, as it raises them."""

from __future__ import annotations

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core import absence as _absence
from ansible_collections.spymeo.rollback.plugins.module_utils._core.absence import absence, never_sent, said
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError, UnexpectedAnswer
from botocore import exceptions, parsers
from botocore.exceptions import ClientError

AT = "https://rds.eu-west-3.amazonaws.com/"


def answer(code, status=400):
    return ClientError(
        {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": status}}, "DescribeServices"
    )


def wrapped(error):
    try:
        raise RollbackError("The store cannot be read.") from error
    except RollbackError as ours:
        return ours


UNSENT = [
    exceptions.EndpointConnectionError(endpoint_url=AT, error="name"),
    exceptions.ConnectTimeoutError(endpoint_url=AT),
    exceptions.ProxyConnectionError(proxy_url="http://proxy"),
]
AWAY = [
    *UNSENT,
    exceptions.ReadTimeoutError(endpoint_url=AT),
    exceptions.ConnectionClosedError(endpoint_url=AT),
    exceptions.ConnectionError(error="x"),
    exceptions.SSLError(endpoint_url=AT, error="EOF occurred in violation of protocol"),
    exceptions.HTTPClientError(error="x"),
    exceptions.ResponseStreamingError(error="x"),
    exceptions.IncompleteReadError(actual_bytes=1, expected_bytes=2),
    parsers.ResponseParserError("Unable to parse response (not well-formed), invalid XML received: <html>"),
    answer("Throttling"),
    answer("ThrottlingException"),
    answer("RequestLimitExceeded", 503),
    answer("ServerException", 500),
    answer("InternalFailure", 500),
    answer("502", 502),
    answer("SomethingNew", 503),
    wrapped(exceptions.EndpointConnectionError(endpoint_url=AT)),
]
CERTAIN = [
    answer("AccessDeniedException"),
    answer("AccessDenied", 403),
    answer("ExpiredTokenException"),
    answer("UnrecognizedClientException"),
    answer("ClusterNotFoundException"),
    answer("DBInstanceNotFound", 404),
    answer("LimitExceededException"),
    answer("InvalidParameterException"),
    exceptions.NoCredentialsError(),
    exceptions.NoRegionError(),
    exceptions.ParamValidationError(report="x"),
    UnexpectedAnswer("DescribeServices", "it lacks status"),
    RollbackError("no"),
    wrapped(answer("AccessDenied", 403)),
    OSError(28, "No space left on device"),
    ConnectionError("Python's own, such as requests raises for the application"),
    KeyError("x"),
]


@pytest.mark.parametrize("error", AWAY, ids=repr)
def test_aws_is_away(error):
    assert absence(error)


@pytest.mark.parametrize("error", CERTAIN, ids=repr)
def test_this_is_certain(error):
    assert absence(error) is None


@pytest.mark.parametrize("error", [*AWAY, *CERTAIN], ids=repr)
def test_only_what_could_not_connect_was_never_sent(error):
    assert never_sent(error) is (error in UNSENT)


def test_botocore_has_every_class_that_is_named():
    assert [name for name in _absence.NO_ANSWER if not hasattr(exceptions, name) and not hasattr(parsers, name)] == []


def test_what_is_said_is_one_line_without_secrets_and_short():
    error = parsers.ResponseParserError("invalid XML received:\n<a> password=hunter2 \n" + "x" * 1000)
    assert said(error).startswith("invalid XML received: <a> password=********")
    assert len(said(error)) == _absence.LONGEST
