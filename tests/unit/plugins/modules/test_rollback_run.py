# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""rollback_run as a playbook meets it."""

from __future__ import annotations

import importlib
import json
import re

import pytest
from ansible.module_utils.testing import patch_module_args

MODULE = "ansible_collections.spymeo.rollback.plugins.modules.rollback_run"


@pytest.fixture
def begin(capsys):
    """Run rollback_run with these variables; all of them are needed."""

    def run(checks=None, **variables):
        options = {"variables": variables, "needed": sorted(variables), **({"checks": checks} if checks else {})}
        with patch_module_args(options), pytest.raises(SystemExit):
            importlib.import_module(MODULE).main()
        return json.loads(capsys.readouterr().out)

    return run


def test_gives_a_new_id(begin):
    result = begin(rollback_run_id="")
    assert re.fullmatch(r"rb-\d{8}-\d{6}", result["run_id"])
    assert not result["resumed"]


def test_keeps_the_id_of_the_run_to_resume(begin):
    result = begin(rollback_run_id="rb-20261122-031500")
    assert (result["run_id"], result["resumed"]) == ("rb-20261122-031500", True)


def test_tells_every_mistake_at_once_and_that_nothing_has_changed(begin):
    result = begin(rollback_run_id=41, rollback_cluster="")
    assert result["failed"]
    assert result["msg"].splitlines()[0] == "Nothing was changed: the inventory cannot be used."
    assert [line.split()[1] for line in result["msg"].splitlines()[1:]] == ["rollback_cluster", "rollback_run_id"]


def test_mistakes_in_the_checks_of_the_end_are_told_before_the_run_begins(begin):
    checks = {
        "scenarios": [
            {"name": "login", "steps": [{"path": "/${user}", "form": {"p": "${password}", "t": "${token}"}}]}
        ],
        "lines": {"0.steps.0.path": "scenarios.yml:4"},
        "variables": {"password": ""},
        "secrets": {"token": {"secret": "admin"}},
        "noise": [{"pattern": "x", "reason": "y", "until": "later"}],
        "e2e": {"command": "npm run test:e2e", "chdir": "/no/such/directory"},
    }
    result = begin(checks=checks)
    assert result["failed"]
    assert result["evidence"] == [
        "password: it is empty; set it in verify_variables, or name a secret in verify_secrets",
        "scenarios.yml:4: scenario 1 (login), step 1, key path: ${user} is no variable, and no earlier step captures it",
        "entry 1: until is 'later', not a day like 2026-12-31",
        "rollback_e2e_chdir is '/no/such/directory': there is no such directory on this machine.",
    ]
