# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A word means one thing: no class name twice in plugins/, no name of a public function more than twice below the modules."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OF_ANSIBLE = {
    "ActionModule",
    "CallbackModule",
    "FilterModule",
    "InventoryModule",
    "LookupModule",
}  # it finds plugins by these
MOST_FUNCTIONS = 2
SHAPE = "plugins/modules"  # every module has the same shape, so its functions may have the same names


def named(root, kinds):
    """Name → files of what is at the top of the files of plugins/."""
    found = {}
    for path in sorted((root / "plugins").rglob("*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, kinds):
                found.setdefault(node.name, []).append(path.relative_to(root).as_posix())
    return found


def classes_of_one_name(root):
    return [
        f"class {name} is in {', '.join(paths)}"
        for name, paths in sorted(named(root, ast.ClassDef).items())
        if len(paths) > 1 and name not in OF_ANSIBLE
    ]


def functions_of_one_name(root):
    found = []
    for name, paths in sorted(named(root, (ast.FunctionDef, ast.AsyncFunctionDef)).items()):
        below = [path for path in paths if not path.startswith(SHAPE)]
        if len(below) > MOST_FUNCTIONS and not name.startswith("_"):
            found.append(f"{name}() is in {', '.join(below)}")
    return found


RULES = [classes_of_one_name, functions_of_one_name]


@pytest.mark.parametrize("rule", RULES)
def test_the_collection_keeps_the_rule(rule):
    assert rule(ROOT) == []


@pytest.mark.parametrize(
    ("rule", "text", "times"),
    [(classes_of_one_name, "class Seen:\n    pass\n", 2), (functions_of_one_name, "def told():\n    pass\n", 3)],
)
def test_the_rule_bites(rule, text, times, plant):
    fewer = {f"plugins/module_utils/_core/{number}.py": text for number in range(times - 1)}
    assert rule(plant(fewer)) == []
    (violation,) = rule(plant({**fewer, "plugins/module_utils/_flows/more.py": text}))
    assert violation.endswith("plugins/module_utils/_flows/more.py")
