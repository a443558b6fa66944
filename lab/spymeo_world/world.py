# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""SPYMEO's production as the runbook knows it, built through the API as Terraform would: release 1 healthy and steady."""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import datetime
import hashlib
import json
import pathlib
import shlex
import socket
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, Any

from loopback_aws.durations import Durations
from loopback_aws.errors import NotStarted
from loopback_aws.lab import ACCESS_KEY, REGION, SECRET_KEY, Lab
from loopback_aws.machine import programs

if TYPE_CHECKING:
    import psycopg

CLUSTER = "spymeo-production"
SERVICE = FAMILY = REPOSITORY = "spymeo-app"
DB_INSTANCE = "spymeo-production-db"
SNAPSHOT = "spymeo-pre-migration-snapshot"
DATABASE_SECRET = "spymeo/production/database-url"
APP_SECRET = "spymeo/production/app"
LOG_GROUP = "/ecs/spymeo-app"
EXECUTION_ROLE = "spymeo-production-execution"
HEALTH_PATH = "/api/health"
CONTAINER = "app"
TASKS = 2

DB_USER, DB_PASSWORD, DB_NAME = "spymeo", "p%ss:w#rd+1&?=;", "spymeo"  # what RDS takes and a URL must encode
ADMIN_PASSWORD = "lab-admin-password"
PAYMENT_KEY = "sk_lab_51HxKq8mN2vR"
SESSION_SECRET = "lab-session-secret-7f3c9a5d1e8b4026"

POSTGRES_IMAGE = "public.ecr.aws/docker/library/postgres:17-alpine"  # what anybody may pull
APP = pathlib.Path(__file__).parents[1] / "app"
QUICK = Durations(
    task_provisioning=0.02,
    task_pull=0.02,
    scheduler_interval=0.05,
    health_check_interval=0.1,
    snapshot=0.05,
    restore=0.05,
    backing_up=0.05,
    storage_initialization=0.0,
    modify=0.05,
    log_ingestion=0.05,
)
STEADY_TIMEOUT = 30  # seconds
OFTEN = {"Delay": 0.1, "MaxAttempts": 300}  # a waiter's seconds between two looks; each look costs the lab 10 ms


def client(service: str, endpoint_url: str) -> Any:
    """A stock boto3 client of the lab."""
    import boto3  # takes 0.3 s, which `lab up` spends better after it has started the server

    make: Any = boto3.client  # by a literal name it would be typed, service by service
    return make(
        service,
        endpoint_url=endpoint_url,
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
    )


