# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A cluster with a log group and a few images; helpers that say what a test waits for."""

from __future__ import annotations

import functools
import sys
import time

import pytest
from botocore.exceptions import ClientError

REGISTRY = "123456789012.dkr.ecr.eu-west-3.amazonaws.com"
ROLE = "arn:aws:iam::123456789012:role/execution"
NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-a"], "securityGroups": ["sg-app"]}}
BREAKER = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
SERVER = """
import os, socket
listener = socket.create_server((os.environ["HOST"], 8080))
while True:
    connection, _ = listener.accept()
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 {status} x\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n")
    connection.close()
"""
PROGRAMS = {
    "serves": "import time; print('listening', flush=True); time.sleep(600)",
    "crashes": "print('boom', flush=True); raise SystemExit(3)",
    "ignores-sigterm": "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)",
    "answers-200": SERVER.format(status=200),
    "answers-503": SERVER.format(status=503),
    "tells-environment": "import os; [print(f'{k}={v}') for k, v in os.environ.items()]; print(os.getcwd())",
}


def image(tag: str) -> str:
    """The name of one of the images in PROGRAMS."""
    return f"{REGISTRY}/app:{tag}"


def refusal(call, **arguments) -> tuple[str, str]:
    """(code, message) of the error that a call ends in."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


class Stage:
    """Cluster `main` in a lab, driven through boto3."""

    def __init__(self, lab):
        self.lab = lab.lab
        self.client = lab.client
        self.ecs = lab.client("ecs")
        self.ecs.create_cluster(clusterName="main")
        self.lab.logs.create_log_group({"logGroupName": "/ecs/app"})
        for tag, program in PROGRAMS.items():
            self.push(tag, program)

    @functools.cached_property
    def logs(self):
        """boto3's client, made when a test reads logs."""
        return self.client("logs")

    def push(self, tag: str, program: str) -> str:
        """An image whose process is a Python program; returns the digest."""
        config = {
            "Env": ["PATH=/usr/bin:/bin", "FROM=image"],
            "Cmd": [sys.executable, "-c", program],
            "WorkingDir": "/tmp",
        }
        return self.lab.ecr.push("app", tag, config)

    def definition(self, tag: str = "serves", *, group: str = "/ecs/app", family: str = "app", **container) -> str:
        """Register a task definition; returns its ARN."""
        options = {"awslogs-group": group, "awslogs-region": "eu-west-3", "awslogs-stream-prefix": "ecs"}
        described = self.ecs.register_task_definition(
            family=family,
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            cpu="256",
            memory="512",
            executionRoleArn=ROLE,
            containerDefinitions=[
                {
                    "name": "app",
                    "image": image(tag),
                    "portMappings": [{"containerPort": 8080}],
                    "logConfiguration": {"logDriver": "awslogs", "options": options},
                    **container,
                }
            ],
        )
        return described["taskDefinition"]["taskDefinitionArn"]

    def create(self, definition: str, count: int = 2, **arguments) -> dict:
        """CreateService `web`."""
        request = {"launchType": "FARGATE", "networkConfiguration": NETWORK, **arguments}
        return self.ecs.create_service(
            cluster="main", serviceName="web", taskDefinition=definition, desiredCount=count, **request
        )["service"]

    def update(self, **arguments) -> dict:
        """UpdateService `web`."""
        return self.ecs.update_service(cluster="main", service="web", **arguments)["service"]

    def service(self) -> dict:
        """DescribeServices `web`."""
        return self.ecs.describe_services(cluster="main", services=["web"])["services"][0]

    def events(self) -> list[str]:
        """The messages of the service's events, oldest first."""
        return [event["message"] for event in reversed(self.service()["events"])]

    def running(self, definition: str, count: int = 2, **arguments) -> dict:
        """CreateService `web`, and wait until it is steady."""
        self.create(definition, count, **arguments)
        return self.steady()

    def steady(self) -> dict:
        """Wait until the only deployment is COMPLETED with all its tasks."""

        def done():
            service = self.service()
            (first, *others) = service["deployments"]
            complete = first["rolloutState"] == "COMPLETED" and first["runningCount"] == service["desiredCount"]
            return service if complete and not others and service["pendingCount"] == 0 else None

        return self.until(done)

    def history(self) -> list[dict]:
        """The service's deployments in full, newest first."""
        arns = [
            each["serviceDeploymentArn"]
            for each in self.ecs.list_service_deployments(cluster="main", service="web")["serviceDeployments"]
        ]
        found = self.ecs.describe_service_deployments(serviceDeploymentArns=arns)["serviceDeployments"]
        return sorted(found, key=lambda each: each["createdAt"], reverse=True)

    def tasks(self, status: str = "RUNNING") -> list[dict]:
        """The cluster's tasks by desired status."""
        arns = self.ecs.list_tasks(cluster="main", desiredStatus=status)["taskArns"]
        return self.ecs.describe_tasks(cluster="main", tasks=arns)["tasks"] if arns else []

    def stopped(self, count: int = 1) -> list[dict]:
        """Wait for `count` tasks that are STOPPED."""

        def done():
            found = [task for task in self.tasks("STOPPED") if task["lastStatus"] == "STOPPED"]
            return found if len(found) >= count else None

        return self.until(done)

    def run(self, definition: str, **arguments) -> dict:
        """RunTask."""
        request = {"cluster": "main", "launchType": "FARGATE", "networkConfiguration": NETWORK, **arguments}
        return self.ecs.run_task(taskDefinition=definition, **request)["tasks"][0]

    def lines(self) -> list[str]:
        """What is in the log group now."""
        return [event["message"] for event in self.logs.filter_log_events(logGroupName="/ecs/app")["events"]]

    def every_round(self) -> list[dict]:
        """DescribeServices `web` after each round of the scheduler from now on, so that a test misses no state."""
        seen, scheduler = [], self.lab.ecs.scheduler
        reconcile = scheduler.reconcile

        def recording(service):
            reconcile(service)
            seen.extend(self.lab.ecs.services.describe_services({"cluster": "main", "services": ["web"]})["services"])

        scheduler.reconcile = recording
        return seen

    @staticmethod
    def until(condition, seconds: float = 8.0):
        """The first true answer of `condition`; an AssertionError when there is none in time."""
        deadline = time.monotonic() + seconds
        while True:
            answer = condition()
            if answer:
                return answer
            assert time.monotonic() < deadline, f"not within {seconds} s; last answer: {answer!r}"
            time.sleep(0.03)


@pytest.fixture
def stage(lab):
    """A cluster on a lab of its own."""
    return Stage(lab)
