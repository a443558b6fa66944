# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ECS: the agent. It makes a task a real process, passes its output to CloudWatch Logs, and stops it."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import signal
import threading
import uuid
from typing import TYPE_CHECKING, Any

from ...errors import StartFailure
from ...processes import send
from ...wire import ApiError
from . import secrets as ecs_secrets
from .state import Cluster, Revision, Task
from .store import Store, hexadecimal
from .targets import Targets

if TYPE_CHECKING:
    from ...lab import Lab

DEFAULT_STOP_TIMEOUT = 30  # seconds, in AWS; durations.task_stop_timeout is what the lab makes of it
CHUNK = 65536  # bytes


class Agent:
    """Starts and stops the tasks of one lab. Every method runs under the lab's lock unless it says otherwise."""

    def __init__(self, lab: Lab, store: Store) -> None:
        self.lab = lab
        self.store = store
        self.targets = Targets(lab)
        self._pipes = lab.directory / "ecs"

    def start(
        self,
        cluster: Cluster,
        definition: dict[str, Any],
        settings: dict[str, Any],
        *,
        group: str,
        started_by: str = "",
        revision: Revision | None = None,
    ) -> Task:
        """A new task, PROVISIONING. `revision` is that of the service that wants it, None for RunTask."""
        task = Task(
            arn=self.lab.arn("ecs", f"task/{cluster.name}/{hexadecimal()}"),
            cluster=cluster,
            definition=definition,
            address=self.lab.addresses.new(),
            group=group,
            settings=settings,
            times={"createdAt": self.lab.now()},
            started_by=started_by,
            revision=revision,
            attachment_id=str(uuid.uuid4()),
        )
        self.store.tasks[task.arn] = task
        self.lab.after(self.lab.durations.task_provisioning, lambda: self._pull(task))
        return task

    def _pull(self, task: Task) -> None:
        if task.wanted:
            task.last_status = "PENDING"
            task.times["pullStartedAt"] = self.lab.now()
            self.lab.after(self.lab.durations.task_pull, lambda: self._launch(task))

    def _launch(self, task: Task) -> None:
        if not task.wanted:
            return
        try:
            argv, env, cwd = self._prepare(task)
        except StartFailure as failure:
            self._fail(task, failure.reason)
            return
        task.times["pullStoppedAt"] = self.lab.now()
        self.lab.background(lambda: self._run(task, argv, env, cwd))

    def _prepare(self, task: Task) -> tuple[list[str], dict[str, str], pathlib.Path]:
        """What the container is started with. Secrets are read now and never again (AWS injects them at start only).

        :raises StartFailure: when a secret, the log group, the image or the program is missing.
        """
        container, overrides = task.container, self._overrides(task)
        secrets = {
            each["name"]: ecs_secrets.resolve(self.lab, each["valueFrom"]) for each in container.get("secrets", [])
        }
        self._validate_logger(task)
        image = self.lab.ecr.resolve(_pinned(container["image"], task.revision))
        task.digest = image.digest
        if task.revision is not None:
            task.revision.digests.setdefault(container["name"], image.digest)
        given = {each["name"]: each["value"] for each in (*container["environment"], *overrides.get("environment", []))}
        env = {
            **dict(each.split("=", 1) for each in image.config.get("Env", [])),
            **given,
            **secrets,
            "HOST": task.address,
        }
        argv = [
            *(container.get("entryPoint") or image.config.get("Entrypoint") or []),
            *(overrides.get("command") or container.get("command") or image.config.get("Cmd") or []),
        ]
        cwd = pathlib.Path(container.get("workingDirectory") or image.config.get("WorkingDir") or "/")
        _check_program(argv, env, cwd)
        return argv, env, cwd

    @staticmethod
    def _overrides(task: Task) -> dict[str, Any]:
        containers = task.settings.get("overrides", {}).get("containerOverrides", [])
        return next((each for each in containers if each.get("name") == task.container["name"]), {})

    def _validate_logger(self, task: Task) -> None:
        options = task.container.get("logConfiguration", {}).get("options")
        if options is None:
            return
        try:
            self.lab.logs.create_log_stream(
                {"logGroupName": options["awslogs-group"], "logStreamName": log_stream(task)}
            )
        except ApiError as error:
            raise StartFailure(
                "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: "
                f"failed to create Cloudwatch log stream: {error.code}: {error.message} : exit status 1"
            ) from error

    def _run(self, task: Task, argv: list[str], env: dict[str, str], cwd: pathlib.Path) -> None:
        """Start the process, wait for its end; without the lock."""
        self._pipes.mkdir(exist_ok=True)
        pipe = self._pipes / task.id
        os.mkfifo(pipe)
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)  # a writer can open the pipe only once somebody reads it
        try:
            process = self.lab.processes.start(argv, env=env, cwd=cwd, log=pipe)
        except OSError as error:
            os.close(reader)
            with self.lab.lock:
                self._fail(task, f"CannotStartContainerError: Error response from daemon: {error}")
            return
        finally:
            pipe.unlink()
        os.set_blocking(reader, True)
        pump = threading.Thread(target=self._pump, args=(task, reader), daemon=True)
        pump.start()
        with self.lab.lock:
            task.process = process
            if task.wanted:
                task.last_status = "ACTIVATING"
                if task.revision is None or not task.revision.load_balancers:
                    self.activate(task)
            else:
                self._terminate(task)  # it was stopped between pull and start
        status = process.wait()
        end_group(process.pid)
        pump.join()
        with self.lab.lock:
            self._ended(task, status if status >= 0 else 128 - status)

    def _pump(self, task: Task, reader: int) -> None:
        """Every line of output is one log event, as the awslogs driver does it; without the lock."""
        options, stream = task.container.get("logConfiguration", {}).get("options"), log_stream(task)
        rest = b""
        with open(reader, "rb", buffering=0) as output:
            while chunk := output.read(CHUNK):
                *lines, rest = (rest + chunk).split(b"\n")
                self._write(options, stream, lines)
        self._write(options, stream, [rest])

    def _write(self, options: dict[str, Any] | None, stream: str, lines: list[bytes]) -> None:
        if options is None:
            return
        with self.lab.lock:
            for line in lines:
                text = line.decode(errors="replace").rstrip("\r")
                if not text:  # CloudWatch Logs takes no empty event
                    continue
                # When the group is deleted under a running task, the awslogs driver loses the lines and the task runs on.
                with contextlib.suppress(StartFailure):
                    self.lab.logs.write(options["awslogs-group"], stream, text)

    def activate(self, task: Task) -> None:
        """ACTIVATING to RUNNING; the scheduler does it when the task is in its target groups."""
        task.last_status = "RUNNING"
        task.times["startedAt"] = self.lab.now()

    def stop(self, task: Task, code: str, reason: str) -> None:
        """Stop a task that is wanted: drain it, SIGTERM, then SIGKILL after the stop timeout."""
        task.desired_status = "STOPPED"
        task.stop_code, task.stopped_reason = code, reason
        if task.process is None:
            if "pullStoppedAt" not in task.times:
                self._stopped(task)
        elif self.targets.deregister(task):
            task.last_status = "DEACTIVATING"
            self._drain(task)
        else:
            self._terminate(task)

    def _drain(self, task: Task) -> None:
        """Wait until the load balancers have let go of a task, then terminate it."""
        if self.targets.drained(task):
            self._terminate(task)
        else:
            self.lab.after(self.lab.durations.scheduler_interval, lambda: self._drain(task))

    def _terminate(self, task: Task) -> None:
        process = task.process
        if process is None or process.poll() is not None:
            return
        task.last_status = "STOPPING"
        task.times.setdefault("stoppingAt", self.lab.now())
        send(process, signal.SIGTERM)
        share = task.container.get("stopTimeout", DEFAULT_STOP_TIMEOUT) / DEFAULT_STOP_TIMEOUT
        self.lab.after(self.lab.durations.task_stop_timeout * share, lambda: send(process, signal.SIGKILL))

    def _ended(self, task: Task, exit_code: int) -> None:
        task.exit_code = exit_code
        if task.wanted:
            task.desired_status = "STOPPED"
            task.stop_code, task.stopped_reason = "EssentialContainerExited", "Essential container in task exited"
        self.targets.deregister(task)
        self._stopped(task)

    def _fail(self, task: Task, reason: str) -> None:
        task.desired_status = "STOPPED"
        task.stop_code, task.stopped_reason = "TaskFailedToStart", reason
        if reason.startswith("Cannot"):
            task.container_reason = reason
        self._stopped(task)

    def _stopped(self, task: Task) -> None:
        """DEPROVISIONING gives the network interface back, which takes as long as getting it."""
        now = self.lab.now()
        task.healthy = False
        task.last_status = "DEPROVISIONING"
        task.times.setdefault("stoppingAt", now)
        task.times["executionStoppedAt"] = now
        self.lab.after(self.lab.durations.task_provisioning, lambda: self._gone(task))

    def _gone(self, task: Task) -> None:
        task.last_status = "STOPPED"
        task.times["stoppedAt"] = self.lab.now()
        # AWS shows a stopped task for about an hour, then DescribeTasks answers MISSING.
        self.lab.after(self.lab.durations.stopped_task_retention, lambda: self._forget(task))

    def _forget(self, task: Task) -> None:
        del self.store.tasks[task.arn]
        self.store.tags.pop(task.arn, None)


