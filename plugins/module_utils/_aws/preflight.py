# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads what a deployment needs, a thing at a time. It makes no writing call, and keeps no value of a secret."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.secretsmanager import referenced
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ssm import parameters
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import REFUSALS, UnexpectedAnswer, reading
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.preflight import (
    FOUND,
    NO_JSON,
    NO_KEY,
    NO_VERSION,
    NotRead,
    ValueFrom,
)

R = TypeVar("R")


def if_allowed(action: str, read: Callable[..., R], *args: Any) -> R | NotRead:
    """``read(*args)``, or a NotRead where the credentials lack ``action`` (as IAM names it).

    :raises ClientError: AWS refuses for another reason.
    """
    try:
        return read(*args)
    except is_boto3_error_code(REFUSALS):
        return NotRead("these credentials may not call %s" % action, "Allow %s (docs/permissions.md)." % action)


class PreflightGateway:
    """Reads what task definitions name, in one account and one region.

    :param client: callable: the name of a service → its boto3 client. Called from several threads.
    """

    def __init__(self, client: Callable[[str], Any]) -> None:
        self._client = client

    def role(self, role: str) -> str | None:
        """The ARN of the role that has the name of ``role`` (ARN or name), None when there is none."""
        try:
            answer = self._client("iam").get_role(RoleName=role.rpartition("/")[2])
        except is_boto3_error_code("NoSuchEntity"):
            return None
        with reading("GetRole"):
            arn: str = answer["Role"]["Arn"]
            return arn

    def log_group(self, name: str) -> bool:
        """Whether a log group is there. DescribeLogStreams can be allowed on one group, and takes groups of every class."""
        try:
            self._client("logs").describe_log_streams(logGroupName=name, limit=1)
        except is_boto3_error_code("ResourceNotFoundException"):
            return False
        return True

    def json_key(self, reference: ValueFrom) -> str:
        """Whether the version that a ValueFrom means holds its JSON key: FOUND, NO_VERSION, NO_JSON or NO_KEY.

        The value is read here, looked at and forgotten.
        """
        answer = referenced(self._client("secretsmanager"), reference)
        if answer is None:
            return NO_VERSION
        try:
            content = json.loads(answer.get("SecretString", ""))
        except ValueError:
            return NO_JSON
        if not isinstance(content, dict):
            return NO_JSON
        return FOUND if reference.key in content else NO_KEY

    def parameter(self, name: str) -> bool:
        """Whether an SSM parameter (ARN or name) is there. It is not decrypted."""
        found, missing = parameters(self._client("ssm"), [name])  # one may be left out
        if len(found) + len(missing) != 1:
            raise UnexpectedAnswer("GetParameters", "it told of %d parameters" % (len(found) + len(missing)))
        return bool(found)
