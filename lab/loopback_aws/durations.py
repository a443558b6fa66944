# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The one table of how long things take in the lab, in seconds."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Durations:
    """Seconds that the lab adds on top of what the real work behind a step takes. `lab up --set name=seconds` changes one."""

    task_provisioning: float = 0.1  # ECS: PROVISIONING to PENDING
    task_pull: float = 0.2  # ECS: PENDING, image pull and secret injection
    task_stop_timeout: float = 2.0  # ECS: SIGTERM to SIGKILL (stopTimeout, 30 s in AWS)
    task_restart_delay: float = 0.3  # ECS: pause after a failed task, before the next one
    scheduler_interval: float = 0.1  # ECS: how often a service is reconciled
    deregistration_delay: float = 0.2  # ELB: draining (300 s in AWS)
    health_check_interval: float = (
        0.25  # ELB: between two probes of a target, with the interval that its group was created with
    )
    deployment_minimum: float = 0.0  # ECS: a deployment is not completed earlier than this
    minute: float = 1.0  # ECS: a minute of a bake time (bakeTimeInMinutes and its like)
    alarm_bake: float = (
        1.0  # ECS: a rolling deployment with alarms is watched on; AWS computes it from the alarms, and it is minutes
    )
    stopped_task_retention: float = 3600.0  # ECS: stopped tasks stay visible this long
    snapshot: float = 1.0  # RDS: CreateDBSnapshot until available
    restore: float = 1.0  # RDS: restore until the endpoint answers
    backing_up: float = (
        600.0  # RDS: the first automated backup of an instance; hours in AWS, and nobody is to wait for it by accident
    )
    storage_initialization: float = 600.0  # RDS: blocks of a restored instance are loaded; 0 shows none of it
    log_upload: float = 1.0  # RDS: between two uploads of the log, the steps of LatestRestorableTime (5 minutes in AWS)
    modify: float = 0.3  # RDS: modifying
    reboot: float = 0.3  # RDS: rebooting
    stop: float = 0.5  # RDS: stopping, starting
    image_activation: float = 0.3  # ECR: an archived image until it can be pulled again (up to 20 minutes in AWS)
    security_group_interval: float = 0.1  # EC2: a changed rule until it is in force
    log_ingestion: float = 0.3  # CloudWatch Logs: a line is written until it can be found
    metrics_delay: float = 1.0  # CloudWatch: a minute is over until its metrics can be read (a minute or two in AWS)
    call_latency: float = 0.0  # every API call
