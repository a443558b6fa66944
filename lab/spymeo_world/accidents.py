# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The accidents: release 2.0.0 deployed as a pipeline does it (image, task definition, migration, secrets, service), and bad."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any, TypeVar

from . import world

T = TypeVar("T")

ACCIDENTS = {
    "crash-loop": "the new code dies at its start",
    "bad-migration": "the migration renames a column and corrupts rows; sign-up fails with P2022",
    "cannot-connect": "the new code looks for the database where it is not (P1001)",
    "login-broken": "the administrator cannot log in",
    "payments-broken": "payments answer 500",
    "slow": "every answer takes three seconds",
    "full": "a crash loop, a bad migration and a wrongly rotated secret at once",
}
HARM_TIMEOUT = 60  # seconds
FAILED_TASKS = 2  # so many failed tasks are a crash loop
TAG_OR_DIGEST = re.compile(r"(:[\w.-]+)?(@sha256:[0-9a-f]{64})?$")  # of an image reference
UNFIT = (
    "title",
    "status",
    "revision",
    "registeredAt",
    "registeredBy",
    "compatibilities",
    "requiresAttributes",
    "taskDefinitionArn",
)


class PipelineFailed(Exception):
    """The pipeline could not even do the harm; the message says at which step."""


class Pipeline:
    """A deployment of release 2.0.0 by way of the API."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.endpoint_url = state["endpoint_url"]
        self.ecs = world.client("ecs", self.endpoint_url)

    def deploy(
        self, accident: str, push: Callable[..., dict[str, Any]], say: Callable[[str], object], at_start: bool = False
    ) -> None:
        """Bring `accident` about and return when its harm is done. `push(release, defect)` pushes the image, `say` tells a person.

        With `at_start` the release migrates at each of its starts, as an image with `migrate deploy && serve` does; else the pipeline does it before.
        """
        push("2.0.0", accident)
        say("image 2.0.0 pushed")
        running = self._service()["taskDefinition"]
        definition = self._register(running, world.command_that_migrates() if at_start else None)
        say(f"{definition.rpartition('/')[2]} registered")
        if not at_start:
            self._migrate(definition)
            say("migration applied")
        if accident == "full":
            self._rotate()
            say(f"secret {world.APP_SECRET} rotated, to a key that the payment provider does not know")
        self.ecs.update_service(cluster=world.CLUSTER, service=world.SERVICE, taskDefinition=definition)
        say(f"{world.SERVICE}: {self._await_harm(definition)}")

    def _service(self) -> dict[str, Any]:
        found: dict[str, Any] = self.ecs.describe_services(cluster=world.CLUSTER, services=[world.SERVICE])["services"][
            0
        ]
        return found

    def _register(self, running: str, command: list[str] | None = None) -> str:
        definition = self.ecs.describe_task_definition(taskDefinition=running)["taskDefinition"]
        for key in UNFIT:
            definition.pop(key, None)
        container = definition["containerDefinitions"][0]
        container["image"] = TAG_OR_DIGEST.sub(":2.0.0", container["image"], count=1)
        if command:
            container["command"] = command
        return str(self.ecs.register_task_definition(**definition)["taskDefinition"]["taskDefinitionArn"])

    def _migrate(self, definition: str) -> None:
        """`prisma migrate deploy` as a one-off task of the new image, as pipelines do before they deploy."""
        overrides = {"containerOverrides": [{"name": world.CONTAINER, "command": world.command("migrate")}]}
        network = self._service()["networkConfiguration"]
        answer = self.ecs.run_task(
            cluster=world.CLUSTER,
            taskDefinition=definition,
            overrides=overrides,
            networkConfiguration=network,
            launchType="FARGATE",
        )
        arn = answer["tasks"][0]["taskArn"]
        task = _until(lambda: self._stopped(arn), "the migration's task did not stop")
        code = task["containers"][0].get("exitCode")
        if code != 0:
            raise PipelineFailed(f"the migration ended with exit code {code}: {task.get('stoppedReason')}")

    def _stopped(self, arn: str) -> dict[str, Any] | None:
        task = self.ecs.describe_tasks(cluster=world.CLUSTER, tasks=[arn])["tasks"][0]
        return task if task["lastStatus"] == "STOPPED" else None

    def _rotate(self) -> None:
        secretsmanager = world.client("secretsmanager", self.endpoint_url)
        values = json.loads(secretsmanager.get_secret_value(SecretId=world.APP_SECRET)["SecretString"])
        values["PAYMENT_API_KEY"] = "sk_lab_of_another_account"
        secretsmanager.put_secret_value(SecretId=world.APP_SECRET, SecretString=json.dumps(values))

    def _await_harm(self, definition: str) -> str:
        def harm() -> str | None:
            deployment = self._service()["deployments"][0]
            if deployment["taskDefinition"] != definition:
                return "ECS's circuit breaker rolled it back"
            if deployment["rolloutState"] == "COMPLETED":
                return "deployed, and every task is healthy in ECS's eyes"
            return (
                f"{deployment['failedTasks']} tasks failed so far"
                if deployment["failedTasks"] >= FAILED_TASKS
                else None
            )

        return _until(harm, "the deployment neither failed nor succeeded")


def _until(look: Callable[[], T | None], otherwise: str) -> T:
    deadline = time.monotonic() + HARM_TIMEOUT
    while not (found := look()):
        if time.monotonic() > deadline:
            raise PipelineFailed(f"{otherwise} within {HARM_TIMEOUT} s")
        time.sleep(0.1)
    return found
