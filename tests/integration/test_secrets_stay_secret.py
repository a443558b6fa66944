# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whole runs at -vvvv that leave all their files behind: no value of a secret is in any of them, nor in what was printed."""

from __future__ import annotations

import json
import pathlib
import urllib.parse

import pytest

from integration.secret_traces import encodings, files_below, traces
from spymeo_world import world

PARAMETER, SHADOW = "/spymeo/production/mail-password", "spymeo/production/app-backup"
MAIL_THEN, MAIL_NOW = 'mail "of" the/old+provider', "mail-of-nobody=="
BAD_PAYMENT_KEY, PENDING_KEY = "sk_lab_of_another_account", "sk_lab_that_was_never_current"
RAW_PASSWORD = "raw#password/with@everything"
VALUES = {
    "the database's password": world.DB_PASSWORD,
    "the payment key": world.PAYMENT_KEY,
    "the bad payment key": BAD_PAYMENT_KEY,
    "a rotation's key": PENDING_KEY,
    "the session secret": world.SESSION_SECRET,
    "the old parameter": MAIL_THEN,
    "the new parameter": MAIL_NOW,
    "a password in a URL that cannot be read": RAW_PASSWORD,
}


def leaves_everything_behind(folder: pathlib.Path) -> dict[str, str]:
    """The environment of a run that writes below a folder and removes nothing: log, temporary files, modules with their arguments."""
    places = {name: folder / name for name in ("home", "tmp", "local", "remote")}
    for place in places.values():
        place.mkdir(exist_ok=True)
    return {
        "HOME": str(places["home"]),
        "TMPDIR": str(places["tmp"]),
        "ANSIBLE_LOCAL_TEMP": str(places["local"]),
        "ANSIBLE_REMOTE_TEMP": str(places["remote"]),
        "ANSIBLE_REMOTE_TMP": str(places["remote"]),
        "ANSIBLE_KEEP_REMOTE_FILES": "1",
        "ANSIBLE_LOG_PATH": str(folder / "ansible.log"),
    }


def put(production, secret: str, text: str, **more) -> None:
    production.aws("secretsmanager").put_secret_value(SecretId=secret, SecretString=text, **more)


def finish_rotation(production) -> None:
    """Take AWSPENDING away, as an operator does who has cancelled a rotation."""
    secrets = production.aws("secretsmanager")
    stages = secrets.describe_secret(SecretId=world.APP_SECRET)["VersionIdsToStages"]
    (pending,) = [version for version, labels in stages.items() if "AWSPENDING" in labels]
    secrets.update_secret_version_stage(
        SecretId=world.APP_SECRET, VersionStage="AWSPENDING", RemoveFromVersionId=pending
    )


@pytest.fixture(scope="module")
def story(shared_production, tmp_path_factory):
    """The accident; runs that are refused, a whole rollback, secrets key by key and from a backup, a URL that cannot be read."""
    production, folder = shared_production, tmp_path_factory.mktemp("left-behind")
    ssm, secrets = production.aws("ssm"), production.aws("secretsmanager")
    ssm.put_parameter(Name=PARAMETER, Value=MAIL_THEN, Type="SecureString")
    texts = {}

    def play(playbook, *arguments, **variables):
        more = {"rollback_parameters": [PARAMETER], **variables}
        played = production.play(
            playbook, "-vvvv", "--diff", *arguments, "-e", json.dumps(more), **leaves_everything_behind(folder)
        )
        texts[f"output of run {len(texts) + 1}, {playbook}"] = played.output.encode()
        return played

    codes = [play("checkpoint").code]
    production.accident("full")
    ssm.put_parameter(Name=PARAMETER, Value=MAIL_NOW, Type="SecureString", Overwrite=True)
    put(production, world.APP_SECRET, json.dumps({"PAYMENT_API_KEY": PENDING_KEY}), VersionStages=["AWSPENDING"])
    codes.append(play("rollback_full").code)
    finish_rotation(production)
    gone = {world.APP_SECRET: "00000000-0000-4000-8000-000000000000"}
    codes.append(play("rollback_full", rollback_secret_versions=gone).code)
    codes.append(play("rollback_full", "--check").code)
    codes.append(play("rollback_full").code)
    app = json.loads(secrets.get_secret_value(SecretId=world.APP_SECRET)["SecretString"])
    secrets.create_secret(Name=SHADOW, SecretString=json.dumps(app))
    put(production, world.APP_SECRET, json.dumps({**app, "PAYMENT_API_KEY": BAD_PAYMENT_KEY}, indent=2))
    backups = {"rollback_backup_secrets": {world.APP_SECRET: SHADOW}, "rollback_parameters": []}
    codes.append(play("rollback_secrets", **backups).code)
    put(production, world.DATABASE_SECRET, f"postgresql://spymeo:{RAW_PASSWORD}@db/spymeo")
    codes.append(play("rollback_database", "--check").code)
    return {"codes": codes, "texts": texts, "folder": folder, "production": production}


def test_the_runs_came_to_what_they_were_meant_to_come_to(story):
    assert story["codes"] == [0, 2, 2, 0, 0, 0, 2], story["texts"].keys()
    printed = b"".join(story["texts"].values())
    for words in (
        b"a rotation is under way",
        b"or no longer, the version 00000000",
        b"an @ that is not percent-encoded",
    ):
        assert words in printed


def test_what_was_bad_is_back(story):
    production = story["production"]
    value = production.aws("secretsmanager").get_secret_value(SecretId=world.APP_SECRET)["SecretString"]
    assert json.loads(value)["PAYMENT_API_KEY"] == world.PAYMENT_KEY
    assert production.aws("ssm").get_parameter(Name=PARAMETER, WithDecryption=True)["Parameter"]["Value"] == MAIL_THEN


def test_no_value_of_a_secret_is_in_anything_that_was_printed(story):
    more = {"the administrator's password": world.ADMIN_PASSWORD}
    assert traces({**VALUES, **more}, story["texts"]) == []


def test_no_value_of_a_secret_is_in_any_file_that_was_written(story):
    """What verify_http gets, the administrator's password, is among the arguments of a module, which Ansible removes unless told to keep them."""
    files = files_below(story["folder"])
    assert "ansible.log" in files
    assert len([name for name in files if "AnsiballZ_secret_rollback" in name]) >= 3
    assert traces(VALUES, files) == []


def test_no_value_of_a_secret_is_in_the_store(story):
    kept = files_below(pathlib.Path(story["production"].environment()["SPYMEO_LAB_STORE"]))
    for part in ("/points/", "/runs/", "/journal/"):
        assert any(part in name for name in kept), part
    assert traces({**VALUES, "the administrator's password": world.ADMIN_PASSWORD}, kept) == []


def test_a_value_is_found_however_it_was_written():
    value = "p%ss:w#rd+1&?=;"
    for name, text in encodings(value).items():
        assert traces({"it": value}, {"there": b"..." + text + b"..."}), name
    url = urllib.parse.quote(value, safe="")
    for around in (f"postgresql://u:{url}@h/d", json.dumps({"a": [value]}), repr({"a": value})):
        assert traces({"it": value}, {"there": around.encode()})
    assert traces({"it": value}, {"there": b"nothing of it"}) == []
