# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where an application names its database host, and what of that a changed DATABASE_URL leaves behind. Pure: values are looked
at and not kept; what is reported are names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.url_rewrite import (
    points_at,
    same_but_address,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.finding import Finding
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.preflight import (
    NotRead,
    ValueFrom,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.task_definition import Container
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.findings import in_order
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import (
    FAILED,
    INCONCLUSIVE,
    NOTED,
    PASSED,
)

_IN_A_COPY = "is rewritten in a new revision"


@dataclass(frozen=True)
class ReferenceObservation:
    """``host`` is the failed database's, ``current_host`` the one that DATABASE_URL names now, which after a cutover is the restored
    one's, and ``pending_host`` the one in the version that this run has written and that becomes current after its deployment, empty
    without one. ``database_secret`` is everything that the rewritten secret may be called, ``arn`` its ARN, and ``ours`` the ids of its
    versions that runs have pinned. ``containers``: service → its Containers. ``values``: valueFrom → text, None when there is no text, or a
    NotRead; they show in no repr. For a reference to a pinned version of the secret there is also the value of ``unpinned(reference)``."""

    host: str
    current_host: str
    database_secret: frozenset[str]
    containers: dict[str, tuple[Container, ...]]
    values: dict[str, str | NotRead | None] = field(default_factory=dict, repr=False)
    pending_host: str = ""
    arn: str = ""
    ours: frozenset[str] = frozenset()


def names_host(text: str, host: str) -> bool:
    """Whether a text names a host, and not merely a longer one that it is a part of."""
    return re.search(r"(?<![\w.-])%s(?![\w-]|\.\w)" % re.escape(host), text, re.IGNORECASE) is not None


def unpinned(reference: ValueFrom) -> str:
    """The valueFrom of the current version, for the ValueFrom of a pinned one; of another reference, the one that it is."""
    return ":".join((reference.id, reference.key, "", "")) if reference.key else reference.id


def is_pinned(reference: ValueFrom) -> bool:
    """Whether a ValueFrom names another version than whichever is current."""
    return bool(reference.version) or reference.stage not in ("", "AWSCURRENT")


def rewritten(seen: ReferenceObservation) -> dict[str, list[dict[str, str]]]:
    """What a copy of each task definition has to name otherwise: service → [{container, name}], without services that need none."""
    found = {}
    for service, containers in seen.containers.items():
        named = [dict(container=item.name, name=name) for item in containers for name in _moved(seen, item)]
        if named:
            found[service] = named
    return found


def entries(seen: ReferenceObservation) -> dict[str, list[dict[str, str]]]:
    """What a copy of each task definition that only the deployed release reads has to name otherwise: service → [{container, name}].

    That is what ``rewritten`` gives, and every reference to the current version of our secret, or to one that an earlier run has pinned;
    ``secret`` is its ARN.
    """
    found = rewritten(seen)
    for service, containers in seen.containers.items():
        pinned = [
            dict(container=item.name, name=name, secret=seen.arn)
            for item in containers
            for name, text in item.secrets
            if _follows(seen, ValueFrom.parse(text)) or _follows_as_copy(seen, text)
        ]
        names = [(item["container"], item["name"]) for item in pinned]
        plain = [item for item in found.get(service, []) if (item["container"], item["name"]) not in names]
        if plain or pinned:
            found[service] = plain + pinned
    return found


def _follows(seen: ReferenceObservation, reference: ValueFrom) -> bool:
    """Whether a ValueFrom means whichever version of our secret is current, or one that a run of ours has pinned instead."""
    return reference.id in seen.database_secret and (not is_pinned(reference) or reference.version in seen.ours)


def _moved(seen: ReferenceObservation, container: Container) -> list[str]:
    """The names of the entries of a container that only a copy of its task definition can change, and that can be changed."""
    plain = [name for name, value in container.environment if points_at(value, seen.host)]
    return plain + [name for name, text in container.secrets if _follows_as_copy(seen, text)]


def _follows_as_copy(seen: ReferenceObservation, text: str) -> bool:
    """A pinned version of our secret that is the current one but for the address: the copy pins the version with the new address."""
    reference, value = ValueFrom.parse(text), seen.values.get(text)
    if reference.id not in seen.database_secret or not is_pinned(reference) or not isinstance(value, str):
        return False
    now = seen.values.get(unpinned(reference))
    return points_at(value, seen.host) and isinstance(now, str) and same_but_address(value, now)


def reference_findings(seen: ReferenceObservation) -> list[Finding]:
    """A Finding for each service and each place that names the host, failures first."""
    found: dict[Finding, Finding] = {}
    for service, containers in seen.containers.items():
        for finding in _of_service(seen, service, containers):
            known = found.get(finding, finding)
            found[finding] = Finding(
                finding.check, finding.subject, finding.verdict, finding.what, finding.cure, (*known.services, service)
            )
    return in_order(found.values())


def _of_service(seen: ReferenceObservation, service: str, containers: Iterable[Container]) -> Iterator[Finding]:
    followed = _has_moved(seen, containers)
    for container in containers:
        for name, value in container.environment:
            if points_at(value, seen.host):
                followed = True
                yield Finding("environment", name, PASSED, "it is plain in the task definition, and %s" % _IN_A_COPY)
            elif names_host(value, seen.host):
                what = "the task definition itself has the failed database's host in it, which no secret changes"
                cure = "Register the task definition with the value from a secret, and name it in rollback_task_definition."
                yield Finding("environment", name, NOTED, what, cure)
        for name, text in container.secrets:
            reference = ValueFrom.parse(text)
            ours = reference.id in seen.database_secret
            pinned = is_pinned(reference) and not (ours and reference.version in seen.ours)
            if pinned and _follows_as_copy(seen, text):
                followed = True
                yield Finding("reference", name, PASSED, "it pins a version of the secret, and %s" % _IN_A_COPY)
                continue
            followed = followed or (ours and not pinned)
            finding = _of_secret(seen, name, text, ours, pinned)
            if finding:
                yield finding
    if followed:
        yield Finding("cutover", service, PASSED, "it gets the new address with the deployment")
    else:
        what = "none of its containers gets rollback_database_secret or a URL that can be rewritten, so it would stay on the failed database"
        cure = "Correct rollback_database_secret, or name a task definition that reads it."
        yield Finding("cutover", service, FAILED, what, cure)


def _has_moved(seen: ReferenceObservation, containers: Iterable[Container]) -> bool:
    """Whether one of the containers itself has the restored database's address already, as the copy of an earlier try does."""
    hosts = [host for host in (seen.current_host, seen.pending_host) if host and host.lower() != seen.host.lower()]
    texts: list[str | NotRead | None] = [value for item in containers for _name, value in item.environment]
    texts += [seen.values.get(text) for item in containers for _name, text in item.secrets]
    return any(isinstance(text, str) and points_at(text, host) for text in texts for host in hosts)


def _of_secret(seen: ReferenceObservation, name: str, text: str, ours: bool, pinned: bool) -> Finding | None:
    value = seen.values.get(text)
    if isinstance(value, NotRead):
        return Finding("reference", name, INCONCLUSIVE, value.why, value.cure)
    if value is None or not names_host(value, seen.host):
        return None
    if ours and not pinned:
        return Finding("reference", name, PASSED, "it names the failed database, and is rewritten")
    what = "it names the failed database%s, and stays as it is" % (" in a pinned version" if pinned else "")
    return Finding("reference", name, NOTED, what, "Decide whether it is to follow; then change it and deploy again.")