def start(lab: Lab, endpoint_url: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Build the world in `lab`; its durations hold only from then on, so that a slow lab is up quickly, too.

    What does not need the database is made while that is being created, and the service starts during the snapshot.
    `settings`: `public_port` (0: any), `or_any_port` (bool: another one when it is taken), `breaker` (bool), `percent`
    (minimumHealthyPercent, maximumPercent), `services` and `applications` (how many more). Returns what lab.json tells about the world.
    """
    durations, lab.durations = lab.durations, QUICK
    # Another lab has the well-known ports, or is about to take them.
    elsewhere = settings["or_any_port"] and not endpoint_url.endswith(f":{settings['api_port']}")
    public_port = 0 if elsewhere else settings["public_port"]
    lab.world_controls["push"] = lambda release, defect: {"digest": push_release(lab, release, defect)}
    push_release(lab, "1.0.0")
    lab.ecr.public[POSTGRES_IMAGE] = _postgres_image()
    network = _network(endpoint_url)
    _create_database(endpoint_url, network["database_group"])
    lab.world_controls["forget_deployments"] = lambda keep: _forget_deployments(lab, keep)
    lab.world_controls["age_tasks"] = lambda minutes: _age_tasks(lab, minutes)
    lab.world_controls["sessions"] = lambda db_instance: {"of": _sessions(lab, db_instance)}
    lab.world_controls["durations"] = lambda **seconds: _change_durations(lab, seconds)
    with _reserved(public_port, or_any=settings["or_any_port"]) as entrance:
        public_port = entrance.getsockname()[1]
        target_group = _load_balancer(endpoint_url, network, public_port)
    role = _cluster(endpoint_url)
    url = _fill_database(endpoint_url)
    secrets, rds = _secrets(endpoint_url, url), client("rds", endpoint_url)
    with concurrent.futures.ThreadPoolExecutor(1) as beside:
        snapshot = beside.submit(_snapshot, rds)
        _service(endpoint_url, network, secrets, role, target_group, settings)
        snapshot.result()
    fleet = _fleet(lab, endpoint_url, settings)
    lab.durations = durations
    return {
        "base_url": f"http://127.0.0.1:{public_port}",
        "health_url": f"http://127.0.0.1:{public_port}{HEALTH_PATH}",
        "public_port": public_port,
        "cluster": CLUSTER,
        "service": SERVICE,
        "db_instance": DB_INSTANCE,
        "snapshot": SNAPSHOT,
        "database_secret": DATABASE_SECRET,
        "target_group_arn": target_group,
        "admin": {"email": "admin@spymeo.fr", "password": ADMIN_PASSWORD},
        "fleet": fleet,
    }


def _fleet(lab: Lab, endpoint_url: str, settings: dict[str, Any]) -> dict[str, Any]:
    """The services and applications beside SPYMEO's, when there are to be any."""
    if not (settings["services"] or settings["applications"]):
        return {"services": [], "applications": []}
    from . import fleet  # it knows this module

    fleet.push(lab)
    return fleet.start(endpoint_url, settings["services"], settings["applications"])


def _change_durations(lab: Lab, seconds: dict[str, float]) -> None:
    """Some durations from now on, as `lab up --set` gives them at the start."""
    lab.durations = dataclasses.replace(lab.durations, **seconds)


def _forget_deployments(lab: Lab, keep: int) -> None:
    """ECS remembers 90 days of deployments: of each service, only the newest ones are that young. Service revisions stay."""
    for service in lab.ecs.store.services.values():
        del service.history[keep:]


def _age_tasks(lab: Lab, minutes: float) -> None:
    """The tasks that run have run for so much longer: a test has no time to let whole minutes of traffic pass."""
    for task in lab.ecs.store.tasks.values():
        if task.last_status == "RUNNING":
            task.times = {name: at - datetime.timedelta(minutes=minutes) for name, at in task.times.items()}


def database_url(address: str, port: int) -> str:
    """DATABASE_URL as Prisma takes it."""
    return f"postgresql://{DB_USER}:{urllib.parse.quote(DB_PASSWORD, safe='')}@{address}:{port}/{DB_NAME}?schema=public&connection_limit=5"


def push_release(lab: Lab, release: str, defect: str = "") -> str:
    """Push the application's image as the build pipeline does, tagged with its version. Returns the digest."""
    environment = [
        f"APP_RELEASE={release}",
        f"APP_DEFECT={defect}",
        f"PGAPPNAME={FAMILY} {release}",  # so that PostgreSQL's log tells which release has come
        f"PYTHONPATH={APP}",
        "PYTHONUNBUFFERED=1",
    ]
    config = {"Env": environment, "Cmd": command("serve"), "WorkingDir": str(APP)}
    return lab.ecr.push(REPOSITORY, release, config)


def _sessions(lab: Lab, db_instance: str) -> list[str]:
    """The application_name of each session that PostgreSQL has logged for an instance, in order; empty for one that gave none."""
    text = (lab.rds.store.find_instance(db_instance).server.directory / "log").read_text(errors="replace")
    return [line.partition("application_name=")[2] for line in text.splitlines() if "connection authorized: " in line]


def _postgres_image() -> dict[str, Any]:
    """The config of PostgreSQL's own image, as far as a client of a database needs it."""
    return {"Env": [f"PATH={programs()}:/usr/bin:/bin"], "Cmd": ["psql"]}


def command(verb: str) -> list[str]:
    """What a container of the application runs."""
    return [sys.executable, "-m", "spymeo_app", verb]


def command_that_migrates() -> list[str]:
    """What a container of an image runs that migrates at its start."""
    return ["sh", "-c", f"{shlex.join(command('migrate'))} && exec {shlex.join(command('serve'))}"]


def _network(endpoint_url: str) -> dict[str, Any]:
    ec2 = client("ec2", endpoint_url)
    vpc = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
    subnets = [
        item["SubnetId"] for item in ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
    ]
    app = ec2.create_security_group(GroupName="spymeo-app", Description="the application's tasks", VpcId=vpc)["GroupId"]
    database = ec2.create_security_group(GroupName="spymeo-database", Description="PostgreSQL", VpcId=vpc)["GroupId"]
    permission = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [{"GroupId": app}]}
    ec2.authorize_security_group_ingress(GroupId=database, IpPermissions=[permission])
    rds = client("rds", endpoint_url)
    rds.create_db_subnet_group(
        DBSubnetGroupName="spymeo-private", DBSubnetGroupDescription="private subnets", SubnetIds=subnets
    )
    rds.create_db_parameter_group(
        DBParameterGroupName="spymeo-postgres", DBParameterGroupFamily="postgres18", Description="tuned"
    )
    return {"vpc": vpc, "subnets": subnets, "app_group": app, "database_group": database}


