# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs *_modules.py with pytest-ansible, which changes how its process imports collections: other tests must not meet it."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
FILES = sorted(path.name for path in pathlib.Path(__file__).parent.glob("*_modules.py") if path.name[:5] != "test_")
TIMEOUT = 240  # seconds


def test_there_are_files():
    assert {"ecs_modules.py", "rds_modules.py"} <= set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_the_modules_alone(name):
    options = ["-o", "addopts=--import-mode=importlib", "-p", "no:cacheprovider", "-p", "no:xdist", "-q"]
    command = [sys.executable, "-m", "pytest", *options, f"tests/integration/{name}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT)
    assert done.returncode == 0, done.stdout + done.stderr
