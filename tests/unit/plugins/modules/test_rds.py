# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The RDS modules as tasks: what they return, and which calls they make. A call that a test does not announce fails it."""

from __future__ import annotations

import socket
from datetime import UTC, datetime

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.sequences import Sequence
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.postgresql import DatabaseContents
from ansible_collections.spymeo.rollback.plugins.module_utils._flows import moment as look
from ansible_collections.spymeo.rollback.plugins.module_utils._io import wait as _wait

RUN = "rb-20261122-120000"
INFO = "ansible_collections.spymeo.rollback.plugins.modules.rds_rollback_info"
NEW = "app-db-" + RUN
SAFETY = "app-db-failed-migration-" + RUN
MINE = {"spymeo:rollback-run": RUN}
SAFE = {**MINE, "spymeo:rollback-safety": "db-APPDBXXXXXXXXXXXXXXXXXXXXX"}
AUTHORITY = {
    "CertificateIdentifier": "rds-ca-rsa4096-g1",
    "CertificateType": "CA",
    "ValidTill": datetime(2121, 5, 21, tzinfo=UTC),
}


@pytest.fixture(autouse=True)
def _no_time_passes(monkeypatch):
    monkeypatch.setattr(_wait, "SHORTEST", 0.0)


class Announce:
    """Announces reads: an instance, a snapshot, or that there is none."""

    def __init__(self, aws, instance_answer, snapshot_answer):
        self._aws, self._instance_answer, self._snapshot_answer = aws, instance_answer, snapshot_answer

    def instance(self, name="app-db", **changes):
        answer = {"DBInstances": [self._instance_answer(name=name, **changes)]}
        self._aws.answer("rds", "describe_db_instances", answer, {"DBInstanceIdentifier": name})

    def no_instance(self, name):
        self._aws.refuse("rds", "describe_db_instances", "DBInstanceNotFound", expected={"DBInstanceIdentifier": name})

    def snapshot(self, name="before", **changes):
        answer = {"DBSnapshots": [self._snapshot_answer(name=name, **changes)]}
        self._aws.answer("rds", "describe_db_snapshots", answer, {"DBSnapshotIdentifier": name})

    def no_snapshot(self, name):
        self._aws.refuse("rds", "describe_db_snapshots", "DBSnapshotNotFound", expected={"DBSnapshotIdentifier": name})

    def taken(self, tags):
        tag_list = [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
        expected = {"DBInstanceIdentifier": "app-db", "DBSnapshotIdentifier": SAFETY, "Tags": tag_list}
        self._aws.answer("rds", "create_db_snapshot", {}, expected)

    def taken_already(self):
        self._aws.refuse("rds", "create_db_snapshot", "DBSnapshotAlreadyExists")

    def snapshots(self, *names, **changes):
        answer = {"DBSnapshots": [self._snapshot_answer(name=name, **changes) for name in names]}
        self._aws.answer("rds", "describe_db_snapshots", answer, {"DBInstanceIdentifier": "app-db"})

    def no_snapshots_of(self, instance):
        self._aws.answer("rds", "describe_db_snapshots", {"DBSnapshots": []}, {"DBInstanceIdentifier": instance})

    def instances(self, *answers):
        self._aws.answer("rds", "describe_db_instances", {"DBInstances": list(answers)})

    def authorities(self):
        self._aws.answer("rds", "describe_certificates", {"Certificates": [AUTHORITY]})

    def nothing_begun(self):
        self.instance()
        self.snapshot()
        self.no_instance(NEW)
        self.authorities()
        self.no_snapshot(SAFETY)

    def events(self):
        self._aws.answer("rds", "describe_events", {"Events": []})


@pytest.fixture
def announce(aws, db_instance_answer, db_snapshot_answer):
    return Announce(aws, db_instance_answer, db_snapshot_answer)


@pytest.fixture
def take(run_module):
    return lambda **options: run_module("rds_snapshot", db_instance="app-db", snapshot=SAFETY, run_id=RUN, **options)


@pytest.fixture
def restore(run_module):
    names = {"db_instance": "app-db", "snapshot": "before", "new_db_instance": NEW, "run_id": RUN}
    return lambda **options: run_module("rds_restore", **{**names, **options})


def expect_checks(aws, announce, key_state="Enabled"):
    """What rds_rollback_info reads besides instances and snapshots."""
    quotas = [
        {"AccountQuotaName": name, "Used": 1, "Max": 100000}
        for name in ("DBInstances", "ManualSnapshots", "AllocatedStorage")
    ]
    aws.answer("rds", "describe_account_attributes", {"AccountQuotas": quotas})
    aws.answer(
        "rds", "describe_orderable_db_instance_options", {"OrderableDBInstanceOptions": [{"Engine": "postgres"}]}
    )
    aws.answer("rds", "describe_db_proxies", {"DBProxies": [{"DBProxyName": "app-proxy"}]})
    aws.answer("rds", "describe_db_proxy_targets", {"Targets": [{"RdsResourceId": "other-db"}]})
    announce.no_snapshot(SAFETY)
    aws.answer("rds", "describe_db_subnet_groups", {"DBSubnetGroups": [{"SubnetGroupStatus": "Complete"}]})
    announce.authorities()
    aws.answer("kms", "describe_key", {"KeyMetadata": {"KeyId": "k", "KeyState": key_state}})


def test_info_tells_a_rollback_that_is_still_to_be_done(aws, announce, run_module, db_instance_answer):
    aws.answer("rds", "describe_db_instances", {"DBInstances": [db_instance_answer()]})
    announce.snapshots("before")
    expect_checks(aws, announce)
    result = run_module("rds_rollback_info", db_instance="app-db", snapshot="before", run_id=RUN)
    assert result["changed"] is False
    assert (result["state"], result["db_instance"], result["restored_instance"]) == ("restore", "app-db", {})
    assert (result["new_db_instance"], result["safety_snapshot"]) == (NEW, SAFETY)
    assert result["source"] == {
        "told": "snapshot before",
        "snapshot": "before",
        "point_in_time": "",
        "db_instance": "app-db",
        "arn": "arn:aws:rds:eu-west-3:123456789012:snapshot:before",
        "created": "2026-11-22T11:00:00+00:00",
        "engine": "postgres",
        "engine_version": "16.4",
    }
    assert result["lost"]["since"] == "2026-11-22T11:00:00+00:00"
    assert "this machine's clock" in result["lost"]["how_known"]
    assert (result["verdict"], result["evidence"]) == ("passed", [])
    assert result["checks"] == "of 12 checks, 12 passed"


def test_info_fails_with_all_that_is_in_the_way_and_its_cure(aws, announce, run_module, db_instance_answer):
    aws.answer("rds", "describe_db_instances", {"DBInstances": [db_instance_answer()]})
    announce.snapshots("before", Status="creating")
    expect_checks(aws, announce, key_state="PendingDeletion")
    result = run_module("rds_rollback_info", db_instance="app-db", snapshot="before", run_id=RUN)
    assert result["msg"].startswith("The restore would fail (of 12 checks, 2 failed, 10 passed). Nothing was changed.")
    assert "it is creating, and only an available one can be restored" in result["msg"]
    assert "cancel its deletion first" in result["msg"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "nothing says where the data are to come from"),
        ({"point_in_time": "yesterday"}, "not a time in ISO 8601"),
        ({"snapshot_before": "2026-11-22T03:00:00"}, "no time zone"),
    ],
)
def test_info_refuses_what_names_no_source(run_module, options, words):
    assert words in run_module("rds_rollback_info", db_instance="app-db", run_id=RUN, **options)["msg"]