def _create_database(endpoint_url: str, group: str) -> None:
    """Ask for the instance, with settings away from RDS's defaults."""
    client("rds", endpoint_url).create_db_instance(
        DBInstanceIdentifier=DB_INSTANCE, DBInstanceClass="db.t4g.medium", Engine="postgres", AllocatedStorage=20, StorageType="gp3",
        MasterUsername=DB_USER, MasterUserPassword=DB_PASSWORD, DBName=DB_NAME, VpcSecurityGroupIds=[group],
        DBSubnetGroupName="spymeo-private", DBParameterGroupName="spymeo-postgres", MultiAZ=True, DeletionProtection=True,
        BackupRetentionPeriod=14, PreferredBackupWindow="02:15-02:45", PreferredMaintenanceWindow="sun:03:30-sun:04:00",
        MaxAllocatedStorage=100, CopyTagsToSnapshot=True, EnableIAMDatabaseAuthentication=True, EnableCloudwatchLogsExports=["postgresql"],
        StorageEncrypted=True, AutoMinorVersionUpgrade=False, EnablePerformanceInsights=True,
        Tags=[{"Key": "application", "Value": "spymeo"}, {"Key": "environment", "Value": "production"}],
    )  # fmt: skip


def _fill_database(endpoint_url: str) -> str:
    """Release 1's schema and rows; returns DATABASE_URL.

    :raises NotStarted: PostgreSQL does not run.
    """
    from botocore.exceptions import WaiterError  # as `client` has it

    rds = client("rds", endpoint_url)
    try:
        rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier=DB_INSTANCE, WaiterConfig=OFTEN)
    except WaiterError as error:
        events = rds.describe_events(SourceIdentifier=DB_INSTANCE, SourceType="db-instance")["Events"]
        raise NotStarted(f"its database: {' '.join(events[-1]['Message'].split())}") from error
    endpoint = rds.describe_db_instances(DBInstanceIdentifier=DB_INSTANCE)["DBInstances"][0]["Endpoint"]
    url = database_url(endpoint["Address"], endpoint["Port"])
    _run_release_1(url)
    return url


def _snapshot(rds: Any) -> None:
    """The snapshot of before the migration; nobody has the application's address yet, so no row changes meanwhile."""
    rds.create_db_snapshot(DBInstanceIdentifier=DB_INSTANCE, DBSnapshotIdentifier=SNAPSHOT)
    rds.get_waiter("db_snapshot_available").wait(DBSnapshotIdentifier=SNAPSHOT, WaiterConfig=OFTEN)


def _run_release_1(url: str) -> None:
    """Migrate and seed, as a pipeline does before anything is deployed. What they print is in the lab's log.

    :raises RuntimeError: one of them failed.
    """
    from spymeo_app import migrate, seed  # here, because only the server's path has the application

    environment = {"DATABASE_URL": url, "APP_RELEASE": "1.0.0", "ADMIN_PASSWORD": ADMIN_PASSWORD}
    for step in (migrate.migrate, seed.seed_command):
        if code := step(environment):
            raise RuntimeError(f"{step.__name__} of release 1 failed with {code}")


