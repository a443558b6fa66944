# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.readers import (
    FUNCTION,
    SCHEDULE,
    SERVICE,
    Reader,
    findings_of_readers,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.preflight import NotRead
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.task_definition import Container
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.readers import others

ARN = "arn:aws:secretsmanager:eu-west-3:123456789012:secret:db-url-AbCdEf"
SECRET = frozenset(["db-url", ARN, ARN[:-7]])
HOST = "app-db.abc.eu-west-3.rds.amazonaws.com"
FOLLOWS = (Container("app", "", (), (("DATABASE_URL", ARN[:-7]),)),)
PINNED = (Container("app", "", (), (("DATABASE_URL", "%s:::v1" % ARN),)),)
PLAIN = (Container("app", "", (("PGHOST", HOST),), ()),)
NAMES = (Container("job", "", (("SECRET", "db-url"),), ()),)
NOTHING = (Container("app", "", (("PGHOST", "other-%s" % HOST),), (("KEY", ARN.replace("db-url", "app")),)),)
DENIED = NotRead("these credentials may not", "Allow it.")


@pytest.mark.parametrize(
    ("reader", "verdict", "words"),
    [
        (Reader(SERVICE, "worker (c)", FOLLOWS), "failed", "rollback_readers=include"),
        (
            Reader(SERVICE, "worker (c)", FOLLOWS, at_rest=True),
            "noted",
            "has no task; the next one gets the new address",
        ),
        (Reader(SERVICE, "worker (c)", PINNED, at_rest=True), "failed", "pins a version"),
        (Reader(SERVICE, "worker (c)", PLAIN), "failed", "host in itself"),
        (Reader(SERVICE, "worker (c)", NOTHING), None, ""),
        (Reader(SERVICE, "worker (c)", unread=DENIED), "inconclusive", "these credentials may not"),
        (Reader(SERVICE, "", unread=DENIED), "inconclusive", "these credentials may not"),
        (Reader(SCHEDULE, "nightly", FOLLOWS), "noted", "its next task gets the new address"),
        (Reader(SCHEDULE, "nightly", PLAIN), "failed", "host in itself"),
        (Reader(FUNCTION, "report", NAMES), "noted", "what is warm keeps the address"),
        (Reader(FUNCTION, "report", PLAIN), "failed", "host in itself"),
    ],
)
def test_who_would_stay_is_a_failure_unless_it_is_to_be_left(reader, verdict, words):
    found = findings_of_readers([reader], SECRET, HOST, leave=False)
    assert [item.verdict for item in found] == ([verdict] if verdict else [])
    for item in found:
        assert words in f"{item.what} {item.cure}"
        assert item.subject == (f"{reader.kind} {reader.name}" if reader.name else "services")
    assert "failed" not in [item.verdict for item in findings_of_readers([reader], SECRET, HOST, leave=True)]


class Gateway:
    """Two clusters with a service of the same name, and a schedule whose task definition was deleted."""

    def clusters(self):
        return ["arn:cluster/production", "arn:cluster/staging"]

    def services(self, cluster):
        return [("app", "arn:td/app:1", True)] if cluster.endswith("production") else [("app", "arn:td/app:2", True)]

    def rules(self, _cluster):
        return []

    def schedules(self, _clusters):
        return [("nightly", "arn:td/gone:1")]

    def functions(self):
        return [("report", {"SECRET": "db-url"})]

    def containers_if_there(self, arn):
        if arn == "arn:td/gone:1":
            return None
        return [{"name": "app", "image": "app:1", "secrets": [{"name": "DATABASE_URL", "valueFrom": ARN}]}]


def test_a_service_of_our_name_elsewhere_is_not_ours_and_what_is_gone_stops_nobody():
    found = {reader.label: reader for reader in others(Gateway(), "production", ["app"])}
    assert set(found) == {"service app (staging)", "scheduled task nightly", "function report"}
    assert found["scheduled task nightly"].unread.why == "its task definition gone:1 is not there any more"
    assert found["service app (staging)"].unread is None