def test_info_finds_the_newest_snapshot_before_a_time(
    aws, announce, run_module, db_instance_answer, db_snapshot_answer
):
    aws.answer("rds", "describe_db_instances", {"DBInstances": [db_instance_answer()]})
    listed = {"DBSnapshots": [db_snapshot_answer(), db_snapshot_answer(name="rds:app-db-night")]}
    aws.answer("rds", "describe_db_snapshots", listed, {"DBInstanceIdentifier": "app-db"})
    expect_checks(aws, announce)
    result = run_module("rds_rollback_info", db_instance="app-db", snapshot_before="2026-11-22T12:00:00Z", run_id=RUN)
    assert result["source"]["snapshot"] in ("before", "rds:app-db-night"), result


def test_info_tells_the_instance_that_this_run_has_begun(aws, announce, run_module, db_instance_answer, ours):
    begun = db_instance_answer(name=NEW, tags=ours, DBInstanceStatus="creating", without=["Endpoint"])
    aws.answer("rds", "describe_db_instances", {"DBInstances": [db_instance_answer(), begun]})
    announce.snapshots("before")
    announce.no_snapshots_of(NEW)
    expect_checks(aws, announce)
    result = run_module("rds_rollback_info", db_instance="app-db", snapshot="before", run_id=RUN)
    assert result["state"] == "resume"
    assert result["restored_instance"] == {"name": NEW, "host": "", "port": 0, "status": "creating", "run_id": RUN}


def test_info_lists_the_snapshots_when_the_named_one_is_missing(
    aws, announce, run_module, db_instance_answer, db_snapshot_answer
):
    aws.answer("rds", "describe_db_instances", {"DBInstances": [db_instance_answer()]})
    announce.snapshots("before")
    announce.no_snapshot("befor")
    result = run_module("rds_rollback_info", db_instance="app-db", snapshot="befor", run_id=RUN)
    assert result["failed"] is True
    assert "rollback_snapshot (option snapshot) is 'befor'" in result["msg"]
    assert "before (available" in result["msg"]


