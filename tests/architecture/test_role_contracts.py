# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What begins with __ is a role's own: no other role and no playbook reads or sets it. What a role publishes has its name in front."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PRIVATE = re.compile(r"(?<![\w.])__[a-z][a-z0-9_]*")
FOLDERS = ("tasks", "vars", "defaults", "templates", "handlers")


def files_of(role):
    """What Ansible evaluates of a role."""
    return [path for folder in FOLDERS for path in sorted((role / folder).rglob("*")) if path.is_file()]


def roles(root):
    """The roles (list of Path)."""
    return sorted(path for path in (root / "roles").glob("*") if path.is_dir())


def set_in(path):
    """The names that a file of a role sets: its keys in vars and defaults; what tasks register, set as facts, or give as vars."""
    if path.suffix != ".yml":
        return set()
    read = yaml.safe_load(path.read_text()) or {}
    if isinstance(read, dict):
        return set(read)
    return {name for task in read for name in _set_by(task)}


def _set_by(task):
    found = {task["register"]} if "register" in task else set()
    for key in ("vars", "ansible.builtin.set_fact"):
        found |= set(task.get(key, {}))
    for key in ("block", "rescue", "always"):
        found |= {name for inner in task.get(key, []) for name in _set_by(inner)}
    return found


def published(root):
    """The names that roles publish (dict role → set), as role_options.yml says."""
    described = yaml.safe_load((root / "plugins/module_utils/_core/run/role_options.yml").read_text())
    return {role: set(words.get("publishes", {})) for role, words in described.items()}


def read_elsewhere(root):
    """Each line of a role, or of a playbook, that names a private variable which the role does not set itself."""
    own = {role.name: {name for path in files_of(role) for name in set_in(path)} for role in roles(root)}
    places = [(role.name, path) for role in roles(root) for path in files_of(role)]
    places += [("", path) for path in sorted((root / "playbooks").glob("*.yml"))]
    found = []
    for role, path in places:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            for name in sorted(set(PRIVATE.findall(line)) - own.get(role, set())):
                owners = ", ".join(sorted(other for other, names in own.items() if name in names)) or "nobody"
                found.append(f"{path.relative_to(root)}:{number} names {name}, which is set by {owners}")
    return found


def set_for_others(root):
    """A name that a role sets and that is not its own, or that it publishes without saying so; and what it says and does not publish."""
    found = []
    said = published(root)
    options = {role.name: _options(role) for role in roles(root)}
    for role in roles(root):
        registered = set()
        for path in files_of(role):
            names = set_in(path) if path.parent.name in ("tasks", "vars") else set()
            registered |= names
            for name in sorted(names):
                if not re.match(rf"_*{role.name}(_|\Z)", name) and not _given(path, name, options):
                    found.append(f"{path.relative_to(root)} sets {name}, which is not a name of the role {role.name}")
        public = {name for name in registered if not name.startswith("_")} - options[role.name]
        told = said.get(role.name, set())
        found += [
            f"{role.name} sets {name}, and role_options.yml does not say that it publishes it"
            for name in sorted(_own(role, public) - told)
        ]
        found += [
            f"{role.name} does not set {name}, which role_options.yml says that it publishes"
            for name in sorted(told - public)
        ]
    return found


def _own(role, names):
    return {name for name in names if name.startswith(role.name)}


def _given(path, name, options):
    """Whether a task gives it to a role that it plays, as an option."""
    return path.parent.name == "tasks" and any(name in those for those in options.values())


def read_and_nowhere_set(root):
    """Each expression that reads a name with a role's name in front which is neither an option of that role nor what it publishes."""
    names = {role.name: _options(role) | published(root).get(role.name, set()) for role in roles(root)}
    found = []
    for path in [
        *(path for role in roles(root) for path in files_of(role)),
        *sorted((root / "playbooks").glob("*.yml")),
    ]:
        for expression in [*EXPRESSION.findall(path.read_text()), *conditions(path)]:
            for role, name in NAMED.findall(QUOTED.sub("''", expression)):
                if role in names and name not in names[role]:
                    found.append(f"{path.relative_to(root)} reads {name}, which {role} neither takes nor publishes")
    return found


def conditions(path):
    """The conditions of tasks (list of str), which are expressions without braces."""
    if path.parent.name not in ("tasks", "playbooks"):
        return []
    return [str(said) for said in _conditions(yaml.safe_load(path.read_text()))]


