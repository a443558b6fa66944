# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.secrets.next_step import write_token

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
OLD, NEW, THIRD = ("%s-0000-4000-8000-000000000000" % (letter * 8) for letter in "abc")


def arn(name):
    return f"arn:aws:secretsmanager:eu-west-3:123456789012:secret:{name}-AbCdEf"


@pytest.fixture
def secret(aws):
    """Announces that a secret of versions (id, minutes after noon, stages) will be read."""

    def announce(name, *versions):
        described = {"ARN": arn(name), "Name": name, "CreatedDate": NOON, "LastChangedDate": NOON}
        entries = [
            {"VersionId": item, "CreatedDate": NOON + timedelta(minutes=age), "VersionStages": stages}
            for item, age, stages in versions
        ]
        aws.answer("secretsmanager", "describe_secret", described, {"SecretId": name})
        aws.answer("secretsmanager", "list_secret_version_ids", {"Versions": entries})

    return announce


ROTATED = (OLD, -60, ["AWSPREVIOUS"]), (NEW, -1, ["AWSCURRENT"])


def holds(aws, version_id, text, of="db-url"):
    """Announces that a version's value will be read."""
    asked = {"SecretId": arn(of), "VersionId": version_id}
    aws.answer("secretsmanager", "get_secret_value", {"VersionId": version_id, "SecretString": text}, asked)


def test_tells_targets_and_leaves_out_the_secret_of_the_database(aws, secret, run_module):
    secret("db-url", (OLD, -60, ["AWSCURRENT"]))
    secret("db-url", (OLD, -60, ["AWSCURRENT"]))
    holds(aws, OLD, "postgresql://u:hunter2@h/d")
    secret("key", *ROTATED)
    result = run_module(
        "secret_version_info", secrets=["db-url", "key"], database_secret="db-url", before="2026-11-22T11:55:00Z"
    )
    assert result["targets"] == {"key": OLD}
    assert result["plan"] == [f"key: {NEW} → {OLD}"]
    assert result["changed"] is False
    assert result["secrets"][0]["chosen"] is None
    assert "follows the database" in result["secrets"][0]["reason"]
    assert result["secrets"][1]["versions"][0] == {
        "id": NEW,
        "stages": ["AWSCURRENT"],
        "created": "2026-11-22T11:59:00+00:00",
    }


DATABASE = '{"DATABASE_URL": "postgresql://u:hunter2@%s/d", "API_KEY": "%s"}'


def test_of_a_json_secret_that_holds_the_url_the_other_keys_come_back_and_the_url_stays(aws, secret, run_module):
    secret("db-url", *ROTATED)
    secret("db-url", *ROTATED)
    now, then = DATABASE % ("new", "bad"), DATABASE % ("old", "good")
    for version_id, text in ((NEW, now), (OLD, then)):
        holds(aws, version_id, text)
    result = run_module(
        "secret_version_info", secrets=["db-url"], database_secret="db-url", before="2026-11-22T11:55:00Z"
    )
    assert result["targets"] == {"db-url": {"version_id": OLD, "only": [], "keep": ["DATABASE_URL"], "backup": ""}}
    assert result["secrets"][0]["json_keys"] == ["API_KEY"]
    assert "hunter2" not in str(result)


def test_the_url_of_the_database_cannot_be_named_to_come_back(aws, secret, run_module):
    secret("db-url", *ROTATED)
    secret("db-url", *ROTATED)
    holds(aws, NEW, DATABASE % ("new", "bad"))
    holds(aws, OLD, DATABASE % ("old", "good"))
    asked = {"secrets": ["db-url"], "database_secret": "db-url", "before": "2026-11-22T11:55:00Z"}
    result = run_module("secret_version_info", **asked, keys={"db-url": ["DATABASE_URL"]})
    assert "rollback_secret_keys names DATABASE_URL, which follows the database" in result["msg"]


@pytest.mark.parametrize(
    "wish", [{"versions": {"db-url": OLD}}, {"keys": {"db-url": ["a"]}}, {"backups": {"db-url": "b"}}]
)
def test_nor_can_a_secret_that_is_the_url_itself(aws, secret, run_module, wish):
    secret("db-url", *ROTATED)
    secret("db-url", *ROTATED)
    holds(aws, NEW, "postgresql://u:hunter2@h/d")
    result = run_module("secret_version_info", secrets=["db-url"], database_secret="db-url", before="", **wish)
    assert "never goes back by itself" in result["msg"]


