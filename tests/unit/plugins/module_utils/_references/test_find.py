# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every place that names the failed database's host is found, and it is known whether the cutover reaches the application."""

from __future__ import annotations

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._preflight.state import NotRead
from ansible_collections.spymeo.rollback.plugins.module_utils._references.find import (
    Container,
    Observation,
    findings,
    names_host,
)

HOST = "app-db.abc.eu-west-3.rds.amazonaws.com"
URL = f"postgresql://app:pw@{HOST}:5432/app"
SECRET = "arn:aws:secretsmanager:eu-west-3:123456789012:secret:app/url-AbCdEf"
OTHER = "arn:aws:secretsmanager:eu-west-3:123456789012:secret:app/read-AbCdEf"
OURS = frozenset(["app/url", SECRET])
FOLLOWS = ("DATABASE_URL", SECRET)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (URL, True),
        (HOST.upper(), True),
        (f"{HOST}.", True),
        (f"a,{HOST}:5432,b", True),
        (f"read-{HOST}", False),
        (f"x.{HOST}", False),
        (f"{HOST}.example.org", False),
        (f"{HOST}2", False),
        ("", False),
    ],
)
def test_a_host_is_named_and_not_a_part_of_a_longer_one(text, named):
    assert names_host(text, HOST) is named


def look(*secrets, environment=(), **values):
    texts = {text: values.get(name, URL) for name, text in secrets}
    containers = {"app": (Container(tuple(environment), tuple(secrets)),)}
    return [(item.check, item.subject, item.verdict) for item in findings(Observation(HOST, OURS, containers, texts))]


def test_a_service_that_reads_the_secret_follows():
    assert look(FOLLOWS) == [("reference", "DATABASE_URL", "passed"), ("cutover", "app", "passed")]


@pytest.mark.parametrize("suffix", ["::AWSPREVIOUS:", ":::v1"])
def test_a_pinned_version_does_not_follow(suffix):
    assert look(("DATABASE_URL", SECRET + suffix)) == [
        ("cutover", "app", "failed"),
        ("reference", "DATABASE_URL", "noted"),
    ]


def test_a_service_that_reads_no_such_secret_would_stay_behind():
    assert look(environment=[("DATABASE_URL", URL)]) == [
        ("cutover", "app", "failed"),
        ("environment", "DATABASE_URL", "noted"),
    ]


def test_what_stays_behind_beside_it_is_a_note():
    found = look(FOLLOWS, ("READ_URL", OTHER), ("JOB_URL", "/app/job"), environment=[("HOST", HOST), ("PORT", "5432")])
    assert [item for item in found if item[2] == "noted"] == [
        ("environment", "HOST", "noted"),
        ("reference", "READ_URL", "noted"),
        ("reference", "JOB_URL", "noted"),
    ]


def test_what_names_another_host_is_nobodys_business():
    assert look(FOLLOWS, ("CACHE", OTHER), CACHE="redis://cache:6379", environment=[("A", "b")])[2:] == []


def test_what_may_not_be_read_is_not_checked():
    found = look(FOLLOWS, ("READ_URL", OTHER), READ_URL=NotRead("these credentials may not", "Allow it."))
    assert ("reference", "READ_URL", "not_checked") in found


def test_values_are_in_no_repr():
    assert "pw" not in repr(Observation(HOST, OURS, {}, {SECRET: URL}))
