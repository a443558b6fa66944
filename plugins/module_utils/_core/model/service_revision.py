# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A service revision: what ran, whole. The task definition, what the tags of its images meant, and where its tasks stood. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

# What a service revision has and UpdateService takes (botocore's shapes of the two) → what takes it away again. The launch type comes back
# with an empty capacity provider strategy; the platform family is the task definition's own.
CONFIGURATION: dict[str, Any] = {
    "capacityProviderStrategy": [],
    "gatewayConnectors": [],
    "loadBalancers": [],
    "networkConfiguration": None,
    "platformVersion": None,
    "serviceConnectConfiguration": {"enabled": False},
    "serviceRegistries": [],
    "volumeConfigurations": [],
    "vpcLatticeConfigurations": [],
}


@dataclass(frozen=True)
class Revision:
    """A service revision. It never changes, except that its images get their digests once its first task has pulled them.

    ``images`` are (image reference, digest), the digest empty where AWS has none. ``configuration`` has the keys of CONFIGURATION that it
    has, in botocore's shapes; None where nothing is known of it.
    """

    arn: str
    task_definition: str
    images: tuple[tuple[str, str], ...] = ()
    configuration: dict[str, Any] | None = field(default=None, hash=False)
    created_at: datetime | None = None

    @classmethod
    def from_boto(cls, answer: dict[str, Any]) -> Revision:
        """From the shape ServiceRevision."""
        return cls(
            arn=answer["serviceRevisionArn"],
            task_definition=answer["taskDefinition"],
            images=tuple((item["image"], item.get("imageDigest", "")) for item in answer.get("containerImages", [])),
            configuration={name: answer[name] for name in CONFIGURATION if answer.get(name)},
            created_at=answer.get("createdAt"),
        )

    @property
    def digests(self) -> tuple[tuple[str, str], ...]:
        """(image reference, digest) of the images of which AWS has recorded one."""
        return tuple(pair for pair in self.images if pair[1])

    @property
    def references(self) -> frozenset[str]:
        """The image references (frozenset) without their digests."""
        return frozenset(reference.partition("@")[0] for reference, _digest in self.images)

    @property
    def image_set(self) -> frozenset[str] | None:
        """The digests (frozenset) when all of them are known, else None."""
        known = frozenset(digest for _reference, digest in self.images)
        return known if known and "" not in known else None

    @property
    def names(self) -> tuple[str, ...]:
        """The tags of its images: what people call the release."""
        return tuple(dict.fromkeys(filter(None, (tag_of(reference) for reference, _digest in self.images))))


def tag_of(reference: str) -> str:
    """The tag of an image reference; empty where it has none (``repository@sha256:…``)."""
    return reference.partition("@")[0].rpartition("/")[2].partition(":")[2]


def same_images(one: Revision, other: Revision) -> bool | None:
    """Whether two Revisions run the same images; None where that is not known."""
    if one.image_set is None or other.image_set is None:
        return None
    return one.image_set == other.image_set


@dataclass(frozen=True)
class ConfigurationChanges:
    """How the configuration of a service changes. ``arguments`` are for UpdateService, ``lines`` are for people."""

    arguments: dict[str, Any] = field(default_factory=dict, hash=False)
    lines: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.arguments)


def changes(now: Revision | None, then: Revision | None) -> ConfigurationChanges:
    """The ConfigurationChanges from Revision ``now`` to Revision ``then``; none where of one of them nothing is known."""
    if now is None or then is None or now.configuration is None or then.configuration is None:
        return ConfigurationChanges()
    arguments, told = {}, []
    for name, nothing in CONFIGURATION.items():
        before, after = now.configuration.get(name), then.configuration.get(name)
        if _canonical(before) == _canonical(after) or (after is None and nothing is None):
            continue
        arguments[name] = nothing if after is None else after
        told += _lines(name, before, after)
    return ConfigurationChanges(arguments, tuple(told))


def _canonical(value: Any) -> Any:
    """Without the order of lists, which AWS does not keep: security groups, subnets, load balancers."""
    if isinstance(value, dict):
        return {key: _canonical(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return sorted(
            (_canonical(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True, default=str)
        )
    return value


def _lines(name: str, before: Any, after: Any) -> list[str]:
    """What changes, by the innermost names: ``networkConfiguration.awsvpcConfiguration.securityGroups`` is ``securityGroups``."""
    if isinstance(before, dict) and isinstance(after, dict):
        keys = [key for key in {**before, **after} if _canonical(before.get(key)) != _canonical(after.get(key))]
        return [line for key in keys for line in _lines(key, before.get(key), after.get(key))]
    return ["%s: %s -> %s" % (name, _shown(before), _shown(after))]


def _shown(value: Any) -> str:
    if not value:
        return "none"
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(sorted(value))
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)


def configured_values(revision: Revision | None, change: ConfigurationChanges) -> dict[str, Any]:
    """Of what ``change`` changes, what a Revision has (JSON types), for a diff."""
    if revision is None or revision.configuration is None:
        return {}
    return {name: revision.configuration.get(name) for name in change.arguments}
