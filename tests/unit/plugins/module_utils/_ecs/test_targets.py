# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What an operator may name, what a moved tag means, and what a diff shows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._ecr.state import Image
from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.contents import contents
from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.state import (
    Container,
    ServiceDeployment,
    TaskDefinition,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.targets import (
    deployed_with,
    moved_images,
    named_targets,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._errors import BadInput

START = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
DIGEST = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64
IMAGE = "123456789012.dkr.ecr.eu-west-3.amazonaws.com/app:1.0"
ARN = "arn:aws:ecs:eu-west-3:123456789012:task-definition/app:41"


@pytest.mark.parametrize(
    ("option", "targets"),
    [
        (None, {}),
        ("", {}),
        ("app:41", {"web": "app:41", "worker": "app:41"}),
        (ARN, {"web": ARN, "worker": ARN}),
        (DIGEST, {"web": DIGEST, "worker": DIGEST}),
        ({"worker": "app:41"}, {"worker": "app:41"}),
        ({"web": "app:41", "worker": DIGEST}, {"web": "app:41", "worker": DIGEST}),
        ({}, {}),
    ],
)
def test_a_target_holds_for_all_services_or_for_each(option, targets):
    assert named_targets(option, ["web", "worker"]) == targets


@pytest.mark.parametrize(
    "option", [41, 1.1, True, "41", "app", "1.0.0", "sha256:abc", "latest", {"web": 41}, {"web": "41"}, ["app:41"]]
)
def test_what_names_no_revision_is_refused_with_the_right_form(option):
    with pytest.raises(BadInput, match="family:revision"):
        named_targets(option, ["web"])


def test_a_mapping_to_an_unknown_service_is_refused():
    with pytest.raises(BadInput, match="not in rollback_services"):
        named_targets({"wep": "app:41"}, ["web"])


def deployed(number, revision, status="SUCCESSFUL", digest=DIGEST):
    at = START + timedelta(minutes=number)
    return ServiceDeployment("arn/%d" % number, status, "", at, revision, None, ((IMAGE, digest),))


def test_a_digest_means_what_was_last_deployed_with_it():
    history = [deployed(1, "app:1"), deployed(2, "app:2", digest=OTHER), deployed(3, "app:3")]
    assert deployed_with(history, DIGEST, "web") == "app:3"
    with pytest.raises(BadInput, match="never deployed"):
        deployed_with(history, "sha256:" + "c" * 64, "web")


TARGET = TaskDefinition("app:1", "ACTIVE", START, (Container("app", IMAGE),))
PINNED = "123456789012.dkr.ecr.eu-west-3.amazonaws.com/app@" + DIGEST


@pytest.mark.parametrize(
    ("history", "today", "moved"),
    [
        ([deployed(1, "app:1")], Image(IMAGE, "app", DIGEST, "ACTIVE"), ()),
        ([deployed(1, "app:1")], Image(IMAGE, "app", OTHER, "ACTIVE"), ((IMAGE, PINNED),)),
        ([deployed(1, "app:1")], Image(IMAGE, "app", None, "MISSING"), ((IMAGE, PINNED),)),
        ([deployed(1, "app:1")], Image(IMAGE, "app", None, "NOT_ECR"), ()),
        ([deployed(1, "app:1", "STOPPED")], Image(IMAGE, "app", OTHER, "ACTIVE"), ()),  # nothing was proven with it
        (
            [deployed(1, "app:1"), deployed(2, "app:1", digest=OTHER)],
            Image(IMAGE, "app", OTHER, "ACTIVE"),
            (),
        ),  # the newest counts
        ([], Image(IMAGE, "app", OTHER, "ACTIVE"), ()),
    ],
)
def test_a_tag_that_means_another_image_today_is_pinned(history, today, moved):
    assert moved_images(TARGET, history, {IMAGE: today}) == moved


def test_without_an_answer_of_ecr_nothing_is_pinned():
    assert moved_images(TARGET, [deployed(1, "app:1")], {}) == ()


def test_a_diff_shows_what_changes_and_no_secret():
    environment = (("NODE_ENV", "production"), ("API_KEY", "hunter2"), ("QUEUE", "amqp://user:hunter2@host"))
    secrets = (("DATABASE_URL", "arn:aws:secretsmanager:eu-west-3:123456789012:secret:db-AbCdEf"),)
    shown = contents(
        TaskDefinition("app:1", "ACTIVE", START, (Container("app", IMAGE, environment, secrets),)), [(IMAGE, DIGEST)]
    )
    assert shown["app"]["environment"]["NODE_ENV"] == "production"
    assert shown["app"]["digest"] == DIGEST
    assert shown["app"]["secrets"] == dict(secrets)
    assert "hunter2" not in str(shown)
    assert shown["app"]["environment"]["API_KEY"].startswith("hidden, fingerprint ")
