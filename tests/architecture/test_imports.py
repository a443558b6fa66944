# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who may know whom in plugins/: AWS behind the gateways, pure rooms pure, nothing below a module ends the module."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = "ansible_collections.spymeo.rollback."
UTILS = OURS + "plugins.module_utils."
AMAZON = "ansible_collections.amazon.aws."
AMAZON_PUBLIC = {
    AMAZON + "plugins.module_utils." + name
    for name in ("modules", "botocore", "errors", "exceptions", "retries", "tagging", "transformation", "waiter")
}
ROOMS_KNOW = {"state": set(), "decide": {"state", "ready"}, "ready": {"state", "decide"}, "gateway": {"state"}}
PURE_ROOMS = ("state", "decide", "ready")
# fmt: off
# The standard library as far as it computes: no clock, no randomness, no file, no network, no process.
PURE_LIBRARY = [
    "__future__", "abc", "base64", "bisect", "collections", "contextlib", "copy", "dataclasses", "datetime", "decimal",
    "difflib", "enum", "fractions", "functools", "hashlib", "heapq", "ipaddress", "itertools", "json", "math", "numbers",
    "operator", "re", "statistics", "string", "textwrap", "types", "typing", "urllib.parse", "uuid",
]
# fmt: on
IMPURE_CALLS = {"now", "utcnow", "today", "uuid1", "uuid4", "open", "print", "input"}

WORLDS = ["spymeo_world", "spymeo_app", "ansible", "ansible_collections"]


def sources(root, folder="plugins"):
    """The Python files under root/folder, in order."""
    return sorted((root / folder).rglob("*.py"))


def imports(root, path):
    """(line, dotted name) of each import, relative ones made absolute; ``from a import b`` gives a.b where that is our file."""
    package = (OURS + ".".join(path.relative_to(root).parts[:-1])).split(".")
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            files = [f"{module}.{alias.name}" for alias in node.names if our_file(root, f"{module}.{alias.name}")]
            for name in files or [module]:
                yield node.lineno, name


def our_file(root, name):
    """The file of one of our modules by its dotted name, or None."""
    path = root / (name.removeprefix(OURS).replace(".", "/") + ".py")
    return path if name.startswith(OURS) and path.is_file() else None


def for_types_only(path):
    """The lines under ``if TYPE_CHECKING``: what is imported there is named in annotations, and not there when the code runs."""
    blocks = [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]
    return {line for block in blocks for line in range(block.lineno, block.body[-1].end_lineno + 1)}


def is_or_below(name, parents):
    """Whether a dotted name is one of parents or lies below one."""
    return any(name == parent or name.startswith(parent + ".") for parent in parents)


def aws_outside_gateways(root):
    """Only gateway.py and _module.py import boto3, botocore or amazon.aws, and of amazon.aws only what is public."""
    found = []
    for path in sources(root):
        for line, name in imports(root, path):
            at = f"{path.relative_to(root)}:{line}"
            if not is_or_below(name, ["boto3", "botocore", AMAZON.rstrip(".")]):
                continue
            if path.name not in ("gateway.py", "_module.py"):
                found.append(f"{at} imports {name} outside a gateway")
            elif name.startswith(AMAZON) and not is_or_below(name, AMAZON_PUBLIC):
                found.append(f"{at} imports {name}, which amazon.aws does not publish")
    return found


def impurities(root):
    """state, decide, ready, and what they import of ours, compute and do nothing else. What only annotations name does not run."""
    found, seen = [], set()
    waiting = [path for path in sources(root) if path.stem in PURE_ROOMS]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        types = for_types_only(path)
        for line, name in imports(root, path):
            if line in types:
                continue
            ours = our_file(root, name)
            if ours:
                waiting.append(ours)
            elif not is_or_below(name, PURE_LIBRARY):
                found.append(f"{path.relative_to(root)}:{line} imports {name} and is, or serves, a pure room")
        for node in ast.walk(ast.parse(path.read_text())):
            called = getattr(node, "func", None)
            if isinstance(node, ast.Call) and getattr(called, "attr", getattr(called, "id", None)) in IMPURE_CALLS:
                found.append(
                    f"{path.relative_to(root)}:{node.lineno} calls {ast.unparse(called)} and is, or serves, a pure room"
                )
    return sorted(found)


def crossing(path, name, for_types=False):
    """Why a file under module_utils may not import what this dotted name names, or None. A room may name the types of another service's state."""
    if not name.startswith(OURS):
        return None
    if not name.startswith(UTILS):
        return "a utility knows nothing above it"
    package, _dot, room = name.removeprefix(UTILS).rpartition(".")
    if path.stem in ROOMS_KNOW and room in ("_module", "_telling"):
        return "only modules do"
    if path.stem not in ROOMS_KNOW or room not in ROOMS_KNOW:
        return None
    if package != path.parent.name:
        return None if for_types and room == "state" else "a room of another service"
    if room not in ROOMS_KNOW[path.stem]:
        return f"{path.stem} may know {sorted(ROOMS_KNOW[path.stem]) or 'no other room'}"
    return None


def crossed_rooms(root):
    """Rooms know the rooms of their own service only, and of those only the ones below; nobody below knows a module."""
    return [
        f"{path.relative_to(root)}:{line} imports {name}: {reason}"
        for path in sources(root, "plugins/module_utils")
        for types in [for_types_only(path)]
        for line, name in imports(root, path)
        for reason in [crossing(path, name, line in types)]
        if reason
    ]


def modules_that_know_each_other(root):
    """A module is run by Ansible, never imported by another one."""
    return [
        f"{path.relative_to(root)}:{line} imports {name}"
        for path in sources(root, "plugins/modules")
        for line, name in imports(root, path)
        if name.startswith(OURS + "plugins.modules")
    ]


