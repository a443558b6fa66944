# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every place that names the failed database's host is found, and it is known whether the cutover reaches the application."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.url_references import (
    ReferenceObservation,
    entries,
    names_host,
    reference_findings,
    rewritten,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.preflight import NotRead
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.task_definition import Container

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


def seen(*secrets, environment=(), now=URL, current_host=HOST, **values):
    texts = {SECRET: now, **{text: values.get(name, URL) for name, text in secrets}}
    containers = (Container("app", "", tuple(environment), tuple(secrets)),)
    return ReferenceObservation(HOST, current_host, OURS, {"app": containers}, texts)


def look(*secrets, **given):
    return [(item.check, item.subject, item.verdict) for item in reference_findings(seen(*secrets, **given))]


RESTORED = "restored.abc.eu-west-3.rds.amazonaws.com"
MOVED = URL.replace(HOST, RESTORED)
PINNED = ("DATABASE_URL", SECRET + ":::v1")
COPIED = {
    "a plain URL": (dict(environment=[("DATABASE_URL", URL)]), ["DATABASE_URL"]),
    "every plain URL, also one for reading": (
        dict(environment=[("DATABASE_URL", URL), ("READ_URL", URL), ("NAME", "app")]),
        ["DATABASE_URL", "READ_URL"],
    ),
    "a plain URL of another host": (dict(environment=[("DATABASE_URL", MOVED)]), []),
    "a bare host, whose port nobody knows": (dict(environment=[("DATABASE_HOST", HOST)]), []),
    "a pinned version like the current one": (dict(secrets=[PINNED]), ["DATABASE_URL"]),
    "a label that pins": (dict(secrets=[("DATABASE_URL", SECRET + "::release-41:")]), ["DATABASE_URL"]),
    "a pinned version, and the secret is rewritten already": (dict(secrets=[PINNED], now=MOVED), ["DATABASE_URL"]),
    "a pinned version with another password": (dict(secrets=[PINNED], now=URL.replace("pw", "new")), []),
    "a pinned version of another secret": (dict(secrets=[("READ_URL", OTHER + ":::v1")]), []),
    "a pinned version that is no URL": (dict(secrets=[PINNED], DATABASE_URL=f"host={HOST}"), []),
    "what follows by itself": (dict(secrets=[FOLLOWS]), []),
}


@pytest.mark.parametrize("case", COPIED)
def test_what_the_task_definition_itself_says_is_rewritten_in_a_copy(case):
    given, names = COPIED[case]
    observed = seen(*given.pop("secrets", []), **given)
    entries = [{"container": "app", "name": name} for name in names]
    assert rewritten(observed) == ({"app": entries} if names else {})
    follows = bool(names) or "follows" in case
    assert ("cutover", "app", "passed" if follows else "failed") in [
        (item.check, item.subject, item.verdict) for item in reference_findings(observed)
    ]


def test_a_service_that_reads_the_secret_follows():
    assert look(FOLLOWS) == [("reference", "DATABASE_URL", "passed"), ("cutover", "app", "passed")]


@pytest.mark.parametrize("suffix", ["::AWSPREVIOUS:", ":::v1"])
def test_a_pinned_version_with_another_password_does_not_follow(suffix):
    assert look(("DATABASE_URL", SECRET + suffix), now=URL.replace("pw", "new")) == [
        ("cutover", "app", "failed"),
        ("reference", "DATABASE_URL", "noted"),
    ]


@pytest.mark.parametrize("host", [HOST, RESTORED])
def test_a_copy_of_an_earlier_run_has_the_new_address_and_needs_nothing_more(host):
    verdict = "passed" if host == RESTORED else "failed"
    assert look(environment=[("DATABASE_URL", MOVED)], current_host=host) == [("cutover", "app", verdict)]
    assert look(PINNED, current_host=host, DATABASE_URL=MOVED) == [("cutover", "app", verdict)]


def test_a_service_that_reads_no_such_secret_would_stay_behind():
    assert look(environment=[("DATABASE_HOST", HOST)]) == [
        ("cutover", "app", "failed"),
        ("environment", "DATABASE_HOST", "noted"),
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
    assert ("reference", "READ_URL", "inconclusive") in found


def test_values_are_in_no_repr():
    assert "pw" not in repr(ReferenceObservation(HOST, HOST, OURS, {}, {SECRET: URL}))


ENTRIES = {
    "whichever version is current": ([FOLLOWS], {}, ["DATABASE_URL"]),
    "some keys of it": ([("URL", SECRET + ":URL::"), ("USER", SECRET + ":USER::")], {}, ["URL", "USER"]),
    "what says so with the label": ([("URL", SECRET + "::AWSCURRENT:")], {}, ["URL"]),
    "a version that an earlier run has pinned, with another password": (
        [PINNED],
        dict(now=URL.replace("pw", "new"), ours=frozenset(["v1"])),
        ["DATABASE_URL"],
    ),
    "a version that somebody has pinned, with another password": ([PINNED], dict(now=URL.replace("pw", "new")), []),
    "another secret": ([("READ_URL", OTHER)], {}, []),
}


@pytest.mark.parametrize("case", ENTRIES)
def test_what_only_the_deployed_copy_is_to_read_is_named(case):
    secrets, given, names = ENTRIES[case]
    ours = given.pop("ours", frozenset())
    observed = dataclasses.replace(seen(*secrets, **given), arn=SECRET, ours=ours)
    wanted = [{"container": "app", "name": name, "secret": SECRET} for name in names]
    assert entries(observed) == ({"app": wanted} if wanted else {})


def test_a_plain_url_is_named_beside_what_is_pinned():
    observed = dataclasses.replace(seen(FOLLOWS, environment=[("READ_URL", URL)]), arn=SECRET)
    assert [entry["name"] for entry in entries(observed)["app"]] == ["READ_URL", "DATABASE_URL"]


def test_what_this_run_has_deployed_before_its_cutover_has_moved():
    """DATABASE_URL still names the failed database then."""
    observed = seen(("DATABASE_URL", SECRET + ":::v2"), DATABASE_URL=MOVED)
    moved = dataclasses.replace(observed, pending_host=RESTORED)
    assert [item.verdict for item in reference_findings(moved) if item.check == "cutover"] == ["passed"]
    assert [item.verdict for item in reference_findings(observed) if item.check == "cutover"] == ["failed"]
