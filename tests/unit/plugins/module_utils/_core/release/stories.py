# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Histories as a person would tell them: ``"1 21d, 2 3h, 3"`` is release 1 that served 21 days, then 2 for three hours, then 3 until now.

A part is ``REVISION[/IMAGE][@GROUP] [HOW LONG] [OUTCOME]``: the task definition, the image that its tag meant (else one of its own), the security
group of the service (else ``sg``), how long until the next one was begun (else 10 minutes), and what became of the deployment: ``ok`` (else),
``stopped``, ``running``, ``failed``, or ``back-to-N``: ECS rolled it back to what part number N (from 0) had deployed.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import (
    Deployment,
    Service,
    ServiceDeployment,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.service_revision import Revision
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.next_step import running_revision
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.select import choose_target
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.timeline import Timeline

START = datetime(2026, 11, 1, 3, 0, tzinfo=UTC)
MOMENTS = timedelta(minutes=5)
STATUS = {"ok": "SUCCESSFUL", "stopped": "STOPPED", "running": "IN_PROGRESS", "failed": "ROLLBACK_FAILED"}
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
REPOSITORY = "123456789012.dkr.ecr.eu-west-3.amazonaws.com/app"
SERVICE_REVISION = "arn:aws:ecs:eu-west-3:123456789012:service-revision/production/app/%d"


def arn(revision):
    return "arn:aws:ecs:eu-west-3:123456789012:task-definition/app:%s" % revision


def digest(image):
    return "sha256:" + str(image).encode().hex().rjust(64, "0")


def revision(name, number, created=None):
    """The Revision of ``REVISION[/IMAGE][@GROUP]``; the image ``?`` is one of which AWS has recorded no digest."""
    name, _at, group = name.partition("@")
    definition, _slash, image = name.partition("/")
    reference, meant = "%s:%s.0" % (REPOSITORY, definition), image or "image-%s" % definition
    network = {"awsvpcConfiguration": {"subnets": ["subnet-a"], "securityGroups": [group or "sg"]}}
    return Revision(
        SERVICE_REVISION % number,
        arn(definition),
        ((reference, "" if meant == "?" else digest(meant)),),
        {"networkConfiguration": network},
        created,
    )


def parts(story):
    """(name, timedelta, outcome) of each part."""
    for part in filter(None, story.split(", ")):
        name, *rest = part.split()
        lasts = next((item for item in rest if item[-1] in UNITS and item[:-1].isdigit()), "10m")
        outcome = next((item for item in rest if item not in (lasts,)), "ok")
        yield name, timedelta(seconds=int(lasts[:-1]) * UNITS[lasts[-1]]), outcome


def history(story, before=""):
    """(ServiceDeployments newest first, now). ``before`` is what the oldest deployment replaced, which AWS has no record of any more."""
    found, at = [], START
    for number, (name, lasts, outcome) in enumerate(parts(story)):
        ran, back = revision(name, number, at), outcome.partition("back-to-")[2]
        returned = found[int(back)].revision if back else None
        source = revision(before, 999, START - timedelta(days=120)) if before and not number else None
        found.append(
            ServiceDeployment(
                arn="arn:deployment/%d" % number,
                status="ROLLBACK_SUCCESSFUL" if back else STATUS[outcome],
                reason="",
                created_at=at,
                task_definition=ran.task_definition,
                brought_back=returned.task_definition if returned else None,
                digests=ran.digests,
                finished_at=None if outcome == "running" else at + min(lasts, timedelta(seconds=1)) / 2,
                revision=ran,
                back=returned,
                sources=(source,) if source else (),
            )
        )
        at += lasts
    return found[::-1], at


def service(past, **changes):
    """The Service at the end of a history."""
    newest = past[0]
    ran = newest.brought_back or newest.task_definition
    primary = Deployment("PRIMARY", ran, newest.created_at, 2, 2, 0, "COMPLETED")
    values = dict(
        name="app",
        status="ACTIVE",
        controller="ECS",
        task_definition=ran,
        desired=2,
        running=2,
        deployments=(primary,),
        events=(),
    )
    return Service(**{**values, **changes})


def timeline(story, before="", origins=None):
    past, now = history(story, before)
    return Timeline(past, origins, now, MOMENTS)


def chosen(story, before="", named=None, recorded=None, gone=(), origins=None):
    """The Choice at the end of a story. ``gone`` are revisions that were deleted."""
    past, now = history(story, before)
    line = Timeline(past, origins, now, MOMENTS)
    return choose_target(
        "app", running_revision(service(past), past), line, named, recorded, frozenset(map(arn, gone)), origins
    )


def minute_of(story, number):
    """When part ``number`` (from 0) was begun."""
    at = START
    for place, (_name, lasts, _outcome) in enumerate(parts(story)):
        if place == number:
            return at
        at += lasts
    raise AssertionError(number)
