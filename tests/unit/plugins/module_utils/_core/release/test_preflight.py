# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecr import Image
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import (
    Service,
    ServiceDeployment,
    Strategy,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.finding import Finding
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.preflight import (
    LogGroup,
    NotRead,
    ReleaseObservation,
    ReleaseTarget,
    TaskDefinitionNeeds,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.secrets import Secret, SecretVersion
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.findings import (
    finding_line,
    summary,
    verdict,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.preflight import (
    pinned,
    references,
    release_findings,
)
from hypothesis import given
from hypothesis import strategies as st

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
IMAGE = "123456789012.dkr.ecr.eu-west-3.amazonaws.com/app:1"
ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64
EXECUTION, TASK = "arn:aws:iam::123456789012:role/execution", "arn:aws:iam::123456789012:role/task"
SECRET = "arn:aws:secretsmanager:eu-west-3:123456789012:secret:app/key-AbCdEf"
KEYED = f"{SECRET}:KEY::"
GROUP, CREATED = LogGroup("/ecs/app", "eu-west-3"), LogGroup("/ecs/made", "eu-west-3", created=True)
APP = Service("app", "ACTIVE", "ECS", "arn/app:2", 2, 2, (), ())
DENIED = NotRead("these credentials may not call it", "Allow it.")
DEFINITION = TaskDefinitionNeeds("arn/app:1", "ACTIVE", (IMAGE,), EXECUTION, TASK, (GROUP,), (KEYED, "/app/name"))
CURRENT = SecretVersion("v2", ("AWSCURRENT",), NOON)
HEALTHY_SECRET = Secret(
    "app/key", SECRET, NOON, (CURRENT, SecretVersion("v1", ("AWSPREVIOUS",), NOON), SecretVersion("v0", (), NOON))
)
TARGET = ReleaseTarget(APP, DEFINITION)
READ = {
    "images": {IMAGE: Image(IMAGE, "app", ONE, "ACTIVE")},
    "roles": {EXECUTION: EXECUTION, TASK: TASK},
    "log_groups": {GROUP: True},
    "secrets": {SECRET: HEALTHY_SECRET},
    "keys": {KEYED: "found"},
    "parameters": {"/app/name": True},
}


def look(target=TARGET, restored=(), **changes):
    """The findings of a healthy target with some readings changed."""
    seen = {name: {**readings, **changes.get(name, {})} for name, readings in READ.items()}
    return release_findings(ReleaseObservation("eu-west-3", {"app": target}, frozenset(restored), **seen))


def not_passed(target=TARGET, **changes):
    return [(item.check, item.verdict) for item in look(target, **changes) if item.verdict != "passed"]


def needing(**changes):
    """The target with another task definition."""
    return replace(TARGET, definition=replace(DEFINITION, **changes))


def with_secret(text, **changes):
    """The findings of secrets that are not passed, for a target whose only secret is named ``text``."""
    return not_passed(needing(secrets=(text,)), **changes)


def image(status, digest=None):
    return {IMAGE: Image(IMAGE, "app", digest, status)}


def test_a_healthy_target_passes_every_check_and_says_so():
    found = look()
    assert [item.check for item in found] == [
        "service",
        "deployment_controller",
        "desired_count",
        "deployment",
        "task_definition",
        "image",
        "execution_role",
        "task_role",
        "log_group",
        "secret",
        "parameter",
    ]
    assert (verdict(found), {item.services for item in found}) == ("passed", {("app",)})
    assert summary(found) == "of 11 checks, 11 passed"


def deployment(status, revision):
    return ServiceDeployment("d/1", status, "", NOON, f"arn/app:{revision}")


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (replace(TARGET, service=replace(APP, status="INACTIVE")), ("service", "failed")),
        (replace(TARGET, service=replace(APP, controller="CODE_DEPLOY")), ("deployment_controller", "failed")),
        (replace(TARGET, service=replace(APP, controller="EXTERNAL")), ("deployment_controller", "failed")),
        (replace(TARGET, service=replace(APP, controller="NEWER")), ("deployment_controller", "failed")),
        (replace(TARGET, service=replace(APP, desired=0)), ("desired_count", "failed")),
        (replace(TARGET, under_way=(deployment("IN_PROGRESS", 2),)), ("deployment", "noted")),
        (needing(status="INACTIVE"), ("task_definition", "noted")),
    ],
)
def test_finds_the_one_thing_that_is_wrong_with_the_service(target, expected):
    assert not_passed(target) == [expected]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"images": image("MISSING")}, ("image", "failed")),
        ({"images": image("ARCHIVED", ONE)}, ("image", "failed")),
        ({"images": image("ACTIVATING", ONE)}, ("image", "failed")),
        ({"images": image("NOT_ECR")}, ("image", "inconclusive")),
        ({"images": image("OTHER_REGION")}, ("image", "inconclusive")),
        ({"images": {IMAGE: DENIED}}, ("image", "inconclusive")),
        ({"roles": {EXECUTION: None}}, ("execution_role", "failed")),
        ({"roles": {TASK: None}}, ("task_role", "failed")),
        ({"roles": {TASK: TASK.replace("role/", "role/other/")}}, ("task_role", "failed")),
        ({"roles": {TASK: DENIED}}, ("task_role", "inconclusive")),
        ({"log_groups": {GROUP: False}}, ("log_group", "failed")),
        ({"log_groups": {GROUP: DENIED}}, ("log_group", "inconclusive")),
        ({"parameters": {"/app/name": False}}, ("parameter", "failed")),
        ({"parameters": {"/app/name": DENIED}}, ("parameter", "inconclusive")),
        ({"secrets": {SECRET: None}}, ("secret", "failed")),
        ({"secrets": {SECRET: replace(HEALTHY_SECRET, deleted=NOON)}}, ("secret", "failed")),
        ({"secrets": {SECRET: DENIED}}, ("secret", "inconclusive")),
        ({"keys": {KEYED: DENIED}}, ("secret", "inconclusive")),
        ({"keys": {KEYED: "no key"}}, ("secret", "failed")),
        ({"keys": {KEYED: "no JSON"}}, ("secret", "failed")),
        ({"keys": {KEYED: "no version"}}, ("secret", "failed")),
    ],
)
def test_finds_the_one_thing_that_is_wrong(changes, expected):
    assert not_passed(**changes) == [expected]