def _secrets(endpoint_url: str, url: str) -> dict[str, str]:
    """The application's secrets; returns the ARN of each."""
    secretsmanager = client("secretsmanager", endpoint_url)
    app = json.dumps({"SESSION_SECRET": SESSION_SECRET, "PAYMENT_API_KEY": PAYMENT_KEY})
    return {
        name: secretsmanager.create_secret(Name=name, SecretString=value)["ARN"]
        for name, value in ((DATABASE_SECRET, url), (APP_SECRET, app))
    }


def _reserved(port: int, *, or_any: bool) -> socket.socket:
    """A socket that keeps a port of 127.0.0.1 (0: any free one) from everybody but who, like a load balancer, listens with SO_REUSEADDR.

    :raises NotStarted: somebody listens there, and no other port will do.
    """
    reserved = socket.socket()
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    for wanted in (port, 0) if or_any else (port,):
        with contextlib.suppress(OSError):
            reserved.bind(("127.0.0.1", wanted))
            return reserved
    reserved.close()
    raise NotStarted(f"somebody listens on port {port} of 127.0.0.1; end that first.")


def _load_balancer(endpoint_url: str, network: dict[str, Any], port: int) -> str:
    """The public entrance on `port`; returns the target group's ARN."""
    elb = client("elbv2", endpoint_url)
    balancer = elb.create_load_balancer(Name="spymeo-production", Subnets=network["subnets"], Type="application")[
        "LoadBalancers"
    ][0]
    group = elb.create_target_group(
        Name="spymeo-app", Protocol="HTTP", Port=8080, VpcId=network["vpc"], TargetType="ip", HealthCheckPath=HEALTH_PATH,
        HealthCheckTimeoutSeconds=5, HealthCheckIntervalSeconds=10, HealthyThresholdCount=2, UnhealthyThresholdCount=3, Matcher={"HttpCode": "200"},
    )["TargetGroups"][0]["TargetGroupArn"]  # fmt: skip
    elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTP",
        Port=port,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    return str(group)


def task_definition(image: str, secrets: dict[str, str], role: str) -> dict[str, Any]:
    """What RegisterTaskDefinition is given for an image of the application."""
    app = secrets[APP_SECRET]
    container = {
        "name": CONTAINER,
        "image": image,
        "essential": True,
        "portMappings": [{"containerPort": 8080, "protocol": "tcp"}],
        "environment": [
            {"name": "NODE_ENV", "value": "production"},
            {"name": "PORT", "value": "8080"},
            {"name": "PAYMENT_KEY_SHA256", "value": hashlib.sha256(PAYMENT_KEY.encode()).hexdigest()},
        ],
        "secrets": [
            {"name": "DATABASE_URL", "valueFrom": secrets[DATABASE_SECRET]},
            {"name": "SESSION_SECRET", "valueFrom": f"{app}:SESSION_SECRET::"},
            {"name": "PAYMENT_API_KEY", "valueFrom": f"{app}:PAYMENT_API_KEY::"},
        ],
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {"awslogs-group": LOG_GROUP, "awslogs-region": REGION, "awslogs-stream-prefix": "spymeo"},
        },
    }
    return {
        "family": FAMILY,
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "256",
        "memory": "512",
        "executionRoleArn": role,
        "containerDefinitions": [container],
    }


def image_of(release: str, account: str) -> str:
    """The image reference of a release, by its tag."""
    return f"{account}.dkr.ecr.{REGION}.amazonaws.com/{REPOSITORY}:{release}"


def _cluster(endpoint_url: str) -> str:
    """Log group, cluster, and the execution role, whose ARN is returned."""
    client("logs", endpoint_url).create_log_group(logGroupName=LOG_GROUP)
    client("ecs", endpoint_url).create_cluster(clusterName=CLUSTER)
    trust = {
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ]
    }
    made = client("iam", endpoint_url).create_role(RoleName=EXECUTION_ROLE, AssumeRolePolicyDocument=json.dumps(trust))
    return str(made["Role"]["Arn"])


