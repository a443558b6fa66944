# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Nothing grows past what a person reads at once."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAIN, FUNCTION, PLAYBOOK, README = 40, 70, 40, 149  # lines at most


def long_functions(root):
    """A module's main() and every function of plugins/, tests/ and lab/."""
    found = []
    for path in sorted(
        [*(root / "plugins").rglob("*.py"), *(root / "tests").rglob("*.py"), *(root / "lab").rglob("*.py")]
    ):
        is_module = path.parent == root / "plugins/modules"
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                lines = node.end_lineno - node.lineno + 1
                if lines > (MAIN if is_module and node.name == "main" else FUNCTION):
                    found.append(f"{path.relative_to(root)}:{node.lineno} {node.name}() has {lines} lines")
    return found


def long_texts(root):
    """Playbooks and the README."""
    limits = dict.fromkeys(sorted((root / "playbooks").glob("*.yml")), PLAYBOOK)
    if (root / "README.md").exists():
        limits[root / "README.md"] = README
    found = []
    for path, limit in limits.items():
        lines = len(path.read_text().splitlines())
        if lines > limit:
            found.append(f"{path.relative_to(root)} has {lines} lines")
    return found


@pytest.mark.parametrize("rule", [long_functions, long_texts])
def test_the_collection_keeps_the_rule(rule):
    assert rule(ROOT) == []


def function(name, lines):
    """The source of a function of that many lines."""
    return f"def {name}():\n" + "    1\n" * (lines - 1)


@pytest.mark.parametrize(
    ("rule", "path", "write", "limit"),
    [
        (long_functions, "plugins/modules/a.py", lambda lines: function("main", lines), MAIN),
        (long_functions, "plugins/modules/a.py", lambda lines: function("observe", lines), FUNCTION),
        (
            long_functions,
            "plugins/module_utils/_core/release/next_step.py",
            lambda lines: function("main", lines),
            FUNCTION,
        ),
        (long_functions, "lab/a.py", lambda lines: "async " + function("serve", lines), FUNCTION),
        (long_texts, "playbooks/rollback_full.yml", lambda lines: "\n" * lines, PLAYBOOK),
        (long_texts, "README.md", lambda lines: "\n" * lines, README),
    ],
)
def test_the_rule_bites_one_line_past_the_limit(rule, path, write, limit, plant):
    assert rule(plant({path: write(limit)})) == []

    (violation,) = rule(plant({path: write(limit + 1)}))

    assert violation.startswith(path)
    assert f"{limit + 1} lines" in violation
