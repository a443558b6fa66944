# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a service revision holds, and what of a service's configuration changes when one comes back."""

from __future__ import annotations

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.service_revision import (
    CONFIGURATION,
    Revision,
    changes,
    same_images,
    tag_of,
)
from botocore.session import get_session

ECS = get_session().get_service_model("ecs")


def revision(**configuration):
    return Revision("r", "app:1", (("app:1.0", "sha256:a"),), configuration)


def network(*groups, subnets=("subnet-a",)):
    return {"awsvpcConfiguration": {"securityGroups": list(groups), "subnets": list(subnets)}}


def test_everything_that_a_service_revision_has_and_update_service_takes_comes_back():
    held = ECS.shape_for("ServiceRevision").members
    taken = ECS.operation_model("UpdateService").input_shape.members
    # How metrics are told is no part of what runs; the task definition is asked for by name.
    assert set(held) & set(taken) - {"taskDefinition", "monitoring"} == set(CONFIGURATION)


SPOT, ON_DEMAND = ({"capacityProvider": name, "weight": 1} for name in ("FARGATE_SPOT", "FARGATE"))
GROUP, OTHER = ({"targetGroupArn": name, "containerName": "app", "containerPort": 8080} for name in "ab")


@pytest.mark.parametrize(
    ("now", "then", "arguments", "told"),
    [
        ({}, {}, {}, ()),
        ({"networkConfiguration": network("a", "b")}, {"networkConfiguration": network("b", "a")}, {}, ()),
        (
            {"networkConfiguration": network("wrong", subnets=("x", "y"))},
            {"networkConfiguration": network("right", subnets=("y", "x"))},
            {"networkConfiguration": network("right", subnets=("y", "x"))},
            ("securityGroups: wrong -> right",),
        ),
        (
            {"capacityProviderStrategy": [SPOT]},
            {},
            {"capacityProviderStrategy": []},
            ('capacityProviderStrategy: [{"capacityProvider": "FARGATE_SPOT", "weight": 1}] -> none',),
        ),
        (
            {"platformVersion": "1.4.0"},
            {"platformVersion": "1.3.0"},
            {"platformVersion": "1.3.0"},
            ("platformVersion: 1.4.0 -> 1.3.0",),
        ),
        ({"platformVersion": "1.4.0"}, {}, {}, ()),  # it cannot be taken away
        ({"loadBalancers": [GROUP, OTHER]}, {"loadBalancers": [OTHER, GROUP]}, {}, ()),
        (
            {"serviceConnectConfiguration": {"enabled": True}},
            {},
            {"serviceConnectConfiguration": {"enabled": False}},
            ('serviceConnectConfiguration: {"enabled": true} -> none',),
        ),
    ],
)
def test_what_changes_is_asked_for_and_told_by_its_innermost_name(now, then, arguments, told):
    found = changes(revision(**now), revision(**then))
    assert (found.arguments, found.lines, bool(found)) == (arguments, told, bool(arguments))


def test_of_what_nothing_is_known_nothing_changes():
    assert not changes(revision(networkConfiguration=network("a")), Revision("", "app:1"))
    assert not changes(None, revision(networkConfiguration=network("a")))


@pytest.mark.parametrize(
    ("reference", "tag"),
    [
        ("host/app:1.4.2", "1.4.2"),
        ("host:5000/app", ""),
        ("host:5000/app:v1", "v1"),
        ("app@sha256:00", ""),
        ("app:1.4.2@sha256:00", "1.4.2"),
    ],
)
def test_the_tag_is_what_people_call_a_release(reference, tag):
    assert tag_of(reference) == tag


def test_images_are_compared_by_all_their_digests_and_not_where_one_is_not_known():
    def images(*digests):
        return Revision("r", "app:1", tuple((f"i{place}", digest) for place, digest in enumerate(digests)))

    assert same_images(images("a", "b"), images("b", "a")) is True
    assert same_images(images("a", "b"), images("a", "c")) is False
    assert same_images(images("a", ""), images("a", "b")) is None
    assert same_images(images(), images()) is None
