# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ECS: what holds a service deployment up, or ends it, from outside: lifecycle hooks of type PAUSE, and CloudWatch alarms."""

from __future__ import annotations

import dataclasses
import datetime
import secrets
from typing import TYPE_CHECKING, Any

from moto.cloudwatch.models import cloudwatch_backends

from ...wire import ApiError

if TYPE_CHECKING:
    from ...lab import Lab
    from .state import ServiceDeployment

# Stages where a pause may be; PRE_PRODUCTION_TRAFFIC_SHIFT, which comes before each step of the shift, the lab has not.
PAUSES = ("RECONCILE_SERVICE", "PRE_SCALE_UP", "POST_SCALE_UP", "POST_TEST_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT")  # fmt: skip
WAITING, GONE_ON, ENDED, LATE = "AWAITING_ACTION", "SUCCEEDED", "FAILED", "TIMED_OUT"
LONGEST = 1440  # minutes, which is the default, too


@dataclasses.dataclass(eq=False)
class Hook:
    """A pause that a service deployment has come to."""

    stage: str
    expires: datetime.datetime
    action: str  # what ECS does then: ROLLBACK or CONTINUE
    id: str = dataclasses.field(default_factory=lambda: "ecs-pause-" + secrets.token_urlsafe(32))
    status: str = WAITING

    def shape(self) -> dict[str, Any]:
        """botocore's DeploymentLifecycleHookDetail."""
        told = {"hookId": self.id, "targetType": "PAUSE", "status": self.status}
        return {**told, "expiresAt": self.expires, "timeoutAction": self.action}


def check(configuration: dict[str, Any]) -> None:
    """Refuse hooks that AWS refuses, or that the lab has not, and alarms without a name.

    :raises ApiError: InvalidParameterException.
    """
    hooks, problem = configuration.get("lifecycleHooks", []), ""
    if hooks and configuration.get("strategy", "ROLLING") == "ROLLING":
        problem = "lifecycleHooks are not supported with deployment strategy ROLLING."
    for hook in hooks:
        wrong = [stage for stage in hook.get("lifecycleStages", []) if stage not in PAUSES]
        minutes = hook.get("timeoutConfiguration", {}).get("timeoutInMinutes", LONGEST)
        if hook.get("targetType", "AWS_LAMBDA") != "PAUSE":
            problem = "The lab has lifecycle hooks of type PAUSE only."
        elif not hook.get("lifecycleStages"):
            problem = "lifecycleStages is required for a lifecycle hook."
        elif wrong:
            problem = f"PAUSE hooks cannot be configured at the lifecycle stage {wrong[0]}."
        elif not 1 <= minutes <= LONGEST * 14:
            problem = "timeoutInMinutes is out of its range."
    if configuration.get("alarms", {}).get("enable") and not configuration["alarms"]["alarmNames"]:
        problem = "alarmNames cannot be empty."
    if problem:
        raise ApiError("InvalidParameterException", problem)


def holds(lab: Lab, ongoing: ServiceDeployment) -> bool:
    """Whether a service deployment must not leave its stage: a pause there waits for ContinueServiceDeployment, or for its time to be over."""
    configured = [
        each for each in ongoing.configuration.get("lifecycleHooks", []) if ongoing.stage in each["lifecycleStages"]
    ]
    if not configured:
        return False
    hook = next((each for each in ongoing.hooks if each.stage == ongoing.stage), None)
    if hook is None:
        told = configured[0].get("timeoutConfiguration", {})
        seconds = told.get("timeoutInMinutes", LONGEST) * lab.durations.minute
        ongoing.hooks.append(Hook(ongoing.stage, lab.now() + datetime.timedelta(seconds=seconds), told.get("action", "ROLLBACK")))  # fmt: skip
        return True
    if hook.status == WAITING and lab.now() >= hook.expires:
        hook.status = LATE
        if hook.action == "ROLLBACK":
            ongoing.status, ongoing.updated_at = "ROLLBACK_REQUESTED", lab.now()
    return bool(hook.status == WAITING) or ongoing.status != "IN_PROGRESS"


def answer(lab: Lab, ongoing: ServiceDeployment, hook_id: str, action: str) -> None:
    """What ContinueServiceDeployment does.

    :raises ApiError: InvalidParameterException: no such pause waits.
    """
    hook = next((each for each in ongoing.hooks if each.id == hook_id and each.status == WAITING), None)
    if hook is None or ongoing.status != "IN_PROGRESS":
        raise ApiError("InvalidParameterException", "The lifecycle hook is not awaiting action.")
    hook.status = GONE_ON if action == "CONTINUE" else ENDED
    if action == "ROLLBACK":
        ongoing.status, ongoing.updated_at = "ROLLBACK_REQUESTED", lab.now()


def in_alarm(lab: Lab, configuration: dict[str, Any]) -> tuple[str, ...]:
    """Which of the deployment's alarms are in ALARM now; none where alarms are not used."""
    alarms = configuration.get("alarms", {})
    if not alarms.get("enable"):
        return ()
    known = cloudwatch_backends[lab.account][lab.region].alarms
    return tuple(name for name in alarms["alarmNames"] if name in known and known[name].state_value == "ALARM")


def shape_of_alarms(each: ServiceDeployment) -> dict[str, Any]:
    """botocore's ServiceDeploymentAlarms."""
    alarms = each.configuration.get("alarms", {})
    if not alarms.get("enable"):
        return {"status": "DISABLED", "alarmNames": [], "triggeredAlarmNames": []}
    status = "TRIGGERED" if each.triggered else "MONITORING_COMPLETE" if each.finished else "MONITORING"
    return {"status": status, "alarmNames": list(alarms["alarmNames"]), "triggeredAlarmNames": list(each.triggered)}
