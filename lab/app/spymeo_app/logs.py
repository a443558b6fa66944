# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The application's log: standard output, one event a write, flushed at once, never a secret."""

from __future__ import annotations

import json
import sys
import threading
from datetime import UTC, datetime

_WRITING = threading.Lock()


def write(text: str) -> None:
    """Write one event, of one or many lines, that no other thread's event can interrupt."""
    with _WRITING:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def event(level: str, msg: str, **fields: object) -> None:
    """Write one line of JSON, as the loggers of Node applications do."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    write(json.dumps({"level": level, "time": now, "msg": msg, **fields}, separators=(",", ":")))
