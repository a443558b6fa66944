# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only file that calls KMS."""

from __future__ import annotations

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import reading


class KmsGateway:
    """Looks at keys; it uses none."""

    def __init__(self, client: Any) -> None:
        self._kms = client

    def state(self, key: str) -> str | None:
        """The KeyState of a key by its ARN (``Enabled``, ``Disabled``, ``PendingDeletion``, …), or None when there is none."""
        try:
            answer = self._kms.describe_key(KeyId=key)
        except is_boto3_error_code("NotFoundException"):
            return None
        with reading("DescribeKey"):
            state: str = answer["KeyMetadata"]["KeyState"]
        return state