def written(aws, name, text):
    """Announces that ``text`` will be written beside what is current, and made current."""
    sm = "secretsmanager"
    aws.answer(sm, "put_secret_value", {"VersionStages": ["spymeo-rollback-pending-rb-1"]})
    aws.answer(sm, "get_secret_value", {"VersionId": THIRD, "SecretString": text})
    aws.answer(sm, "update_secret_version_stage", {"ARN": arn(name), "Name": name})
    aws.answer(sm, "update_secret_version_stage", {"ARN": arn(name), "Name": name})


def test_brings_named_keys_back_and_leaves_every_other_byte(aws, secret, run_module):
    secret("app", *ROTATED)
    holds(aws, NEW, '{"a": "bad",  "b": 2.0}', "app")
    holds(aws, OLD, '{"a": "good", "b": 1}', "app")
    written(aws, "app", '{"a": "good",  "b": 2.0}')
    target = {"version_id": OLD, "only": ["a"]}
    result = run_module("secret_rollback", targets={"app": target}, run_id="rb-1")
    assert result["changed"]
    assert "a new version in which keys a went back" in result["plan"][0]
    assert "good" not in str(result)


def test_a_second_time_nothing_is_left_to_bring_back(aws, secret, run_module):
    secret("app", *ROTATED)
    holds(aws, NEW, '{"a": "good",  "b": 2.0}', "app")
    holds(aws, OLD, '{"a": "good", "b": 1}', "app")
    result = run_module("secret_rollback", targets={"app": {"version_id": OLD, "only": ["a"]}}, run_id="rb-1")
    assert not result["changed"]


def test_a_label_that_a_killed_try_left_is_taken_away(aws, secret, run_module):
    secret("app", (NEW, -1, ["AWSCURRENT", "spymeo-rollback-pending-rb-1"]), (OLD, -60, ["AWSPREVIOUS"]))
    holds(aws, NEW, '{"a": "good"}', "app")
    holds(aws, OLD, '{"a": "good"}', "app")
    gone = {"SecretId": arn("app"), "VersionStage": "spymeo-rollback-pending-rb-1", "RemoveFromVersionId": NEW}
    aws.answer("secretsmanager", "update_secret_version_stage", {"ARN": arn("app"), "Name": "app"}, gone)
    assert not run_module("secret_rollback", targets={"app": {"version_id": OLD, "only": ["a"]}}, run_id="rb-1")[
        "changed"
    ]


def test_where_all_that_differs_goes_back_a_label_moves_and_nothing_is_written(aws, secret, run_module):
    secret("app", *ROTATED)
    holds(aws, NEW, '{"a": "bad", "b": 1}', "app")
    holds(aws, OLD, '{"a": "good", "b": 1}', "app")
    aws.answer("secretsmanager", "update_secret_version_stage", {})
    result = run_module("secret_rollback", targets={"app": {"version_id": OLD, "only": ["a"]}}, run_id="rb-1")
    assert result["after"] == {"app": OLD}


def test_a_secret_that_has_all_its_labels_is_told_before_anything_is_written(aws, secret, run_module):
    secret("app", *ROTATED)
    holds(aws, NEW, '{"a": "bad",  "b": 2}', "app")
    holds(aws, OLD, '{"a": "good", "b": 1}', "app")
    aws.refuse("secretsmanager", "put_secret_value", "LimitExceededException")
    result = run_module("secret_rollback", targets={"app": {"version_id": OLD, "only": ["a"]}}, run_id="rb-1")
    assert "Secret app has 20 staging labels" in result["msg"]


@pytest.fixture
def parameter(aws):
    """Announces that the history of a parameter will be read: (number, minutes after noon, type)."""

    def announce(name, *versions):
        entries = [
            {"Name": name, "Version": number, "Type": kind, "LastModifiedDate": NOON + timedelta(minutes=age),
             "KeyId": "alias/app", "DataType": "text", "Tier": "Standard", "Value": "cipher"}
            for number, age, kind in versions
        ]  # fmt: skip
        asked = {"Name": name, "WithDecryption": False}
        aws.answer("ssm", "get_parameter_history", {"Parameters": entries}, asked)

    return announce


def parameter_holds(aws, name, number, value):
    asked = {"Name": f"{name}:{number}", "WithDecryption": True}
    aws.answer("ssm", "get_parameter", {"Parameter": {"Name": name, "Version": number, "Value": value}}, asked)


FLAGS = (1, -60, "SecureString"), (2, -1, "SecureString")