def _pinned(image: str, revision: Revision | None) -> str:
    """A service's image under the digest that its first task got: a tag is resolved once in a service revision."""
    digest = None if revision is None else revision.digests.get(revision.definition["containerDefinitions"][0]["name"])
    return image if digest is None or "@" in image else f"{image}@{digest}"


def _check_program(argv: list[str], env: dict[str, str], cwd: pathlib.Path) -> None:
    runtime = (
        "CannotStartContainerError: ResourceInitializationError: failed to create new container runtime task: failed to create shim task: "
        "OCI runtime create failed: runc create failed: unable to start container process: "
    )
    if not argv:
        raise StartFailure(runtime + "no command specified: unknown")
    if not cwd.is_dir():
        raise StartFailure(
            f'{runtime}chdir to cwd ("{cwd}") set in config.json failed: no such file or directory: unknown'
        )
    if shutil.which(argv[0], path=env.get("PATH", os.defpath)) is None:
        raise StartFailure(f'{runtime}exec: "{argv[0]}": executable file not found in $PATH: unknown')


def log_stream(task: Task) -> str:
    """The awslogs stream of a task: `prefix/container/task-id`."""
    options = task.container.get("logConfiguration", {}).get("options", {})
    return f"{options.get('awslogs-stream-prefix', 'ecs')}/{task.container['name']}/{task.id}"


def end_group(group: int) -> None:
    """SIGKILL to what a container's first process leaves behind: a container ends with it."""
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return
