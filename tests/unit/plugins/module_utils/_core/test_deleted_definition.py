# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A task definition that was deleted: its content, where it is known, makes the command that registers it again."""

from __future__ import annotations

import json
import subprocess

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.deleted_definition import (
    how_again,
    pinned_in,
    register_command,
)

SECRET = "arn:aws:secretsmanager:eu-west-3:123456789012:secret:app/url-AbCdEf"
CONTENT = {
    "taskDefinitionArn": "arn:aws:ecs:eu-west-3:123456789012:task-definition/app:3",
    "family": "app",
    "revision": 3,
    "status": "DELETE_IN_PROGRESS",
    "registeredAt": "2026-11-22",
    "deleteRequestedAt": "2026-11-22",
    "networkMode": "awsvpc",
    "containerDefinitions": [
        {"name": "app", "image": "app:1", "secrets": [{"name": "URL", "valueFrom": f"{SECRET}:::v2"}]}
    ],
}


def test_the_command_takes_what_can_be_registered_and_nothing_else():
    command = register_command(CONTENT)
    assert "taskDefinition.{containerDefinitions:containerDefinitions,family:family,networkMode:networkMode}" in command
    assert "--task-definition app:3 " in command


@pytest.mark.parametrize(
    ("reference", "version", "left"),
    [
        (f"{SECRET}:::v2", "v2", f"{SECRET}:::"),
        (f"{SECRET}:DATABASE_URL::v2", "v2", f"{SECRET}:DATABASE_URL::"),
        (SECRET, None, SECRET),
        (f"{SECRET}:::v1", None, f"{SECRET}:::v1"),
    ],
)
def test_what_a_run_has_pinned_is_taken_out_of_a_copy(reference, version, left):
    """The shell does it, so the shell is asked."""
    command = register_command(CONTENT, ("v2",))
    filters = command.partition(" | ")[2].rpartition(')"')[0]
    done = subprocess.run(
        filters, input=json.dumps({"valueFrom": reference}), shell=True, capture_output=True, text=True
    )
    assert json.loads(done.stdout) == {"valueFrom": left}
    assert pinned_in(CONTENT) == ("v2",)


@pytest.mark.parametrize(
    ("content", "copy", "words"),
    [
        (CONTENT, None, "while AWS still tells its content"),
        (None, CONTENT, "app:3 is a copy of it"),
        (None, None, "AWS tells nothing of the content of app:1 any more, and no copy of it is there"),
    ],
)
def test_what_is_known_is_used_and_what_is_not_is_said(content, copy, words):
    told = how_again("app:1", content, copy)
    assert words in told
    assert ("aws ecs register-task-definition" in told) == bool(content or copy)
    assert "rollback_task_definition" in told
