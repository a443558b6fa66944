# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes when each task of a play began and ended, as JSON, into the file that SPYMEO_BENCH_TIMELINE names."""

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
        self._tasks = []

    def v2_playbook_on_task_start(self, task, is_conditional):
        """A task begins."""
        self._tasks.append({"name": task.get_name(), "action": task.action, "began": time.time(), "ended": None})

    def v2_runner_on_skipped(self, result):
        """It needed no process."""
        self._tasks.pop()

    def v2_runner_on_ok(self, result):
        """It ends."""
        self._tasks[-1]["ended"] = time.time()

    def v2_playbook_on_stats(self, stats):
        """The play has ended."""
        if self._path:
            pathlib.Path(self._path).write_text(json.dumps(self._tasks))
