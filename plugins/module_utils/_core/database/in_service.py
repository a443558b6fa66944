# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which database is in service: the one that running tasks have read, which need not be the one that AWSCURRENT names. Pure.

A task reads its secrets once, at its start. What it has read is told by the version that its task definition pins, else by which version was
current when it started. A run that has died between its deployment and moving AWSCURRENT, an undo that has died between the two, and a label that
somebody has moved by hand leave the two apart.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.url import comparable
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.finding import Finding
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.preflight import ValueFrom
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.secrets import (
    CURRENT,
    PREVIOUS,
    Secret,
    SecretVersion,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.secrets.next_step import current_of, was_current
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import (
    FAILED,
    NOTED,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.words import many

GONE = "it pins version %s of the secret, which is not there any more"
UNREADABLE = "what it reads as the database's URL cannot be read as one"


def comparable_address(host: str, port: int) -> tuple[str, int]:
    """(host, port), comparable."""
    return comparable(host), port


@dataclass(frozen=True)
class Read:
    """What tasks of a service have read as the database's URL, or would.

    ``definition`` is their task definition (family:revision) and ``run_id`` the run that has registered it as a copy, empty for any other.
    ``version`` is the id of the version of the secret, empty where the URL stands in the task definition itself; ``pinned`` whether the task
    definition names it. ``host`` and ``port`` are where it leads; where that is not known they are empty and 0, and ``why`` says why. ``tasks`` is
    how many they are: 0 where none is to run, and this is what the next one would read. ``sure``: whether no other version can have been current
    when they started.
    """

    service: str
    definition: str
    version: str = ""
    host: str = ""
    port: int = 0
    pinned: bool = False
    run_id: str = ""
    tasks: int = 0
    why: str = ""
    sure: bool = True

    @property
    def place(self) -> tuple[str, int] | None:
        """(host, port), comparable; None where it is not known."""
        return comparable_address(self.host, self.port) if self.host else None


@dataclass(frozen=True)
class InService:
    """``reads``: every Read of what runs. ``current``: the Read of whatever starts now and pins nothing. ``host``, ``port``: what is in service."""

    reads: tuple[Read, ...]
    current: Read
    host: str
    port: int

    @property
    def place(self) -> tuple[str, int]:
        """(host, port) of what is in service, comparable."""
        return comparable_address(self.host, self.port)

    @property
    def apart(self) -> tuple[Read, ...]:
        """The Reads that lead elsewhere than AWSCURRENT."""
        return tuple(read for read in self.reads if read.place and read.place != self.current.place)

    @property
    def several(self) -> bool:
        """Whether what runs reads more than one database."""
        return len({read.place for read in self.reads if read.place}) > 1


def version_read(secret: Secret, reference: ValueFrom, started: datetime | None) -> tuple[SecretVersion | None, bool]:
    """(the SecretVersion that a task has read through a ValueFrom, whether that is certain). The SecretVersion is None where it is not there any more.

    AWS tells when a secret was changed last, and when a version was made, but not when a label was moved. So what started after the last change
    has read AWSCURRENT. What started before AWSCURRENT was made has read what was current before. Between the two it may have been either.

    :param secret: Secret with its versions.
    :param started: when the task was made (aware datetime); None for one that starts now.
    """
    if reference.version:
        return secret.version(reference.version), True
    if reference.stage not in ("", CURRENT):
        return secret.staged(reference.stage), started is None or started >= secret.changed
    current = current_of(secret)
    if started is None or started >= secret.changed:
        return current, True
    earlier = [item for item in secret.versions if item.created <= started and was_current(item)]
    if current in earlier:
        return current, earlier == [current]
    previous = secret.staged(PREVIOUS)
    if previous in earlier:
        return previous, True
    return (earlier[0], False) if earlier else (current, False)


def in_service(reads: Iterable[Read], current: Read, leaving_for: tuple[str, int] | None = None) -> InService:
    """The InService. Where what runs reads several databases it is the one that AWSCURRENT names, if any task has read that; a Read that is not
    certain counts as that one.

    :param reads: Reads of what runs.
    :param current: Read of AWSCURRENT.
    :param leaving_for: (host, port) that is gone to, for an undo: of several, what is in service is then one that is left by it.
    """
    reads = tuple(reads)
    known = [read for read in reads if read.place and read.sure]
    running = [read for read in known if read.tasks] or known
    places = list(dict.fromkeys(read.place for read in running))
    goal = comparable_address(*leaving_for) if leaving_for else None
    if goal and len(places) > 1:
        places = [place for place in places if place != goal]
    if not places or current.place in places:
        return InService(reads, current, current.host, current.port)
    chosen = next(read for read in running if read.place == places[0])
    return InService(reads, current, chosen.host, chosen.port)


def finding(seen: InService, run_id: str = "") -> Finding | None:
    """What stands against deploying anything: tasks read another database than whatever starts next would. None where nothing does.

    :param run_id: the run that asks: what it has pinned itself is what it goes on with.
    """
    strange = [read for read in seen.apart if read.sure and not (run_id and read.run_id == run_id)]
    services = tuple(sorted({read.service for read in strange}))
    if strange:
        return Finding("data", ", ".join(services), FAILED, describe_in_service(seen), cure(strange), services)
    doubtful = [read for read in seen.reads if not read.sure]
    if doubtful:
        names = tuple(sorted({read.service for read in doubtful}))
        what = "its tasks started before the secret was changed last, so which of its versions they have read is not certain"
        return Finding("data", ", ".join(names), NOTED, what, "", names)
    return None


def describe_in_service(seen: InService) -> str:
    """Where tasks and AWSCURRENT lead, for people."""
    return "%s; AWSCURRENT of the secret names %s, and so would read what is deployed without that" % (
        "; ".join(_read_line(read) for read in seen.reads if read.place),
        seen.current.host,
    )


def _read_line(read: Read) -> str:
    who = many(read.tasks, "task") if read.tasks else "the next task"
    verb = "reads" if read.tasks < 2 else "read"
    how = "from version %s, which %s pins" % (read.version, read.definition)
    if not read.pinned:
        how = "from version %s" % read.version if read.version else "from %s itself" % read.definition
    return "%s of %s %s %s, %s" % (who, read.service, verb, read.host, how)


def cure(apart: Iterable[Read]) -> str:
    """What is to be done about Reads that lead elsewhere than AWSCURRENT."""
    runs = sorted({read.run_id for read in apart if read.run_id})
    if not runs:
        return "Find out who has moved AWSCURRENT; have it name the database that is right, or deploy what reads it, then run again."
    return (
        "Run %s was stopped, or undone, before it had moved AWSCURRENT. Go on with it: its own playbook and -e rollback_run_id=%s. "
        "Or undo it: undo.yml -e rollback_undo_run=%s." % (" and ".join(runs), runs[0], runs[0])
    )


def keeps_pin(read: Read, after: Read) -> bool:
    """Whether a task definition that an undo brings back keeps the version of the secret that a run has pinned in it.

    It does where anything else would be another database, or what it pins is what becomes current. A version that was rotated away and leads to
    the same database has an old password: there the current one is read again.

    :param read: the Read of the task definition that comes back.
    :param after: the Read of what is AWSCURRENT once the undo has moved it.
    """
    return read.pinned and (read.version == after.version or read.place != after.place)


def against_undo(reads: Iterable[Read], place: tuple[str, int] | None) -> list[str]:
    """Why services could not come back as they were: one sentence for each.

    :param reads: the Reads of what comes back.
    :param place: (host, port) where the database was, as the record of the run that is undone tells, or None.
    """
    lines = []
    for read in reads:
        if read.why:
            lines.append("%s: %s would not start: %s." % (read.service, read.definition, read.why))
        elif place and read.place != comparable_address(*place):
            lines.append(
                "%s: %s reads %s, and the record of the run says that the database was %s then, so it would not come back as it was. %s"
                % (read.service, read.definition, read.host, place[0], cure([read]))
            )
    return lines


def still_apart(reads: Iterable[Read], after: Read) -> str:
    """What is to be known where what comes back reads another database than AWSCURRENT will name; empty where it does not.

    :param reads: the Reads of what comes back, and ``after`` of AWSCURRENT then.
    """
    apart = [read for read in reads if read.place and read.place != after.place]
    if not apart:
        return ""
    return "%s; AWSCURRENT goes on naming %s. %s" % ("; ".join(map(_read_line, apart)), after.host, cure(apart))
