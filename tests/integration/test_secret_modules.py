# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The modules of secrets and release points against the lab's API, both inside the test's process: labels, pruning, replicas, parameters."""

from __future__ import annotations

import importlib
import json

import pytest
from ansible.module_utils.testing import patch_module_args

from loopback_aws.lab import ACCESS_KEY, REGION, SECRET_KEY
from unit.lab.conftest import FAST, running_lab

from .held import with_run

PLUGINS = "ansible_collections.spymeo.rollback.plugins.modules"
APP, PARAMETER = "spymeo/production/app", "/spymeo/production/mail-password"
LONG_AGO = "2020-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def running():
    """A lab without a production in it."""
    with running_lab(FAST) as lab:
        yield lab


@pytest.fixture
def lab(running):
    """The same, with a secret that has had three values; it is gone after the test."""
    secrets = running.client("secretsmanager")
    running.ids = [secrets.create_secret(Name=APP, SecretString='{"a": 0, "b": 0}')["VersionId"]]
    for number in (1, 2):
        text = json.dumps({"a": number, "b": number})
        running.ids.append(secrets.put_secret_value(SecretId=APP, SecretString=text)["VersionId"])
    yield running
    secrets.delete_secret(SecretId=APP, ForceDeleteWithoutRecovery=True)


@pytest.fixture
def play(lab, capsys, tmp_path):
    """Run a module by name with its options; gives its result."""
    place = {"store": str(tmp_path), "environment": "production", "application": "spymeo"}
    there = {"database": {"snapshot": "s"}, "services": [], "secrets": [APP], "run_id": "rb-1", **place}

    def run(name, **options):
        aws = {"endpoint_url": f"http://127.0.0.1:{lab.port}", "access_key": ACCESS_KEY, "secret_key": SECRET_KEY}
        options = with_run(tmp_path / "held", name, {**(there if name == "release_point" else {}), **options})
        module = importlib.import_module(f"{PLUGINS}.{name}")
        with patch_module_args({**aws, "region": REGION, **options}), pytest.raises(SystemExit):
            module.main()
        return json.loads(capsys.readouterr().out)

    return run


def labels(lab) -> dict[str, str]:
    """Label → version id."""
    stages = lab.client("secretsmanager").describe_secret(SecretId=APP)["VersionIdsToStages"]
    return {label: version for version, found in stages.items() for label in found}


def text(lab) -> str:
    return lab.client("secretsmanager").get_secret_value(SecretId=APP)["SecretString"]


def put_labels(lab, version: str, names: list[str]) -> None:
    for name in names:
        lab.client("secretsmanager").update_secret_version_stage(
            SecretId=APP, VersionStage=name, MoveToVersionId=version
        )


def pruned(lab, version: str) -> bool:
    """Whether AWS has taken a version away, were it old enough."""
    return lab.lab.control("prune", {"secret": APP, "version_id": version})[1]["pruned"]


def test_a_version_that_a_release_point_has_recorded_cannot_be_pruned(lab, play):
    record = play("release_point", point_id="cp-1")["record"]
    assert list(record["secrets"].values()) == [lab.ids[2]]
    for number in (3, 4):
        lab.client("secretsmanager").put_secret_value(SecretId=APP, SecretString=str(number))
    assert not pruned(lab, lab.ids[2])
    assert pruned(lab, lab.ids[1])
    chosen = play("secret_version_info", secrets=[APP], before=LONG_AGO, release_point=record)
    assert chosen["targets"] == {APP: lab.ids[2]}
    assert play("secret_rollback", targets=chosen["targets"], run_id="rb-1")["changed"]
    assert text(lab) == '{"a": 2, "b": 2}'
    assert not play("secret_rollback", targets=chosen["targets"], run_id="rb-1")["changed"]


def test_when_labels_are_used_up_the_oldest_release_points_gives_way(lab, play):
    play("release_point", point_id="cp-1")
    lab.client("secretsmanager").put_secret_value(SecretId=APP, SecretString="new")
    put_labels(lab, lab.ids[0], [f"audit-{number}" for number in range(15)])
    result = play("release_point", point_id="cp-2")
    assert "spymeo-release-cp-1 is taken away from version " + lab.ids[2] in result["plan"][0]
    found = labels(lab)
    assert found["spymeo-release-cp-2"] == found["AWSCURRENT"]
    assert "spymeo-release-cp-1" not in found
    lab.client("secretsmanager").put_secret_value(SecretId=APP, SecretString="newer")
    assert pruned(lab, lab.ids[2])


