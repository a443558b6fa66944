# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a copy of a task definition gets otherwise when its database has moved."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.url_rewrite import (
    UrlMove,
    pinned_names,
    pinned_versions,
    same_but_address,
    unpinned,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.task_definition import (
    Container,
    TaskDefinition,
)

URL = "postgresql://app:p%2Fw%40@old.example:5432/app?schema=public&connection_limit=5"
SECRET = "arn:aws:secretsmanager:eu-west-3:123456789012:secret:app/url-AbCdEf"
ENTRIES = {"app": [{"container": "app", "name": "DATABASE_URL"}]}
MOVE = UrlMove("new.example", 5433, "v2", ENTRIES)


def definition(environment=(), secrets=(), name="app"):
    container = Container(name, "app:1", tuple(environment), tuple(secrets))
    return TaskDefinition("app:1", "ACTIVE", datetime(2026, 11, 22, tzinfo=UTC), (container,))


def edited(wanted, **given):
    found = MOVE.edits(given.pop("service", "app"), wanted)
    return [(edit.kind, edit.name, edit.value) for edit in found]


def test_a_plain_url_gets_host_and_port_and_keeps_every_other_byte():
    moved = "postgresql://app:p%2Fw%40@new.example:5433/app?schema=public&connection_limit=5"
    wanted = definition([("DATABASE_URL", URL), ("OTHER_URL", URL)])
    assert edited(wanted) == [("environment", "DATABASE_URL", moved)]
    copied = wanted.changed((), MOVE.edits("app", wanted))
    assert copied[0].environment == (("DATABASE_URL", moved), ("OTHER_URL", URL))


@pytest.mark.parametrize(
    ("text", "moved"),
    [
        (f"{SECRET}:::v1", f"{SECRET}:::v2"),
        (f"{SECRET}::AWSPREVIOUS:", f"{SECRET}:::v2"),
        (f"{SECRET}:URL:release-41:", f"{SECRET}:URL::v2"),
    ],
)
def test_a_pin_goes_to_the_version_with_the_new_address(text, moved):
    assert edited(definition(secrets=[("DATABASE_URL", text)])) == [("secrets", "DATABASE_URL", moved)]


def test_other_services_and_containers_stay():
    wanted = definition([("DATABASE_URL", URL)])
    assert edited(wanted, service="worker") == []
    assert edited(definition([("DATABASE_URL", URL)], name="sidecar")) == []


def test_what_is_no_url_any_more_is_an_error_and_nothing_shows_a_value():
    with pytest.raises(RollbackError) as raised:
        edited(definition([("DATABASE_URL", "s3cr3t")]))
    assert "s3cr3t" not in str(raised.value)
    assert "p%2Fw" not in repr(MOVE.edits("app", definition([("DATABASE_URL", URL)])))


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (URL.replace("old", "new"), True),
        (URL.replace(":5432", ":6000"), True),
        (URL.replace("app:p", "app:q"), False),
        (URL.replace("=5", "=6"), False),
        ("no url", False),
    ],
)
def test_urls_that_differ_in_their_address_alone(other, same):
    assert same_but_address(URL, other) is same


def test_a_reference_to_the_current_version_is_pinned_and_a_partial_arn_becomes_whole():
    entries = {"app": [{"container": "app", "name": name, "secret": SECRET} for name in ("DATABASE_URL", "READ_URL")]}
    wanted = definition(secrets=[("DATABASE_URL", SECRET[:-7]), ("READ_URL", f"{SECRET}:READ::"), ("KEY", SECRET)])
    found = UrlMove("new.example", 5433, "v2", entries).edits("app", wanted)
    assert [(edit.name, edit.value) for edit in found] == [
        ("DATABASE_URL", f"{SECRET}:::v2"),
        ("READ_URL", f"{SECRET}:READ::v2"),
    ]


@pytest.mark.parametrize(
    ("before", "now", "pinned"),
    [
        (SECRET, f"{SECRET}:::v2", True),
        (SECRET[:-7], f"{SECRET}:::v2", True),
        (f"{SECRET}:URL::", f"{SECRET}:URL::v2", True),
        (SECRET, SECRET, False),
        (f"{SECRET}:::v1", f"{SECRET}:::v2", False),  # its owner had pinned it, too
        (f"{SECRET}::release-41:", f"{SECRET}:::v2", False),
        ("arn:aws:secretsmanager:eu-west-3:123456789012:secret:other-AbCdEf", f"{SECRET}:::v2", False),
    ],
)
def test_what_a_run_has_pinned_can_be_taken_back(before, now, pinned):
    origin, copy = definition(secrets=[("DATABASE_URL", before)]), definition(secrets=[("DATABASE_URL", now)])
    edits = unpinned(copy, origin)
    assert bool(edits) is pinned
    assert pinned_versions(copy, origin) == (((SECRET, "v2"),) if pinned else ())
    assert pinned_names(copy, origin) == (("DATABASE_URL",) if pinned else ())
    if pinned:
        assert copy.changed((), edits) == origin.containers
