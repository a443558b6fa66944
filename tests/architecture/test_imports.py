# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who may know whom in plugins/: layers are folders, every import goes down, what is pure is pure, nothing below a module ends the module."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import botocore
import botocore.session
import pytest

ROOT = Path(__file__).parents[2]
OURS = "ansible_collections.spymeo.rollback."
UTILS = OURS + "plugins.module_utils."
AMAZON = "ansible_collections.amazon.aws."
AMAZON_PUBLIC = {
    AMAZON + "plugins.module_utils." + name
    for name in ("modules", "botocore", "errors", "exceptions", "retries", "tagging", "transformation", "waiter")
}
# What each folder of module_utils may import of ours, besides itself.
LAYERS = {
    "_core": (),  # decides: no AWS, no clock, no file, no network, no Ansible
    "_io": ("_core",),  # the doors to the world but AWS's: HTTP, PostgreSQL, processes, files, time
    "_aws": ("_core", "_io"),  # one file a service
    "_flows": ("_core", "_io", "_aws"),  # look, decide, act, look again
    "_ansible": ("_core", "_io", "_aws", "_flows"),  # what modules share
}
# fmt: off
# The standard library as far as it computes: no clock, no randomness, no file, no network, no process.
PURE_LIBRARY = [
    "__future__", "abc", "base64", "bisect", "collections", "contextlib", "copy", "dataclasses", "datetime", "decimal",
    "difflib", "enum", "fractions", "functools", "hashlib", "heapq", "html", "ipaddress", "itertools", "json", "math", "numbers",
    "operator", "posixpath", "re", "shlex", "statistics", "string", "textwrap", "traceback", "types", "typing", "urllib.parse", "uuid",
]
# fmt: on
IMPURE_CALLS = {"now", "utcnow", "today", "uuid1", "uuid4", "open", "print", "input"}

PRIVATE_CORE = ["ansible.module_utils.testing", "ansible.vars", "ansible.executor"]
PRIVATE_METHODS = {"_parse_returned_data", "_update_module_args", "_configure_module", "_low_level_execute_command"}

# fmt: off
SERVICES = [
    "application-autoscaling", "cloudwatch", "ecr", "ecs", "elbv2", "events", "iam", "kms", "lambda", "logs", "rds", "s3", "scheduler",
    "secretsmanager", "ssm", "sts",
]
# fmt: on

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


def layer_of(root, path):
    """The folder of module_utils that a file is in, or None."""
    below = path.relative_to(root).parts
    return below[2] if below[:2] == ("plugins", "module_utils") and len(below) > 3 else None


def aws_outside_its_layer(root):
    """Only _aws and _ansible/module.py import boto3, botocore or amazon.aws, and of amazon.aws only what is public."""
    found = []
    for path in sources(root):
        for line, name in imports(root, path):
            at = f"{path.relative_to(root)}:{line}"
            if not is_or_below(name, ["boto3", "botocore", AMAZON.rstrip(".")]):
                continue
            if layer_of(root, path) != "_aws" and path.parts[-2:] != ("_ansible", "module.py"):
                found.append(f"{at} imports {name} outside _aws")
            elif name.startswith(AMAZON) and not is_or_below(name, AMAZON_PUBLIC):
                found.append(f"{at} imports {name}, which amazon.aws does not publish")
    return found


def impurities(root):
    """What is in _core computes and does nothing else."""
    found = []
    for path in sources(root, "plugins/module_utils/_core"):
        for line, name in imports(root, path):
            if not name.startswith(OURS) and not is_or_below(name, PURE_LIBRARY):
                found.append(f"{path.relative_to(root)}:{line} imports {name} and is pure")
        for node in ast.walk(ast.parse(path.read_text())):
            called = getattr(node, "func", None)
            if isinstance(node, ast.Call) and getattr(called, "attr", getattr(called, "id", None)) in IMPURE_CALLS:
                found.append(f"{path.relative_to(root)}:{node.lineno} calls {ast.unparse(called)} and is pure")
    return found


def crossing(layer, name):
    """Why a file in a layer may not import what this dotted name of ours names, or None."""
    if not name.startswith(UTILS):
        return "a utility knows nothing above it"
    other = name.removeprefix(UTILS).partition(".")[0]
    if layer is None or other not in LAYERS:
        return "every utility is in a layer"
    if other != layer and other not in LAYERS[layer]:
        return f"{layer} may know {', '.join(LAYERS[layer]) or 'no other layer'}"
    return None


