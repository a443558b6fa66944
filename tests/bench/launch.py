# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""launch.py ANSWER COMMAND…: run a command to its end and write what it has cost, with all that it started, as JSON into ANSWER.

A process of its own, because a child counts as at least as large as the process that started it was (getrusage(2): ru_maxrss
survives execve), and this one is small. Orphans come to it (PR_SET_CHILD_SUBREAPER), so that theirs count, too.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import subprocess
import sys
import time

PR_SET_CHILD_SUBREAPER = 36  # prctl(2)


def main() -> int:
    """Always 0: how the command ended is in the answer (`code`), beside `wall`, `cpu` (seconds) and `memory` (MiB, largest process)."""
    answer, *command = sys.argv[1:]
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    began = time.monotonic()
    process = subprocess.Popen(command)
    pid = status = None
    while pid != process.pid:
        pid, status = os.waitpid(-1, 0)
    ended = time.monotonic()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cost = {
        "code": os.waitstatus_to_exitcode(status),
        "began": began,
        "wall": ended - began,
        "cpu": used.ru_utime + used.ru_stime,
        "memory": used.ru_maxrss / 1024,
    }
    with open(answer, "w") as file:
        json.dump(cost, file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
