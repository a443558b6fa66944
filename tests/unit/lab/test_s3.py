# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""S3 as moto and the lab play it: each refusal is another one, and a HEAD tells its status alone."""

from __future__ import annotations

import http.client
import json

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

BUCKET = "spymeo-rollback"


@pytest.fixture
def s3(lab):
    """A client of a bucket with one object, `there`."""
    client = lab.client("s3")
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    client.put_object(Bucket=BUCKET, Key="there", Body=b"held")
    return client


def refused(call, **asked) -> tuple[str, int]:
    """(code, HTTP status) of the error that a call ends in."""
    with pytest.raises(ClientError) as caught:
        call(**asked)
    return caught.value.response["Error"]["Code"], caught.value.response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize(
    ("bucket", "key", "get"), [(BUCKET, "gone", ("NoSuchKey", 404)), ("no-such-bucket", "there", ("NoSuchBucket", 404))]
)
def test_what_is_not_there_is_named_and_a_head_says_404(s3, bucket, key, get):
    assert refused(s3.get_object, Bucket=bucket, Key=key) == get
    assert refused(s3.head_object, Bucket=bucket, Key=key) == ("404", 404)


def test_a_bucket_that_is_not_there_takes_and_lists_nothing(s3):
    assert refused(s3.put_object, Bucket="no-such-bucket", Key="there", Body=b"") == ("NoSuchBucket", 404)
    assert refused(s3.list_objects_v2, Bucket="no-such-bucket") == ("NoSuchBucket", 404)


@pytest.mark.parametrize("key", ["there", "gone"])
def test_what_a_policy_denies_is_denied_whether_it_is_there_or_not(s3, key):
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/*"}
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    assert refused(s3.get_object, Bucket=BUCKET, Key=key) == ("AccessDenied", 403)
    assert refused(s3.head_object, Bucket=BUCKET, Key=key) == ("403", 403)


def test_a_head_of_what_is_there_needs_no_more_than_the_right_to_get_it(s3):
    assert s3.head_object(Bucket=BUCKET, Key="there")["ContentLength"] == 4


def test_calls_are_denied_as_often_as_was_asked(s3, lab):
    lab.lab.control("s3_denied", {"times": 4})
    assert refused(s3.get_object, Bucket=BUCKET, Key="there") == ("AccessDenied", 403)
    assert refused(s3.head_object, Bucket=BUCKET, Key="there") == ("403", 403)
    assert refused(s3.put_object, Bucket=BUCKET, Key="new", Body=b"") == ("AccessDenied", 403)
    assert refused(s3.list_objects_v2, Bucket=BUCKET) == ("AccessDenied", 403)
    assert [item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET)["Contents"]] == ["there"]


def test_a_key_that_nobody_has_is_told_in_s3s_words(s3, lab):
    keys = {"aws_access_key_id": "AKIANOBODYNOBODYNOBO", "aws_secret_access_key": "nobody", "region_name": "eu-west-3"}
    options = {"endpoint_url": f"http://127.0.0.1:{lab.port}", "config": Config(retries={"total_max_attempts": 1})}
    stranger = boto3.client("s3", **keys, **options)
    assert refused(stranger.get_object, Bucket=BUCKET, Key="there") == ("InvalidAccessKeyId", 403)
    assert refused(stranger.head_object, Bucket=BUCKET, Key="there") == ("403", 403)


@pytest.mark.parametrize(("method", "has_body"), [("GET", True), ("HEAD", False)])
def test_who_does_not_sign_is_denied_and_only_a_get_has_a_body(s3, lab, method, has_body):
    connection = http.client.HTTPConnection("127.0.0.1", lab.port)
    connection.request(method, f"/{BUCKET}/there")
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert (answer.status, b"<Code>AccessDenied</Code>" in body, bool(body)) == (403, has_body, has_body)


def test_two_conditional_writes_at_once_are_a_conflict(s3, lab):
    lab.lab.control("s3_conflicts", {"times": 1})
    asked = dict(Bucket=BUCKET, Key="new", Body=b"", IfNoneMatch="*")
    assert refused(s3.put_object, **asked) == ("ConditionalRequestConflict", 409)
    s3.put_object(**asked)
    assert refused(s3.put_object, **asked) == ("PreconditionFailed", 412)


def test_sts_tells_the_account_that_is_in_every_arn(s3, lab):
    identity = lab.client("sts").get_caller_identity()
    assert identity["Account"] == lab.lab.account
    assert identity["Arn"].split(":")[4] == lab.lab.account
    (call,) = [call for call in lab.api.calls.all() if call["service"] == "sts"]
    assert (call["operation"], call["writes"], call["error"]) == ("GetCallerIdentity", False, None)
