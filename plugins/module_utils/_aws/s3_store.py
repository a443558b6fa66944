# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A store of runs in an S3 bucket, for runs that start on any machine.

Conditional writes: ``If-None-Match: *`` and ``If-Match`` of PutObject. 412 PreconditionFailed says that the condition does not hold,
409 ConditionalRequestConflict that two writes met and this one is to be tried again (S3 User Guide, "Conditional writes").
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

try:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError
except ImportError as missing:
    BOTOCORE_MISSING = missing  # the module has told which library to install before it comes here

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.spymeo.rollback.plugins.module_utils._core.absence import said
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import reading
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.store import (
    ABSENT,
    ANY,
    UNUSABLE,
    Conflict,
    Keys,
    StoreError,
    checked,
)

TRIES, PAUSE = 5, 0.2  # of a write that met another one; seconds
_REFUSED = ("AccessDenied", "403", "AllAccessDisabled")
_CURES = {
    "NoSuchBucket": "there is no such bucket",
    "PermanentRedirect": "the bucket is in another region",
    "AuthorizationHeaderMalformed": "the bucket is in another region",
    "IllegalLocationConstraintException": "the bucket is in another region",
}


def s3_client(connection: Mapping[str, Any]) -> Any:
    """boto3's client of S3; see ``client_of``."""
    return client_of(connection, "s3")


def client_of(connection: Mapping[str, Any], service: str) -> Any:
    """boto3's client of a service.

    :param connection: dict of amazon.aws's connection options, by their names; those that are not set are None.
    :raises StoreError: there is no boto3, or no such profile.
    """
    config = Config(retries={"mode": "standard", "total_max_attempts": 6}, connect_timeout=5, read_timeout=30)
    own = Config(**connection["aws_config"]) if connection["aws_config"] else None
    try:
        session: Any = boto3.session.Session(profile_name=connection["profile"])
        return session.client(
            service,
            region_name=connection["region"] or None,
            endpoint_url=connection["endpoint_url"],
            aws_access_key_id=connection["access_key"],
            aws_secret_access_key=connection["secret_key"],
            aws_session_token=connection["session_token"],
            verify=(connection["aws_ca_bundle"] or True) if connection["validate_certs"] else False,
            config=config.merge(own) if own else config,
        )
    except BotoCoreError as error:
        raise StoreError("AWS's %s cannot be reached: %s. Fix rollback_aws." % (service, error)) from error


class S3Store:
    """Each key is an object ``prefix/key`` of ``bucket``. ``client`` is boto3's of S3."""

    def __init__(self, client: Any, bucket: str, prefix: str, sleep: Callable[[float], object] = time.sleep) -> None:
        self._s3, self._bucket, self._sleep = client, bucket, sleep
        self._prefix = prefix.strip("/") + "/" if prefix.strip("/") else ""

    def __str__(self) -> str:
        return "s3://%s/%s" % (self._bucket, self._prefix.rstrip("/"))

    def absent(self) -> str | None:
        """See ``DirectoryStore``; a bucket that is not there is an error of each call."""
        return None

    def get(self, key: str) -> tuple[str, str] | None:
        """See ``store``."""
        with self._explained("read"):
            try:
                answer = self._s3.get_object(Bucket=self._bucket, Key=self._prefix + checked(key))
            except is_boto3_error_code("NoSuchKey"):
                return None
            with reading("GetObject"):
                return answer["Body"].read().decode(), answer["ETag"]

    def put(self, key: str, text: str, expect: str) -> str:
        """See ``store``."""
        condition = {} if expect == ANY else {"IfNoneMatch": "*"} if expect == ABSENT else {"IfMatch": expect}
        self._refuse_an_old_botocore(condition)
        for trial in range(TRIES):
            if trial:
                self._sleep(PAUSE * trial)
            with self._explained("written"):
                try:
                    answer = self._s3.put_object(
                        Bucket=self._bucket, Key=self._prefix + checked(key), Body=text.encode(),
                        ContentType="application/json", **condition,
                    )  # fmt: skip
                except is_boto3_error_code("ConditionalRequestConflict"):
                    continue
                except is_boto3_error_code(["PreconditionFailed", "NoSuchKey"]):
                    break
                with reading("PutObject"):
                    etag: str = answer["ETag"]
                return etag
        return self._written_before(key, text)

    def _written_before(self, key: str, text: str) -> str:
        """The etag, if an earlier try of ours has written this very text and its answer was lost.

        :raises Conflict: it has not.
        """
        found = self.get(key)
        if found is None or found[0] != text:
            raise Conflict(key)
        return found[1]

    def list(self, prefix: str) -> Keys:
        """See ``store``."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix + prefix)
        with self._explained("listed"):
            found = [item["Key"] for page in pages for item in page.get("Contents", [])]  # absent where it is empty
        return sorted(name[len(self._prefix) :] for name in found)

    def _refuse_an_old_botocore(self, condition: Mapping[str, str]) -> None:
        known = self._s3.meta.service_model.operation_model("PutObject").input_shape.members
        if not set(condition) <= set(known):
            raise StoreError(
                "The store %s needs conditional writes, which this botocore does not know. Install botocore 1.35.69 or later, "
                "or set rollback_store to a directory." % self
            )

    @contextlib.contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            raise StoreError(UNUSABLE % (self, what, _problem(error))) from error
        except (BotoCoreError, ResponseParserError, UnicodeDecodeError) as error:
            raise StoreError(UNUSABLE % (self, what, said(error).rstrip("."))) from error


def _problem(error: ClientError) -> str:
    answer = error.response["Error"]
    code, message = answer["Code"], answer.get("Message", "").rstrip(".")
    if code in _REFUSED:
        return "these credentials may not call %s (docs/permissions.md lists what a store needs)" % error.operation_name
    return (
        "%s (%s)" % (_CURES[code], code)
        if code in _CURES
        else "S3 answers %s" % ": ".join(part for part in (code, message) if part)
    )
