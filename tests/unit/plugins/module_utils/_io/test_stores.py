# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Stores that cannot be used: what they say, and that nothing has changed. What they promise otherwise is shown on both, in integration."""

from __future__ import annotations

import errno
import fcntl
import io
import os
import stat

import boto3
import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.s3_store import TRIES, S3Store
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.store import (
    ABSENT,
    ANY,
    Conflict,
    StoreError,
    as_json,
    checked,
    from_json,
    key_of,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.open_store import open_store
from ansible_collections.spymeo.rollback.plugins.module_utils._io import directory_store as directory
from ansible_collections.spymeo.rollback.plugins.module_utils._io.directory_store import DirectoryStore
from botocore.response import StreamingBody
from botocore.stub import Stubber


@pytest.mark.parametrize("parts", [("production", "app"), ("..", ".hidden"), ("a/b", "ü %"), ("x", "..")])
def test_any_name_makes_a_key_that_both_stores_take(parts, tmp_path):
    store = DirectoryStore(str(tmp_path / "store"))
    store.put(key_of(*parts), "x", ABSENT)
    assert store.list("") == [key_of(*parts)]


@pytest.mark.parametrize("key", ["", "/", "a//b", "../a", "a/../b", ".guard", "a/.b", "a/"])
def test_what_is_no_key_is_refused(key):
    with pytest.raises(ValueError, match="is not a key"):
        checked(key)


def test_nobody_else_may_read_a_directory(tmp_path):
    store = DirectoryStore(str(tmp_path / "state/store"))
    store.put("a/lock", "x", ABSENT)
    assert stat.S_IMODE((tmp_path / "state/store").stat().st_mode) == 0o700
    for name in ("a/lock", ".guard"):
        assert stat.S_IMODE((tmp_path / "state/store" / name).stat().st_mode) == 0o600


def test_a_file_where_the_directory_should_be_is_told(tmp_path):
    (tmp_path / "store").write_text("not a directory")
    store = DirectoryStore(str(tmp_path / "store"))
    for call in (lambda: store.get("a"), lambda: store.put("a", "x", ANY), lambda: store.list("")):
        with pytest.raises(StoreError, match=r"The store .*/store cannot be"):
            call()


def test_a_write_that_breaks_off_leaves_what_was_there(tmp_path, monkeypatch):
    store = DirectoryStore(str(tmp_path))
    etag = store.put("a/lock", "first", ABSENT)
    monkeypatch.setattr(
        directory.os, "fsync", lambda _descriptor: (_ for _ in ()).throw(OSError(28, "No space left on device"))
    )
    with pytest.raises(StoreError, match="No space left on device"):
        store.put("a/lock", "second", etag)
    assert store.get("a/lock") == ("first", etag)
    assert store.list("") == ["a/lock"]
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["lock"]


def test_a_guard_that_is_never_given_back_does_not_hang_a_run(tmp_path, monkeypatch):
    monkeypatch.setattr(directory, "PATIENCE", 0.1)
    store = DirectoryStore(str(tmp_path))
    with (tmp_path / ".guard").open("ab") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        with pytest.raises(StoreError, match=r"cannot be written: another process has held its file \.guard"):
            store.put("a/lock", "x", ANY)
    assert store.get("a/lock") is None


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EIO])
def test_what_the_system_says_is_told_short_and_nothing_of_aws(tmp_path, monkeypatch, number):
    def refuse(*_arguments):
        raise OSError(number, os.strerror(number), str(tmp_path / "a/.0123456789abcdef"))

    store = DirectoryStore(str(tmp_path))
    monkeypatch.setattr(directory, "_replace", refuse)
    with pytest.raises(StoreError) as refused:
        store.put("a/lock", "x", ANY)
    why = f"The store {tmp_path} cannot be written: {os.strerror(number)}."
    assert refused.value.message == f"{why} Fix that; a run that has begun goes on with this store only."


@pytest.mark.parametrize("text", ["", '{"run_id": "rb-1', "[]", "null"])
def test_what_was_cut_is_told_with_its_key(text):
    with pytest.raises(StoreError, match=r"production/app/lock in the store /srv/x .* cut or edited"):
        from_json("/srv/x", "production/app/lock", text)


def test_json_comes_back():
    assert from_json("s", "k", as_json({"b": 1, "a": "é"})) == {"a": "é", "b": 1}
    assert as_json({"b": 1, "a": 2}) == as_json({"a": 2, "b": 1})


@pytest.mark.parametrize("text", ["rollback", "s3://Bad_Bucket/x", ""])
def test_a_store_that_is_none_names_the_variable(text):
    with pytest.raises(BadInput, match="rollback_store"):
        open_store(text, None, {})


def test_a_directory_that_goes_with_the_job_is_refused_unless_it_is_meant(tmp_path):
    environment = {"AWX_ISOLATED_DATA_DIR": str(tmp_path)}
    with pytest.raises(BadInput, match=f"vanishing:{tmp_path}/store says that it is meant"):
        open_store(f"{tmp_path}/store", None, environment)
    assert not (tmp_path / "store").exists()
    open_store(f"vanishing:{tmp_path}/store", None, environment).put("a", "x", ABSENT)
    assert (tmp_path / "store/a").read_text() == "x"


@pytest.fixture
def s3():
    client = boto3.client("s3", region_name="eu-west-3", aws_access_key_id="x", aws_secret_access_key="y")
    with Stubber(client) as stubber:
        yield S3Store(client, "bucket", "/runs/", sleep=lambda _seconds: None), stubber


def _content(text):
    return {"Body": StreamingBody(io.BytesIO(text.encode()), len(text)), "ETag": '"e"'}


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("AccessDenied", "may not call PutObject (docs/permissions.md"),
        ("NoSuchBucket", "there is no such bucket"),
        ("PermanentRedirect", "the bucket is in another region"),
        ("InternalError", "cannot be written: S3 answers InternalError. Fix"),
    ],
)
def test_a_bucket_that_cannot_be_written_is_told(s3, code, words):
    store, stubber = s3
    stubber.add_client_error("put_object", code)
    with pytest.raises(StoreError) as refused:
        store.put("a/lock", "x", ANY)
    assert words in refused.value.message
    assert "s3://bucket/runs" in refused.value.message
    assert "Nothing was changed" not in refused.value.message


def test_a_write_whose_answer_was_lost_is_known_again(s3):
    """botocore asks again by itself; the second time the condition does not hold, since the first one has written."""
    store, stubber = s3
    stubber.add_client_error("put_object", "PreconditionFailed", http_status_code=412)
    stubber.add_response("get_object", _content("ours"))
    assert store.put("a/lock", "ours", ABSENT) == '"e"'


def test_a_write_that_somebody_else_made_is_a_conflict(s3):
    store, stubber = s3
    stubber.add_client_error("put_object", "PreconditionFailed", http_status_code=412)
    stubber.add_response("get_object", _content("theirs"))
    with pytest.raises(Conflict):
        store.put("a/lock", "ours", '"old"')


def test_a_write_that_meets_others_again_and_again_is_a_conflict(s3):
    store, stubber = s3
    for _trial in range(TRIES):
        stubber.add_client_error("put_object", "ConditionalRequestConflict", http_status_code=409)
    stubber.add_client_error("get_object", "NoSuchKey", http_status_code=404)
    with pytest.raises(Conflict):
        store.put("a/lock", "ours", ABSENT)
    stubber.assert_no_pending_responses()