def test_a_parameter_gets_its_old_value_as_a_new_version(aws, parameter, run_module):
    parameter("/flag", *FLAGS)
    parameter_holds(aws, "/flag", 1, "hunter2")
    parameter_holds(aws, "/flag", 2, "hunter3")
    put = {"Name": "/flag", "Value": "hunter2", "Type": "SecureString", "Overwrite": True, "Tier": "Standard",
           "KeyId": "alias/app", "DataType": "text"}  # fmt: skip
    aws.answer("ssm", "put_parameter", {"Version": 3}, put)
    result = run_module("secret_rollback", targets={}, parameters={"/flag": "1"}, run_id="rb-1")
    assert result["plan"] == ["/flag: version 2 → 3, which has the value of version 1"]
    assert "hunter" not in str(result)


def test_a_parameter_that_has_the_value_already_stays(aws, parameter, run_module):
    parameter("/flag", *FLAGS)
    parameter_holds(aws, "/flag", 1, "same")
    parameter_holds(aws, "/flag", 2, "same")
    result = run_module("secret_rollback", targets={}, parameters={"/flag": "1"}, run_id="rb-1")
    assert (result["changed"], result["after"]) == (False, {"/flag": "2"})


@pytest.mark.parametrize(("between", "ours"), [("c", False), ("a", True)])
def test_a_write_of_somebody_else_in_between_is_told_and_one_of_ours_is_not(aws, parameter, run_module, between, ours):
    """The answer to the first try was lost, so botocore has made it again."""
    parameter("/flag", *FLAGS)
    parameter_holds(aws, "/flag", 1, "a")
    parameter_holds(aws, "/flag", 2, "b")
    aws.answer("ssm", "put_parameter", {"Version": 4})
    parameter_holds(aws, "/flag", 3, between)
    result = run_module("secret_rollback", targets={}, parameters={"/flag": "1"}, run_id="rb-1")
    assert ("Somebody else wrote parameter /flag while we worked" not in result.get("msg", "")) == ours


@pytest.mark.parametrize(
    ("options", "target", "reason"),
    [
        ({"before": "2026-11-22T11:55:00Z"}, "1", "newest version created before"),
        ({"before": "", "versions": {"/flag": 1}}, "1", "rollback_secret_versions names it"),
        (
            {"before": "", "release_point": {"id": "cp-1", "parameters": {"/flag": 1}}},
            "1",
            "release point cp-1 recorded it",
        ),
        ({"before": ""}, "2", "no bad release is known"),
    ],
)
def test_chooses_the_version_of_a_parameter(aws, parameter, run_module, options, target, reason):
    parameter("/flag", *FLAGS)
    if target == "1":
        parameter_holds(aws, "/flag", 1, "old")
        parameter_holds(aws, "/flag", 2, "new")
    result = run_module("secret_version_info", secrets=[], parameters=["/flag"], **options)
    assert result["parameter_targets"] == {"/flag": target}
    assert reason in result["parameters"][0]["reason"]
    assert result["parameters"][0]["changes"] == (target == "1")


def test_the_value_of_a_backup_comes_back(aws, secret, run_module):
    secret("app", *ROTATED)
    secret("backup", (THIRD, -90, ["AWSCURRENT"]))
    holds(aws, NEW, "now", "app")
    holds(aws, THIRD, "then", "backup")
    result = run_module("secret_version_info", secrets=["app"], backups={"app": "backup"}, before="")
    assert result["targets"]["app"] == {"version_id": THIRD, "only": [], "keep": [], "backup": arn("backup")}
    assert (
        "rollback_backup_secrets names backup, whose value is of 2026-11-22T10:30:00" in result["secrets"][0]["reason"]
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"versions": {"other": OLD}}, "rollback_secret_versions .* is 'other': it is not in rollback_secrets or"),
        ({"keys": {"other": ["a"]}}, "rollback_secret_keys .* is 'other': it is not in rollback_secrets,"),
        ({"backups": {"other": "b"}}, "rollback_backup_secrets .* is 'other': it is not in rollback_secrets,"),
    ],
)
def test_a_wish_for_what_does_not_come_back_is_refused(run_module, options, words):
    result = run_module("secret_version_info", secrets=["app"], before="", **options)
    assert re.search(words, result["msg"])


@pytest.mark.parametrize("before", ["yesterday", "2026-11-22T11:55:00", "1763812500"])
def test_refuses_a_time_that_is_not_certain(run_module, before):
    result = run_module("secret_version_info", secrets=["key"], before=before)
    assert result["failed"]
    assert "2026-11-22T03:11:05Z" in result["msg"]