def test_snapshot_is_taken_with_the_runs_tag_and_awaited(announce, take):
    announce.instance()
    announce.no_snapshot(SAFETY)
    announce.taken({"keep": "yes", **MINE})
    announce.snapshot(SAFETY, tags=MINE, Status="creating", PercentProgress=40)
    announce.snapshot(SAFETY, tags=MINE)
    result = take(tags={"keep": "yes"})
    assert result["changed"] is True
    assert result["before"] == {}
    assert (result["snapshot"]["name"], result["snapshot"]["status"]) == (SAFETY, "available")
    assert result["plan"] == ["take snapshot %s of DB instance app-db" % SAFETY]
    assert result["diff"]["before"] == ""
    assert "status: available" in result["diff"]["after"]


def test_snapshot_is_of_the_instance_that_the_application_uses(aws, announce, take, db_instance_answer):
    announce.instance()
    tags = {"spymeo:rollback-replaces": "app-db", "spymeo:rollback-run": "rb-1"}
    restored = db_instance_answer(name="app-db-rb-1", tags=tags)
    aws.answer("rds", "describe_db_instances", {"DBInstances": [db_instance_answer(), restored]})
    announce.no_snapshot(SAFETY)
    expected = {"DBInstanceIdentifier": "app-db-rb-1", "DBSnapshotIdentifier": SAFETY}
    tag_list = [{"Key": key, "Value": value} for key, value in MINE.items()]
    aws.answer("rds", "create_db_snapshot", {}, {**expected, "Tags": tag_list})
    announce.snapshot(SAFETY, tags=MINE, Status="creating", DBInstanceIdentifier="app-db-rb-1")
    result = take(wait=False, current_host=restored["Endpoint"]["Address"])
    assert result["snapshot"]["db_instance"] == "app-db-rb-1"


def test_snapshot_of_an_instance_that_the_application_does_not_use_is_refused(aws, announce, take, db_instance_answer):
    announce.instance()
    aws.answer("rds", "describe_db_instances", {"DBInstances": [db_instance_answer()]})
    result = take(wait=False, current_host="elsewhere.rds")
    assert "DATABASE_URL names the host elsewhere.rds" in result["msg"]


def test_snapshot_is_only_started_without_wait(announce, take):
    announce.instance()
    announce.no_snapshot(SAFETY)
    announce.taken(MINE)
    announce.snapshot(SAFETY, tags=MINE, Status="creating", PercentProgress=0)
    result = take(wait=False)
    assert (result["changed"], result["snapshot"]["status"]) == (True, "creating")


def test_snapshot_of_this_run_is_joined(announce, take):
    announce.instance(DBInstanceStatus="modifying")
    announce.snapshot(SAFETY, tags=MINE, Status="creating", PercentProgress=10)
    announce.snapshot(SAFETY, tags=MINE)
    result = take()
    assert (result["changed"], result["plan"], result["snapshot"]["status"]) == (False, [], "available")


def test_snapshot_of_an_instance_that_is_backing_up_waits_for_that(announce, take):
    announce.instance(DBInstanceStatus="backing-up")
    announce.no_snapshot(SAFETY)
    announce.instance(DBInstanceStatus="backing-up")
    announce.instance()
    announce.taken(MINE)
    announce.snapshot(SAFETY, tags=MINE)
    result = take()
    assert (result["changed"], result["snapshot"]["status"]) == (True, "available")


def test_snapshot_of_an_instance_that_fails_meanwhile_ends_the_wait(announce, take):
    announce.instance(DBInstanceStatus="backing-up")
    announce.no_snapshot(SAFETY)
    announce.instance(DBInstanceStatus="storage-full")
    result = take()
    assert "because it is storage-full" in result["msg"]
    assert "-e rollback_safety_snapshot=none" in result["msg"]


def test_snapshot_that_nobody_waits_for_is_refused_while_its_instance_takes_none(announce, take):
    announce.instance(DBInstanceStatus="backing-up")
    announce.no_snapshot(SAFETY)
    assert "takes no snapshot of DB instance app-db now, because it is backing-up" in take(wait=False)["msg"]


def test_snapshot_whose_reply_was_lost_is_joined(announce, take):
    announce.instance()
    announce.no_snapshot(SAFETY)
    announce.taken_already()
    announce.snapshot(SAFETY, tags=MINE)
    announce.snapshot(SAFETY, tags=MINE)
    result = take(wait=False)
    assert result["changed"] is False
    assert "failed" not in result


def test_snapshot_in_check_mode_reads_only(announce, take):
    announce.instance()
    announce.no_snapshot(SAFETY)
    result = take(check_mode=True)
    assert result["changed"] is True
    assert result["after"] == {"name": SAFETY, "db_instance": "app-db", "status": "available"}


