# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A lock for tests that start a module alone: modules that write work for a run that holds one, and for nobody else."""

from __future__ import annotations

import pathlib
import time

import yaml
from ansible_collections.spymeo.rollback.plugins.module_utils._run.decide import taken
from ansible_collections.spymeo.rollback.plugins.module_utils._run.directory import DirectoryStore
from ansible_collections.spymeo.rollback.plugins.module_utils._run.memory import Memory
from ansible_collections.spymeo.rollback.plugins.module_utils._run.store import ABSENT

ROOT = pathlib.Path(__file__).parents[2]
WRITING = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["action_groups"]["writing"]
LEASE = 3600  # seconds: nobody renews it


def held(store: pathlib.Path, run_id: str) -> dict:
    """The option `run` of a run that holds its lock in that directory; for the same run the same one."""
    memory = Memory(DirectoryStore(str(store)), "lab", run_id)
    if memory.lock() is None:
        memory.put_lock(taken(None, run_id, "test", "a test", "", time.time(), LEASE), ABSENT)
    place = {"store": str(store), "environment": "lab", "application": run_id}
    return {**place, "fencing": memory.lock()[0].fencing, "lease": LEASE}


def with_run(store: pathlib.Path, module: str, options: dict) -> dict:
    """The options of a module, with a run where it needs one."""
    if module.rpartition(".")[2] not in WRITING or "run" in options:
        return options
    return {**options, "run": held(store, options.get("run_id", "rb-alone"))}