def test_a_deployment_of_the_target_itself_is_ours():
    assert not_passed(replace(TARGET, under_way=(deployment("PENDING", 1),))) == []


def test_a_log_group_that_the_first_task_creates_is_a_note():
    assert not_passed(needing(log_groups=(CREATED,)), log_groups={CREATED: False}) == [("log_group", "noted")]


def test_a_role_may_be_given_by_its_name():
    target = needing(execution_role="execution", task_role=None)
    assert not_passed(target, roles={"execution": EXECUTION}) == []


def test_an_environment_file_is_never_passed():
    target = needing(environment_files=("arn:aws:s3:::bucket/app.env",))
    assert not_passed(target) == [("environment_file", "inconclusive")]


@pytest.mark.parametrize(
    ("today", "then", "expected"),
    [
        (("ACTIVE", ONE), None, []),
        (("ACTIVE", TWO), ("ACTIVE", ONE), [("image", "noted")]),
        (("MISSING", None), ("ACTIVE", ONE), [("image", "noted")]),
        (("ACTIVE", TWO), ("MISSING", None), [("image", "failed")]),
        (("ACTIVE", TWO), ("ARCHIVED", ONE), [("image", "failed")]),
        (("MISSING", None), ("MISSING", None), [("image", "failed")]),
        (("NOT_ECR", None), ("NOT_ECR", None), [("image", "inconclusive")]),
    ],
)
def test_what_a_tag_meant_when_it_was_deployed_has_to_be_there(today, then, expected):
    images = image(*today)
    if then:
        images[pinned(IMAGE, ONE)] = Image(pinned(IMAGE, ONE), "app", then[1], then[0])
    assert not_passed(replace(TARGET, recorded={IMAGE: ONE}), images=images) == expected


