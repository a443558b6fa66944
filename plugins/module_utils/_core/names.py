# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The id of a run, and the names and tags of everything that the run creates. They derive from the id alone, so a run
that died finds its own resources again."""

from __future__ import annotations

import re
from datetime import datetime

RUN_ID = re.compile(r"^[a-z](?:-?[a-z0-9]){2,29}\Z")
RUN_ID_FORM = "3 to 30 small letters, digits and single hyphens, beginning with a letter, like rb-20261122-031500"

LIKE_MADE = re.compile(r"rb-?\d")  # as ``new_run_id`` makes them, typing errors and all

TAG_RUN = "spymeo:rollback-run"
TAG_SNAPSHOT = "spymeo:rollback-source-snapshot"
TAG_REPLACES = "spymeo:rollback-replaces"
TAG_REPLACED_BY = "spymeo:rollback-replaced-by"  # on a DB instance that a run took out of service: what took its place
TAG_DATA = (
    "spymeo:rollback-data"  # on a DB instance that a run has restored: its own name, and which data it began with
)
TAG_SERVED = (
    "spymeo:rollback-served"  # on a DB instance: its own DbiResourceId, and since and until when it was in service
)
TAG_SAFETY = "spymeo:rollback-safety"  # on a safety snapshot: the DbiResourceId of the instance whose harm it holds
TAG_PASSWORD = "spymeo:rollback-password"  # on a DB instance: its own DbiResourceId, and the version of the secret whose password it has
TAG_UNFINISHED = "spymeo:rollback-unfinished"  # on a DB instance that a run has restored, until it is finished: see model.rds.Unfinished
TAG_FENCE = "spymeo:rollback-fence"  # on an ECS service that stands at 0 tasks: what it is to get back
TAG_FAST = "spymeo:rollback-fast"  # on an ECS service: what was set before a fast deployment (fast_deployment.py); of target groups with their name behind
TAG_POINT = "spymeo:release-point"  # on a snapshot: the release point that it was taken for, before any harm
TAG_ORIGIN = "spymeo:rollback-origin"  # on a task definition: the one whose content it has

_LONGEST_INSTANCE_NAME = 63  # RDS: letters, digits, single hyphens (CreateDBInstance, DBInstanceIdentifier)
_OLDER_RUN = re.compile(r"-rb-\d{8}-\d{6}$")


def new_run_id(now: datetime) -> str:
    """A run id for the time ``now`` (datetime in UTC). It begins with a letter, so AWX does not make a number of it."""
    return now.strftime("rb-%Y%m%d-%H%M%S")


def restored_instance(db_instance: str, run_id: str) -> str:
    """The name of the instance that this run restores next to ``db_instance``; names do not grow from run to run."""
    base = _OLDER_RUN.sub("", db_instance)
    return "%s-%s" % (base[: _LONGEST_INSTANCE_NAME - len(run_id) - 1].rstrip("-"), run_id)


def point_id(run_id: str) -> str:
    """The id of the release point that a checkpoint makes."""
    return "cp-" + (run_id[len("rb-") :] if run_id.startswith("rb-") else run_id)


def safety_snapshot(db_instance: str, run_id: str) -> str:
    """The name of the snapshot that keeps what ``db_instance`` holds when this run begins to restore."""
    return "%s-failed-migration-%s" % (_OLDER_RUN.sub("", db_instance), run_id)
