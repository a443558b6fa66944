# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes when each task of a play began and ended on each host, as JSON, into the file that SPYMEO_BENCH_TIMELINE names."""

from __future__ import annotations

import json
import os
import pathlib
import time

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: timeline
type: aggregate
short_description: Write when each task began and ended
description:
  - For C(make bench) alone.
"""


class CallbackModule(CallbackBase):
    """Collects while the play runs, writes once at its end."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "timeline"

    def __init__(self):
        super().__init__()
        self._path = os.environ.get("SPYMEO_BENCH_TIMELINE")
        self._began = {}
        self._tasks = []

    def v2_runner_on_start(self, host, task):
        """A task begins on a host."""
        self._began[host.get_name(), task._uuid] = time.monotonic()

    def v2_runner_on_ok(self, result):
        """It ends."""
        self._end(result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        """It ends badly."""
        self._end(result)

    def _end(self, result):
        """A loop's items and a retried task's attempts are processes of their own; what was skipped started none."""
        told, host, task = result.result, result.host.get_name(), result.task
        items = [item for item in told.get("results", []) if isinstance(item, dict)] if task.loop else [told]
        self._tasks.append(
            {
                "name": task.get_name(),
                "action": task.action,
                "host": host,
                "began": self._began.pop((host, task._uuid)),
                "ended": time.monotonic(),
                "attempts": sum(item.get("attempts", 1) for item in items if not item.get("skipped")),
            }
        )

    def v2_playbook_on_stats(self, stats):
        """The play has ended."""
        if self._path:
            pathlib.Path(self._path).write_text(json.dumps(self._tasks))