def test_the_recorded_image_is_asked_for_by_its_digest():
    assert references(DEFINITION, {IMAGE: ONE}) == [IMAGE, f"{IMAGE[:-2]}@{ONE}"]
    assert references(DEFINITION, {}) == [IMAGE]
    assert pinned("localhost:5000/app", ONE) == f"localhost:5000/app@{ONE}"
    assert pinned(f"app:1@{TWO}", ONE) == f"app@{ONE}"


@pytest.mark.parametrize(
    ("suffix", "expected"),
    [
        ("", []),
        ("::AWSCURRENT:", []),
        ("::AWSPREVIOUS:", []),
        ("::release-1:", [("secret", "failed")]),
        (":::v1", []),
        (":::v0", []),
        (":::v9", [("secret", "failed")]),
        ("::AWSCURRENT:v2", []),
        ("::AWSCURRENT:v1", [("secret", "failed")]),
        (":KEY", [("secret", "failed")]),
    ],
)
def test_the_version_and_stage_of_a_reference_have_to_be_there(suffix, expected):
    assert with_secret(SECRET + suffix) == expected


def test_a_secret_without_a_current_version_cannot_be_read():
    secret = replace(HEALTHY_SECRET, versions=(SecretVersion("v1", ("AWSPREVIOUS",), NOON),))
    assert with_secret(SECRET, secrets={SECRET: secret}) == [("secret", "failed")]


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        ((CURRENT, SecretVersion("v3", ("AWSPENDING",), NOON)), [("rotation", "failed")]),
        ((SecretVersion("v2", ("AWSCURRENT", "AWSPENDING"), NOON),), []),
    ],
)
def test_a_rotation_is_under_way_while_pending_is_apart_from_current(versions, expected):
    assert not_passed(secrets={SECRET: replace(HEALTHY_SECRET, versions=versions)}) == expected


@pytest.mark.parametrize(
    ("restored", "suffix", "expected"),
    [
        ("app/key", ":KEY::", "noted"),
        (SECRET, ":KEY::", "noted"),
        ("app/key", ":KEY:AWSCURRENT:", "noted"),
        ("app/key", ":KEY::v1", "failed"),
        ("app/key", ":KEY:AWSPREVIOUS:", "failed"),
        ("app/other", ":KEY::", "failed"),
    ],
)
def test_what_the_run_itself_brings_back_is_no_failure(restored, suffix, expected):
    text = SECRET + suffix
    assert with_secret(text, keys={text: "no key"}, restored=[restored]) == [("secret", expected)]


@pytest.mark.parametrize(
    ("restored", "suffix", "expected"),
    [
        ("app/key", ":KEY::v1", [("secret", "noted")]),
        (SECRET, ":::v1", [("secret", "noted")]),
        ("app/key", ":KEY:AWSPREVIOUS:", [("secret", "noted")]),
        ("app/key", ":KEY:AWSCURRENT:", []),
        ("app/other", ":KEY::v1", []),
    ],
)
def test_a_version_that_is_pinned_is_not_reached_by_what_the_run_brings_back(restored, suffix, expected):
    text = SECRET + suffix
    assert with_secret(text, keys={text: "found"}, restored=[restored]) == expected


def test_a_secret_that_may_not_be_described_may_still_be_read():
    found = look(secrets={SECRET: DENIED})
    assert [(item.check, item.verdict) for item in found if item.check == "secret"] == [
        ("secret", "inconclusive"),
        ("secret", "passed"),
    ]
    assert verdict(found) == "inconclusive"


def test_what_several_services_need_is_told_once():
    targets = {"app": TARGET, "job": replace(TARGET, service=replace(APP, name="job"))}
    seen = {**READ, "roles": {EXECUTION: None, TASK: TASK}}
    found = release_findings(ReleaseObservation("eu-west-3", targets, **seen))
    assert [(item.check, item.services) for item in found if item.verdict == "failed"] == [
        ("execution_role", ("app", "job"))
    ]


