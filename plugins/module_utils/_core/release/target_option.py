# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the operator may name as a target, for all services or for each, and what of it has to be pinned. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecr import NOT_ECR, OTHER_REGION
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.value_checks import TARGET_FORM

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecr import Image
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.task_definition import TaskDefinition

FORM = "Write family:revision (like spymeo-app:41), an ARN, an image digest (sha256:…), or an image tag (like 1.4.2), in quotes."


def named_targets(option: Any, services: Sequence[str]) -> dict[str, str]:
    """What the operator named, by service.

    :param option: None or empty, a string for all services, or a dict service → string.
    :param services: the names of all services.
    :return: dict service → string; services without a target are left out.
    :raises BadInput: a bare number (AWX and YAML make one of ``41`` and ``1.1``), another form, or an unknown service.
    """
    if option is None or option == "":
        return {}
    if not isinstance(option, dict):
        _refuse_other_forms(option)
        return dict.fromkeys(services, option)
    for service, target in option.items():
        if service not in services:
            raise BadInput("task_definition", service, "it names a service that is not in rollback_services")
        _refuse_other_forms(target)
    return {service: option[service] for service in services if service in option}


def _refuse_other_forms(target: Any) -> None:
    if not isinstance(target, str):
        problem = "a bare %s names no task definition" % type(target).__name__
    elif not TARGET_FORM.match(target):
        problem = "it does not say which revision"
    else:
        return
    raise BadInput("task_definition", target, problem, FORM)


def moved_images(
    target: TaskDefinition, recorded: Mapping[str, str], images: Mapping[str, Image], sure: bool = True
) -> tuple[tuple[str, str], ...]:
    """What has to be pinned so that ``target`` runs what it ran: (image reference, reference by digest) of each moved tag.

    :param target: TaskDefinition.
    :param recorded: image reference → digest, as AWS has recorded it.
    :param images: image reference → Image of ECR as it is today.
    :param sure: whether what nobody tells of today counts as not moved. Where what runs shows that the tag was moved, it does not.
    """
    moved = []
    for reference in target.images:
        today, then = images.get(reference), recorded.get(reference)
        if not then or "@" in reference:
            continue
        known = today if today and today.status not in (NOT_ECR, OTHER_REGION) else None
        if (known.digest != then) if known else not sure:
            moved.append((reference, "%s@%s" % (_without_tag(reference), then)))
    return tuple(moved)


def _without_tag(reference: str) -> str:
    path, slash, last = reference.partition("@")[0].rpartition("/")
    return path + slash + last.partition(":")[0]