def test_snapshot_that_fails_is_told_with_rdss_events(announce, take):
    announce.instance()
    announce.snapshot(SAFETY, tags=MINE, Status="creating")
    announce.snapshot(SAFETY, tags=MINE, Status="failed")
    announce.events()
    result = take()
    assert result["failed"] is True
    assert "is failed" in result["msg"]
    assert "no event of" in result["evidence"][0]


def test_restore_in_check_mode_tells_the_plan_and_reads_only(announce, restore):
    announce.instance()
    announce.snapshot()
    announce.no_instance(NEW)
    announce.authorities()
    result = restore(check_mode=True)
    assert result["changed"] is True
    assert result["plan"][0] == "restore snapshot before to the new DB instance %s" % NEW
    assert "MonitoringInterval" in result["plan"][1]
    assert result["plan"][1].startswith("set later what no restore takes and nobody feels, without waiting for it: ")
    assert "MonitoringInterval" in result["unfinished"]
    assert result["after"]["settings"]["VpcSecurityGroups"] == ["sg-1", "sg-2"]
    assert result["carried"] == len(result["after"]["settings"])
    assert "DeletionProtection: true" in result["diff"]["after"]


def test_restore_takes_what_its_source_has_not_got_yet_from_where_it_is(aws, announce, restore, db_instance_answer):
    """Else a second rollback soon after a first one would lose the settings that the first has left for later."""
    tags = {
        "spymeo:rollback-run": "rb-1",
        "spymeo:rollback-data": "app-db/x/2026-11-22T11:00:00+00:00/first-db",
        "spymeo:rollback-unfinished": "app-db/first-db/",
    }
    announce.instance(tags=tags, MaxAllocatedStorage=0)
    announce.snapshot()
    announce.no_instance(NEW)
    there = [
        db_instance_answer(tags=tags, MaxAllocatedStorage=0),
        db_instance_answer(name="first-db", MaxAllocatedStorage=750),
    ]
    aws.answer("rds", "describe_db_instances", {"DBInstances": there})
    announce.authorities()
    result = restore(check_mode=True)
    assert result["after"]["settings"]["MaxAllocatedStorage"] == 750
    assert "MaxAllocatedStorage" in result["unfinished"]


def test_restore_that_is_done_changes_nothing(announce, restore, ours):
    announce.instance()
    announce.snapshot()
    announce.instance(NEW, tags=ours)
    announce.instance(NEW, tags=ours)
    result = restore()
    assert (result["changed"], result["plan"], result["differences"]) == (False, [], [])
    assert result["endpoint"] == {"address": NEW + ".abc.eu-west-3.rds.amazonaws.com", "port": 5433}
    assert result["before"] == result["after"]
    assert "diff" in result


def test_restore_sets_what_is_felt_and_compares(aws, announce, restore, ours):
    announce.instance()
    announce.snapshot()
    for _look in range(2):
        announce.instance(NEW, tags=ours, DeletionProtection=False)
    request = {"DBInstanceIdentifier": NEW, "ApplyImmediately": True, "DeletionProtection": True}
    aws.answer("rds", "modify_db_instance", {}, request)
    announce.instance(NEW, tags=ours)
    result = restore()
    assert result["changed"] is True
    assert result["plan"] == ["set DeletionProtection of DB instance %s" % NEW]
    assert result["before"]["settings"]["DeletionProtection"] is False
    assert result["after"]["settings"]["DeletionProtection"] is True


def test_restore_asks_for_what_nobody_feels_and_does_not_wait_for_it(aws, announce, restore, ours):
    announce.instance()
    announce.snapshot()
    for _look in range(2):
        announce.instance(NEW, tags=ours, MaxAllocatedStorage=0)
    request = {"DBInstanceIdentifier": NEW, "ApplyImmediately": True, "MaxAllocatedStorage": 1000}
    aws.answer("rds", "modify_db_instance", {}, request)
    result = restore()
    assert (result["changed"], result["differences"], result["unfinished"]) == (True, [], ["MaxAllocatedStorage"])


def test_restore_leaves_it_while_the_first_backup_runs(announce, restore, ours):
    announce.instance()
    announce.snapshot()
    for _look in range(2):
        announce.instance(NEW, tags=ours, MaxAllocatedStorage=0, DBInstanceStatus="backing-up")
    result = restore()
    assert (result["changed"], result["unfinished"]) == (False, ["MaxAllocatedStorage"])


