# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every role says what it takes: argument_specs, defaults and README agree."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]


def read(path):
    """A YAML mapping, empty where the file is missing or empty."""
    return (yaml.safe_load(path.read_text()) if path.exists() else None) or {}


def undeclared(root):
    """The options of a role's argument_specs are the keys of its defaults, but for private ones, and it has a README."""
    found = []
    for role in sorted(path for path in (root / "roles").glob("*") if path.is_dir()):
        entry_points = read(role / "meta/argument_specs.yml").get("argument_specs", {})
        options = {name for entry in entry_points.values() for name in entry.get("options", {})}
        defaults = {name for name in read(role / "defaults/main.yml") if not name.startswith("_")}
        if "main" not in entry_points:
            found.append(f"{role.name}: meta/argument_specs.yml does not describe main")
        found += [f"{role.name}: {name} has no default" for name in sorted(options - defaults)]
        found += [f"{role.name}: {name} is not in argument_specs" for name in sorted(defaults - options)]
        if not (role / "README.md").exists():
            found.append(f"{role.name}: there is no README.md")
    return found


def test_every_role_says_what_it_takes():
    assert undeclared(ROOT) == []


SPECS = "argument_specs:\n  main:\n    options:\n      code_cluster: {type: str}\n"
GOOD = {
    "roles/code/meta/argument_specs.yml": SPECS,
    "roles/code/defaults/main.yml": "code_cluster: x\n_code_pause: 1\n",
    "roles/code/README.md": "",
}


def test_a_role_that_agrees_with_itself_passes(plant):
    assert undeclared(plant(GOOD)) == []


@pytest.mark.parametrize(
    ("path", "text", "violation"),
    [
        (
            "roles/code/meta/argument_specs.yml",
            "argument_specs: {main: {}}\n",
            "code: code_cluster is not in argument_specs",
        ),
        ("roles/code/defaults/main.yml", "_code_pause: 1\n", "code: code_cluster has no default"),
        (
            "roles/code/meta/argument_specs.yml",
            SPECS.replace("main", "other"),
            "code: meta/argument_specs.yml does not describe main",
        ),
    ],
)
def test_a_role_that_disagrees_with_itself_is_found(path, text, violation, plant):
    assert undeclared(plant({**GOOD, path: text})) == [violation]


def test_a_role_without_readme_is_found(plant):
    root = plant(GOOD)
    (root / "roles/code/README.md").unlink()

    assert undeclared(root) == ["code: there is no README.md"]
