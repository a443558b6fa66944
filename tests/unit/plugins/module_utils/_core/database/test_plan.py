# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where a database rollback stands, row by row, and everything that is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.plan import (
    decide_rollback,
    refuse_a_stranger,
    refuse_what_cannot_be_restored,
    takes_snapshot,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.select_source import RestoreSelector
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import (
    BadInput,
    RollbackError,
    UnexpectedAnswer,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rds import DbInstance, DbSnapshot, PointInTime

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NOW = NOON + timedelta(minutes=5)
RUN, OLDER = "rb-20261122-120000", "rb-20261001-080000"
NEW = "app-db-" + RUN
SNAPSHOT_ARN = "arn:aws:rds:eu-west-3:123456789012:snapshot:"


def host(name):
    return f"{name}.abc.eu-west-3.rds.amazonaws.com"


def restored_by(run_id, snapshot="before", replaces="app-db"):
    return {
        "spymeo:rollback-run": run_id,
        "spymeo:rollback-source-snapshot": SNAPSHOT_ARN + snapshot,
        "spymeo:rollback-replaces": replaces,
    }


@pytest.fixture
def decide(db_instance_answer, db_snapshot_answer):
    """Decides for a region that holds ``app-db`` and ``others`` (dicts of changes)."""

    def run(
        others=(),
        snapshot=None,
        current_host=None,
        run_id=RUN,
        db_instance="app-db",
        source=None,
        snapshots=(),
        wanted=None,
    ):
        answers = [db_instance_answer(**(source or {})), *(db_instance_answer(**other) for other in others)]
        present = list(snapshots) if snapshot == "missing" else [snapshot or {}, *snapshots]
        return decide_rollback(
            db_instance=db_instance,
            wanted=wanted or RestoreSelector("before"),
            current_host=current_host,
            run_id=run_id,
            instances=[DbInstance.from_boto(answer) for answer in answers],
            snapshots=[DbSnapshot.from_boto(db_snapshot_answer(**changes)) for changes in present],
            now=NOW,
        )

    return run


# name, tags and age of what stands beside app-db; the host in DATABASE_URL; then state, replaced, restored and new instance.
MINE = {"name": NEW, "tags": restored_by(RUN), "InstanceCreateTime": NOON}
YOUNG = {"name": "app-db-" + OLDER, "tags": restored_by(OLDER), "InstanceCreateTime": NOON}
AGED = {
    "name": "app-db-" + OLDER,
    "tags": restored_by(OLDER, "autumn"),
    "InstanceCreateTime": NOON - timedelta(days=50),
}
SECOND = {"name": "app-db-rb-2", "tags": restored_by("rb-2", replaces=AGED["name"]), "InstanceCreateTime": NOON}
REUSED = {**AGED, "tags": restored_by(OLDER)}

ROWS = {
    "nothing restored, host unknown": ([], None, "restore", "app-db", None, NEW),
    "nothing restored, host known": ([], host("app-db"), "restore", "app-db", None, NEW),
    "host in another spelling": ([], host("APP-DB") + ".", "restore", "app-db", None, NEW),
    "ours is there, not in service": ([MINE], host("app-db"), "resume", "app-db", NEW, NEW),
    "ours is in service": ([MINE], host(NEW), "done", "app-db", NEW, NEW),
    "another run's is in service": ([YOUNG], host(YOUNG["name"]), "done", "app-db", YOUNG["name"], YOUNG["name"]),
    "another run's is there, not in service": ([YOUNG], host("app-db"), "restore", "app-db", None, NEW),
    "an older rollback is replaced": ([AGED], host(AGED["name"]), "restore", AGED["name"], None, NEW),
    "second rollback is in service": (
        [AGED, SECOND],
        host("app-db-rb-2"),
        "done",
        AGED["name"],
        "app-db-rb-2",
        "app-db-rb-2",
    ),
    "a younger snapshot has the old one's name": ([REUSED], host(AGED["name"]), "restore", AGED["name"], None, NEW),
    "ours is still being created": (
        [{**MINE, "without": ["Endpoint", "InstanceCreateTime"], "DBInstanceStatus": "creating"}],
        host("app-db"),
        "resume",
        "app-db",
        NEW,
        NEW,
    ),
}


@pytest.mark.parametrize(("others", "current_host", "state", "replaced", "restored", "new"), ROWS.values(), ids=ROWS)
def test_where_it_stands(decide, others, current_host, state, replaced, restored, new):
    rollback = decide(others, current_host=current_host)
    assert rollback.state == state
    assert rollback.replaced == replaced
    assert (rollback.restored.name if rollback.restored else None) == restored
    assert rollback.new_db_instance == new
    assert rollback.reason


def test_a_second_run_is_told_the_first_ones_names(decide):
    rollback = decide([YOUNG], current_host=host(YOUNG["name"]))
    assert rollback.safety_snapshot == "app-db-failed-migration-" + OLDER
    assert decide().safety_snapshot == "app-db-failed-migration-" + RUN


REFUSED = {
    "no such instance": ({"db_instance": "app-bd"}, "db_instance", ["app-bd", "no such DB instance", "app-db"]),
    "no such snapshot": (
        {"snapshot": "missing", "snapshots": [{"name": "other"}]},
        "snapshot",
        ["no such snapshot", "other (available, 2026-11-22T11:00:00+00:00)"],
    ),
    "no snapshot at all": ({"snapshot": "missing"}, "snapshot", ["no snapshots of app-db at all"]),
    "snapshot still creating": ({"snapshot": {"Status": "creating"}}, "snapshot", ["it is creating"]),
    "another engine": ({"snapshot": {"Engine": "mysql"}}, "snapshot", ["mysql", "postgres"]),
    "another major version": ({"snapshot": {"EngineVersion": "15.8"}}, "snapshot", ["15.8", "16.4"]),
    "a cluster's instance": (
        {"source": {"DBClusterIdentifier": "aurora-1"}},
        "db_instance",
        ["Aurora cluster aurora-1"],
    ),
    "a stranger has the name": ({"others": [{"name": NEW, "tags": {}}]}, "run_id", [NEW, "not this run's"]),
    "the run has restored something else": (
        {"others": [{"name": NEW, "tags": restored_by(RUN, "other")}]},
        "run_id",
        ["snapshot:other", "another run id"],
    ),
    "the URL leads elsewhere": ({"current_host": "db.example.org"}, "db_instance", ["db.example.org", host("app-db")]),
    "the URL leads to another application's restored instance": (
        {
            "others": [{"name": "shop-rb", "tags": restored_by("rb-1", replaces="shop")}],
            "current_host": host("shop-rb"),
        },
        "db_instance",
        [host("shop-rb")],
    ),
    "instances that replace each other in a circle": (
        {"others": [{"name": "x", "tags": restored_by("rb-1", replaces="x")}], "current_host": host("x")},
        "db_instance",
        [host("x")],
    ),
}


def refuse(rollback, run_id=RUN):
    """What stops a restore that is still to be done."""
    refuse_what_cannot_be_restored(rollback.current, rollback.source)
    if rollback.restored:
        refuse_a_stranger(rollback.restored, rollback.source, run_id)


@pytest.mark.parametrize(("world", "option", "words"), REFUSED.values(), ids=REFUSED)
def test_refuses(decide, world, option, words):
    with pytest.raises(BadInput) as refused:
        refuse(decide(**world))
    assert refused.value.option == option
    assert [word for word in words if word not in refused.value.message] == []


BEFORE = {
    "name": "before",
    "SnapshotCreateTime": NOON - timedelta(hours=5),
    "OriginalSnapshotCreateTime": NOON - timedelta(hours=5),
}
SNAPSHOTS = [
    BEFORE,
    dict(BEFORE, name="night", OriginalSnapshotCreateTime=NOON - timedelta(hours=3)),
    dict(BEFORE, name="morning", OriginalSnapshotCreateTime=NOON - timedelta(hours=1)),
    dict(BEFORE, name="half", OriginalSnapshotCreateTime=NOON - timedelta(hours=2), Status="creating"),
    dict(
        BEFORE,
        name="app-db-failed-migration-" + OLDER,
        OriginalSnapshotCreateTime=NOON,
        tags={"spymeo:rollback-run": OLDER},
    ),  # what a run kept
]


@pytest.mark.parametrize(
    ("hours_ago", "found"), [(0, "morning"), (1, "morning"), (1.5, "night"), (3, "night"), (4, "before")]
)
def test_takes_the_newest_available_snapshot_of_a_time_or_earlier(decide, hours_ago, found):
    wanted = RestoreSelector("named", before=NOON - timedelta(hours=hours_ago))
    assert decide(snapshot="missing", snapshots=SNAPSHOTS, wanted=wanted).source.name == found


def test_the_snapshot_of_a_release_point_is_no_harm(decide):
    tags = {"spymeo:rollback-run": OLDER, "spymeo:release-point": "cp-1"}
    point = dict(BEFORE, name="point", OriginalSnapshotCreateTime=NOON - timedelta(seconds=1), tags=tags)
    chosen = decide(snapshot="missing", snapshots=[*SNAPSHOTS, point], wanted=RestoreSelector("named", before=NOON))
    assert chosen.source.name == "point"


def test_lists_the_snapshots_when_none_is_old_enough(decide):
    with pytest.raises(BadInput) as refused:
        decide(snapshot="missing", snapshots=SNAPSHOTS, wanted=RestoreSelector(before=NOON - timedelta(days=9)))
    assert refused.value.option == "snapshot_before"
    assert "night (available" in refused.value.message


KEPT = {"BackupRetentionPeriod": 7, "LatestRestorableTime": NOON, "InstanceCreateTime": NOON - timedelta(days=9)}
THEN = NOON - timedelta(minutes=30)


def test_goes_back_to_a_point_in_time(decide):
    rollback = decide(source=KEPT, wanted=RestoreSelector("before", point_in_time=THEN))
    assert (rollback.state, rollback.source.option, rollback.lost.since) == ("restore", "point_in_time", THEN)
    refuse(rollback)
    assert rollback.source.request("new") == {
        "SourceDBInstanceIdentifier": "app-db",
        "TargetDBInstanceIdentifier": "new",
        "RestoreTime": THEN,
    }


def test_a_second_run_to_a_point_in_time_finds_it_done(decide, db_instance_answer):
    source = PointInTime.of(DbInstance.from_boto(db_instance_answer(**KEPT)), THEN)
    tags = dict(restored_by(RUN), **{"spymeo:rollback-source-snapshot": source.arn})
    mine = {**MINE, "tags": tags}
    assert (
        decide([mine], source=KEPT, current_host=host(NEW), wanted=RestoreSelector(point_in_time=THEN)).state == "done"
    )
    other = RestoreSelector(point_in_time=THEN - timedelta(minutes=1))
    later = dict(current_host=host(NEW), run_id="rb-20261123-120000")
    assert decide([mine], source=KEPT, wanted=other, **later).state == "restore"


@pytest.mark.parametrize(
    ("changes", "moment", "words"),
    [
        (dict(KEPT, BackupRetentionPeriod=0), THEN, "no automated backups"),
        (KEPT, NOON + timedelta(minutes=1), "the latest time that RDS can restore is 2026-11-22T12:00:00"),
        (KEPT, NOON - timedelta(days=30), "was created at"),
    ],
)
def test_refuses_a_time_that_rds_has_not(decide, changes, moment, words):
    with pytest.raises(BadInput, match=words) as refused:
        refuse(decide(source=changes, wanted=RestoreSelector(point_in_time=moment)))
    assert refused.value.option == "point_in_time"


def test_two_times_are_one_too_many(decide):
    with pytest.raises(BadInput, match="Give one of them"):
        decide(wanted=RestoreSelector(before=NOON, point_in_time=NOON))


@pytest.mark.parametrize(
    ("engine", "one", "other", "refused"),
    [
        ("postgres", "16.3", "16.4", False),
        ("postgres", "9.6.1", "10.1", True),
        ("mysql", "8.0.35", "8.0.39", False),
        ("mysql", "8.0.35", "8.4.1", True),
    ],
)
def test_a_minor_version_apart_is_no_obstacle(decide, engine, one, other, refused):
    world = {"snapshot": {"Engine": engine, "EngineVersion": one}, "source": {"Engine": engine, "EngineVersion": other}}
    if not refused:
        refuse(decide(**world))
        return
    with pytest.raises(BadInput):
        refuse(decide(**world))


def test_tells_what_is_lost_and_how_that_is_known(decide):
    lost = decide(snapshot={"SnapshotCreateTime": NOON, "OriginalSnapshotCreateTime": NOON - timedelta(hours=2)}).lost
    assert lost.since == NOON - timedelta(hours=2), "a copy holds the data of the original's time"
    assert lost.seconds == 2 * 3600 + 300
    assert "now" in lost.how_known


def test_once_done_the_loss_ends_where_the_new_instance_begins(decide):
    assert decide([MINE], current_host=host(NEW)).lost.until == NOON


def test_an_available_snapshot_without_a_time_is_not_guessed_at(decide):
    with pytest.raises(UnexpectedAnswer):
        refuse(decide(snapshot={"without": ["SnapshotCreateTime", "OriginalSnapshotCreateTime"]}))


@pytest.mark.parametrize("status", ["available", "storage-optimization", "backing-up", "modifying"])
def test_takes_a_snapshot_of_an_instance_that_is_there(db_instance_answer, status):
    source = DbInstance.from_boto(db_instance_answer(DBInstanceStatus=status))
    assert takes_snapshot(source, None, "safety", RUN) is True


@pytest.mark.parametrize("status", ["stopped", "storage-full", "failed", "incompatible-restore"])
def test_refuses_a_snapshot_of_an_instance_that_is_not_available(db_instance_answer, status):
    with pytest.raises(RollbackError, match=status):
        takes_snapshot(DbInstance.from_boto(db_instance_answer(DBInstanceStatus=status)), None, "safety", RUN)


@pytest.mark.parametrize(
    ("changes", "ours"),
    [
        ({"tags": {"spymeo:rollback-run": RUN}}, True),
        ({"tags": {"spymeo:rollback-run": RUN}, "Status": "creating"}, True),
        ({"tags": {"spymeo:rollback-run": OLDER}}, False),
        ({"tags": {}}, False),
        ({"tags": {"spymeo:rollback-run": RUN}, "DBInstanceIdentifier": "other-db"}, False),
    ],
)
def test_joins_its_own_snapshot_and_no_other(db_instance_answer, db_snapshot_answer, changes, ours):
    present = DbSnapshot.from_boto(db_snapshot_answer(name="safety", **changes))
    source = DbInstance.from_boto(db_instance_answer(DBInstanceStatus="modifying"))
    if ours:
        assert takes_snapshot(source, present, "safety", RUN) is False
        return
    with pytest.raises(RollbackError, match="snapshot safety already"):
        takes_snapshot(source, present, "safety", RUN)