@pytest.mark.parametrize("check_mode", [False, True])
def test_restore_with_a_difference_that_nobody_can_set_fails_and_shows_it(announce, restore, ours, check_mode):
    announce.instance(DBName="another")
    announce.snapshot()
    for _look in range(1 if check_mode else 2):
        announce.instance(NEW, tags=ours)
    result = restore(check_mode=check_mode)
    assert result["failed"] is True
    assert "DBName: app, was another" in result["msg"]
    assert [item["setting"] for item in result["differences"]] == ["DBName"]
    assert "another" in result["diff"]["before"]
    assert result["diff"]["after"] == "DBName: app\n"


def test_restore_gives_the_roles_that_a_restore_does_not_bring(aws, announce, restore, ours):
    role = {"RoleArn": "arn:aws:iam::123456789012:role/s3", "FeatureName": "s3Import"}
    announce.instance(AssociatedRoles=[{**role, "Status": "ACTIVE"}])
    announce.snapshot()
    for _look in range(2):
        announce.instance(NEW, tags=ours)
    aws.answer("rds", "add_role_to_db_instance", {}, {"DBInstanceIdentifier": NEW, **role})
    announce.instance(NEW, tags=ours, AssociatedRoles=[{**role, "Status": "PENDING"}])
    announce.instance(NEW, tags=ours, AssociatedRoles=[{**role, "Status": "ACTIVE"}])
    result = restore()
    assert (result["changed"], result["differences"]) == (True, [])
    assert result["plan"] == ["give DB instance %s the role %s for s3Import" % (NEW, role["RoleArn"])]


def test_restore_goes_on_without_a_ca_that_rds_gives_no_more(aws, announce, restore, ours):
    announce.instance(CACertificateIdentifier="rds-ca-2019")
    announce.snapshot()
    announce.instance(NEW, tags=ours, CACertificateIdentifier="rds-ca-rsa2048-g1")
    announce.authorities()
    announce.instance(NEW, tags=ours, CACertificateIdentifier="rds-ca-rsa2048-g1")
    result = restore()
    assert (result["changed"], result["differences"], result.get("failed", False)) == (False, [], False)


@pytest.mark.parametrize("options", [{"wait": True}, {"wait": False}, {"check_mode": True}])
def test_restore_into_a_terminal_state_fails_with_rdss_events(announce, restore, ours, options):
    announce.instance()
    announce.snapshot()
    announce.instance(NEW, tags=ours, DBInstanceStatus="incompatible-network")
    announce.events()
    result = restore(**options)
    assert result["failed"] is True
    assert "incompatible-network" in result["msg"]
    assert "no event of" in result["evidence"][0]


def test_restore_of_a_snapshot_that_is_missing_makes_no_writing_call(announce, restore):
    announce.instance()
    announce.no_snapshot("befor")
    result = restore(snapshot="befor")
    assert result["failed"] is True
    assert "rollback_snapshot (option snapshot) is 'befor'" in result["msg"]


def test_restore_begins_the_safety_snapshot_meanwhile_and_does_not_wait_for_its_end(aws, announce, restore, ours):
    announce.nothing_begun()
    aws.answer("rds", "restore_db_instance_from_db_snapshot", {})
    announce.taken(SAFE)
    announce.instance(NEW, tags=ours, DBInstanceStatus="creating")
    announce.instance(NEW, tags=ours)
    announce.snapshot(SAFETY, tags=MINE, Status="creating", PercentProgress=40)
    result = restore(safety_snapshot=SAFETY)
    assert result["changed"] is True
    assert result["plan"][-1] == "take snapshot %s of DB instance app-db" % SAFETY
    assert (result["after"]["status"], result["safety_snapshot"]["status"]) == ("available", "creating")


def test_restore_that_is_done_still_takes_the_safety_snapshot_that_a_dead_run_has_not(announce, restore, ours):
    announce.instance()
    announce.snapshot()
    announce.instance(NEW, tags=ours)
    announce.no_snapshot(SAFETY)
    announce.taken(SAFE)
    announce.instance(NEW, tags=ours)
    announce.snapshot(SAFETY, tags=MINE)
    result = restore(safety_snapshot=SAFETY)
    assert (result["changed"], result["before"]) == (True, result["after"])
    assert result["reason"].endswith("there is no snapshot %s yet" % SAFETY)
    assert result["plan"] == ["take snapshot %s of DB instance app-db" % SAFETY]


def test_restore_without_wait_starts_both_and_tells_how_far_they_are(aws, announce, restore, ours):
    announce.nothing_begun()
    aws.answer("rds", "restore_db_instance_from_db_snapshot", {})
    announce.taken(SAFE)
    announce.instance(NEW, tags=ours, DBInstanceStatus="creating")
    announce.snapshot(SAFETY, tags=MINE, Status="creating", PercentProgress=0)
    result = restore(safety_snapshot=SAFETY, wait=False)
    assert (result["after"]["status"], result["safety_snapshot"]["status"]) == ("creating", "creating")


