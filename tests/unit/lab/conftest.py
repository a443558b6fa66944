# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A lab inside the test's process, on a free port, in a hurry; stock boto3 talks to it."""

from __future__ import annotations

import contextlib
import pathlib
import sys
import tempfile

import boto3
import pytest
from botocore.config import Config

LAB = pathlib.Path(__file__).parents[3] / "lab"
for entry in (str(LAB), str(LAB / "app")):  # for whoever starts pytest without the repository's pyproject.toml
    if entry not in sys.path:
        sys.path.insert(0, entry)

from moto.core.base_backend import BackendDict  # noqa: E402

from loopback_aws import server  # noqa: E402
from loopback_aws.durations import Durations  # noqa: E402
from loopback_aws.lab import ACCESS_KEY, REGION, SECRET_KEY, Lab  # noqa: E402
from loopback_aws.services.application_autoscaling import ApplicationAutoScaling  # noqa: E402
from loopback_aws.services.cloudwatch import Cloudwatch  # noqa: E402
from loopback_aws.services.ecr import Ecr  # noqa: E402
from loopback_aws.services.ecs import Ecs  # noqa: E402
from loopback_aws.services.elbv2 import Elbv2  # noqa: E402
from loopback_aws.services.logs import Logs  # noqa: E402
from loopback_aws.services.rds import Rds  # noqa: E402
from loopback_aws.services.secretsmanager import SecretsManager  # noqa: E402

SERVICES = (Ecr, Logs, SecretsManager, Cloudwatch, Elbv2, Rds, Ecs, ApplicationAutoScaling)
FAST = Durations(
    task_provisioning=0.02,
    task_pull=0.05,
    task_stop_timeout=1.0,
    task_restart_delay=0.05,
    scheduler_interval=0.02,
    deregistration_delay=0.1,
    health_check_interval=0.05,
    snapshot=0.1,
    restore=0.1,
    modify=0.05,
    reboot=0.05,
    stop=0.05,
    image_activation=0.05,
    log_ingestion=0.05,
)


class InProcessLab:
    """A running lab and the boto3 clients for it. `port` is its API's."""

    def __init__(self, directory: pathlib.Path, durations: Durations):
        self.lab = Lab(directory, durations)
        for service in SERVICES:
            self.lab.add(service(self.lab))
        self.api = server.Api(self.lab)
        self._server = server.start(self.api, 0, poll_interval=0.02)
        self.port = self._server.port

    def client(self, service: str):
        """A boto3 client that tries each call once."""
        return boto3.client(
            service,
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name=REGION,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
        )

    def close(self) -> None:
        """End everything the lab has started."""
        self._server.shutdown()
        self._server.server_close()
        self.lab.close()


@pytest.fixture(name="lab_durations")
def _lab_durations() -> Durations:
    """The seconds the `lab` fixture uses: a test module that needs others overrides this fixture."""
    return FAST


@contextlib.contextmanager
def running_lab(durations: Durations):
    """An empty lab, of which nothing is left afterwards."""
    with tempfile.TemporaryDirectory(prefix="spymeo-lab-test-", dir="/tmp") as directory:
        BackendDict.reset()
        running = InProcessLab(pathlib.Path(directory), durations)
        try:
            yield running
        finally:
            running.close()


@pytest.fixture
def lab(lab_durations):
    """A lab for one test."""
    with running_lab(lab_durations) as running:
        yield running


@pytest.fixture(name="module_durations", scope="module")
def _module_durations() -> Durations:
    """The same for `module_lab`."""
    return FAST


@pytest.fixture(scope="module")
def module_lab(module_durations):
    """A lab for all tests of a module, where what they need is slow to make. Not together with `lab`: moto is one a process."""
    with running_lab(module_durations) as running:
        yield running
