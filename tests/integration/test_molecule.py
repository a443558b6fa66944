# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The molecule scenarios: a role alone, on a lab of its own, twice."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
BIN = pathlib.Path(sys.executable).parent
SCENARIOS = sorted(path.parent.name for path in ROOT.glob("extensions/molecule/*/molecule.yml"))
TIMEOUT = 300  # seconds


def test_there_are_scenarios():
    assert {"code", "database"} <= set(SCENARIOS)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario(scenario):
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "ANSIBLE_", "MOLECULE_"))}
    ours = {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "SPYMEO_LAB_OWNER": str(os.getpid()), "NO_COLOR": "1"}
    command = [str(BIN / "molecule"), "test", "--scenario-name", scenario]
    done = subprocess.run(command, cwd=ROOT, env=clean | ours, capture_output=True, text=True, timeout=TIMEOUT)
    assert done.returncode == 0, done.stdout + done.stderr