def test_restore_in_check_mode_tells_the_safety_snapshot_and_takes_none(announce, restore):
    announce.nothing_begun()
    result = restore(check_mode=True, safety_snapshot=SAFETY)
    assert result["plan"][-1] == "take snapshot %s of DB instance app-db" % SAFETY
    assert result["safety_snapshot"] == {"name": SAFETY, "db_instance": "app-db", "status": "available"}


@pytest.mark.parametrize(
    ("present", "words"),
    [
        ({"tags": {}}, "taken by no run of this collection"),
        (None, "because it is stopped. Start it: aws rds start-db-instance"),
    ],
)
def test_restore_begins_nothing_when_no_safety_snapshot_can_be_taken(announce, restore, present, words):
    announce.instance(DBInstanceStatus="available" if present else "stopped")
    announce.snapshot()
    announce.no_instance(NEW)
    announce.authorities()
    if present:
        announce.snapshot(SAFETY, **present)
    else:
        announce.no_snapshot(SAFETY)
    assert words in restore(safety_snapshot=SAFETY)["msg"]


def test_a_source_that_is_being_backed_up_keeps_no_restore_from_ending(aws, announce, restore, ours):
    """The failed instance holds the data, and stays; rds_finish takes the snapshot."""
    busy = {"DBInstanceStatus": "backing-up"}
    announce.instance(**busy)
    announce.snapshot()
    announce.instance(NEW, tags=ours)
    announce.no_snapshot(SAFETY)
    announce.instance(NEW, tags=ours)
    announce.instance(**busy)
    announce.no_snapshot(SAFETY)
    result = restore(safety_snapshot=SAFETY)
    assert (result.get("failed", False), result["safety_snapshot"]) == (False, {})


UNFINISHED = "%s/app-db/%s"


@pytest.fixture
def finish(announce, run_module, ours, db_instance_answer, aws):
    """rds_finish, of an instance that was restored in the place of app-db, with these changes."""

    def run(tag=UNFINISHED % (NEW, ""), check_mode=False, source=None, then=(), **changes):
        tags = dict(ours, **{"spymeo:rollback-unfinished": tag})
        restored = db_instance_answer(name=NEW, tags=tags, **changes)
        there = [db_instance_answer(**(source or {})), restored]
        aws.answer("rds", "describe_db_instances", {"DBInstances": there})
        for step in then:
            step(tags)
        return run_module(
            "rds_finish", check_mode=check_mode, db_instance=NEW, run_id="rb-later", wait_timeout=60, **options
        )

    options = {}
    run.options = options
    return run


def test_finish_compares_and_writes_down_that_all_is_equal(aws, announce, finish):
    aws_tag = {
        "ResourceName": "arn:aws:rds:eu-west-3:123456789012:db:%s" % NEW,
        "Tags": [{"Key": "spymeo:rollback-unfinished", "Value": ""}],
    }
    result = finish(
        then=[
            lambda tags: announce.instance(NEW, tags=tags),
            lambda _tags: aws.answer("rds", "add_tags_to_resource", {}, aws_tag),
        ]
    )
    assert (result["changed"], result["unfinished"]) == (True, [])
    assert result["instances"][0]["finished"] is True


def test_finish_of_what_is_finished_calls_nobody(finish):
    result = finish(tag="")
    assert (result["changed"], result["plan"], result["instances"]) == (False, [], [])


def test_finish_leaves_alone_what_inherited_the_tag(finish):
    assert finish(tag=UNFINISHED % ("another", ""))["instances"] == []


def test_finish_in_check_mode_tells_what_it_would_set(finish):
    result = finish(check_mode=True, MaxAllocatedStorage=0)
    assert result["changed"] is True
    assert result["plan"][0] == "set MaxAllocatedStorage of DB instance %s, as app-db has them" % NEW


def test_finish_takes_what_it_can_and_tells_the_rest(announce, finish):
    finish.options["wait_settings"] = False
    busy = {"MaxAllocatedStorage": 0, "DBInstanceStatus": "backing-up"}
    result = finish(then=[lambda tags: announce.instance(NEW, tags=tags, **busy)], **busy)
    assert result["unfinished"] == ["DB instance %s: MaxAllocatedStorage (it is backing-up)" % NEW]
    assert (result["changed"], result["awaits_snapshot"]) == (False, False)


def test_finish_waits_for_no_snapshot_that_rds_does_not_take_now(announce, finish):
    finish.options["wait_settings"] = False
    steps = [
        lambda _tags: announce.instance(DBInstanceStatus="backing-up"),
        lambda _tags: announce.no_snapshot(SAFETY),
        lambda tags: announce.instance(NEW, tags=tags),
    ]
    result = finish(tag=UNFINISHED % (NEW, SAFETY), then=steps)
    assert "RDS takes none of DB instance app-db while it is backing-up" in result["unfinished"][0]
    assert (result["changed"], result["awaits_snapshot"]) == (False, True)