def _service(
    endpoint_url: str,
    network: dict[str, Any],
    secrets: dict[str, str],
    role: str,
    target_group: str,
    settings: dict[str, Any],
) -> None:
    """Task definition and service; returns when release 1 is steady and answers."""
    ecs, breaker, (minimum, maximum) = client("ecs", endpoint_url), settings["breaker"], settings["percent"]
    definition = task_definition(image_of("1.0.0", role.split(":")[4]), secrets, role)
    registered = ecs.register_task_definition(**definition)["taskDefinition"]["taskDefinitionArn"]
    ecs.create_service(
        cluster=CLUSTER, serviceName=SERVICE, taskDefinition=registered, desiredCount=TASKS, launchType="FARGATE",
        loadBalancers=[{"targetGroupArn": target_group, "containerName": CONTAINER, "containerPort": 8080}],
        networkConfiguration={"awsvpcConfiguration": {"subnets": network["subnets"], "securityGroups": [network["app_group"]]}},
        healthCheckGracePeriodSeconds=12,  # release 2.0.0 "slow", with 3 s an answer, is healthy after about 9 s
        # With 0 and 100 old tasks stop before new ones start, so a bad release is an outage.
        deploymentConfiguration={
            "minimumHealthyPercent": minimum, "maximumPercent": maximum, "deploymentCircuitBreaker": {"enable": breaker, "rollback": breaker},
        },
    )  # fmt: skip
    deadline = time.monotonic() + STEADY_TIMEOUT
    while (service := ecs.describe_services(cluster=CLUSTER, services=[SERVICE])["services"][0])["deployments"][0][
        "rolloutState"
    ] != "COMPLETED":
        if time.monotonic() > deadline:
            events = "\n".join(event["message"] for event in service["events"])
            raise RuntimeError(f"release 1 was not steady after {STEADY_TIMEOUT} s:\n{events}")
        time.sleep(OFTEN["Delay"])


def connect(endpoint_url: str, db_instance: str) -> psycopg.Connection:
    """A connection to an instance's database as its owner, by its endpoint of now."""
    import psycopg  # takes 0.2 s, and only tests and the demo connect

    instance = client("rds", endpoint_url).describe_db_instances(DBInstanceIdentifier=db_instance)["DBInstances"][0]
    endpoint = instance["Endpoint"]
    return psycopg.connect(
        host=endpoint["Address"],
        port=endpoint["Port"],
        user=DB_USER,
        password=DB_PASSWORD,
        dbname=DB_NAME,
        connect_timeout=5,
    )


def describe(state: dict[str, Any]) -> list[str]:
    """Lines that tell a person what runs in the lab now."""
    ecs, rds = client("ecs", state["endpoint_url"]), client("rds", state["endpoint_url"])
    service = ecs.describe_services(cluster=CLUSTER, services=[SERVICE])["services"][0]
    lines = [f"{state['health_url']} answers {health(state['health_url'])}"]
    for deployment in service["deployments"]:
        name = deployment["taskDefinition"].rpartition("/")[2]
        lines.append(
            f"service {SERVICE}: {name} {deployment['status']}, {deployment['runningCount']} of {deployment['desiredCount']} tasks, "
            f"{deployment['failedTasks']} failed, {deployment['rolloutState']}"
        )
    lines += [
        f"database {item['DBInstanceIdentifier']}: {item['DBInstanceStatus']}"
        for item in rds.describe_db_instances()["DBInstances"]
    ]
    lines += [
        f"snapshot {item['DBSnapshotIdentifier']}: {item['Status']}"
        for item in rds.describe_db_snapshots()["DBSnapshots"]
    ]
    return lines


def health(url: str) -> str:
    """The status of the health check, or why there is none."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return f"{answer.status} {answer.read().decode().strip()}"
    except urllib.error.HTTPError as error:
        return f"{error.code} {error.reason}"
    except OSError as error:
        return f"nothing ({error})"
