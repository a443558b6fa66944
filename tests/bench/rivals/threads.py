# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""threads.py full|code: what is possible: boto3 in one process, told everything, looking twice a second, checking next to nothing."""

from __future__ import annotations

import concurrent.futures
import os
import re
import sys
import time
import urllib.request

import boto3

POLL = 0.5  # seconds
ASK = os.environ


def until(look) -> None:
    """Call `look` until it is true."""
    while not look():
        time.sleep(POLL)


def snapshot(rds, name: str) -> None:
    """Take the safety snapshot."""
    rds.create_db_snapshot(DBInstanceIdentifier=ASK["DB_INSTANCE"], DBSnapshotIdentifier=name)
    until(lambda: rds.describe_db_snapshots(DBSnapshotIdentifier=name)["DBSnapshots"][0]["Status"] == "available")


def restore(rds, name: str) -> str:
    """Restore next to the failed instance; returns the new address."""
    look = lambda which: rds.describe_db_instances(DBInstanceIdentifier=which)["DBInstances"][0]  # noqa: E731
    old = look(ASK["DB_INSTANCE"])
    rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier=name, DBSnapshotIdentifier=ASK["SNAPSHOT"], DBInstanceClass=old["DBInstanceClass"],
        DBSubnetGroupName=old["DBSubnetGroup"]["DBSubnetGroupName"], MultiAZ=old["MultiAZ"], DeletionProtection=True,
        VpcSecurityGroupIds=[group["VpcSecurityGroupId"] for group in old["VpcSecurityGroups"]],
        DBParameterGroupName=old["DBParameterGroups"][0]["DBParameterGroupName"], CopyTagsToSnapshot=True,
        AutoMinorVersionUpgrade=False, EnableIAMDatabaseAuthentication=True, EnableCloudwatchLogsExports=["postgresql"],
    )  # fmt: skip
    until(lambda: look(name)["DBInstanceStatus"] == "available")
    rds.modify_db_instance(
        DBInstanceIdentifier=name, MaxAllocatedStorage=old["MaxAllocatedStorage"], EnablePerformanceInsights=True,
        PreferredMaintenanceWindow=old["PreferredMaintenanceWindow"], ApplyImmediately=True,
    )  # fmt: skip
    until(lambda: look(name).get("MaxAllocatedStorage") and look(name)["DBInstanceStatus"] == "available")
    return look(name)["Endpoint"]["Address"]


def secrets(address: str) -> None:
    """Point DATABASE_URL at the new address, and the other secret at the version before."""
    secretsmanager = boto3.client("secretsmanager")
    url = secretsmanager.get_secret_value(SecretId=ASK["DATABASE_SECRET"])["SecretString"]
    url = re.sub(r"@[^:/]+", f"@{address}", url, count=1)
    secretsmanager.put_secret_value(SecretId=ASK["DATABASE_SECRET"], SecretString=url)
    current, previous = (
        secretsmanager.get_secret_value(SecretId=ASK["APP_SECRET"], VersionStage=stage)["VersionId"]
        for stage in ("AWSCURRENT", "AWSPREVIOUS")
    )
    secretsmanager.update_secret_version_stage(
        SecretId=ASK["APP_SECRET"], VersionStage="AWSCURRENT", MoveToVersionId=previous, RemoveFromVersionId=current
    )


def deploy() -> None:
    """Deploy the release, wait until ECS calls the deployment completed, ask for the health."""
    ecs = boto3.client("ecs")
    names = {"cluster": ASK["CLUSTER"], "service": ASK["SERVICE"]}
    ecs.update_service(**names, taskDefinition=ASK["TASK_DEFINITION"], forceNewDeployment=True)

    def completed() -> bool:
        found = ecs.describe_services(cluster=ASK["CLUSTER"], services=[ASK["SERVICE"]])["services"][0]
        return [each["rolloutState"] for each in found["deployments"]] == ["COMPLETED"]

    until(completed)
    urllib.request.urlopen(ASK["HEALTH_URL"]).read()


def main() -> int:
    """0, or a traceback."""
    if sys.argv[1] == "full":
        run, rds = ASK["RUN"], boto3.client("rds")
        with concurrent.futures.ThreadPoolExecutor() as pool:
            taken = pool.submit(snapshot, rds, f"{ASK['DB_INSTANCE']}-failed-migration-{run}")
            address = pool.submit(restore, rds, f"{ASK['DB_INSTANCE']}-{run}").result()
            taken.result()
        secrets(address)
    deploy()
    return 0


if __name__ == "__main__":
    sys.exit(main())
