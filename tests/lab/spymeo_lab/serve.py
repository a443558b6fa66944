# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lab's server process: builds the services, starts the world, writes lab.json when it is ready, waits for SIGTERM."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import signal
import sys
import threading
import traceback

from . import models  # noqa: F401 - before whatever reads botocore's models

from . import server, world  # isort: skip
from .durations import Durations
from .errors import WHY, NotStarted
from .lab import ACCESS_KEY, ACCOUNT, REGION, SECRET_KEY, Lab
from .services import application_autoscaling, cloudwatch, ecr, ecs, elbv2, logs, rds, secretsmanager


def build(directory: pathlib.Path, durations: Durations) -> Lab:
    """A lab with every service and nothing in it yet."""
    lab = Lab(directory, durations)
    for service in (
        ecr.Ecr,
        logs.Logs,
        secretsmanager.SecretsManager,
        cloudwatch.Cloudwatch,
        elbv2.Elbv2,
        rds.Rds,
        ecs.Ecs,
        application_autoscaling.ApplicationAutoScaling,
    ):
        lab.add(service(lab))
    return lab


def main(directory: pathlib.Path, settings: dict) -> None:
    """Serve until SIGTERM. Why a lab does not start is the last line of its log, after WHY.

    `settings`: api_port, public_port (0: any), or_any_port (bool: when they are taken), durations (name → seconds), options of the world.
    """
    guard, stop = os.getppid(), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole terminal; the guard decides
    lab = build(directory, Durations(**settings["durations"]))
    try:
        listener = server.start(server.Api(lab), settings["api_port"], or_any=settings["or_any_port"])
        if listener.port != settings["api_port"]:  # another lab has the well-known ports, or is about to take them
            settings = {**settings, "public_port": 0 if settings["or_any_port"] else settings["public_port"]}
        inventory = world.start(lab, f"http://127.0.0.1:{listener.port}", settings)
        state = {
            "endpoint_url": f"http://127.0.0.1:{listener.port}",
            "region": REGION,
            "account": ACCOUNT,
            "access_key": ACCESS_KEY,
            "secret_key": SECRET_KEY,
            "pid": os.getpid(),
            "guard": guard,
            "directory": str(directory),
            **inventory,
        }
        partial = directory / "lab.json.partial"
        partial.write_text(json.dumps(state, indent=2))
        partial.rename(directory / "lab.json")
        stop.wait()
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
            shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), json.loads(sys.argv[2]))
