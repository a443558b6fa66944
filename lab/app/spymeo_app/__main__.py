# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``python -m spymeo_app serve | migrate | seed``."""

from __future__ import annotations

import os
import sys
from importlib import import_module

from spymeo_app import logs
from spymeo_app.config import SettingError

# Each command imports only what it needs: start-up time is what a deployment waits for.
_COMMANDS = {
    "serve": ("spymeo_app.server", "serve"),
    "migrate": ("spymeo_app.migrate", "migrate"),
    "seed": ("spymeo_app.seed", "seed_command"),
}


def main(arguments: list[str]) -> int:
    """Run one command and return the exit status: 1 when it failed, 2 for a wrong command line."""
    if len(arguments) != 1 or arguments[0] not in _COMMANDS:
        print(f"usage: python -m spymeo_app {' | '.join(_COMMANDS)}", file=sys.stderr)
        return 2
    module, function = _COMMANDS[arguments[0]]
    try:
        status: int = getattr(import_module(module), function)(os.environ)
        return status
    except SettingError as error:
        logs.event("fatal", str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
