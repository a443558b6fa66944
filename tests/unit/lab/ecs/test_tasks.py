# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Single tasks of the lab's ECS: real processes, as boto3 sees them."""

from __future__ import annotations

import dataclasses
import pathlib
import time

import pytest

from .conftest import refusal


def process_of(stage, task: dict):
    """The process behind a task."""
    return stage.lab.ecs.store.tasks[task["taskArn"]].process


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie that nobody has waited for does not."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_task_goes_through_its_states_to_running(stage, monkeypatch):
    slow = dataclasses.replace(
        stage.lab.durations, task_provisioning=0.3, task_pull=0.6
    )  # long enough to be seen on a busy machine
    monkeypatch.setattr(stage.lab, "durations", slow)
    task = stage.run(stage.definition())
    assert (task["lastStatus"], task["desiredStatus"], task["group"]) == ("PROVISIONING", "RUNNING", "family:app")
    seen = [task["lastStatus"]]

    def status():
        (now,) = stage.tasks()
        if now["lastStatus"] != seen[-1]:
            seen.append(now["lastStatus"])
        return now if now["lastStatus"] == "RUNNING" else None

    now = stage.until(status)
    assert seen == ["PROVISIONING", "PENDING", "RUNNING"]
    assert now["createdAt"] <= now["pullStartedAt"] <= now["pullStoppedAt"] <= now["startedAt"]
    assert now["containers"][0]["imageDigest"].startswith("sha256:")
    assert process_of(stage, task).poll() is None


