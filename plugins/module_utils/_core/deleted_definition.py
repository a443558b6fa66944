# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a task definition that was deleted can be registered again, as far as its content is known. Pure.

While a task or a service is made of it AWS goes on telling its content (DELETE_IN_PROGRESS); then it tells nothing any more. A service revision has its
images and its network, but neither its environment nor its secrets. What else has its content is a copy that a run has registered.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

# What DescribeTaskDefinition tells and RegisterTaskDefinition does not take (botocore's shapes of the two).
NOT_REGISTERED = (
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
    "deleteRequestedAt",
)
UNKNOWN = (
    "AWS tells nothing of the content of %s any more, and no copy of it is there: a service revision has its images, but neither its environment nor its "
    "secrets. Register it again from where it came (the pipeline, or the infrastructure's code), then name that in rollback_task_definition."
)


def register_command(content: dict[str, Any], without: Iterable[str] = ()) -> str:
    """The command that registers the content of a task definition again, as a new revision of its family.

    :param content: what DescribeTaskDefinition tells as ``taskDefinition``.
    :param without: ids of versions of secrets that its references are to name no longer.
    """
    keys = ",".join("%s:%s" % (key, key) for key in sorted(content) if key not in NOT_REGISTERED)
    name = "%s:%s" % (content["family"], content["revision"])
    command = "aws ecs describe-task-definition --task-definition %s --query 'taskDefinition.{%s}' --output json" % (
        name,
        keys,
    )
    for version in without:
        command += " | sed 's/::%s\"/::\"/'" % version
    return 'aws ecs register-task-definition --cli-input-json "$(%s)"' % command


def how_again(name: str, content: dict[str, Any] | None = None, copy: dict[str, Any] | None = None) -> str:
    """What can be done about a task definition that was deleted (str).

    :param name: family:revision of it.
    :param content: its content, where AWS still tells it.
    :param copy: the content of a copy that a run has registered, where there is one.
    """
    then = "Then name what that gives: -e rollback_task_definition=FAMILY:REVISION."
    if content:
        return "This registers %s again, while AWS still tells its content: %s  %s" % (
            name,
            register_command(content),
            then,
        )
    if copy:
        pins = pinned_in(copy)
        told = ", without the version of a secret that was pinned in it" if pins else ""
        return "%s:%s is a copy of it, which a run has registered. This registers it again%s: %s  %s" % (
            copy["family"],
            copy["revision"],
            told,
            register_command(copy, pins),
            then,
        )
    return UNKNOWN % name


def pinned_in(content: dict[str, Any]) -> tuple[str, ...]:
    """The ids of the versions of secrets that the containers of a task definition pin (tuple of str)."""
    texts = [item["valueFrom"] for one in content["containerDefinitions"] for item in one.get("secrets", ())]
    parts = [text.split(":") for text in texts]  # arn:…:secret:NAME:key:stage:version
    return tuple(sorted({one[9] for one in parts if one[2:3] == ["secretsmanager"] and len(one) == 10} - {""}))
