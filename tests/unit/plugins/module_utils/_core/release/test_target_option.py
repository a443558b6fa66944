# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What an operator may name, what a moved tag means, and what a diff shows."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecr import Image
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.task_definition import (
    Container,
    TaskDefinition,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.contents import contents
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.target_option import (
    moved_images,
    named_targets,
)

START = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
DIGEST = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64
IMAGE = "123456789012.dkr.ecr.eu-west-3.amazonaws.com/app:1.0"
REVISION = "arn:aws:ecs:eu-west-3:123456789012:service-revision/production/web/4980306466373577095"
ARN = "arn:aws:ecs:eu-west-3:123456789012:task-definition/app:41"


@pytest.mark.parametrize(
    ("option", "targets"),
    [
        (None, {}),
        ("", {}),
        ("app:41", {"web": "app:41", "worker": "app:41"}),
        (ARN, {"web": ARN, "worker": ARN}),
        ("1.0.0", {"web": "1.0.0", "worker": "1.0.0"}),
        ("v2", {"web": "v2", "worker": "v2"}),
        (REVISION, {"web": REVISION, "worker": REVISION}),
        (DIGEST, {"web": DIGEST, "worker": DIGEST}),
        ({"worker": "app:41"}, {"worker": "app:41"}),
        ({"web": "app:41", "worker": DIGEST}, {"web": "app:41", "worker": DIGEST}),
        ({}, {}),
    ],
)
def test_a_target_holds_for_all_services_or_for_each(option, targets):
    assert named_targets(option, ["web", "worker"]) == targets


@pytest.mark.parametrize(
    "option", [41, 1.1, True, "41", "app", "sha256:abc", "latest", {"web": 41}, {"web": "41"}, ["app:41"]]
)
def test_what_names_no_revision_is_refused_with_the_right_form(option):
    with pytest.raises(BadInput, match="family:revision"):
        named_targets(option, ["web"])


def test_a_mapping_to_an_unknown_service_is_refused():
    with pytest.raises(BadInput, match="not in rollback_services"):
        named_targets({"wep": "app:41"}, ["web"])


TARGET = TaskDefinition("app:1", "ACTIVE", START, (Container("app", IMAGE),))
PINNED = "123456789012.dkr.ecr.eu-west-3.amazonaws.com/app@" + DIGEST


@pytest.mark.parametrize(
    ("recorded", "today", "sure", "moved"),
    [
        (DIGEST, Image(IMAGE, "app", DIGEST, "ACTIVE"), True, ()),
        (DIGEST, Image(IMAGE, "app", OTHER, "ACTIVE"), True, ((IMAGE, PINNED),)),
        (DIGEST, Image(IMAGE, "app", None, "MISSING"), True, ((IMAGE, PINNED),)),
        (DIGEST, Image(IMAGE, "app", None, "NOT_ECR"), True, ()),
        (DIGEST, None, True, ()),  # ECR may not be asked
        # What runs shows that the tag was moved: what nobody tells of today does not count as not moved.
        (DIGEST, Image(IMAGE, "app", None, "NOT_ECR"), False, ((IMAGE, PINNED),)),
        (DIGEST, None, False, ((IMAGE, PINNED),)),
        (DIGEST, Image(IMAGE, "app", DIGEST, "ACTIVE"), False, ()),
        ("", Image(IMAGE, "app", OTHER, "ACTIVE"), True, ()),  # nothing was proven with it
    ],
)
def test_a_tag_that_means_another_image_today_is_pinned(recorded, today, sure, moved):
    images = {IMAGE: today} if today else {}
    assert moved_images(TARGET, {IMAGE: recorded} if recorded else {}, images, sure) == moved


def test_what_is_pinned_already_is_not_pinned_again():
    pinned = TaskDefinition("app:2", "ACTIVE", START, (Container("app", PINNED),))
    assert moved_images(pinned, {PINNED: DIGEST}, {}, sure=False) == ()


def test_a_diff_shows_what_changes_and_no_secret():
    environment = (("NODE_ENV", "production"), ("API_KEY", "hunter2"), ("QUEUE", "amqp://user:hunter2@host"))
    secrets = (("DATABASE_URL", "arn:aws:secretsmanager:eu-west-3:123456789012:secret:db-AbCdEf"),)
    shown = contents(
        TaskDefinition("app:1", "ACTIVE", START, (Container("app", IMAGE, environment, secrets),)), {IMAGE: DIGEST}
    )
    assert shown["app"]["environment"]["NODE_ENV"] == "production"
    assert shown["app"]["digest"] == DIGEST
    assert shown["app"]["secrets"] == dict(secrets)
    assert "hunter2" not in str(shown)
    assert shown["app"]["environment"]["API_KEY"].startswith("hidden, fingerprint ")
