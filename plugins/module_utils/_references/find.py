# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where an application names its database host, and what of that a changed DATABASE_URL leaves behind. Pure: values are looked
at and not kept; what is told are names."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ansible_collections.spymeo.rollback.plugins.module_utils._preflight.state import (
    FAILED,
    NOT_CHECKED,
    NOTED,
    PASSED,
    Finding,
    NotRead,
    ValueFrom,
)


@dataclass(frozen=True)
class Container:
    """What a container gets: (name, value) and (name, valueFrom)."""

    environment: tuple[tuple[str, str], ...]
    secrets: tuple[tuple[str, str], ...]

    @classmethod
    def from_boto(cls, answer):
        """From the shape ContainerDefinition."""
        return cls(
            environment=tuple((item["name"], item["value"]) for item in answer.get("environment", [])),
            secrets=tuple((item["name"], item["valueFrom"]) for item in answer.get("secrets", [])),
        )


@dataclass(frozen=True)
class Observation:
    """``containers``: service → its Containers. ``values``: valueFrom → text, None when there is no text, or a NotRead; they
    show in no repr. ``database_secret`` are the names and ARNs of the secret that is rewritten."""

    host: str
    database_secret: frozenset[str]
    containers: dict[str, tuple[Container, ...]]
    values: dict[str, object] = field(default_factory=dict, repr=False)


def names_host(text, host):
    """Whether a text names a host, and not merely a longer one that it is a part of."""
    return re.search(r"(?<![\w.-])%s(?![\w-]|\.\w)" % re.escape(host), text, re.IGNORECASE) is not None


def findings(seen):
    """A Finding for each service and each place that names the host, failures first."""
    found = {}
    for service, containers in seen.containers.items():
        for finding in _of_service(seen, service, containers):
            known = found.get(finding, finding)
            found[finding] = Finding(
                finding.check, finding.subject, finding.verdict, finding.what, finding.cure, (*known.services, service)
            )
    order = [FAILED, NOT_CHECKED, NOTED, PASSED]
    return sorted(found.values(), key=lambda finding: order.index(finding.verdict))


def _of_service(seen, service, containers):
    followed = False
    for container in containers:
        for name, value in container.environment:
            if names_host(value, seen.host):
                what = "the task definition itself has the failed database's host in it, which no secret changes"
                cure = "Register the task definition with the value from a secret, and name it in rollback_task_definition."
                yield Finding("environment", name, NOTED, what, cure)
        for name, text in container.secrets:
            reference = ValueFrom.parse(text)
            ours = reference.id in seen.database_secret
            pinned = bool(reference.version) or reference.stage not in ("", "AWSCURRENT")
            followed = followed or (ours and not pinned)
            finding = _of_secret(seen, name, text, ours, pinned)
            if finding:
                yield finding
    if followed:
        yield Finding("cutover", service, PASSED, "it reads the secret that is rewritten")
    else:
        what = "none of its containers reads the current version of rollback_database_secret, so it would stay on the failed database"
        cure = "Correct rollback_database_secret, or name a task definition that reads it."
        yield Finding("cutover", service, FAILED, what, cure)


def _of_secret(seen, name, text, ours, pinned):
    value = seen.values.get(text)
    if isinstance(value, NotRead):
        return Finding("reference", name, NOT_CHECKED, value.why, value.cure)
    if value is None or not names_host(value, seen.host):
        return None
    if ours and not pinned:
        return Finding("reference", name, PASSED, "it names the failed database, and is rewritten")
    what = "it names the failed database%s, and stays as it is" % (" in a pinned version" if pinned else "")
    return Finding("reference", name, NOTED, what, "Decide whether it is to follow; then change it and deploy again.")
