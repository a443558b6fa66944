# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which calls change something, and what of them may be written down."""

from __future__ import annotations

import botocore.session
import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.writing_calls import identifiers, writes

USED = ("ecs", "ecr", "rds", "secretsmanager", "logs", "kms", "application-autoscaling")


@pytest.mark.parametrize(
    ("operation", "answer"),
    [
        ("CreateDBSnapshot", True),
        ("UpdateService", True),
        ("RunTask", True),
        ("TagResource", True),
        ("SomethingNew", True),
        ("DescribeDBInstances", False),
        ("GetSecretValue", False),
        ("ListTasks", False),
        ("BatchGetImage", False),
        ("FilterLogEvents", False),
    ],
)
def test_an_operation_writes_unless_its_name_says_that_it_reads(operation, answer):
    assert writes(operation) == answer


@pytest.mark.parametrize("service", USED)
def test_no_operation_that_creates_or_deletes_counts_as_reading(service):
    names = botocore.session.get_session().get_service_model(service).operation_names
    changing = ("Create", "Delete", "Update", "Put", "Modify", "Start", "Stop", "Restore", "Register", "Run", "Tag")
    assert [name for name in names if name.startswith(changing) and not writes(name)] in ([], ["StartQuery"])


def test_only_names_are_written_down():
    call = {
        "SecretId": "app/db",
        "SecretString": "postgresql://x",
        "containerDefinitions": [{"environment": [{"name": "A", "value": "secret"}]}],
        "tags": [{"key": "a", "value": "b"}],
        "desiredCount": 0,
        "forceNewDeployment": True,
    }
    assert identifiers(call) == {"SecretId": "app/db", "desiredCount": 0}
