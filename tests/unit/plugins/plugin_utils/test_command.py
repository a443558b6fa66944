# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The next command can be pasted as it stands, and shows no secret."""

from __future__ import annotations

import json
import shlex
import subprocess

import hypothesis.strategies as st
import pytest
import yaml
from ansible import constants
from ansible.parsing.splitter import parse_kv
from ansible_collections.spymeo.rollback.plugins.plugin_utils._command import command
from hypothesis import given

TYPED = {"args": ("playbooks/rollback_full.yml",), "inventory": ("/work/clone/inventories/production",)}


@pytest.fixture
def clone(tmp_path):
    (tmp_path / "playbooks").mkdir()
    for name in ("rollback_full", "undo"):
        (tmp_path / f"playbooks/{name}.yml").touch()
    return str(tmp_path)


def test_the_same_command_is_what_was_typed(clone):
    typed = {
        "args": ("playbooks/rollback_full.yml",),
        "inventory": (f"{clone}/inventories/production", "/etc/more", "host,"),
        "subset": "spymeo",
        "vault_password_files": (f"{clone}/.vault",),
        "vault_ids": ("prod@prompt",),
        "extra_vars": ("@more.yml", "rollback_snapshot=x rollback_fence=none", '{"rollback_secrets": ["a b"]}'),
    }
    assert command(typed, clone) == (
        "ansible-playbook playbooks/rollback_full.yml -i inventories/production -i /etc/more -i host, --limit spymeo "
        "--vault-password-file .vault --vault-id prod@prompt -e @more.yml -e rollback_snapshot=x -e rollback_fence=none "
        """-e '{"rollback_secrets": ["a b"]}'"""
    )


def test_what_is_set_besides_takes_the_place_of_what_was_typed(clone):
    typed = {**TYPED, "extra_vars": ("rollback_run_id=rb-1",)}
    told = command(
        typed, "/work/clone", variables=[("rollback_run_id", "rb-2"), ("rollback_snapshot_before", "2026-11-22 03:00Z")]
    )
    assert told.endswith(
        """-i inventories/production -e rollback_run_id=rb-2 -e '{"rollback_snapshot_before": "2026-11-22 03:00Z"}'"""
    )


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("playbooks/rollback_full.yml", "playbooks/undo.yml"),
        ("spymeo.rollback.rollback_full", "spymeo.rollback.undo"),
        ("site.yml", "spymeo.rollback.undo"),
    ],
)
def test_another_playbook_has_the_form_of_the_one_that_was_typed(clone, typed, told):
    assert command({"args": (typed,)}, clone, "undo") == f"ansible-playbook {told}"


def test_another_playbook_gets_the_variables_that_it_uses_and_no_run_id(clone):
    typed = {
        "args": ("playbooks/rollback_full.yml",),
        "extra_vars": (
            "rollback_snapshot=x rollback_store=s3://b/p rollback_run_id=rb-1 rollback_environment=staging",
        ),
    }
    assert command(typed, clone, "undo").split()[2:] == [
        "-e",
        "rollback_store=s3://b/p",
        "-e",
        "rollback_environment=staging",
    ]


def test_the_host_is_named_where_nothing_was_typed(clone):
    assert command(TYPED, clone, limit="spymeo").endswith("--limit spymeo")
    assert command({**TYPED, "subset": "shop"}, clone, limit="spymeo").endswith("--limit shop")


SECRETS = {
    "admin_password=hunter2": "admin_password",
    '{"verify_variables": {"password": "hunter2"}}': "verify_variables",
    "rollback_aws={secret_key: hunter2}": "rollback_aws",
    '{"rollback_e2e_secret_environment": {"A": "hunter2"}}': "rollback_e2e_secret_environment",
    "verify_variabels={password: hunter2}": "verify_variables",
    "rollback_password=hunter2": "rollback_password",
}


@pytest.mark.parametrize("text", SECRETS)
def test_what_may_be_a_secret_is_not_repeated_and_its_place_refuses_to_be_played(clone, text):
    told = command({**TYPED, "extra_vars": (text,)}, clone)
    assert "hunter2" not in told
    refused = subprocess.run(["sh", "-c", told], capture_output=True, text=True, check=False, cwd=clone, env={})
    assert refused.returncode != 0
    assert SECRETS[text] in refused.stderr
    assert "not set" in refused.stderr


def words_of(told, **environment):
    """The words that a shell makes of a command."""
    played = subprocess.run(
        ["sh", "-c", f"printf '%s\\n' {told}"], capture_output=True, text=True, check=True, env=environment
    )
    return played.stdout.splitlines()


def test_a_secret_is_put_there_by_the_shell(clone):
    typed = {"args": ("site.yml",), "extra_vars": ("admin_password='a b'", '{"verify_variables": {"a": "b"}}')}
    words = words_of(command(typed, clone), admin_password='a b "c"', verify_variables='{"a": "b c"}')
    assert parse_kv(words[3]) == {"admin_password": 'a b "c"'}
    assert yaml.safe_load(words[5]) == {"verify_variables": {"a": "b c"}}


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("rollback_fense=scale_to_zero", "-e rollback_fence=scale_to_zero"),
        ("rolback_snapshot=x", "-e rollback_snapshot=x"),
        ("verify_scenarioss=x", "-e verify_scenarios=x"),
        ("rollback_run_id=my run", "-e rollback_run_id=my"),
        ("verify_variables: [hunter2", ""),
        ("'hunter2", ""),
        ('{"broken": hunter2', ""),
        ("no-name=hunter2", ""),
    ],
)
def test_what_was_mistyped_is_told_right_or_not_at_all(clone, typed, told):
    assert (
        command({"args": ("site.yml",), "extra_vars": (typed,)}, clone) == f"ansible-playbook site.yml {told}".strip()
    )


SWITCHES = {
    "--check": {"check": True},
    "--check --diff": {"check": True, "diff": True},
    "-vvv": {"verbosity": 3},
    "--forks 9": {"forks": 9},
    "--flush-cache": {"flush_cache": True},
    "--become --ask-become-pass": {"become": True, "become_ask_pass": True},
    "--ask-vault-password --vault-id prod@x": {"ask_vault_pass": True, "vault_ids": ("prod@x",)},
    "": {"forks": constants.DEFAULT_FORKS, "verbosity": 0, "check": False},
}


@pytest.mark.parametrize("told", SWITCHES)
def test_the_same_command_has_the_switches_that_were_typed(clone, told):
    """Above all ``--check``: the command after a look that has failed is a look again."""
    typed = {"args": ("site.yml",), **SWITCHES[told]}
    assert command(typed, clone) == f"ansible-playbook site.yml {told}".strip()
    assert command(typed, clone, "undo").endswith(told)


def test_whoever_only_looks_is_told_what_releases_a_hold(clone):
    assert command({**TYPED, "check": True}, "/nowhere", "hold", [("rollback_hold", "release")]).endswith(
        "-i /work/clone/inventories/production -e rollback_hold=release"
    )


@given(st.text(), st.text(min_size=1))
def test_whatever_a_value_holds_the_shell_gives_it_back(value, path):
    told = command({"args": (path,), "inventory": ()}, "/", variables=[("rollback_reason", value)])
    words = shlex.split(told)
    assert words[:2] == ["ansible-playbook", path]
    assert words[3] == f"rollback_reason={value}" or json.loads(words[3]) == {"rollback_reason": value}