def test_moves_each_secret_that_is_not_at_its_target(aws, secret, run_module):
    secret("one", *ROTATED)
    secret("two", (OLD, -60, ["AWSCURRENT"]))
    moved = {"SecretId": arn("one"), "VersionStage": "AWSCURRENT", "MoveToVersionId": OLD, "RemoveFromVersionId": NEW}
    aws.answer("secretsmanager", "update_secret_version_stage", {}, moved)
    result = run_module("secret_rollback", targets={"one": OLD, "two": OLD}, run_id="rb-1")
    assert result["changed"]
    assert (result["before"], result["after"]) == ({"one": NEW, "two": OLD}, {"one": OLD, "two": OLD})


def test_check_mode_shows_the_same_plan_and_writes_nothing(secret, run_module):
    secret("one", *ROTATED)
    result = run_module("secret_rollback", check_mode=True, targets={"one": OLD}, run_id="rb-1")
    assert result["changed"]
    assert result["plan"] == [f"one: {NEW} → {OLD}"]


def test_changes_nothing_when_every_target_is_current(secret, run_module):
    secret("one", (OLD, -60, ["AWSCURRENT"]))
    result = run_module("secret_rollback", targets={"one": OLD}, run_id="rb-1")
    assert not result["changed"]
    assert result["plan"] == []


def test_moves_nothing_when_one_of_several_cannot_be_moved(secret, run_module):
    secret("one", *ROTATED)
    secret("two", *ROTATED)
    result = run_module("secret_rollback", targets={"one": OLD, "two": THIRD}, run_id="rb-1")
    assert f"Secret two has no version {THIRD}" in result["msg"]


def test_a_lost_race_tells_what_was_moved_before_it(aws, secret, run_module):
    secret("one", *ROTATED)
    secret("two", *ROTATED)
    aws.answer("secretsmanager", "update_secret_version_stage", {})
    aws.refuse("secretsmanager", "update_secret_version_stage", "InvalidParameterException")
    described = {"ARN": arn("two"), "Name": "two", "CreatedDate": NOON, "LastChangedDate": NOON}
    aws.answer("secretsmanager", "describe_secret", described)
    aws.answer(
        "secretsmanager",
        "list_secret_version_ids",
        {"Versions": [{"VersionId": THIRD, "CreatedDate": NOON, "VersionStages": ["AWSCURRENT"]}]},
    )
    result = run_module("secret_rollback", targets={"one": OLD, "two": OLD}, run_id="rb-1")
    assert "Somebody else moved AWSCURRENT of secret two" in result["msg"]
    assert result["evidence"] == [f"before that: one: {NEW} → {OLD}"]


URL = "postgresql://spymeo:hunter%2F2@old.rds:5432/spymeo?schema=public"


@pytest.fixture
def database_secret(aws, secret):
    """Announces that the secret of the database URL will be read, and what it holds."""

    def announce(text=URL, *versions):
        secret("db-url", *(versions or [(OLD, -60, ["AWSCURRENT"])]))
        aws.answer("secretsmanager", "get_secret_value", {"VersionId": OLD, "SecretString": text})

    return announce


def test_points_the_url_at_the_new_host_and_shows_neither_url_nor_password(aws, database_secret, run_module):
    database_secret()
    aws.answer("secretsmanager", "put_secret_value", {"VersionStages": ["AWSCURRENT"]})
    result = run_module("database_url", database_secret="db-url", host="new.rds", run_id="rb-1")
    assert result["changed"]
    assert result["before"] == {"host": "old.rds", "port": 5432}
    assert result["after"] == {"host": "new.rds", "port": 5432}
    assert result["previous_version_id"] == OLD != result["version_id"]
    assert (result["database"], result["user"]) == ("spymeo", "spymeo")
    assert "hunter" not in str(result)
    assert "postgresql:" not in str(result)


def test_a_json_secret_keeps_everything_else(aws, database_secret, run_module):
    database_secret('{ "DATABASE_URL":"%s","x": 1.0 }' % URL)
    aws.answer("secretsmanager", "put_secret_value", {"VersionStages": ["AWSCURRENT"]})
    assert run_module("database_url", database_secret="db-url", host="new.rds", run_id="rb-1")["changed"]


def test_writes_nothing_when_the_url_points_there_already(database_secret, run_module):
    database_secret()
    result = run_module("database_url", database_secret="db-url", host="old.rds", port=5432, run_id="rb-1")
    assert not result["changed"]
    assert result["version_id"] == result["previous_version_id"] == OLD