def test_a_pruned_version_of_a_release_point_is_refused_and_the_others_are_named(lab, play):
    secret = lab.client("secretsmanager").describe_secret(SecretId=APP)
    assert pruned(lab, lab.ids[0])
    point = {"id": "cp-1", "secrets": {secret["ARN"]: lab.ids[0]}}
    result = play("secret_version_info", secrets=[APP], before=LONG_AGO, release_point=point)
    assert f"no longer, the version {lab.ids[0]} that release point cp-1 recorded" in result["msg"]
    assert lab.ids[1] in result["msg"]
    assert lab.ids[2] in result["msg"]


def test_a_secret_full_of_labels_is_told_and_nothing_is_changed(lab, play):
    put_labels(lab, lab.ids[0], [f"audit-{number}" for number in range(18)])
    target = {APP: {"version_id": lab.ids[0], "only": ["a"]}}
    assert "has 20 staging labels" in play("secret_rollback", targets=target, run_id="rb-1")["msg"]
    assert "it has 20 labels" in play("release_point", point_id="cp-1")["msg"]
    assert text(lab) == '{"a": 2, "b": 2}'
    assert len(labels(lab)) == 20
    whole = play("secret_rollback", targets={APP: lab.ids[0]}, run_id="rb-1")
    assert whole["changed"]  # a version as a whole needs no label


def test_some_keys_go_back_however_often_the_run_is_started(lab, play):
    target = {APP: {"version_id": lab.ids[0], "only": ["a"]}}
    first = play("secret_rollback", targets=target, run_id="rb-1")
    assert text(lab) == '{"a": 0, "b": 2}'
    assert labels(lab) == {"AWSCURRENT": first["after"][APP], "AWSPREVIOUS": lab.ids[2]}
    assert not play("secret_rollback", targets=target, run_id="rb-1")["changed"]
    assert not play("secret_rollback", targets=target, run_id="rb-2")["changed"]


@pytest.mark.parametrize("name", ["secret_rollback", "secret_version_info", "release_point"])
def test_a_replica_is_refused_with_its_primarys_region(lab, play, name):
    lab.lab.control("replica", {"secret": APP, "primary_region": "eu-west-1"})
    options = {
        "secret_rollback": {"targets": {APP: lab.ids[0]}, "run_id": "rb-1"},
        "secret_version_info": {"secrets": [APP], "before": LONG_AGO},
        "release_point": {"point_id": "cp-1"},
    }
    result = play(name, **options[name])
    lab.lab.secretsmanager._secrets[APP].primary_region = None
    assert "this is a replica, which is read-only; its primary is in eu-west-1" in result["msg"]


def test_a_rotation_under_way_is_refused(lab, play):
    lab.client("secretsmanager").put_secret_value(SecretId=APP, SecretString="next", VersionStages=["AWSPENDING"])
    result = play("secret_rollback", targets={APP: lab.ids[0]}, run_id="rb-1")
    assert "A rotation of secret spymeo/production/app is under way" in result["msg"]
    assert text(lab) == '{"a": 2, "b": 2}'


def test_a_backup_comes_back_and_the_backup_stays(lab, play):
    secrets = lab.client("secretsmanager")
    backup = secrets.create_secret(Name="backup", SecretString='{"a": 7}')
    chosen = play("secret_version_info", secrets=[APP], before="", backups={APP: "backup"})
    assert play("secret_rollback", targets=chosen["targets"], run_id="rb-1")["changed"]
    assert text(lab) == '{"a": 7}'
    assert not play("secret_rollback", targets=chosen["targets"], run_id="rb-2")["changed"]
    assert secrets.get_secret_value(SecretId="backup")["VersionId"] == backup["VersionId"]
    secrets.delete_secret(SecretId="backup", ForceDeleteWithoutRecovery=True)


def test_a_parameter_goes_back_and_forth_and_never_twice(lab, play):
    ssm = lab.client("ssm")
    for value in ("one", "two"):
        ssm.put_parameter(Name=PARAMETER, Value=value, Type="SecureString", Overwrite=True)
    for number, value, newest in (("1", "one", 3), ("2", "two", 4)):
        assert play("secret_rollback", targets={}, parameters={PARAMETER: number}, run_id="rb-1")["changed"]
        assert not play("secret_rollback", targets={}, parameters={PARAMETER: number}, run_id="rb-1")["changed"]
        found = ssm.get_parameter(Name=PARAMETER, WithDecryption=True)["Parameter"]
        assert (found["Value"], found["Version"]) == (value, newest)
    gone = play("secret_rollback", targets={}, parameters={PARAMETER: "9"}, run_id="rb-1")
    assert "no longer, version 9" in gone["msg"]
    by_arn = play("secret_version_info", secrets=[], parameters=[found["ARN"]], before="", versions={found["ARN"]: 1})
    assert by_arn["parameter_targets"] == {PARAMETER: "1"}
    assert by_arn["parameters"][0]["changes"]