def test_each_task_has_an_address_of_its_own(stage):
    definition = stage.definition()
    stage.run(definition), stage.run(definition)
    tasks = stage.until(lambda: [t for t in stage.tasks() if t["lastStatus"] == "RUNNING"][1:] and stage.tasks())
    shown = [{d["name"]: d["value"] for d in task["attachments"][0]["details"]}["privateIPv4Address"] for task in tasks]
    assert shown == [task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"] for task in tasks]
    assert len(set(shown)) == 2
    assert all(address.startswith("127.") for address in shown)


def test_environment_is_image_then_definition_then_override_then_secrets(stage):
    stage.client("secretsmanager").create_secret(Name="url", SecretString="postgresql://secret")
    arn = stage.client("secretsmanager").describe_secret(SecretId="url")["ARN"]
    environment = [{"name": "FROM", "value": "definition"}, {"name": "PLAIN", "value": "definition"}]
    definition = stage.definition(
        "tells-environment", environment=environment, secrets=[{"name": "DATABASE_URL", "valueFrom": arn}]
    )
    override = {"name": "app", "environment": [{"name": "PLAIN", "value": "override"}]}
    stage.run(definition, overrides={"containerOverrides": [override]})
    (task,) = stage.stopped()
    lines = stage.until(lambda: stage.lines() if "/tmp" in stage.lines() else None)
    address = task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"]
    assert {"FROM=definition", "PLAIN=override", "DATABASE_URL=postgresql://secret", f"HOST={address}"} <= set(lines)


def test_command_override_and_exit_code(stage):
    override = {"name": "app", "command": ["sh", "-c", "echo one-off; exit 7"]}
    stage.run(stage.definition(), overrides={"containerOverrides": [override]}, startedBy="deployer")
    (task,) = stage.stopped()
    assert (task["stopCode"], task["stoppedReason"]) == (
        "EssentialContainerExited",
        "Essential container in task exited",
    )
    assert (task["containers"][0]["exitCode"], task["startedBy"]) == (7, "deployer")
    stage.until(lambda: stage.lines() == ["one-off"])


def test_output_is_one_event_a_line_in_the_tasks_stream(stage):
    override = {"name": "app", "command": ["sh", "-c", "printf 'first\\n\\n  second\\nno newline'"]}
    task = stage.run(stage.definition(), overrides={"containerOverrides": [override]})
    stage.until(lambda: len(stage.lines()) == 3)
    events = stage.logs.filter_log_events(logGroupName="/ecs/app")["events"]
    assert [event["message"] for event in events] == ["first", "  second", "no newline"]
    assert {event["logStreamName"] for event in events} == {f"ecs/app/{task['taskArn'].rpartition('/')[2]}"}


def test_sigterm_ends_a_task_that_listens(stage):
    task = stage.run(stage.definition())
    stage.until(lambda: stage.tasks()[0]["lastStatus"] == "RUNNING")
    answer = stage.ecs.stop_task(cluster="main", task=task["taskArn"], reason="by hand")["task"]
    assert (answer["desiredStatus"], answer["stopCode"], answer["stoppedReason"]) == (
        "STOPPED",
        "UserInitiated",
        "by hand",
    )
    (task,) = stage.stopped()
    assert task["containers"][0]["exitCode"] == 143
    assert task["stoppingAt"] <= task["executionStoppedAt"] <= task["stoppedAt"]


def test_137_may_be_sigkill_after_the_stop_timeout(stage):
    task = stage.run(stage.definition("ignores-sigterm", stopTimeout=6))
    stage.until(lambda: "deaf" in stage.lines())
    stopping = time.monotonic()
    stage.ecs.stop_task(cluster="main", task=task["taskArn"])
    (task,) = stage.stopped()
    assert task["containers"][0]["exitCode"] == 137
    assert time.monotonic() - stopping >= stage.lab.durations.task_stop_timeout * 6 / 30


def test_children_of_a_task_end_with_it(stage):
    stage.push("forks", "import os, subprocess\nc = subprocess.Popen(['sleep', '600'])\nprint(c.pid, flush=True)")
    stage.run(stage.definition("forks"))
    stage.stopped()
    child = int(stage.until(stage.lines)[0])
    assert stage.until(lambda: not alive(child))


def test_a_task_outlives_its_log_group(stage):
    stage.push("talks", "import time\nwhile True: print('here', flush=True); time.sleep(0.01)")
    task = stage.run(stage.definition("talks"))
    stage.until(stage.lines)
    stage.logs.delete_log_group(logGroupName="/ecs/app")
    time.sleep(0.2)
    assert process_of(stage, task).poll() is None
    assert stage.tasks()[0]["lastStatus"] == "RUNNING"


MISSING = {
    "image": (
        {"tag": "no-such-tag"},
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref ",
    ),
    "log group": (
        {"group": "/ecs/none"},
        "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create "
        "Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist.",
    ),
    "secret": (
        {"secrets": [{"name": "X", "valueFrom": "arn:aws:secretsmanager:eu-west-3:123456789012:secret:none-AbCdEf"}]},
        "ResourceInitializationError: unable to pull secrets or registry auth: ",
    ),
    "program": ({"command": ["no-such-program"]}, "CannotStartContainerError: "),
    "directory": ({"workingDirectory": "/no/such"}, "CannotStartContainerError: "),
}


@pytest.mark.parametrize(("definition", "reason"), MISSING.values(), ids=MISSING.keys())
def test_what_is_missing_keeps_a_task_from_starting(stage, definition, reason):
    stage.run(stage.definition(**definition))
    (task,) = stage.stopped()
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith(reason)
    assert "startedAt" not in task
    assert "exitCode" not in task["containers"][0]


def test_list_tasks_defaults_to_desired_status_running(stage):
    running, stopped = stage.run(stage.definition(), startedBy="me"), stage.run(stage.definition())
    stage.ecs.stop_task(cluster="main", task=stopped["taskArn"])
    listed = stage.ecs.list_tasks
    assert listed(cluster="main")["taskArns"] == [running["taskArn"]]
    assert listed(cluster="main", desiredStatus="STOPPED")["taskArns"] == [stopped["taskArn"]]
    assert listed(cluster="main", desiredStatus="PENDING")["taskArns"] == []
    assert listed(cluster="main", startedBy="me")["taskArns"] == [running["taskArn"]]
    assert listed(cluster="main", family="other")["taskArns"] == []
    assert refusal(listed, cluster="main", startedBy="me", family="app")[0] == "InvalidParameterException"
    assert refusal(listed, cluster="main", serviceName="none")[0] == "ServiceNotFoundException"


def test_a_task_stopped_before_its_process_ran_never_runs_it(stage):
    task = stage.run(stage.definition())
    stage.ecs.stop_task(cluster="main", task=task["taskArn"])
    (task,) = stage.stopped()
    time.sleep(stage.lab.durations.task_provisioning + stage.lab.durations.task_pull)
    assert process_of(stage, task) is None
    assert stage.lines() == []


def test_unknown_tasks_are_missing(stage):
    answer = stage.ecs.describe_tasks(cluster="main", tasks=["none"])
    assert answer["failures"] == [{"arn": "arn:aws:ecs:eu-west-3:123456789012:task/main/none", "reason": "MISSING"}]
    code, message = refusal(stage.ecs.stop_task, cluster="main", task="none")
    assert (code, message) == ("InvalidParameterException", "The referenced task was not found.")


def test_run_task_refuses_what_fargate_refuses(stage):
    definition = stage.definition()
    code, message = refusal(stage.ecs.run_task, cluster="main", taskDefinition=definition, launchType="FARGATE")
    assert (code, message.partition(" must")[0]) == ("InvalidParameterException", "Network Configuration")
    with pytest.raises(stage.ecs.exceptions.InvalidParameterException, match="Override for container named web is not"):
        stage.run(definition, overrides={"containerOverrides": [{"name": "web"}]})
    stage.ecs.deregister_task_definition(taskDefinition=definition)
    with pytest.raises(stage.ecs.exceptions.ClientException, match="TaskDefinition is inactive"):
        stage.run(definition)