def test_without_an_address_it_only_tells_where_the_url_points(database_secret, run_module):
    database_secret()
    result = run_module("database_url", database_secret="db-url")
    assert not result["changed"]
    assert result["after"] == {"host": "old.rds", "port": 5432}


def test_check_mode_tells_the_new_address_and_writes_nothing(database_secret, run_module):
    database_secret()
    result = run_module("database_url", check_mode=True, database_secret="db-url", host="new.rds", run_id="rb-1")
    assert result["changed"]
    assert result["after"]["host"] == "new.rds"


def test_refuses_to_write_while_a_rotation_is_under_way(secret, run_module):
    secret("db-url", (OLD, -60, ["AWSCURRENT"]), (NEW, -1, ["AWSPENDING"]))
    result = run_module("database_url", database_secret="db-url", host="new.rds", run_id="rb-1")
    assert "A rotation of secret db-url is under way" in result["msg"]


def test_an_address_without_a_run_is_refused(run_module):
    result = run_module("database_url", database_secret="db-url", host="new.rds")
    assert "run_id" in result["msg"]


PENDING = "spymeo-rollback-pending-rb-1"
TOKEN = write_token("rb-1", arn("db-url"), "new.rds", 5432)


def test_a_version_to_be_tried_bears_the_runs_label_and_nothing_reads_it(aws, database_secret, run_module):
    database_secret()
    wanted = {
        "SecretId": arn("db-url"),
        "ClientRequestToken": TOKEN,
        "SecretString": URL.replace("old.rds", "new.rds"),
        "VersionStages": [PENDING],
    }
    aws.answer("secretsmanager", "put_secret_value", {}, wanted)
    result = run_module("database_url", database_secret="db-url", host="new.rds", run_id="rb-1", pending=True)
    assert (result["changed"], result["version_id"]) == (True, TOKEN)


@pytest.fixture
def tried(aws, secret):
    """Announces a secret whose version TOKEN was tried by the run, and the value that is current."""

    def announce(text):
        secret("db-url", (OLD, -60, ["AWSCURRENT"]), (TOKEN, -1, [PENDING]))
        aws.answer("secretsmanager", "get_secret_value", {"VersionId": OLD, "SecretString": URL})
        aws.answer(
            "secretsmanager",
            "get_secret_value",
            {"VersionId": TOKEN, "SecretString": text},
            {"SecretId": arn("db-url"), "VersionId": TOKEN},
        )

    return announce


def test_the_version_that_was_tried_becomes_current_and_changes_its_label(aws, tried, run_module):
    """A label of its own keeps it for the tasks that pin it, and is there before the version could lose the other one."""
    tried(URL.replace("old.rds", "new.rds"))
    kept = {"SecretId": arn("db-url"), "VersionStage": "spymeo-rollback-pinned", "MoveToVersionId": TOKEN}
    aws.answer("secretsmanager", "update_secret_version_stage", {}, kept)
    moved = {
        "SecretId": arn("db-url"),
        "VersionStage": "AWSCURRENT",
        "MoveToVersionId": TOKEN,
        "RemoveFromVersionId": OLD,
    }
    aws.answer("secretsmanager", "update_secret_version_stage", {}, moved)
    unlabelled = {"SecretId": arn("db-url"), "VersionStage": PENDING, "RemoveFromVersionId": TOKEN}
    aws.answer("secretsmanager", "update_secret_version_stage", {}, unlabelled)
    result = run_module("database_url", database_secret="db-url", host="new.rds", run_id="rb-1")
    assert (result["changed"], result["version_id"], result["previous_version_id"]) == (True, TOKEN, OLD)


def test_a_secret_that_was_changed_since_the_trial_is_not_overwritten_by_what_was_tried(tried, run_module):
    tried(URL.replace("old.rds", "new.rds").replace("spymeo", "somebody"))
    result = run_module("database_url", database_secret="db-url", host="new.rds", run_id="rb-1")
    assert result["failed"]
    assert "db-url" in result["msg"]


def test_a_label_that_a_killed_cutover_left_is_taken_away(aws, database_secret, run_module):
    label = "spymeo-rollback-pending-rb-1"
    database_secret(URL, (OLD, -60, ["AWSCURRENT", label]))
    gone = {"SecretId": arn("db-url"), "VersionStage": label, "RemoveFromVersionId": OLD}
    aws.answer("secretsmanager", "update_secret_version_stage", {"ARN": arn("db-url"), "Name": "db-url"}, gone)
    result = run_module("database_url", database_secret="db-url", host="old.rds", run_id="rb-1")
    assert not result["changed"]
