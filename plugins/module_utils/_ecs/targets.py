# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the operator may name as a target: a task definition or an image digest, for all services or for each. Pure."""

from __future__ import annotations

from ansible_collections.spymeo.rollback.plugins.module_utils._ecr.state import NOT_ECR, OTHER_REGION
from ansible_collections.spymeo.rollback.plugins.module_utils._errors import BadInput
from ansible_collections.spymeo.rollback.plugins.module_utils._run.inputs import TARGET_FORM

FORM = "Write family:revision (like spymeo-app:41), an ARN, or an image digest (sha256:…), in quotes."


def named_targets(option, services):
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


def _refuse_other_forms(target):
    if not isinstance(target, str):
        problem = "a bare %s names no task definition" % type(target).__name__
    elif not TARGET_FORM.match(target):
        problem = "it does not say which revision"
    else:
        return
    raise BadInput("task_definition", target, problem, FORM)


def is_digest(target):
    """Whether a target is an image digest."""
    return target.startswith("sha256:")


def deployed_with(history, digest, service):
    """The ARN of the task definition that was last deployed with the image ``digest``.

    :raises BadInput: none was, in the history that AWS keeps.
    """
    found = [item for item in history if digest in (value for _image, value in item.digests)]
    if not found:
        raise BadInput("task_definition", digest, "%s was never deployed with this image in the last 90 days" % service)
    return max(found, key=lambda item: item.created_at).task_definition


def recorded_digests(target, history):
    """What the tags of ``target`` (TaskDefinition) meant when it last served: image reference → digest.

    :param history: ServiceDeployments in any order.
    """
    of_target = [item for item in history if item.task_definition == target.arn and item.status == "SUCCESSFUL"]
    return dict(max(of_target, key=lambda item: item.created_at).digests) if of_target else {}


def moved_images(target, history, images):
    """What has to be pinned so that ``target`` runs what it ran: (image reference, reference by digest) of each moved tag.

    :param target: TaskDefinition.
    :param history: ServiceDeployments in any order.
    :param images: image reference → Image of ECR as it is today.
    """
    recorded, moved = recorded_digests(target, history), []
    for reference in target.images:
        today, then = images.get(reference), recorded.get(reference)
        if then and today and today.status not in (NOT_ECR, OTHER_REGION) and today.digest != then:
            moved.append((reference, "%s@%s" % (_without_tag(reference), then)))
    return tuple(moved)


def _without_tag(reference):
    path, slash, last = reference.partition("@")[0].rpartition("/")
    return path + slash + last.partition(":")[0]