def crossed_layers(root):
    """Every import of a utility stays in its layer or goes down."""
    return [
        f"{path.relative_to(root)}:{line} imports {name}: {why}"
        for path in sources(root, "plugins/module_utils")
        for line, name in imports(root, path)
        if name.startswith(OURS) and (why := crossing(layer_of(root, path), name))
    ]


def models_that_decide(root):
    """A model, and what is at the top of _core, is what topics build on: it knows none of them."""
    core, found = root / "plugins/module_utils/_core", []
    for path in [*sorted(core.glob("*.py")), *sources(root, "plugins/module_utils/_core/model")]:
        for line, name in imports(root, path):
            topic = name.removeprefix(UTILS + "_core.").rpartition(".")[0]
            if (name.startswith(UTILS + "_core.") and topic not in ("", "model")) or (
                path.parent == core and topic == "model"
            ):
                found.append(f"{path.relative_to(root)}:{line} imports {name}")
    return found


def modules_that_know_each_other(root):
    """A module is run by Ansible, never imported by another one."""
    return [
        f"{path.relative_to(root)}:{line} imports {name}"
        for path in sources(root, "plugins/modules")
        for line, name in imports(root, path)
        if name.startswith(OURS + "plugins.modules")
    ]


def module_ended_below(root):
    """Below a module errors are exceptions: only _ansible mentions what ends a module."""
    found = []
    for path in sources(root, "plugins/module_utils"):
        if layer_of(root, path) != "_ansible":
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


def ansible_core_in_private(root):
    """What ansible-core does not promise to keep is named in one file, which has an ordinary way beside each."""
    found = []
    for path in sources(root):
        if path.name == "_ansible_core.py":
            continue
        for line, name in imports(root, path):
            parts = name.split(".")
            if parts[0] == "ansible" and (
                any(part.startswith("_") for part in parts) or is_or_below(name, PRIVATE_CORE)
            ):
                found.append(f"{path.relative_to(root)}:{line} imports {name}")
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in PRIVATE_METHODS:
                found.append(f"{path.relative_to(root)}:{node.lineno} uses {node.attr}")
    return found


def named_and_not_there(root):
    """A module of ours that is named in a text is there: no type checker sees such a name."""
    return [
        f"{path.relative_to(root)}:{node.lineno} names {node.value}"
        for path in sources(root)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(r"(ansible_collections\.spymeo\.rollback\.plugins\.)?module_utils(\.\w+)+", node.value)
        and not our_file(root, UTILS + node.value.rpartition("module_utils.")[2])
    ]


