# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a task definition reads, by all the names that a secret or parameter may have."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.task_definition import (
    Container,
    TaskDefinition,
)

SECRET = "arn:aws:secretsmanager:eu-west-3:123456789012:secret:app/web-key"
PARAMETER = "arn:aws:ssm:eu-west-3:123456789012:parameter"


def reading(*values):
    secrets = tuple((f"V{number}", value) for number, value in enumerate(values))
    return TaskDefinition("td", "ACTIVE", datetime(2026, 1, 1, tzinfo=UTC), (Container("web", "image", (), secrets),))


@pytest.mark.parametrize(
    ("value", "name", "read"),
    [
        (f"{SECRET}-AbCdEf", "app/web-key", True),
        (f"{SECRET}-AbCdEf", f"{SECRET}-AbCdEf", True),
        (f"{SECRET}-AbCdEf:URL::", "app/web-key", True),
        (f"{SECRET}-AbCdEf::AWSCURRENT:", "app/web-key", True),
        (SECRET, "app/web-key", True),  # without the six characters
        (f"{SECRET}-AbCdEf:::5048a2cf-8c04-4b4f-b5a1-6ac1f0b7a9d1", "app/web-key", False),  # that version never changes
        (f"{SECRET}-AbCdEf", "app/web", False),
        ("/app/level", "/app/level", True),
        (f"{PARAMETER}/app/level", "/app/level", True),
        ("level", "level", True),
        (f"{PARAMETER}/level", "level", True),
        ("/app/level", "/app/lev", False),
    ],
)
def test_a_secret_or_parameter_is_found_by_each_name_that_it_has(value, name, read):
    assert (name in reading(value).values_read) == read
    assert reading().values_read == ()
