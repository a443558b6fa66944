# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The next command can be pasted as it stands, and shows no secret."""

from __future__ import annotations

import json
import shlex

import hypothesis.strategies as st
import pytest
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


SECRETS = [
    "admin_password=hunter2",
    '{"verify_variables": {"password": "hunter2"}}',
    "rollback_aws={secret_key: hunter2}",
    '{"rollback_e2e_secret_environment": {"A": "hunter2"}}',
    "verify_variables: [hunter2",
    "'hunter2",
    '{"broken": hunter2',
]


@pytest.mark.parametrize("text", SECRETS)
def test_what_may_be_a_secret_is_not_repeated_and_its_place_refuses_to_be_played(clone, text):
    told = command({**TYPED, "extra_vars": (text,)}, clone)
    assert "hunter2" not in told
    assert "@YOUR-VALUE-OF-" in told


@given(st.text(), st.text(min_size=1))
def test_whatever_a_value_holds_the_shell_gives_it_back(value, path):
    told = command({"args": (path,), "inventory": ()}, "/", variables=[("rollback_reason", value)])
    words = shlex.split(told)
    assert words[:2] == ["ansible-playbook", path]
    assert words[3] == f"rollback_reason={value}" or json.loads(words[3]) == {"rollback_reason": value}
