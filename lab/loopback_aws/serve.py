# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A lab's server process: builds the services, starts the world if there is to be one, writes lab.json, waits for SIGTERM.

A world is a module with `start(lab, endpoint_url, settings)`, which builds through the API what is to be there, and returns
what lab.json tells of it.
"""

from __future__ import annotations

import importlib
import json
import os
import pathlib
import signal
import sys
import threading
import traceback
from typing import Any

from . import models  # noqa: F401 - before whatever reads botocore's models

from . import server  # isort: skip
from .durations import Durations
from .errors import WHY, NotStarted
from .guard import remove
from .lab import ACCESS_KEY, ACCOUNT, REGION, SECRET_KEY, Lab
from .services.application_autoscaling import ApplicationAutoScaling
from .services.cloudwatch import Cloudwatch
from .services.ecr import Ecr
from .services.ecs import Ecs
from .services.elbv2 import Elbv2
from .services.logs import Logs
from .services.rds import Rds
from .services.secretsmanager import SecretsManager

SERVICES = (Ecr, Logs, SecretsManager, Cloudwatch, Elbv2, Rds, Ecs, ApplicationAutoScaling)
GUARDED_EVERY = 1.0  # seconds between two looks if the guard is there


def build(directory: pathlib.Path, durations: Durations) -> Lab:
    """A lab with every service and nothing in it yet."""
    lab = Lab(directory, durations)
    for service in SERVICES:
        lab.add(service(lab))
    return lab


def main(directory: pathlib.Path, settings: dict[str, Any]) -> None:
    """Serve until SIGTERM. Why a lab does not start is the last line of its log, after WHY.

    `settings`: api_port (0: any), or_any_port (bool: when it is taken), durations (name → seconds), world (a module's name;
    without it, nothing is there yet), and what that world is given besides.
    """
    guard, stop = os.getppid(), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole terminal; the guard decides
    lab = build(directory, Durations(**settings["durations"]))
    try:
        listener = server.start(server.Api(lab), settings["api_port"], or_any=settings["or_any_port"])
        endpoint_url = f"http://127.0.0.1:{listener.port}"
        state = {
            "endpoint_url": endpoint_url,
            "region": REGION,
            "account": ACCOUNT,
            "access_key": ACCESS_KEY,
            "secret_key": SECRET_KEY,
            "pid": os.getpid(),
            "guard": guard,
            "directory": str(directory),
            "settings": settings,
            **(
                importlib.import_module(settings["world"]).start(lab, endpoint_url, settings)
                if "world" in settings
                else {}
            ),
        }
        partial = directory / "lab.json.partial"
        partial.write_text(json.dumps(state, indent=2))
        partial.rename(directory / "lab.json")
        while not stop.wait(GUARDED_EVERY) and os.getppid() == guard:
            pass  # the kernel's SIGTERM for a guard that is gone may wake another thread than this one
    except NotStarted as error:
        print(f"{WHY}{error}", flush=True)
        raise SystemExit(1) from error
    except Exception as error:
        traceback.print_exc()
        print(f"{WHY}{type(error).__name__}: {' '.join(str(error).split())}", flush=True)
        raise SystemExit(1) from error
    finally:
        lab.close()
        if os.getppid() != guard:  # it was killed, and cannot remove the directory
            remove(directory)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), json.loads(sys.argv[2]))
