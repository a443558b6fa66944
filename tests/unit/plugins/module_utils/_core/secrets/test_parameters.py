# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.parameters import Parameter, Put, bare_name
from ansible_collections.spymeo.rollback.plugins.module_utils._core.secrets.parameters import choose_version, plan_put
from hypothesis import given
from hypothesis import strategies as st

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def at(minutes):
    return NOON + timedelta(minutes=minutes)


def parameter(*versions, **more):
    """A parameter of versions (number, minutes after noon, type)."""
    entries = [
        {"Version": number, "LastModifiedDate": at(minutes), "Type": kind, "Value": "cipher", **more}
        for number, minutes, kind in versions
    ]
    return Parameter.from_boto("/flag", entries)


FLAG = parameter((1, -60, "String"), (2, -30, "String"), (3, -1, "String"))


def test_chooses_the_newest_version_older_than_the_bad_release():
    assert choose_version(FLAG, at(-5)).target == "2"
    assert choose_version(FLAG, at(5)).target == "3"
    assert choose_version(FLAG, None).target == "3"


def test_refuses_when_none_is_old_enough_and_lists_them():
    with pytest.raises(
        BadInput, match=r"rollback_parameters .*no version of it was created before .*3 \(no label.*1 \(no label"
    ):
        choose_version(FLAG, at(-90))


def test_a_named_version_that_is_gone_is_refused():
    with pytest.raises(BadInput, match="the version 9 that rollback_secret_versions names"):
        choose_version(FLAG, at(-5), named="9")


@given(st.integers(1, 3), st.sampled_from(["a", "b"]), st.sampled_from(["a", "b"]))
def test_is_written_only_where_the_value_differs(number, value, current):
    put = plan_put(FLAG, str(number), value, current)
    assert (put is None) == (value == current)
    if put:
        assert (put.source.id, put.current.id, put.value) == (str(number), "3", value)


def test_the_value_shows_in_no_repr():
    put = plan_put(FLAG, "1", "hunter2", "hunter3")
    assert isinstance(put, Put)
    assert "hunter" not in repr(put)


def test_another_type_is_refused_because_ssm_cannot_change_it():
    changed = parameter((1, -60, "String"), (2, -1, "SecureString"))
    with pytest.raises(BadInput, match="its version 1 is a String and the current one a SecureString"):
        plan_put(changed, "1", "a", "b")


def test_settings_of_the_old_version_come_with_it():
    put = plan_put(
        parameter((1, -9, "String"), (2, -1, "String"), KeyId="key", DataType="text", Tier="Advanced"), "1", "a", "b"
    )
    assert (dict(put.source.settings), put.tier) == ({"KeyId": "key", "DataType": "text"}, "Advanced")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("/a/b", "/a/b"),
        ("plain", "plain"),
        ("arn:aws:ssm:eu-west-3:123456789012:parameter/a/b", "/a/b"),
        ("arn:aws:ssm:eu-west-3:123456789012:parameter/plain", "plain"),
    ],
)
def test_a_parameter_is_named_by_name_or_arn(text, name):
    assert bare_name(text) == name
