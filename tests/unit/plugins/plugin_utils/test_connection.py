# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Mistakes in rollback_aws are told by its own names, and never with its values."""

from __future__ import annotations

import pytest
from ansible_collections.spymeo.rollback.plugins.plugin_utils._connection import connection_problems, usable

SECRET = "hunter2"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            {"endpoint_ulr": SECRET},
            "rollback_aws has endpoint_ulr, which is no connection option of amazon.aws; did you mean endpoint_url?",
        ),
        ({"acces_key": SECRET, "profile": "x"}, "did you mean access_key?"),
        ({"zzz": SECRET}, "there are access_key, aws_ca_bundle"),
        ({"validate_certs": SECRET}, "rollback_aws: validate_certs is str. It must be true or false."),
        ({"profile": [SECRET]}, "rollback_aws: profile is list. It must be text."),
        ({"aws_config": SECRET}, "It must be a mapping."),
        (SECRET, "rollback_aws is str, not a mapping"),
        ([SECRET], "rollback_aws is list, not a mapping"),
    ],
)
def test_a_mistake_is_told_and_left_out(given, told):
    (found,) = connection_problems(given)
    assert told in found
    assert SECRET not in found
    assert SECRET not in str(usable(given))


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"profile": "production"},
        {"aws_profile": None},
        {"validate_certs": "yes", "aws_config": {"retries": 3}},
        {"endpoint_url": "http://x"},
    ],
)
def test_what_is_right_is_used(given):
    assert connection_problems(given) == []
    assert usable(given) == given
    assert (connection_problems(None), connection_problems(""), usable("")) == ([], [], {})
