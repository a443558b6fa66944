# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads what containers are given, in memory: values are handed to whoever looks for a host in them, and to nobody else."""

from __future__ import annotations

import json

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.spymeo.rollback.plugins.module_utils._errors import reading


class ReferencesGateway:
    """:param client: callable: the name of a service → its boto3 client."""

    def __init__(self, client):
        self._client = client

    def containers(self, task_definition):
        """The shapes ContainerDefinition of a ``family:revision`` or ARN."""
        answer = self._client("ecs").describe_task_definition(taskDefinition=task_definition)
        with reading("DescribeTaskDefinition"):
            return answer["taskDefinition"]["containerDefinitions"]

    def secret(self, reference):
        """The text that a ValueFrom of Secrets Manager means, None when it has none: what is missing is preflight's finding."""
        version = dict(VersionId=reference.version) if reference.version else {}
        stage = dict(VersionStage=reference.stage) if reference.stage else {}
        try:
            answer = self._client("secretsmanager").get_secret_value(SecretId=reference.id, **version, **stage)
        except is_boto3_error_code(["ResourceNotFoundException", "InvalidRequestException"]):
            return None
        text = answer.get("SecretString")
        if text is None or not reference.key:
            return text
        return _member(text, reference.key)

    def parameter(self, name):
        """The text of an SSM parameter (ARN or name), None when there is none."""
        found = self._client("ssm").get_parameters(Names=[name], WithDecryption=True).get("Parameters", [])
        return found[0].get("Value") if found else None


def _member(text, key):
    try:
        content = json.loads(text)
    except ValueError:
        return None
    value = content.get(key) if isinstance(content, dict) else None
    return value if isinstance(value, str) else None
