# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the database in use holds the data that were wanted."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.data_proof import Expected, prove
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.probe import diagnosing, target_of
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.data_rules import read_rules
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.finding import Finding
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import FAILED, INCONCLUSIVE, PASSED
from ansible_collections.spymeo.rollback.plugins.module_utils._core.words import many
from ansible_collections.spymeo.rollback.plugins.module_utils._io.postgresql import PostgresqlGateway

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.secretsmanager import SecretsGateway


def verdict_of_data(secrets: SecretsGateway, wanted: Mapping[str, Any]) -> tuple[str, str, list[str]]:
    """(verdict, reason, evidence) of the data.

    :param wanted: dict(database_secret, key, timeout, expected, data_rules, despite_data).
    :raises RollbackError: the database cannot be asked.
    """
    place = target_of(secrets.database_url(wanted["database_secret"], wanted["key"]))
    with diagnosing(place):
        seen = PostgresqlGateway(place, wanted["timeout"]).observe(
            read_rules(wanted["data_rules"]), budget=wanted["timeout"]
        )
    return judged(prove(Expected.from_json(wanted["expected"] or {}), seen, wanted["despite_data"]))


def judged(found: Collection[Finding]) -> tuple[str, str, list[str]]:
    """(verdict, reason, evidence) of Findings."""
    wrong = [item for item in found if item.verdict == FAILED]
    unknown = [item for item in found if item.verdict == INCONCLUSIVE]
    lines = ["%s: %s" % (item.subject, item.what) for item in (*wrong, *unknown)]
    if wrong:
        return FAILED, lines[0], lines
    if unknown:
        return INCONCLUSIVE, lines[0], lines
    return PASSED, "%s as %s" % (many(len(found), "thing"), "it was" if len(found) == 1 else "they were"), []