def test_a_safety_snapshot_that_fails_fails_the_finish_with_rdss_events(announce, finish):
    steps = [
        lambda _tags: announce.instance(),
        lambda _tags: announce.snapshot(SAFETY, tags=MINE, Status="creating"),
        lambda _tags: announce.snapshot(SAFETY, tags=MINE, Status="failed"),
        lambda _tags: announce.events(),
    ]
    result = finish(tag=UNFINISHED % (NEW, SAFETY), then=steps)
    assert "Snapshot %s failed: snapshot %s is failed" % (SAFETY, SAFETY) in result["msg"]
    assert "no event of" in result["msg"]


def test_a_safety_snapshot_that_rds_refuses_does_not_hide_that_the_restore_has_begun(aws, announce, restore):
    announce.nothing_begun()
    aws.answer("rds", "restore_db_instance_from_db_snapshot", {})
    aws.refuse("rds", "create_db_snapshot", "SnapshotQuotaExceeded", "the quota is 100")
    result = restore(safety_snapshot=SAFETY)
    assert "AWS refused CreateDBSnapshot with SnapshotQuotaExceeded" in result["msg"]
    assert "DB instance %s has been asked for meanwhile and stays" % NEW in result["msg"]


def test_a_stranger_who_was_quicker_is_seen_before_the_safety_snapshot_is_taken(aws, announce, restore):
    announce.nothing_begun()
    aws.refuse("rds", "restore_db_instance_from_db_snapshot", "DBInstanceAlreadyExists")
    announce.instance(NEW, tags={})
    assert "is there already and is not this run's" in restore(safety_snapshot=SAFETY)["msg"]


def test_a_restored_instance_that_will_never_be_is_told_before_the_source_is_looked_at(announce, restore, ours):
    announce.instance(DBInstanceStatus="stopped")
    announce.snapshot()
    announce.instance(NEW, tags=ours, DBInstanceStatus="incompatible-restore")
    announce.events()
    assert "incompatible-restore" in restore(safety_snapshot=SAFETY)["msg"]


def test_a_safety_snapshot_of_this_run_that_has_failed_is_told_with_its_cure(announce, restore, ours):
    announce.instance()
    announce.snapshot()
    announce.instance(NEW, tags=ours)
    announce.snapshot(SAFETY, tags=MINE, Status="failed")
    cure = "aws rds delete-db-snapshot --db-snapshot-identifier %s" % SAFETY
    assert cure in restore(safety_snapshot=SAFETY)["msg"]


RETIRE = {"db_instance": "app-db", "replaced_by": NEW, "run_id": RUN}
SERVED = {
    "app-db": "db-APPDBXXXXXXXXXXXXXXXXXXXXX 20260814T120000Z/20261122T120000Z",
    NEW: "db-APPDBRB20261122120000XXXXX 20261122T120000Z/",
}
MARKED = {"spymeo:rollback-replaced-by": NEW, "spymeo:rollback-served": SERVED["app-db"]}


@pytest.fixture
def both(announce, db_instance_answer, ours):
    """Announces the instance that was replaced and the one that serves; the second is marked already, so the first one is looked at."""

    def announced(**changes):
        serves = db_instance_answer(name=NEW, tags={**ours, "spymeo:rollback-served": SERVED[NEW]})
        announce.instances(db_instance_answer(**changes), serves)

    return announced


def test_the_failed_instance_is_marked_and_runs_on_unless_it_is_to_be_stopped(both, aws, run_module):
    both()
    aws.answer("rds", "add_tags_to_resource", {})
    result = run_module("rds_retire", **RETIRE)
    assert (result["changed"], result["after"]["replaced_by"], result["after"]["status"]) == (True, NEW, "available")
    assert "runs on" in result["reason"]


def test_a_failed_instance_that_is_marked_and_stopped_is_left_as_it_is(both, run_module):
    both(tags=MARKED, DBInstanceStatus="stopped")
    result = run_module("rds_retire", stop=True, **RETIRE)
    assert (result["changed"], result["plan"]) == (False, [])


@pytest.mark.parametrize(
    ("says", "told"),
    [
        ({}, ""),
        (
            {"StorageOperationStatus": "Initializing", "StorageOperationPercentProgress": 43},
            "RDS has loaded 43 % of its storage; ",
        ),
        ({"StorageOperationStatus": "Optimizing", "StorageOperationPercentProgress": 43}, ""),
    ],
)
def test_how_much_of_the_storage_is_loaded_is_told_where_rds_says_it(
    announce, db_instance_answer, ours, run_module, says, told
):
    serves = db_instance_answer(name=NEW, tags={**ours, "spymeo:rollback-served": SERVED[NEW]}, **says)
    announce.instances(db_instance_answer(tags=MARKED), serves)
    storage = run_module("rds_retire", **RETIRE)["storage"]
    assert storage.startswith(told)
    assert bool(storage) is bool(told)


