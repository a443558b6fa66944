# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which calls to AWS change something, and what of their parameters a journal may hold. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

READS = ("Describe", "List", "Get", "BatchGet", "Filter", "Head", "Lookup", "Search", "Simulate", "StartQuery", "Query")

# Names of things. Nothing that could hold a content: no SecretString, no environment, no tag's value.
IDENTIFIERS = (
    "cluster",
    "service",
    "taskDefinition",
    "desiredCount",
    "family",
    "serviceDeploymentArn",
    "stopType",
    "resourceArn",
    "tagKeys",
    "task",
    "ResourceId",
    "DBInstanceIdentifier",
    "DBSnapshotIdentifier",
    "SourceDBInstanceIdentifier",
    "TargetDBInstanceIdentifier",
    "RoleArn",
    "TargetGroupArn",
    "FeatureName",
    "ResourceName",
    "SecretId",
    "ClientRequestToken",
    "VersionStage",
    "MoveToVersionId",
    "RemoveFromVersionId",
    "Name",
)


def writes(operation: str) -> bool:
    """Whether an operation (``CreateDBSnapshot``) changes something. One that nobody has thought of does."""
    return not operation.startswith(READS)


def identifiers(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Of a call's parameters (dict), those that name what it is about."""
    return {name: parameters[name] for name in IDENTIFIERS if isinstance(parameters.get(name), (str, int, list))}
