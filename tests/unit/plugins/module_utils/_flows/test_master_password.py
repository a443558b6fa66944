# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.settings import OURS
from ansible_collections.spymeo.rollback.plugins.module_utils._core.names import TAG_PASSWORD
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.master_password import give
from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import Clock

OWN = "db-OWN/v2"


@dataclass
class Instance:
    """A DbInstance, as far as a password needs it."""

    tags: dict
    status: str = "available"
    description: dict = field(default_factory=dict)
    resource_id: str = "db-OWN"
    arn: str = "arn:db"


class Rds:
    """An instance that takes a password at the second look, while RDS is not busy with it."""

    def __init__(self, tags, busy=0):
        self.instance, self.busy, self.asked = Instance(dict(tags)), busy, []

    def source(self, _name):
        self.instance.status = "modifying" if self.busy > 0 else "available"
        self.busy -= 1
        return self.instance

    def modify(self, request):
        self.asked.append(request)
        return len(self.asked) > 1

    def tag(self, _arn, tags):
        self.instance.tags.update(tags)


def given(rds):
    now = [0.0]
    clock = Clock(lambda: now[0], lambda seconds: now.__setitem__(0, now[0] + seconds))
    return give(rds, "app-db", "s3cret", "v2", 60, clock)


@pytest.mark.parametrize("tags", [{}, {TAG_PASSWORD: "db-OWN/v1"}, {TAG_PASSWORD: "db-OTHER/v2"}, {TAG_PASSWORD: "v2"}])
def test_the_password_is_given_unless_this_very_instance_has_that_of_this_version(tags):
    """What a restored instance has inherited is of the instance that the snapshot was taken of: the tag came along, the password did not."""
    rds = Rds(tags, busy=3)
    assert given(rds)
    assert rds.asked[-1] == {"DBInstanceIdentifier": "app-db", "MasterUserPassword": "s3cret", "ApplyImmediately": True}
    assert rds.instance.tags[TAG_PASSWORD] == OWN


def test_a_second_time_nothing_is_set():
    rds = Rds({TAG_PASSWORD: OWN})
    assert not given(rds)
    assert rds.asked == []


def test_the_mark_is_no_setting_that_is_carried_over_or_compared():
    assert TAG_PASSWORD in OURS