def operations_called_twice(root):
    """Each operation of AWS is called in one file, so that what it needs and what it may answer is known in one place."""
    called = {}
    for path in sources(root, "plugins/module_utils/_aws"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            name = node.func.attr
            if name in ("get_paginator", "get_waiter") and isinstance(node.args[0], ast.Constant):
                name = node.args[0].value
            if name in operations():
                called.setdefault(name, {}).setdefault(path, node.lineno)
    return [
        f"{path.relative_to(root)}:{line} calls {name}, which {', '.join(sorted(p.name for p in files if p != path))} does as well"
        for name, files in sorted(called.items())
        if len(files) > 1
        for path, line in list(files.items())[1:]
    ]


@functools.cache
def operations():
    """The names of boto3's methods for every operation of the services that this collection calls."""
    session = botocore.session.get_session()
    models = [session.get_service_model(service) for service in SERVICES]
    return {botocore.xform_name(operation) for model in models for operation in model.operation_names}


RULES = [
    operations_called_twice,
    ansible_core_in_private,
    named_and_not_there,
    aws_outside_its_layer,
    impurities,
    crossed_layers,
    models_that_decide,
    modules_that_know_each_other,
    module_ended_below,
    lab_known,
    world_known,
]


@pytest.mark.parametrize("rule", RULES)
def test_the_collection_keeps_the_rule(rule):
    assert rule(ROOT) == []


CORE, AWS = "plugins/module_utils/_core/", "plugins/module_utils/_aws/"


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (operations_called_twice, AWS + "triage.py", "def a(ecs):\n    ecs.describe_tasks(tasks=[])"),
        (operations_called_twice, AWS + "triage.py", "def a(ecs):\n    ecs.get_paginator('describe_tasks')"),
        (ansible_core_in_private, "plugins/filter/lines.py", "from ansible._internal._datatag import _tags"),
        (ansible_core_in_private, "plugins/action/a.py", "from ansible.vars import clean"),
        (ansible_core_in_private, "plugins/action/a.py", "def run(self):\n    self._parse_returned_data({})"),
        (named_and_not_there, "plugins/plugin_utils/_forked.py", "import_module(PLUGINS + 'module_utils._module')"),
        (aws_outside_its_layer, CORE + "release/select.py", "import botocore.exceptions"),
        (aws_outside_its_layer, "plugins/modules/ecs_rollback.py", "def main():\n    from boto3 import client"),
        (aws_outside_its_layer, AWS + "ecs.py", f"from {AMAZON}plugins.module_utils._rds import common"),
        (aws_outside_its_layer, AWS + "ecs.py", f"import {AMAZON}plugins.module_utils.rds"),
        (impurities, CORE + "times.py", "import time"),
        (impurities, CORE + "times.py", "from ansible.module_utils.common.text.converters import to_text"),
        (impurities, CORE + "release/select.py", "from datetime import datetime\nnow = datetime.now()"),
        (impurities, CORE + "model/ecs.py", "text = open('state').read()"),
        (impurities, CORE + "model/ecs.py", "import urllib.request"),
        (crossed_layers, CORE + "release/select.py", f"from {UTILS}_aws import ecs"),
        (crossed_layers, CORE + "release/select.py", "from ..._io.wait import wait_for"),
        (crossed_layers, AWS + "ecs.py", f"from {UTILS}_flows.deploy import Rollout"),
        (crossed_layers, "plugins/module_utils/_io/http.py", f"from {UTILS}_aws.ecs import EcsGateway"),
        (crossed_layers, AWS + "rds.py", f"from {UTILS}_ansible.module import RollbackModule"),
        (crossed_layers, "plugins/module_utils/_flows/a.py", f"from {OURS}plugins.modules.ecs_rollback import main"),
        (crossed_layers, "plugins/module_utils/_names.py", f"from {UTILS}_core.errors import BadInput"),
        (models_that_decide, CORE + "model/ecs.py", f"from {UTILS}_core.release.select import choose_target"),
        (models_that_decide, CORE + "errors.py", f"from {UTILS}_core.model.ecs import Service"),
        (modules_that_know_each_other, "plugins/modules/a.py", f"from {OURS}plugins.modules.b import main"),
        (world_known, "lab/loopback_aws/serve.py", "from spymeo_world import world"),
        (world_known, "lab/loopback_aws/services/ecs/agent.py", f"from {UTILS}_io.wait import wait_for"),
        (module_ended_below, AWS + "ecs.py", "def stop(module):\n    module.fail_json_aws(1)"),
        (
            module_ended_below,
            "plugins/module_utils/_io/wait.py",
            "from ansible.module_utils.basic import AnsibleModule",
        ),
        (lab_known, "roles/code/tasks/main.yml", "- when: rollback_environment != 'lab'"),
        (lab_known, "playbooks/rollback_full.yml", "# on the lab: port 4599"),
    ],
)
def test_the_rule_bites(rule, path, text, plant):
    root = plant({AWS + "rds.py": "", AWS + "a_first.py": "def a(ecs):\n    ecs.describe_tasks(tasks=[])", path: text})

    (violation,) = rule(root)

    assert violation.startswith(f"{path}:")


def test_layers_that_keep_to_their_place_pass(plant):
    root = plant(
        {
            CORE + "errors.py": "",
            CORE + "model/ecs.py": "from dataclasses import dataclass",
            CORE
            + "release/select.py": f"from {UTILS}_core.model.ecs import Service\nfrom {UTILS}_core.errors import BadInput",
            AWS + "ecs.py": f"import boto3\nfrom {UTILS}_core.model.ecs import Service",
            "plugins/module_utils/_flows/deploy.py": f"from {UTILS}_aws.ecs import EcsGateway",
            "plugins/modules/a.py": f"from {UTILS}_core.release.select import choose\nfrom {UTILS}_aws.ecs import EcsGateway",
        }
    )

    assert [violation for rule in RULES for violation in rule(root)] == []
