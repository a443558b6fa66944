# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the restored instance could not be made equal in to the one that it replaces, told before it is restored. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.settings import (
    ca_can_be_given,
    minor_of,
    roles_of,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.finding import Finding
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.preflight import NotRead
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rds import DbSnapshot
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import (
    FAILED,
    INCONCLUSIVE,
    NOTED,
    PASSED,
)

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.preflight import DatabaseObservation


def fitting(seen: DatabaseObservation) -> Iterator[Finding]:
    """The Findings (iterator) of an DatabaseObservation."""
    yield from filter(None, (_earliest(seen), _encryption(seen), _version(seen), _authority(seen), _parameters(seen)))
    yield from _roles(seen)


def _earliest(seen: DatabaseObservation) -> Finding | None:
    if not isinstance(seen.earliest, NotRead):
        return None
    return Finding("earliest", seen.rollback.source.label, INCONCLUSIVE, seen.earliest.why, seen.earliest.cure)


def _encryption(seen: DatabaseObservation) -> Finding | None:
    current, source = seen.rollback.current, seen.rollback.source
    if source.kms_key == current.kms_key:
        return None
    what = "its data are %s, and those of %s %s; a restore keeps what they are encrypted with" % (
        _encrypted(source.kms_key),
        current.name,
        _encrypted(current.kms_key),
    )
    if not isinstance(source, DbSnapshot):
        return Finding(
            "encryption", source.label, FAILED, what, "Restore a snapshot instead, copied with the key of now."
        )
    if not current.kms_key:
        return Finding(
            "encryption",
            source.label,
            FAILED,
            what,
            "Name a snapshot that is not encrypted; a copy of this one always is.",
        )
    copy = "%s-recrypted" % source.name.replace("rds:", "")
    cure = (
        "Copy it: aws rds copy-db-snapshot --source-db-snapshot-identifier %s --target-db-snapshot-identifier %s --kms-key-id %s "
        "--copy-tags. Once it is available, name the copy: -e rollback_snapshot=%s"
    )
    return Finding("encryption", source.label, FAILED, what, cure % (source.name, copy, current.kms_key, copy))


def _encrypted(key: str | None) -> str:
    return "encrypted with %s" % key if key else "not encrypted"


def _version(seen: DatabaseObservation) -> Finding | None:
    current, source = seen.rollback.current, seen.rollback.source
    if minor_of(source.engine_version) <= minor_of(current.engine_version):
        return None
    what = "it is of %s %s, and %s runs %s: the restored instance keeps the newer one, since none goes back to an older minor version"
    return Finding(
        "version",
        source.label,
        NOTED,
        what % (source.engine, source.engine_version, current.name, current.engine_version),
    )


def _authority(seen: DatabaseObservation) -> Finding | None:
    current, known = seen.rollback.current, seen.authorities
    name = current.description.get("CACertificateIdentifier")
    if not name or known is None:
        return None
    if isinstance(known, NotRead):
        return Finding("certificate", name, INCONCLUSIVE, known.why, known.cure)
    if ca_can_be_given(current, known, seen.now):
        return Finding("certificate", name, PASSED, "the restored instance can be given it")
    what = (
        "RDS gives this CA to no instance any more, so the restored one has RDS's own choice (of %s); a client that trusts %s alone needs "
        "RDS's bundle of today" % (", ".join(sorted(known)) or "none", name)
    )
    return Finding("certificate", name, NOTED, what)


def _parameters(seen: DatabaseObservation) -> Finding | None:
    current = seen.rollback.current
    other = [status for status in current.parameter_group_statuses if status != "in-sync"]
    if not other:
        return None
    what = (
        "the parameter group of %s is %s: it runs with older parameters than the group has, and the restored instance with those that the "
        "group has" % (current.name, other[0])
    )
    return Finding("parameter_group", current.name, NOTED, what)


def _roles(seen: DatabaseObservation) -> Iterator[Finding]:
    for (role, feature), status in sorted(roles_of(seen.rollback.current).items()):
        subject = "%s for %s" % (role, feature or "no feature")
        if not feature:
            what = "it has no feature, so it cannot be given to the restored instance"
            yield Finding("role", subject, NOTED, what, "Add it by hand afterwards.")
        elif status == "INVALID":
            yield Finding(
                "role", subject, NOTED, "RDS cannot use it now (INVALID), so it is not given to the restored instance"
            )
