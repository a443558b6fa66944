# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The code, as lines: which release each service goes back to, why, and how it is deployed. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.findings import beware_of
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.line import (
    Line,
    last_part,
    under,
    utc,
    within,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.published import Published
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.secrets import brought_back

Service = Mapping[str, Any]

_FAST = "fast: for this deployment only, as things are now, and then as before:"
_AS_CONFIGURED = (
    "as the services are configured (rollback_deployment=fast: ECS waits for no draining, and new tasks are asked every 5 seconds "
    "if they are well)"
)
STARTED = ("deploy", "register")  # steps of a service that gets new tasks
_SECRETS_STAY = ", and no secret changed since"


def release_point(seen: Published) -> list[Line]:
    """The release point that is used, or why none is (list of Line)."""
    point, why = seen.code.get("release_point"), seen.code.get("release_point_reason")
    if not point:
        return [Line("POINT", "none is used: %s" % why)] if seen.run.get("release_points") else []
    before = ", before %s" % point["release"] if point["release"] else ""
    line = Line("POINT", "%s of %s%s: %s" % (point["id"], utc(point["created"]), before, why))
    snapshot, source = point["database"]["snapshot"], within(seen.database, "source", "told")
    if not seen.moves_database or snapshot in source:
        return [line]
    words = "the database goes back to %s, not to the release point's %s, because the inventory names it"
    return [line, Line("BEWARE", words % (source, snapshot))]


def code_of_plan(seen: Published) -> list[Line]:
    """What becomes of each service, how that is deployed, and what is to be known of it (list of Line)."""
    again = started_again(seen)
    lines = [line for service in seen.code["services"] for line in _service(service, service["name"] in again)]
    lines += _deployment(seen, again) + under("BEWARE", seen.deployment_plan.get("notes") or [])
    if seen.check and "reason" in seen.deployment_plan:
        lines.append(Line("", "now, %s" % _as_of_now(seen)))
    return lines + beware_of(seen.code["findings"])


def started_again(seen: Published) -> Collection[str]:
    """The services that get new tasks even where their code stays: what they read changes, or has changed since they were started."""
    back = brought_back(seen.secrets)
    as_of_now = seen.deployment_plan.get("services") or []
    return {service["name"] for service in as_of_now if service["step"] in STARTED} | {
        service["name"]
        for service in seen.code["services"]
        if seen.moves_database or set(service.get("reads") or []) & back
    }


def _service(service: Service, again: bool) -> list[Line]:
    further = ["because %s" % service["reason"]]
    if not service["stays"]:
        further += ["it is %s" % candidate["told"] for candidate in service["candidates"] if candidate["chosen"]]
    words = "%s: %s (%s)" % (service["name"], _change(service, again), ", ".join(service["image"]))
    line = Line("CODE", words, (*further, *service["changes"]))
    return [line, *under("ELSE", (candidate["told"] for candidate in service["next"]))]


def _change(service: Service, again: bool) -> str:
    running, target = last_part(service["running"]), last_part(service["target"])
    if service["stays"]:
        return "stays on %s%s" % (running, " and is started again" if again else "")
    return "%s -> %s%s" % (running, target, " as it served" if running == target else "")


def _deployment(seen: Published, again: Collection[str]) -> list[Line]:
    settings = seen.deployment_plan.get("settings")
    if not again and all(service["stays"] for service in seen.code["services"]):
        return []
    if settings:
        return [Line("DEPLOY", _FAST, tuple(settings))]
    return [] if seen.deployment == "fast" else [Line("DEPLOY", _AS_CONFIGURED)]


def _as_of_now(seen: Published) -> str:
    reason: str = seen.deployment_plan["reason"]
    if not brought_back(seen.secrets):
        return reason
    return reason.replace(_SECRETS_STAY, _SECRETS_STAY + ", but for those that SECRETS brings back")


def code_of_outcome(seen: Published) -> list[Line]:
    """What was deployed (list of Line)."""
    before = within(seen.lock, "before", "services") or {}
    lines = [_deployed(service, before) for service in seen.deployed.get("services") or []]
    lines += under("FAST", seen.deployed.get("settings") or [])
    lines += under("FINISHED", seen.code_finished.get("plan") or [])
    return lines + under("NOTE", [*(seen.deployed.get("notes") or []), *(seen.code_finished.get("notes") or [])])


def _deployed(service: Service, before: Mapping[str, str]) -> Line:
    ran = last_part(before.get(service["name"]) or service["before"])
    outcome = "serves" if service["outcome"] == "as before" and ran != service["after"] else service["outcome"]
    if service["outcome"] == "serves":
        outcome += ", %s s" % service["seconds"]
    change = "%-20s %s -> %s" % (service["name"], ran, service["after"])
    return Line("CODE", "%s  %s  %s" % (change, outcome, ", ".join(service["image"])))


def pinned(seen: Published) -> list[Line]:
    """The services that read a version of a secret that is their own, and how that ends (list of Line)."""
    return [_pinned(service, seen.cluster) for service in seen.deployed.get("services") or [] if service["pins"]]


def _pinned(service: Service, cluster: str) -> Line:
    words = (
        "%s reads %s from the version of the secret that was made for it: what is written or rotated there from now on"
    )
    first = words % (service["name"], ", ".join(service["pins"]))
    reaches = "reaches it with the next task definition that does not pin it. "
    if service.get("origin_gone"):
        gone = "%s, of which %s is a copy, was deleted: only %s has its content."
        return Line("PINNED", first, (reaches + gone % (service["origin"], service["after"], service["after"]),))
    command = "aws ecs update-service --cluster %s --service %s --task-definition %s"
    end = command % (cluster, service["name"], service["origin"])
    return Line("PINNED", first, (reaches + "To end it now, with another deployment:", end))
