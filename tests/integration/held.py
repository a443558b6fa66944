# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A lock for tests that start a module alone: modules that write work for a run that holds one, and for nobody else."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import yaml

ROOT = pathlib.Path(__file__).parents[2]
WRITING = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["action_groups"]["writing"]
LEASE = 3600  # seconds: nobody renews it
# In a Python of its own: pytest-ansible changes how the one of a test imports collections.
TAKE = """
import json, sys, time
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.lock import taken
from ansible_collections.spymeo.rollback.plugins.module_utils._io.directory_store import DirectoryStore
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.run_repository import RunRepository
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.store import ABSENT

store, run_id, lease = sys.argv[1], sys.argv[2], int(sys.argv[3])
memory = RunRepository(DirectoryStore(store), "lab", run_id)
if memory.lock() is None:
    memory.put_lock(taken(None, run_id, "test", "a test", "", time.time(), lease), ABSENT)
place = dict(store=store, environment="lab", application=run_id)
print(json.dumps(dict(place, fencing=memory.lock()[0].fencing, lease=lease)))
"""


def held(store: pathlib.Path, run_id: str) -> dict:
    """The option `run` of a run that holds its lock in that directory; for the same run the same one."""
    path = os.pathsep.join([str(ROOT / "collections"), *sys.path])
    command = [sys.executable, "-c", TAKE, str(store), run_id, str(LEASE)]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def with_run(store: pathlib.Path, module: str, options: dict) -> dict:
    """The options of a module, with a run where it needs one."""
    if module.rpartition(".")[2] not in WRITING or "run" in options:
        return options
    return {**options, "run": held(store, options.get("run_id", "rb-alone"))}
