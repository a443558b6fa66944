# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the services of one lab share: its lock, its clock, its durations, its processes, its directory."""

from __future__ import annotations

import datetime
import heapq
import inspect
import itertools
import pathlib
import threading
import time
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .durations import Durations
from .processes import Addresses, Processes

if TYPE_CHECKING:
    from .services.application_autoscaling import ApplicationAutoScaling
    from .services.cloudwatch import Cloudwatch
    from .services.ecr import Ecr
    from .services.ecs import Ecs
    from .services.elbv2 import Elbv2
    from .services.logs import Logs
    from .services.rds import Rds
    from .services.secretsmanager import SecretsManager
    from .wire import Service

REGION = "eu-west-3"
ACCOUNT = "123456789012"
ACCESS_KEY = "AKIALABLABLABLABLAB0"
SECRET_KEY = "lab-secret-access-key"


class Lab:
    """One production. Services find each other as attributes by boto3's client name (`lab.ecs`, `lab.rds`)."""

    region, account, access_key = REGION, ACCOUNT, ACCESS_KEY
    application_autoscaling: ApplicationAutoScaling
    cloudwatch: Cloudwatch
    ecr: Ecr
    ecs: Ecs
    elbv2: Elbv2
    logs: Logs
    rds: Rds
    secretsmanager: SecretsManager

    def __init__(self, directory: pathlib.Path, durations: Durations) -> None:
        self.directory = directory
        self.durations = durations
        self.lock = threading.RLock()
        self.processes = Processes()
        self.addresses = Addresses()
        self.services: list[Service] = []
        self.world_controls: dict[str, Callable[..., dict[str, Any] | None]] = {}
        self._timers: list[Any] = []
        self._order = itertools.count()
        self._wake = threading.Condition()
        self._closed = False
        threading.Thread(target=self._run_timers, name="timers", daemon=True).start()

    def add(self, service: Service) -> None:
        """Make a service part of this lab, under its client name with underscores."""
        self.services.append(service)
        setattr(self, service.model.replace("-", "_"), service)

    def now(self) -> datetime.datetime:
        """The time in UTC, with the milliseconds that AWS gives."""
        now = datetime.datetime.now(datetime.UTC)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def arn(self, service: str, resource: str) -> str:
        """arn:aws:<service>:<region>:<account>:<resource>."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"

    def after(self, seconds: float, function: Callable[[], object]) -> None:
        """Call `function` once under the lab's lock, `seconds` from now. It must not block: see `background`."""
        with self._wake:
            heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._order), function))
            self._wake.notify()

    def background(self, function: Callable[[], object]) -> None:
        """Run `function` in a thread, without the lock: for what waits for a process. It takes `lab.lock` to change state."""
        threading.Thread(target=_guarded, args=(function,), daemon=True).start()

    def _run_timers(self) -> None:
        while True:
            with self._wake:
                while not self._closed and (not self._timers or self._timers[0][0] > time.monotonic()):
                    self._wake.wait(self._timers[0][0] - time.monotonic() if self._timers else None)
                if self._closed:
                    return
                function = heapq.heappop(self._timers)[2]
            with self.lock:
                if not self._closed:
                    _guarded(function)

    def close(self) -> None:
        """End what the lab has started: timers, what services hold open (their `close`), processes, the claim on addresses."""
        with self.lock, self._wake:
            self._closed = True
            self._wake.notify_all()
        for service in self.services:
            getattr(service, "close", lambda: None)()
        self.processes.kill_all()
        self.addresses.close()

    def control(self, name: str, arguments: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Answer `/_lab/<name>`: (HTTP status, JSON)."""
        control = self.controls.get(name)
        if control is None:
            return 404, {"error": f"no control {name}; there are {', '.join(sorted(self.controls))}"}
        taken = inspect.signature(control)
        try:
            taken.bind(**arguments)
        except TypeError as error:
            return 400, {"error": f"{name}: {error}; it takes {', '.join(taken.parameters) or 'nothing'}"}
        try:
            return 200, control(**arguments) or {}
        except ValueError as error:
            return 400, {"error": f"{name}: {error}"}

    @property
    def controls(self) -> dict[str, Callable[..., dict[str, Any] | None]]:
        """What can be done to the lab from outside AWS's API: every service may have `controls`, and so has the world."""
        own = {name: call for service in self.services for name, call in getattr(service, "controls", dict)().items()}
        return own | self.world_controls


def _guarded(function: Callable[[], object]) -> None:
    """One failing job must not end the thread that runs the others; what failed is in the lab's log."""
    try:
        function()
    except Exception:  # noqa: BLE001 - whatever it is, the others go on
        traceback.print_exc()