def test_what_rds_says_against_stopping_is_told_and_is_no_failure(both, aws, run_module):
    both(tags=MARKED)
    aws.refuse("rds", "stop_db_instance", "InvalidDBInstanceState", "Instance is in a Multi-AZ failover.")
    result = run_module("rds_retire", stop=True, **RETIRE)
    assert (result["changed"], result.get("failed", False)) == (False, False)
    assert "RDS says: Instance is in a Multi-AZ failover." in result["reason"]
    assert "aws rds stop-db-instance --db-instance-identifier app-db" in result["reason"]


def test_check_mode_tells_the_same_and_stops_nothing(both, run_module):
    both()
    result = run_module("rds_retire", check_mode=True, stop=True, **RETIRE)
    assert (result["changed"], result["plan"]) == (True, ["app-db: tag it", "app-db: stop it"])
    assert result["after"]["status"] == "stopping"


def test_what_has_taken_its_place_must_be_there(announce, run_module, db_instance_answer):
    announce.instances(db_instance_answer())
    assert f"'{NEW}': there is no such DB instance" in run_module("rds_retire", **RETIRE)["msg"]


@pytest.fixture
def counted(aws, announce, run_module, db_instance_answer):
    """Run rds_rollback_info with a DATABASE_URL that leads to a port of this machine, and is in a version of the secret."""

    def run(port, current="a" * 32, **more):
        aws.answer(
            "rds",
            "describe_db_instances",
            {"DBInstances": [db_instance_answer(Endpoint={"Address": "127.0.0.1", "Port": port})]},
        )
        announce.snapshots("before")
        expect_checks(aws, announce)
        noon = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
        described = {
            "ARN": "arn:aws:secretsmanager:eu-west-3:123456789012:secret:db-url-AbCdEf",
            "Name": "db-url",
            "CreatedDate": noon,
            "LastChangedDate": noon,
        }
        version = {"VersionId": "a" * 32, "CreatedDate": noon, "VersionStages": ["AWSCURRENT"]}
        url = f"postgresql://spymeo:hunter2@127.0.0.1:{port}/spymeo"
        aws.answer("secretsmanager", "describe_secret", described)
        aws.answer("secretsmanager", "list_secret_version_ids", {"Versions": [version]})
        aws.answer("secretsmanager", "get_secret_value", {"VersionId": current, "SecretString": url})
        options = {
            "db_instance": "app-db",
            "snapshot": "before",
            "run_id": RUN,
            "count_rows": True,
            "count_timeout": 3,
            **more,
        }
        return run_module("rds_rollback_info", database_secret="db-url", **options)

    return run


def test_info_counts_what_was_created_since_the_time_of_the_data(counted, monkeypatch):
    asked = []

    class Server:
        def __init__(self, target, timeout):
            asked.append((target.host, timeout))

        def observe(self, rules, since, budget):
            asked.append((rules, since, budget))
            return DatabaseContents("16.4", None, (), created=(("Payment", 3), ("Practitioner", None)))

        def sequences(self):
            return (Sequence(16400, "public", "Payment_id_seq", 1, 1, 2**31 - 1, False, given=1830),)

        def hottest(self):
            return ("Payment", "Session", "Practitioner")

    monkeypatch.setattr(look, "PostgresqlGateway", Server)
    result = counted(5432, sequences=True, warm=["Log", "Practitioner", "Payment"])
    lost = result["lost"]
    assert "go beyond the 1 of the failed one, by 10,000 values" in result["ids"]
    assert result["warm"] == ["Payment", "Practitioner", "Log"]
    assert asked == [("127.0.0.1", 3), ((), datetime(2026, 11, 22, 11, 0, tzinfo=UTC), 3)]
    assert lost["rows"] == {"Payment": 3, "Practitioner": None}
    assert lost["counted"] == "3 rows of Payment were created since then; Practitioner took too long to be counted"


@pytest.mark.parametrize("current", ["a" * 32, "b" * 32])
def test_a_password_that_is_younger_than_the_data_is_told_also_where_it_was_changed_a_moment_ago(counted, current):
    """A version that is current by now may be younger than the list of versions."""
    result = counted(5432, current=current, count_rows=False)
    assert [item["check"] for item in result["findings"] if "password" in item["what"]] == ["password"]


def test_a_database_that_nobody_can_reach_from_here_is_told_before_anything_is_restored(counted):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        result = counted(closed.getsockname()[1])
    assert (result["failed"], result["verdict"], result["lost"]["rows"]) == (True, "failed", {})
    assert "P1001" in result["lost"]["counted"]
    assert "rollback_db_probe=task" in "".join(result["evidence"])
    assert "hunter2" not in str(result)