def test_all_failures_are_told_at_once_and_first():
    found = look(images=image("MISSING"), roles={EXECUTION: None, TASK: DENIED}, log_groups={GROUP: False})
    assert [item.verdict for item in found][:4] == ["failed", "failed", "failed", "inconclusive"]
    assert (verdict(found), summary(found)) == ("failed", "of 11 checks, 3 failed, 1 could not be made, 7 passed")
    assert finding_line(found[0]) == (
        f"image {IMAGE}: ECR has no such image. Push it again, or name another target in rollback_task_definition."
    )


@pytest.mark.parametrize(
    ("strategy", "since", "expected"),
    [
        (Strategy(), None, []),
        (Strategy("BLUE_GREEN", 300.0), None, [("bake_time", "noted")]),
        (Strategy("CANARY", 3900.0), None, [("bake_time", "failed")]),
        (
            Strategy("BLUE_GREEN", 0.0, (("POST_SCALE_UP", 30, "ROLLBACK"),)),
            None,
            [("bake_time", "noted"), ("lifecycle_hook", "noted")],
        ),
        (Strategy("CANARY", 3900.0), NOON, []),  # it runs its target, and is not deployed
    ],
)
def test_a_deployment_that_bakes_longer_than_the_wait_is_a_failure(strategy, since, expected):
    assert not_passed(replace(TARGET, service=replace(APP, strategy=strategy), since=since)) == expected


LATER = datetime(2026, 11, 22, 13, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("since", "changed", "restored", "verdicts"),
    [
        (None, NOON, (), {"failed"}),
        (LATER, NOON, (), {"noted"}),
        (NOON, LATER, (), {"failed"}),
        (LATER, NOON, ("app/key",), {"failed"}),
        (LATER, NOON, ("app/other",), {"noted"}),
    ],
)
def test_what_a_service_lacks_that_will_not_be_deployed_is_a_note(since, changed, restored, verdicts):
    secret = replace(HEALTHY_SECRET, changed=changed)
    gone = dict(images=image("MISSING"), roles={EXECUTION: None}, secrets={SECRET: secret})
    found = look(replace(TARGET, since=since), restored=restored, **gone)
    assert {item.verdict for item in found if item.check in ("image", "execution_role")} == verdicts


READINGS = [
    {"images": {IMAGE: DENIED}},
    {"roles": {EXECUTION: DENIED}},
    {"roles": {TASK: DENIED}},
    {"log_groups": {GROUP: DENIED}},
    {"secrets": {SECRET: DENIED}},
    {"keys": {KEYED: DENIED}},
    {"parameters": {"/app/name": DENIED}},
]


@given(st.lists(st.sampled_from(READINGS), min_size=1))
def test_what_could_not_be_read_is_never_passed(chosen):
    changes = {}
    for change in chosen:
        for name, readings in change.items():
            changes.setdefault(name, {}).update(readings)
    assert verdict(look(**changes)) == "inconclusive"


@given(st.lists(st.sampled_from(["passed", "failed", "noted", "inconclusive"])))
def test_the_verdict_is_passed_only_without_failures_and_gaps(verdicts):
    found = [Finding("image", str(number), word, "") for number, word in enumerate(verdicts)]
    assert (verdict(found) == "passed") == (not {"failed", "inconclusive"} & set(verdicts))
    assert (verdict(found) == "failed") == ("failed" in verdicts)


@pytest.mark.parametrize(
    ("left", "restored", "told"),
    [
        (NOON - timedelta(minutes=5), (), True),  # the value came after another release had taken over
        (NOON + timedelta(minutes=5), (), False),
        (None, (), False),  # it stays, or nothing came after it
        (NOON - timedelta(minutes=5), ("app/key",), False),  # this run brings an earlier one back
        (NOON - timedelta(minutes=5), (SECRET[:-7],), False),  # named by its partial ARN
    ],
)
def test_a_value_that_came_after_the_release_had_served_is_told(left, restored, told):
    found = look(replace(TARGET, left=left), restored)
    assert [item.verdict for item in found if "another value" in item.what] == (["noted"] if told else [])