def _conditions(value, key=""):
    if isinstance(value, dict):
        return [text for inner, item in value.items() for text in _conditions(item, inner)]
    if isinstance(value, list):
        return [text for item in value for text in _conditions(item, key)]
    return [value] if key in ("when", "failed_when", "changed_when", "until", "that") else []


EXPRESSION = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
QUOTED = re.compile(r"'[^']*'")
NAMED = re.compile(r"(?<![\w.])(?=([a-z]+)_)([a-z]+_[a-z0-9_]+)\b(?!\s*=[^=])")


def _options(role):
    return set(yaml.safe_load((role / "defaults/main.yml").read_text()) or {})


def templates_with_meaning(root):
    """What people read is made by _core/report: no template, and no statement of Jinja in what Ansible evaluates."""
    files = [path for role in roles(root) for path in files_of(role)] + sorted((root / "playbooks").glob("*.yml"))
    return [
        f"{path.relative_to(root)}:{number} decides in Jinja: {line.strip()}"
        for path in files
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if "{%" in line or (number == 1 and path.parent.name == "templates")
    ]


RULES = [read_elsewhere, set_for_others, read_and_nowhere_set, templates_with_meaning]


@pytest.mark.parametrize("rule", RULES)
def test_the_roles_keep_the_rule(rule):
    assert rule(ROOT) == []


GOOD = {
    "plugins/module_utils/_core/run/role_options.yml": "code: {publishes: {code_plan: What was chosen.}}\nrun: {}\n",
    "roles/code/defaults/main.yml": "code_cluster: '{{ __code_own }}'\n",
    "roles/code/vars/main.yml": "__code_own: 1\n",
    "roles/code/tasks/main.yml": "- register: code_plan\n- block: [{register: __code_done}]\n- set_fact: x\n  vars: {run_before: '{{ __code_done }}'}\n",
    "roles/run/defaults/main.yml": "run_before: '{{ code_plan }}'\n",
    "roles/run/tasks/a.yml": "- run_x: '{{ code_plan.__x }}'\n",
    "playbooks/a.yml": "- hosts: '{{ code_plan }}'\n",
}


def test_what_is_right_passes(plant):
    root = plant(GOOD)

    assert [violation for rule in RULES for violation in rule(root)] == []


@pytest.mark.parametrize(
    ("rule", "path", "text", "words"),
    [
        (read_elsewhere, "roles/run/defaults/main.yml", "run_before: '{{ __code_done }}'", "names __code_done, which is set by code"),
        (read_elsewhere, "roles/run/tasks/a.yml", "- x: '{{ __code_own }}'", "roles/run/tasks/a.yml:1 names __code_own, which is set by code"),
        (read_elsewhere, "playbooks/a.yml", "- hosts: '{{ __code_own }}'", "playbooks/a.yml:1 names __code_own"),
        (read_elsewhere, "roles/code/tasks/main.yml", "- register: code_plan\n  when: __code_dome\n", "__code_dome, which is set by nobody"),
        (set_for_others, "roles/run/tasks/main.yml", "- register: code_plan", "sets code_plan, which is not a name of the role run"),
        (set_for_others, "roles/run/tasks/main.yml", "- register: __code_x", "sets __code_x, which is not a name of the role run"),
        (set_for_others, "roles/run/vars/main.yml", "run_limit: 1", "run sets run_limit, and role_options.yml does not say"),
        (set_for_others, "roles/code/tasks/main.yml", "- register: __code_plan", "code does not set code_plan, which role_options.yml says"),
        (read_and_nowhere_set, "roles/run/vars/main.yml", "__run_a: \"{{ code_plam.x == code_cluster and 'code_y' }}\"", "reads code_plam, which code neither"),
        (read_and_nowhere_set, "roles/run/tasks/a.yml", "- x: '{{ run_befor }}'", "a.yml reads run_befor, which run neither takes nor publishes"),
        (read_and_nowhere_set, "roles/run/tasks/main.yml", "- block: [{when: [true, not code_cluste]}]", "reads code_cluste, which code neither"),
        (templates_with_meaning, "roles/run/templates/a.j2", "RUN  {{ run_before }}", "a.j2:1 decides in Jinja"),
        (templates_with_meaning, "roles/run/tasks/main.yml", "- x: '{% if run_before %}yes{% endif %}'", "main.yml:1 decides in Jinja"),
    ],
)  # fmt: skip
def test_the_rule_bites(rule, path, text, words, plant):
    (violation,) = rule(plant({**GOOD, path: text}))

    assert words in violation
