# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What every store promises, asked of a directory and of a bucket: one test for both."""

from __future__ import annotations

import multiprocessing

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.store import ABSENT, ANY, Conflict, StoreError
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.open_store import open_store
from botocore.exceptions import ClientError

from loopback_aws.lab import REGION
from spymeo_world import world

BUCKET = "spymeo-rollback"
RACERS, ROUNDS = 4, 15


@pytest.fixture(scope="module")
def s3(shared_production):
    client = shared_production.aws("s3")
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    return client


@pytest.fixture(params=["directory", "bucket"])
def name(request, tmp_path, s3):
    """A place that no other test uses."""
    return str(tmp_path / "state/rollback") if request.param == "directory" else f"s3://{BUCKET}{tmp_path}"


@pytest.fixture
def store(name, s3):
    return open_store(name, lambda: s3)


def test_what_was_put_is_got_with_its_etag(store):
    assert store.get("production/app/lock") is None
    etag = store.put("production/app/lock", "first é\n", ABSENT)
    assert store.get("production/app/lock") == ("first é\n", etag)


def test_absent_holds_once(store):
    store.put("a/lock", "first", ABSENT)
    with pytest.raises(Conflict):
        store.put("a/lock", "second", ABSENT)
    assert store.get("a/lock")[0] == "first"


def test_a_stale_etag_changes_nothing(store):
    first = store.put("a/lock", "first", ABSENT)
    second = store.put("a/lock", "second", first)
    with pytest.raises(Conflict):
        store.put("a/lock", "third", first)
    assert store.get("a/lock") == ("second", second)
    store.put("a/lock", "third", second)


def test_an_etag_of_nothing_changes_nothing(store):
    etag = store.put("a/one", "one", ABSENT)
    with pytest.raises(Conflict):
        store.put("a/two", "two", etag)
    assert store.list("") == ["a/one"]


def test_any_writes_over_whatever_is_there(store):
    store.put("a/lock", "first", ANY)
    store.put("a/lock", "second", ANY)
    assert store.get("a/lock")[0] == "second"


def test_what_is_there_already_may_be_put_again_and_is_no_conflict_of_our_own(store):
    etag = store.put("a/lock", "the same", ANY)
    assert store.put("a/lock", "the same", etag) == etag


def test_keys_are_listed_by_prefix_and_in_order(store):
    for key in ("a/journal/2", "a/journal/10", "a/lock", "ab/lock"):
        store.put(key, "x", ABSENT)
    assert store.list("a/journal/") == ["a/journal/10", "a/journal/2"]
    assert store.list("") == ["a/journal/10", "a/journal/2", "a/lock", "ab/lock"]
    assert store.list("c/") == []


def _race(name, endpoint_url, racer):
    """Count up in one key, each time by compare-and-swap; how often this process was the one that did."""
    store, won = open_store(name, lambda: world.client("s3", endpoint_url)), 0
    while won < ROUNDS:
        text, etag = store.get("counter")
        try:
            store.put("counter", "%d by %d" % (int(text.split()[0]) + 1, racer), etag)
            won += 1
        except Conflict:
            pass
    return won


def test_of_many_writers_at_once_each_change_is_built_on_the_one_before(store, name, shared_production):
    store.put("counter", "0 by nobody", ABSENT)
    with multiprocessing.get_context("spawn").Pool(RACERS) as pool:
        endpoint_url = shared_production.state["endpoint_url"]
        assert pool.starmap(_race, [(name, endpoint_url, racer) for racer in range(RACERS)]) == [ROUNDS] * RACERS
    assert store.get("counter")[0].split()[0] == str(RACERS * ROUNDS)


def test_a_bucket_that_is_not_there(s3):
    store = open_store("s3://spymeo-nowhere/x", lambda: s3)
    for call in (lambda: store.get("a"), lambda: store.put("a", "x", ANY), lambda: store.list("")):
        with pytest.raises(StoreError, match=r"s3://spymeo-nowhere/x.*there is no such bucket"):
            call()


def test_a_stale_etag_is_412_and_two_writes_that_meet_are_409(s3, shared_production):
    """What the bucket's store leans on is what S3 answers (S3 User Guide, Conditional writes)."""
    s3.put_object(Bucket=BUCKET, Key="raw", Body=b"1")
    for condition in ({"IfNoneMatch": "*"}, {"IfMatch": '"stale"'}):
        with pytest.raises(ClientError) as refused:
            s3.put_object(Bucket=BUCKET, Key="raw", Body=b"2", **condition)
        assert refused.value.response["Error"]["Code"] == "PreconditionFailed"
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412
    shared_production.control("s3_conflicts", times=1)
    with pytest.raises(ClientError) as refused:
        s3.put_object(Bucket=BUCKET, Key="raw", Body=b"2", IfMatch=s3.get_object(Bucket=BUCKET, Key="raw")["ETag"])
    assert refused.value.response["Error"]["Code"] == "ConditionalRequestConflict"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 409


def test_a_write_that_met_another_one_is_tried_again(s3, shared_production):
    store = open_store(f"s3://{BUCKET}/met", lambda: s3)
    etag = store.put("lock", "first", ABSENT)
    shared_production.control("s3_conflicts", times=2)
    store.put("lock", "second", etag)
    assert store.get("lock")[0] == "second"
