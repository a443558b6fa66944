# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the ansible-playbook that has begun this task is still there. Linux; elsewhere it always is.

ansible-playbook may be killed while a module waits for a restore. The module goes on then, since the worker process that has started
it leads a process group of its own (ansible-core 2.19), but nobody hears of it any more. The worker's parent is the ansible-playbook.
"""

from __future__ import annotations

import os


class Player:
    """The play of this process, as it was when this was made."""

    def __init__(self):
        self._worker = os.getpgid(0)
        self._play = _parent_of(self._worker)

    def gone(self):
        """Whether it has died since."""
        return self._play is not None and _parent_of(self._worker) != self._play


def _parent_of(pid):
    try:
        with open("/proc/%d/stat" % pid, "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[1])  # the name before it may hold spaces and brackets
    except OSError:
        return None
