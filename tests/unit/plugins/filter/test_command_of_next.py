# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What triage tells to do next is a command, whole or by its playbook."""

from __future__ import annotations

import pytest
from ansible import context
from ansible.utils.context_objects import CLIArgs
from ansible_collections.spymeo.rollback.plugins.filter.command import command_line

NEXT = {"playbook": "rollback_code.yml", "variables": {"rollback_run_id": "rb-1"}, "look_first": False, "command": ""}


@pytest.mark.parametrize(
    ("changed", "command"),
    [
        ({}, "ansible-playbook spymeo.rollback.rollback_code --limit spymeo -e rollback_run_id=rb-1"),
        ({"look_first": True}, "ansible-playbook spymeo.rollback.rollback_code --limit spymeo --check --diff -e rollback_run_id=rb-1"),
        ({"command": "what was typed"}, "what was typed"),
    ],
)  # fmt: skip
def test_it_is_the_command_that_is_known_or_that_of_the_playbook(changed, command, monkeypatch):
    monkeypatch.setattr(context, "CLIARGS", CLIArgs({"args": ("spymeo.rollback.triage",)}))

    assert command_line({**NEXT, **changed}, limit="spymeo") == command
