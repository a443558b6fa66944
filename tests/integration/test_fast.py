# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A deployment as an emergency: nobody waits for draining, and services and target groups have back what they had, whoever died or interfered."""

from __future__ import annotations

import re

import pytest

from loopback_aws.interruption import AFTER, BEFORE, DROPPED, UNHEARD
from spymeo_world import world
from spymeo_world.killing import journal, play, start

from .conftest import bring_up, take_down

CALLS = [
    "TagResource",  # what there is
    "ModifyTargetGroup",
    "ModifyTargetGroupAttributes",
    "UpdateService",  # the deployment, with what is set for it
    "ModifyTargetGroup",  # and everything back
    "ModifyTargetGroupAttributes",
    "UpdateService",
    "UntagResource",
]
FAST = ["-e", "rollback_deployment=fast"]
DRAIN = 10.0  # seconds, where the deregistration delay is AWS's default
SLOW = {"deregistration_delay": DRAIN, "health_check_interval": 1.0}
QUICK = {"deregistration_delay": 0.2, "health_check_interval": 0.25}
CLOCK = re.compile(r"(SERVED|FINISHED) +after (\d+):(\d\d)")


@pytest.fixture(scope="module", name="lab")
def _lab():
    """A production as most are, with AWS's defaults."""
    lab = bring_up("--percent", "100", "200")
    yield lab
    take_down(lab)


@pytest.fixture(name="broken")
def _broken(lab):
    """Its release 2 serves, and nobody can log in. Old tasks take their time from now on."""
    lab.control("durations", **QUICK)
    lab.forget_runs()
    lab.accident("login-broken")
    lab.control("durations", **SLOW)
    return lab


def settings(lab) -> dict:
    """What a fast deployment may change, and its tags."""
    service = lab.aws("ecs").describe_services(cluster=world.CLUSTER, services=[world.SERVICE], include=["TAGS"])["services"][0]  # fmt: skip
    elb, group = lab.aws("elbv2"), lab.state["target_group_arn"]
    (shape,) = elb.describe_target_groups(TargetGroupArns=[group])["TargetGroups"]
    configuration = dict(service["deploymentConfiguration"])
    if not configuration.get("earlySuccessCriteria", {}).get("enable"):
        configuration.pop("earlySuccessCriteria", None)
    return {
        "configuration": configuration,
        "grace": service.get("healthCheckGracePeriodSeconds", 0),
        "group": {name: shape[name] for name in shape if "Health" in name or "Unhealthy" in name},
        "attributes": elb.describe_target_group_attributes(TargetGroupArn=group)["Attributes"],
        "tags": service.get("tags", []),
    }


def clocks(played) -> dict[str, int]:
    """SERVED and FINISHED, in seconds."""
    return {word: 60 * int(minutes) + int(seconds) for word, minutes, seconds in CLOCK.findall(played.output)}


def deployments(lab) -> int:
    return len(
        lab.aws("ecs").list_service_deployments(cluster=world.CLUSTER, service=world.SERVICE)["serviceDeployments"]
    )


def test_served_is_told_when_traffic_has_moved_not_when_old_tasks_are_drained(broken):
    before = settings(broken)
    played = broken.play("rollback_code")
    assert (played.code, played.written) == (0, ["ecs UpdateService"]), played.output
    assert "DEPLOY    as the services are configured (rollback_deployment=fast" in played.output
    told = clocks(played)
    assert told["FINISHED"] - told["SERVED"] >= DRAIN - 1
    assert settings(broken) == before


def test_a_fast_deployment_waits_for_no_draining_and_puts_everything_back(broken):
    before = settings(broken)
    checked = broken.play("rollback_code", *FAST, "--check")
    assert (checked.code, checked.written) == (0, []), checked.output
    played = broken.play("rollback_code", *FAST)
    assert played.code == 0, played.output
    assert [call.partition(" ")[2] for call in played.written] == CALLS
    for output in (checked.output, played.output):
        assert "DEPLOY    fast: for this deployment only" in output
        assert "HealthCheckIntervalSeconds 5 (then 10 again)" in output
        assert "earlySuccessCriteria 100/DEFERRED (then no again)" in output
    told = clocks(played)
    assert told["FINISHED"] - told["SERVED"] < DRAIN - 1, "beside the run of the test before, whatever the machine does"
    assert settings(broken) == before
    again = broken.play("rollback_code", *FAST)
    assert (again.code, again.written, again.recap["changed"]) == (0, [], 0), again.output