def module_ended_below(root):
    """Below a module errors are exceptions: nothing but _module.py and _telling.py mentions what ends a module."""
    found = []
    for path in sources(root, "plugins/module_utils"):
        if path.name not in ("_module.py", "_telling.py"):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if re.search(r"\b(fail_json\w*|exit_json|AnsibleModule|AnsibleAWSModule)\b", line):
                    found.append(f"{path.relative_to(root)}:{number} {line.strip()}")
    return found


def lab_known(root):
    """Nothing that reaches a production mentions the lab."""
    found = []
    for folder in ("plugins", "roles", "playbooks"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".py", ".yml", ".j2", ".md"):
                for number, line in enumerate(path.read_text().splitlines(), 1):
                    if re.search(r"\b(labs?|loopback_aws|spymeo_world|moto)\b", line, re.IGNORECASE):
                        found.append(f"{path.relative_to(root)}:{number} {line.strip()}")
    return found


def world_known(root):
    """AWS on loopback is for any tool: it imports neither SPYMEO's world and application nor this collection."""
    found = []
    for path in sources(root, "lab/loopback_aws"):
        for line, name in imports(root, path):
            if is_or_below(name, WORLDS) and not is_or_below(name, [f"{OURS}lab.loopback_aws"]):
                found.append(f"{path.relative_to(root)}:{line} imports {name}")
    return found


RULES = [
    aws_outside_gateways,
    impurities,
    crossed_rooms,
    modules_that_know_each_other,
    module_ended_below,
    lab_known,
    world_known,
]


@pytest.mark.parametrize("rule", RULES)
def test_the_collection_keeps_the_rule(rule):
    assert rule(ROOT) == []


ECS = "plugins/module_utils/_ecs/"


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (aws_outside_gateways, ECS + "decide.py", "import botocore.exceptions"),
        (aws_outside_gateways, "plugins/modules/ecs_rollback.py", "def main():\n    from boto3 import client"),
        (
            aws_outside_gateways,
            ECS + "gateway.py",
            "from ansible_collections.amazon.aws.plugins.module_utils._rds import common",
        ),
        (aws_outside_gateways, ECS + "gateway.py", "import ansible_collections.amazon.aws.plugins.module_utils.rds"),
        (impurities, ECS + "ready.py", "import time"),
        (impurities, ECS + "ready.py", "from ansible.module_utils.common.text.converters import to_text"),
        (impurities, ECS + "decide.py", "from datetime import datetime\nnow = datetime.now()"),
        (impurities, ECS + "state.py", "text = open('state').read()"),
        (impurities, ECS + "state.py", "import urllib.request"),
        (impurities, ECS + "state.py", "if TYPE_CHECKING:\n    import time\nelse:\n    import socket"),
        (crossed_rooms, ECS + "decide.py", "from . import gateway"),
        (crossed_rooms, ECS + "state.py", "from .decide import choose_target"),
        (crossed_rooms, ECS + "gateway.py", f"from {UTILS}_ecs.ready import judge"),
        (crossed_rooms, ECS + "gateway.py", f"from {UTILS}_rds.state import Instance"),
        (crossed_rooms, ECS + "gateway.py", f"if TYPE_CHECKING:\n    from {UTILS}_rds.gateway import RdsGateway"),
        (crossed_rooms, ECS + "gateway.py", f"if TYPE_CHECKING:\n    A = 1\nfrom {UTILS}_rds.state import Instance"),
        (crossed_rooms, ECS + "gateway.py", f"from {UTILS}_module import RollbackModule"),
        (crossed_rooms, ECS + "rollout.py", f"from {OURS}plugins.modules.ecs_rollback import main"),
        (modules_that_know_each_other, "plugins/modules/a.py", f"from {OURS}plugins.modules.b import main"),
        (world_known, "lab/loopback_aws/serve.py", "from spymeo_world import world"),
        (
            world_known,
            "lab/loopback_aws/services/ecs/agent.py",
            f"from {OURS}plugins.module_utils._wait import wait_for",
        ),
        (module_ended_below, ECS + "gateway.py", "def stop(module):\n    module.fail_json_aws(1)"),
        (module_ended_below, "plugins/module_utils/_wait.py", "from ansible.module_utils.basic import AnsibleModule"),
        (lab_known, "roles/code/tasks/main.yml", "- when: rollback_environment != 'lab'"),
        (lab_known, "playbooks/rollback_full.yml", "# on the lab: port 4599"),
    ],
)
def test_the_rule_bites(rule, path, text, plant):
    root = plant({ECS + "gateway.py": "", path: text})

    (violation,) = rule(root)

    assert violation.startswith(f"{path}:")


def test_a_pure_room_answers_for_what_it_imports(plant):
    root = plant(
        {
            ECS + "decide.py": f"from {UTILS}_names import short",
            "plugins/module_utils/_names.py": "import socket",
        }
    )

    assert impurities(root) == ["plugins/module_utils/_names.py:1 imports socket and is, or serves, a pure room"]


def test_rooms_that_keep_to_their_place_pass(plant):
    root = plant(
        {
            ECS + "state.py": "from dataclasses import dataclass\nif TYPE_CHECKING:\n    import socket",
            ECS + "decide.py": f"from .state import Service\nfrom {UTILS}_errors import BadInput",
            ECS
            + "gateway.py": "import boto3\nfrom .state import Service\nif TYPE_CHECKING:\n    from %s_rds.state import DbInstance"
            % UTILS,
            "plugins/module_utils/_errors.py": "",
            "plugins/modules/a.py": f"from {UTILS}_ecs.decide import choose\nfrom {UTILS}_ecs.gateway import EcsGateway",
        }
    )

    assert [violation for rule in RULES for violation in rule(root)] == []
