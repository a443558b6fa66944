# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who else uses a database: services, scheduled tasks and functions that a run does not start again. Pure; values are looked at and not kept."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.url_references import (
    is_pinned,
    names_host,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.finding import Finding
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.preflight import (
    NotRead,
    ValueFrom,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.task_definition import Container
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import (
    FAILED,
    INCONCLUSIVE,
    NOTED,
)

SERVICE, SCHEDULE, FUNCTION = "service", "scheduled task", "function"
INCLUDE = "Have it started again with the others: -e rollback_readers=include."
LEAVE = "To leave it as it is: -e rollback_readers=leave."


@dataclass(frozen=True)
class Reader:
    """Something that may use the database: ``kind``, its name with the cluster (for people), and what it gets, which shows in no repr.

    ``at_rest``: a service that has no task and wants none. ``unread`` says why it could not be looked at; without a name, none of its kind could.
    """

    kind: str
    name: str
    containers: tuple[Container, ...] = field(default=(), repr=False)
    at_rest: bool = False
    unread: NotRead | None = None

    @property
    def label(self) -> str:
        """For people."""
        return "%s %s" % (self.kind, self.name) if self.name else "%ss" % self.kind


@dataclass(frozen=True)
class Use:
    """How a Reader uses a database: it ``follows`` the secret, has a ``pinned`` version of it, or has the ``host`` in itself."""

    follows: bool = False
    pinned: bool = False
    host: bool = False

    def __bool__(self) -> bool:
        return self.follows or self.pinned or self.host


def use_of(reader: Reader, secret: Collection[str], host: str) -> Use:
    """The Use.

    :param secret: everything that the secret may be called (frozenset of str).
    :param host: the failed database's.
    """
    references = [ValueFrom.parse(text) for item in reader.containers for _name, text in item.secrets]
    ours = [reference for reference in references if reference.id in secret]
    texts = [value for item in reader.containers for _name, value in item.environment]
    by_name = reader.kind == FUNCTION and any(name in text for text in texts for name in secret)
    return Use(
        follows=by_name or any(not is_pinned(reference) for reference in ours),
        pinned=any(is_pinned(reference) for reference in ours),
        host=bool(host) and any(names_host(text, host) for text in texts),
    )


def findings_of_readers(readers: Iterable[Reader], secret: Collection[str], host: str, leave: bool) -> list[Finding]:
    """A Finding for each Reader that uses the database, and for each reading that could not be made.

    :param readers: Readers that the run does not start again.
    :param leave: whether the operator wants them to stay as they are.
    """
    found = []
    for reader in readers:
        use = use_of(reader, secret, host)
        if reader.unread:
            found.append(Finding("left_behind", reader.label, INCONCLUSIVE, reader.unread.why, reader.unread.cure))
        elif use:
            found.append(_finding(reader, use).unless(leave))
    return found


def _finding(reader: Reader, use: Use) -> Finding:
    subject = reader.label
    if use.host or use.pinned:
        how = "has the failed database's host in itself" if use.host else "pins a version of rollback_database_secret"
        what = "it %s, so it would stay on the failed database" % how
        cure = "Give it the value from the secret, and start it again. %s" % LEAVE
        return Finding("left_behind", subject, FAILED, what, cure)
    if reader.at_rest:
        what = "it reads rollback_database_secret and has no task; the next one gets the new address"
        return Finding("left_behind", subject, NOTED, what)
    if reader.kind == SERVICE:
        what = "it reads rollback_database_secret, and this run does not start it again: its tasks would stay on the failed database"
        return Finding("left_behind", subject, FAILED, what, "%s %s" % (INCLUDE, LEAVE))
    if reader.kind == SCHEDULE:
        what = "it reads rollback_database_secret: its next task gets the new address, and one that runs now stays on the failed database"
        return Finding("left_behind", subject, NOTED, what, "Look whether one runs: aws ecs list-tasks.")
    what = "it names rollback_database_secret: what is warm keeps the address that it has read"
    cure = (
        "Once it is cut over, have it start anew: aws lambda update-function-configuration --function-name %s --description restarted."
        % reader.name
    )
    return Finding("left_behind", subject, NOTED, what, cure)
