# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every playbook is played whole or refused, says which one it is, and reads no variable that the one table does not know."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.variables import ALL, ALONE, DERIVED, VARIABLES

ROOT = Path(__file__).parents[2]
PLAYS = "groups | spymeo.rollback.play_hosts"
WRITES = "(writes=true, several=rollback_several_hosts | default(false, true))"
NAME = re.compile(r"(?<![\w.$-])(?:rollback|verify)_[a-z0-9_]*[a-z0-9]\b(?!\.yml|\.md|[*(/-])")
# What begins like a variable and is none: modules, roles' results, playbooks, keys of what is handed on.
NO_VARIABLES = {
    "rollback_begin", "rollback_end", "rollback_run", "rollback_triage", "rollback_triage_info",
    "rollback_undo_info", "verify_application", "verify_http", "verify_result", "rollback_code", "rollback_database", "rollback_full", "rollback_secrets",
}  # fmt: skip


def playbooks(root):
    """(name, the first play) of each playbook."""
    return [(path.stem, yaml.safe_load(path.read_text())[0]) for path in sorted((root / "playbooks").glob("*.yml"))]


def played_in_part(root):
    """A playbook that Ansible's switches could cut, or that is not what it says."""
    found = []
    for name, play in playbooks(root):
        writes = name in ALONE
        if play["hosts"] != "{{ %s%s }}" % (PLAYS, WRITES if writes else ""):
            found.append(f"{name}: hosts is {play['hosts']}")
        if play.get("vars", {}).get("run_playbook") != name:
            found.append(f"{name}: run_playbook is not {name}")
        if bool(play.get("vars", {}).get("run_purpose")) != writes:
            found.append(f"{name}: run_purpose does not say whether it changes something")
        if writes and not play["tasks"][0].get("rescue"):
            found.append(f"{name}: nothing reports its failures")
    return found


def unknown_variables(root):
    """What roles, playbooks, inventories and documentation name, and no inventory may say."""
    files = [
        path
        for folder in ("roles", "playbooks", "inventories", "extensions")
        for path in (root / folder).rglob("*.yml")
    ]
    files += [
        *(root / "roles").rglob("*.md"),
        *(root / "roles").rglob("*.j2"),
        *root.glob("README.md"),
        *root.glob("docs/*.md"),
    ]
    found = []
    for path in sorted(set(files)):
        if "collections" not in path.relative_to(root).parts:
            names = set(NAME.findall(path.read_text()))
            found += [
                f"{path.relative_to(root)}: {name}" for name in sorted(names - {*VARIABLES, *DERIVED, *NO_VARIABLES})
            ]
    return found


RULES = [played_in_part, unknown_variables]


@pytest.mark.parametrize("rule", RULES)
def test_the_collection_keeps_the_rule(rule):
    assert rule(ROOT) == []


def test_every_playbook_is_known_to_the_table():
    assert sorted(name for name, _play in playbooks(ROOT)) == sorted(ALL)


GOOD = """\
- hosts: "{{ groups | spymeo.rollback.play_hosts(writes=true, several=rollback_several_hosts | default(false, true)) }}"
  vars: {run_playbook: undo, run_purpose: undo}
  tasks: [{block: [], rescue: [x]}]
"""


@pytest.mark.parametrize(
    ("rule", "path", "text", "words"),
    [
        (played_in_part, "playbooks/undo.yml", GOOD.replace("writes=true, ", ""), "undo: hosts is"),
        (played_in_part, "playbooks/undo.yml", "- hosts: all\n" + GOOD.split("\n", 1)[1], "undo: hosts is all"),
        (played_in_part, "playbooks/unfence.yml", GOOD, "unfence: run_playbook is not unfence"),
        (played_in_part, "playbooks/undo.yml", GOOD.replace(", run_purpose: undo", ""), "undo: run_purpose"),
        (played_in_part, "playbooks/undo.yml", GOOD.replace("rescue", "always"), "undo: nothing reports"),
        (unknown_variables, "roles/code/defaults/main.yml", "x: '{{ rollback_kluster }}'", "rollback_kluster"),
        (unknown_variables, "README.md", "`verify_log_noises`", "verify_log_noises"),
    ],
)
def test_the_rule_bites(rule, path, text, words, plant):
    (violation,) = rule(plant({path: text}))
    assert words in violation


def test_what_is_right_passes(plant):
    root = plant({"playbooks/undo.yml": GOOD, "roles/code/defaults/main.yml": "x: '{{ rollback_cluster }}'"})
    assert [violation for rule in RULES for violation in rule(root)] == []
