# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every module is documented, previews itself, has tests, is used, and is in the action group when it talks to AWS."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WANTED = ("DOCUMENTATION", "EXAMPLES", "RETURN")


def modules(root):
    """The names of the modules, in order."""
    return sorted(path.stem for path in (root / "plugins/modules").glob("*.py") if path.stem != "__init__")


def undocumented(root):
    """Each module carries the texts that ansible-doc and antsibull-docs read."""
    found = []
    for name in modules(root):
        tree = ast.parse((root / f"plugins/modules/{name}.py").read_text())
        texts = {ast.unparse(node.targets[0]): node.value for node in tree.body if isinstance(node, ast.Assign)}
        found += [
            f"{name}: there is no {text}"
            for text in WANTED
            if text not in texts or not ast.literal_eval(texts[text]).strip()
        ]
    return found


def documentation(root):
    """{module: what ansible-doc knows of it, fragments merged}; root is found through its own collections/ link.

    Raises RuntimeError with what ansible-doc says when it cannot read a module's documentation.
    """
    names = [f"spymeo.rollback.{name}" for name in modules(root)]
    if not names:
        return {}
    done = subprocess.run(
        [Path(sys.executable).parent / "ansible-doc", "--type", "module", "--json", *names],
        env={
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(root / "collections"),
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        },
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return {name.rpartition(".")[2]: told["doc"] for name, told in json.loads(done.stdout).items()}


def without_preview(root):
    """Each module supports check mode and says whether it supports diff; one that takes part in a run, so changes things, does."""
    found = []
    for name, doc in documentation(root).items():
        support = {mode: doc.get("attributes", {}).get(mode, {}).get("support") for mode in ("check_mode", "diff_mode")}
        if support["check_mode"] != "full":
            found.append(f"{name}: check_mode is {support['check_mode']}")
        if support["diff_mode"] is None or ("run_id" in doc["options"] and support["diff_mode"] != "full"):
            found.append(f"{name}: diff_mode is {support['diff_mode']}")
    return found


def misgrouped(root):
    """The action group all holds exactly the modules that take AWS's connection options: module_defaults would break others."""
    grouped, speaking = in_group(root, "all"), taking(root, "endpoint_url")
    return [f"{name} talks to AWS and is not in the group" for name in sorted(speaking - grouped)] + [
        f"{name} is in the group and does not talk to AWS, or is not there" for name in sorted(grouped - speaking)
    ]


def unrecorded(root):
    """The action group writing holds exactly the modules whose calls are written to the run's journal."""
    grouped, recorded = in_group(root, "writing"), taking(root, "run")
    return [f"{name} takes its run and is not in the group writing" for name in sorted(recorded - grouped)] + [
        f"{name} is in the group writing and does not take its run" for name in sorted(grouped - recorded)
    ]


def in_group(root, group):
    """The names of the modules in an action group of meta/runtime.yml."""
    entries = yaml.safe_load((root / "meta/runtime.yml").read_text()).get("action_groups", {}).get(group, [])
    return {entry.rpartition(".")[2] for entry in entries if isinstance(entry, str)}


def taking(root, option):
    """The names of the modules that have an option."""
    return {name for name, doc in documentation(root).items() if option in doc["options"]}


def untested(root):
    """Each module is named in a unit test of modules, and something runs it: a playbook, a role, an integration test."""
    runs = [
        path
        for folder in ("playbooks", "roles", "tests/integration")
        for path in (root / folder).rglob("*")
        if path.is_file()
    ]
    used = "\n".join(path.read_text() for path in runs if path.suffix in (".yml", ".py"))
    tests = "\n".join(path.read_text() for path in sorted((root / "tests/unit/plugins/modules").glob("test_*.py")))
    found = []
    for name in modules(root):
        if not re.search(rf"\b{name}\b", tests):
            found.append(f"{name}: no tests/unit/plugins/modules/test_*.py names it")
        if not re.search(rf"\bspymeo\.rollback\.{name}\b", used):
            found.append(f"{name}: no playbook, role or integration test runs it")
    return found


RULES = [undocumented, without_preview, misgrouped, unrecorded, untested]


@pytest.mark.parametrize("rule", RULES)
def test_the_collection_keeps_the_rule(rule):
    assert rule(ROOT) == []


MODULE = '''
DOCUMENTATION = """
module: ecs_rollback
short_description: Bring services back
description: [Bring services back.]
options:
  run_id: {description: [The run.], type: str}
  run: {description: [Its lock.], type: dict}
attributes:
  check_mode: {description: [Previews.], support: full}
  diff_mode: {description: [Shows.], support: full}
extends_documentation_fragment: [amazon.aws.common.modules]
author: [SPYMEO (@spymeo)]
"""
EXAMPLES = "- spymeo.rollback.ecs_rollback:"
RETURN = "{}"
'''
FILE = "plugins/modules/ecs_rollback.py"
GROUP = "action_groups:\n  all:\n    - metadata: {extend_group: [amazon.aws.aws]}\n    - ecs_rollback\n  writing: [ecs_rollback]\n"
GOOD = {
    FILE: MODULE,
    "meta/runtime.yml": GROUP,
    "tests/unit/plugins/modules/test_ecs_rollback.py": "import ecs_rollback",
    "roles/code/tasks/main.yml": "- spymeo.rollback.ecs_rollback:\n",
}


@pytest.mark.parametrize("rule", RULES)
def test_a_complete_module_passes(rule, plant):
    assert rule(plant(GOOD)) == []


@pytest.mark.parametrize("rule", RULES)
def test_a_collection_without_modules_passes(rule, plant):
    assert rule(plant({"meta/runtime.yml": "requires_ansible: '>=2.19.0'\n"})) == []


@pytest.mark.parametrize(
    ("rule", "path", "text", "violation"),
    [
        (undocumented, FILE, MODULE.replace("RETURN", "RETURNED"), "ecs_rollback: there is no RETURN"),
        (
            undocumented,
            FILE,
            MODULE.replace('"- spymeo.rollback.ecs_rollback:"', "''"),
            "ecs_rollback: there is no EXAMPLES",
        ),
        (
            without_preview,
            FILE,
            MODULE.replace("[Previews.], support: full", "[No.], support: none"),
            "ecs_rollback: check_mode is none",
        ),
        (
            without_preview,
            FILE,
            MODULE.replace("[Shows.], support: full", "[No.], support: none"),
            "ecs_rollback: diff_mode is none",
        ),
        (
            unrecorded,
            "meta/runtime.yml",
            GROUP.replace("writing", "reading"),
            "ecs_rollback takes its run and is not in the group writing",
        ),
        (
            unrecorded,
            "meta/runtime.yml",
            GROUP.replace("[ecs_rollback]", "[ecs_rollback, ecs_gone]"),
            "ecs_gone is in the group writing and does not take its run",
        ),
        (misgrouped, "meta/runtime.yml", "action_groups: {}\n", "ecs_rollback talks to AWS and is not in the group"),
        (
            misgrouped,
            FILE,
            MODULE.replace("[amazon.aws.common.modules]", "[]"),
            "ecs_rollback is in the group and does not talk to AWS, or is not there",
        ),
        (
            misgrouped,
            "meta/runtime.yml",
            GROUP.replace("  writing", "    - ecs_gone\n  writing"),
            "ecs_gone is in the group and does not talk to AWS, or is not there",
        ),
        (untested, "roles/code/tasks/main.yml", "", "ecs_rollback: no playbook, role or integration test runs it"),
    ],
)
def test_an_incomplete_module_is_found(rule, path, text, violation, plant):
    assert rule(plant({**GOOD, path: text})) == [violation]


def test_a_module_without_a_unit_test_is_found(plant):
    root = plant(GOOD)
    (root / "tests/unit/plugins/modules/test_ecs_rollback.py").unlink()

    assert untested(root) == ["ecs_rollback: no tests/unit/plugins/modules/test_*.py names it"]


def test_documentation_that_cannot_be_read_is_told(plant):
    with pytest.raises(RuntimeError, match="ecs_rollback"):
        documentation(plant({**GOOD, FILE: MODULE.replace("amazon.aws.common.modules", "amazon.aws.no_such_fragment")}))