def test_killed_at_each_writing_call_it_ends_as_if_undisturbed(broken):
    before, number = settings(broken), deployments(broken)
    given = ["rollback_code", "-e", "rollback_run_id=kill-fast", *FAST]
    for call, when in zip(CALLS, [BEFORE, AFTER, UNHEARD] * 3, strict=False):
        code, output, at = play(broken.state, *given, when=when, operation=call)
        assert (code, at) == (-9, [call]), output
    code, output, _at = play(broken.state, *given)
    assert code == 0, output
    assert (settings(broken), deployments(broken)) == (before, number + 1)


def test_answers_that_are_lost_change_nothing_about_the_end(broken):
    before, number = settings(broken), deployments(broken)
    for call in ("TagResource", "ModifyTargetGroup", "ModifyTargetGroupAttributes", "UntagResource"):
        broken.control("interrupt", when=DROPPED, operation=call)
    broken.control("interrupt", when=DROPPED, operation="UpdateService", call=2)
    played = broken.play("rollback_code", "-e", "rollback_run_id=kill-lost", *FAST)
    assert played.code == 0, played.output
    assert len(broken.control("interrupted")["happened_at"]) == 5
    assert (settings(broken), deployments(broken)) == (before, number + 1)
    assert [told for call, told in journal(broken.state, "kill-lost") if call == "UpdateService"] == ["ok", "unknown"]


def test_after_a_death_finish_puts_back_what_nobody_has_set_meanwhile(broken):
    before = settings(broken)
    given = ["rollback_code", "-e", "rollback_run_id=kill-finish", *FAST]
    code, output, _at = play(broken.state, *given, when=AFTER, operation="UpdateService")
    assert code == -9, output
    drain = [{"Key": "deregistration_delay.timeout_seconds", "Value": "42"}]
    broken.aws("elbv2").modify_target_group_attributes(
        TargetGroupArn=broken.state["target_group_arn"], Attributes=drain
    )
    seen = broken.play("rollback_code", "-e", "rollback_run_id=kill-finish", "-e", "rollback_lease=2", "--check")
    assert "it still has what run kill-finish has set for its deployment alone" in seen.output
    for looking in (["hold", "-e", "rollback_hold=show"], ["verify"]):
        told = broken.play(*looking).output
        assert "RUNS      run kill-finish (Roll back the code) was not finished." in told
        assert "rollback_code.yml" in told
        assert "LATER     put back what run kill-finish has set for its deployment of spymeo-app" in told
        assert re.search(r"this finishes it:\W+ansible-playbook .*playbooks/finish.yml", told)
        assert "to 42 meanwhile, and it stays" in told
    finished = broken.play("finish", "-e", "rollback_lease=2")
    assert finished.code == 0, finished.output
    assert "FINISH    put back what run kill-finish has set for its deployment of spymeo-app" in finished.output
    assert (
        "NOTE      spymeo-app: somebody has set deregistration_delay.timeout_seconds of target group" in finished.output
    )
    assert "to 42 meanwhile, and it stays" in finished.output
    assert "deregistration_delay.timeout_seconds 300" not in finished.output  # it was not put back, so nobody says so
    now = settings(broken)
    assert [item for item in now.pop("attributes") if item not in before["attributes"]] == drain
    assert now == {name: value for name, value in before.items() if name != "attributes"}
    again = broken.play("finish")
    assert (again.code, again.written) == (0, []), again.output
    broken.aws("elbv2").modify_target_group_attributes(
        TargetGroupArn=broken.state["target_group_arn"], Attributes=before["attributes"][:1]
    )


def test_an_alarm_that_rolls_our_deployment_back_is_named(broken):
    cloudwatch, ecs = broken.aws("cloudwatch"), broken.aws("ecs")
    metric = {"MetricName": "5xx", "Namespace": "app", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1}
    limit = {"Threshold": 1, "ComparisonOperator": "GreaterThanThreshold"}
    cloudwatch.put_metric_alarm(AlarmName="5xx", **metric, **limit)
    cloudwatch.set_alarm_state(AlarmName="5xx", StateValue="OK", StateReason="all is well")
    alarms = {"alarms": {"alarmNames": ["5xx"], "enable": True, "rollback": True}}
    ecs.update_service(cluster=world.CLUSTER, service=world.SERVICE, deploymentConfiguration=alarms)
    broken.control("durations", alarm_bake=60.0, **QUICK)
    number = deployments(broken)
    playing = start(broken.state, "rollback_code")
    broken.until(lambda: deployments(broken) > number, 60)
    cloudwatch.set_alarm_state(AlarmName="5xx", StateValue="ALARM", StateReason="errors")
    output, _none = playing.communicate(timeout=120)
    assert playing.returncode != 0, output
    message = " ".join(output.split())
    assert "of its deployment alarms, 5xx went into ALARM meanwhile" in message
    assert "aws cloudwatch describe-alarms --alarm-names 5xx" in message
    assert "ECS has rolled it back by itself to spymeo-app:" in message
