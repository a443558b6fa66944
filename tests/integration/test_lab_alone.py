# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lab without SPYMEO, as somebody uses it who tests a tool of their own: lab/README.md, "For a tool of your own"."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import urllib.request

import psycopg
import pytest

from spymeo_world import world

from .conftest import ROOT, Production

NAME = f"alone-{os.getpid()}"


@pytest.fixture
def alone(tmp_path):
    """Runs a command of loopback_aws from somewhere else, with nothing but its package; returns what it printed."""

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "loopback_aws", arguments[0], "--name", NAME, *arguments[1:]],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT / "lab")},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    yield run
    run("down")


def test_a_service_and_a_database_of_somebody_else(alone):
    alone("up", "--set", "backing_up=0.1", "--set", "snapshot=0.1", "--owner", str(os.getpid()))
    serve = [
        sys.executable,
        "-c",
        "import os, http.server as s; s.test(s.SimpleHTTPRequestHandler, port=8080, bind=os.environ['HOST'])",
    ]
    image, digest = alone("push", "shop/api:1.0.0", "--", *serve).split()
    assert re.fullmatch("sha256:[0-9a-f]{64}", digest)
    told = dict(line.removeprefix("export ").split("=", 1) for line in alone("env").splitlines())
    endpoint_url = shlex.split(told["AWS_ENDPOINT_URL"])[0]
    ec2, ecs, rds = (world.client(name, endpoint_url) for name in ("ec2", "ecs", "rds"))
    assert rds.describe_db_instances()["DBInstances"] == []
    assert ecs.list_clusters()["clusterArns"] == []

    rds.create_db_instance(
        DBInstanceIdentifier="shop", DBInstanceClass="db.t4g.micro", Engine="postgres", AllocatedStorage=20, DBName="shop",
        MasterUsername="shop", MasterUserPassword="correct-horse",
    )  # fmt: skip
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    ecs.create_cluster(clusterName="shop")
    ecs.register_task_definition(
        family="api", networkMode="awsvpc", requiresCompatibilities=["FARGATE"], cpu="256", memory="512",
        executionRoleArn="arn:aws:iam::123456789012:role/execution",
        containerDefinitions=[{"name": "api", "image": image, "essential": True, "portMappings": [{"containerPort": 8080}]}],
    )  # fmt: skip
    ecs.create_service(
        cluster="shop", serviceName="api", taskDefinition="api", desiredCount=1, launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": [subnet]}},
    )  # fmt: skip
    ecs.get_waiter("services_stable").wait(cluster="shop", services=["api"], WaiterConfig=world.OFTEN)
    task = ecs.describe_tasks(cluster="shop", tasks=ecs.list_tasks(cluster="shop")["taskArns"])["tasks"][0]
    address = next(item["value"] for item in task["attachments"][0]["details"] if item["name"] == "privateIPv4Address")
    assert Production.until(lambda: _status(f"http://{address}:8080/")) == 200

    rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier="shop", WaiterConfig=world.OFTEN)
    instance = rds.describe_db_instances()["DBInstances"][0]
    endpoint = instance["Endpoint"]
    group = instance["VpcSecurityGroups"][0]["VpcSecurityGroupId"]  # the default one, which lets in nobody but itself
    ec2.authorize_security_group_ingress(
        GroupId=group, IpProtocol="tcp", FromPort=5432, ToPort=5432, CidrIp="127.0.0.0/8"
    )
    url = f"postgresql://shop:correct-horse@{endpoint['Address']}:{endpoint['Port']}/shop"
    assert Production.until(lambda: _answer(url)) == (1,)


def _status(url: str) -> int | None:
    """A process listens a moment after its task runs."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status
    except OSError:
        return None


def _answer(url: str) -> tuple | None:
    """A rule opens a moment after it was made."""
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            return connection.execute("SELECT 1").fetchone()
    except psycopg.OperationalError:
        return None
