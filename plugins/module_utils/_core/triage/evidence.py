# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What triage has seen. One value, frozen, with JSON on both sides, so that what was recorded once can be decided on again.

Releases are ``family:revision``, times are aware datetimes, durations are seconds. A part that was not measured is None, and
``not_measured`` says why; an empty tuple means that it was looked at and nothing is there.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.data_rules import RuleSeen
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.finding import Finding
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.migrations import Migration
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.stopped_task import StoppedTask

SERVICES, TASKS, TARGETS, HTTP, LOGS, INSTANCE, DATABASE, SECRETS = (
    "services",
    "tasks",
    "targets",
    "http",
    "logs",
    "instance",
    "database",
    "secrets",
)
PARTS = (SERVICES, TASKS, TARGETS, HTTP, LOGS, INSTANCE, DATABASE, SECRETS)


_UNION = types.UnionType  # what get_origin gives for X | None


@dataclass(frozen=True)
class DeploymentOutcome:
    """What became of a deployment (botocore ServiceDeploymentStatus)."""

    release: str
    status: str
    at: datetime
    reason: str = ""


@dataclass(frozen=True)
class ServiceSeen:
    """A service and its history.

    ``before`` is where a rollback of the code would go, empty when none can be chosen, and ``before_reason`` says why.
    ``brought_back`` means that it runs that release already, and ``gone`` are the releases that were given up for it.
    ``came`` is when what runs was first deployed, ``proven`` when the release before was last known to serve.
    ``fenced_by`` is the run that brought it to 0 tasks. ``events`` and ``deployments`` are newest first, ``event_times`` as many as ``events``.
    ``against`` is what is known against ``before``. ``next`` is what picks the release after that (rollback_task_definition), ``next_told`` that
    release for people; both empty when there is none.
    """

    name: str
    release: str
    desired: int
    running: int
    came: datetime | None = None
    before: str = ""
    before_reason: str = ""
    proven: datetime | None = None
    brought_back: bool = False
    gone: tuple[str, ...] = ()
    pending: int = 0
    failed_tasks: int = 0
    rollout: str = ""
    deployments: tuple[DeploymentOutcome, ...] = ()
    events: tuple[str, ...] = ()
    event_times: tuple[datetime, ...] = ()
    fenced_by: str = ""
    against: tuple[str, ...] = ()
    next: str = ""
    next_told: str = ""


@dataclass(frozen=True)
class TargetsSeen:
    """The targets of a load balancer's target group by state, and what DescribeTargetHealth says of those that are not healthy.

    ``services`` names those whose tasks they are, empty where that was not recorded.
    """

    group: str
    healthy: int = 0
    unhealthy: int = 0
    initial: int = 0
    draining: int = 0
    other: int = 0
    why: tuple[str, ...] = ()
    services: tuple[str, ...] = ()


@dataclass(frozen=True)
class StepSeen:
    """A step of an HTTP scenario. ``verdict`` is passed, failed, inconclusive, or empty for one that was left out."""

    scenario: str
    step: str
    method: str
    path: str
    verdict: str
    status: int | None = None
    seconds: float | None = None
    reason: str = ""
    cleans_up: bool = False


@dataclass(frozen=True)
class HttpSeen:
    """What the application answered. ``slow_after`` is the number of seconds beyond which an answer counts as slow. ``left`` is what scenarios may
    have left in its data, a sentence each."""

    steps: tuple[StepSeen, ...]
    left_out: tuple[str, ...] = ()
    slow_after: float = 2.0
    left: tuple[str, ...] = ()


@dataclass(frozen=True)
class ErrorSeen:
    """Errors of one kind. ``before`` is how many of them the release before has logged in the last hour that it ran, ``more`` that they have become
    more frequent than chance allows, so that they are new all the same."""

    fingerprint: str
    count: int
    codes: tuple[str, ...] = ()
    example: str = ""
    service: str = ""
    before: int = 0
    more: bool = False

    @property
    def is_new(self) -> bool:
        """Whether the release before did not log them, or not as often."""
        return not self.before or self.more


@dataclass(frozen=True)
class LogsSeen:
    """The logs of the tasks of the release that runs. ``complete`` is False when time was up before the last hour was read; what was read is the newest.

    ``unread`` names the essential containers whose lines nobody can read, ``unclear`` says of which containers too few lines were understood.
    """

    lines: int
    streams: int = 1
    errors: tuple[ErrorSeen, ...] = ()
    silent: tuple[str, ...] = ()
    complete: bool = True
    addresses: tuple[str, ...] = ()  # host:port of databases that could not be reached (P1001)
    unread: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()

    @property
    def doubt(self) -> str:
        """What keeps logs without errors from being good news; empty where nothing does."""
        hidden = ["the lines of %s cannot be read" % ", ".join(self.unread)] if self.unread else []
        silent = ["nothing at all in %s" % ", ".join(self.silent)] if self.silent else []
        late = [] if self.complete else ["time was up after %d lines; the rest was not read" % self.lines]
        return "; ".join([*hidden, *silent, *self.unclear, *late])


@dataclass(frozen=True)
class RdsEvent:
    """An event of the DB instance."""

    at: datetime
    message: str


@dataclass(frozen=True)
class InstanceSeen:
    """The DB instance that the application uses, as RDS tells it. ``address`` is the host:port that DATABASE_URL names.

    ``data_from`` is the time of the data that a rollback would bring back, None when ``snapshot_problem`` says why there are none. ``storage``
    is in GiB, 0 where it is not known. ``restored_by`` is the run that has restored it from the very data that a rollback would bring back, empty
    where none has: a plan restores them once more only when it is told to. ``restorable_until`` is the latest time that its automated backups can be restored
    to, None where there are none.
    """

    name: str
    status: str
    address: str = ""
    events: tuple[RdsEvent, ...] = ()
    snapshot: str = ""
    data_from: datetime | None = None
    snapshot_problem: str = ""
    storage: int = 0
    restored_by: str = ""
    restorable_until: datetime | None = None


@dataclass(frozen=True)
class DatabaseSeen:
    """What the database itself said, asked through DATABASE_URL from the control node.

    ``code`` is the Prisma code of a refusal, ``seconds`` how long login and readings took. ``migrations`` is None where Prisma's table is not there.
    """

    answers: bool
    address: str = ""
    code: str = ""
    why: str = ""
    seconds: float = 0.0
    migrations: tuple[Migration, ...] | None = None
    rules: tuple[RuleSeen, ...] = ()


@dataclass(frozen=True)
class SecretSeen:
    """A secret that the application reads: since when there is its current value. ``unread`` are the services of which running tasks were started before
    it became current, or may have been."""

    name: str
    since: datetime
    holds_url: bool = False
    unread: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunSeen:
    """A rollback of this collection that has ended. ``kind`` is what it is called; ``outcome`` complete, unverified, failed or given up; ``parts``
    are what it did, as deployment and restore. ``undone_by`` is the run that has undone it, ``undone`` when that had ended; empty and None where
    it stands."""

    id: str
    kind: str
    at: datetime
    outcome: str
    parts: tuple[str, ...] = ()
    undone_by: str = ""
    undone: datetime | None = None


@dataclass(frozen=True)
class TimeSeen:
    """How long the last ``runs`` rollbacks of a ``kind`` took until users were served, or in all where that was not timed: the median, in seconds."""

    kind: str
    seconds: float
    runs: int


@dataclass(frozen=True)
class UnfinishedRun:
    """A run that has died, or that nobody has gone on with. ``command`` goes on with it; ``purpose`` is one of PURPOSES, and ``back`` undoes an undo.
    ``nowhere``: whether such an undo brings back what was there when it began, as where the run that it undoes had only brought services to 0."""

    id: str
    kind: str
    command: str
    purpose: str = ""
    back: str = ""
    nowhere: bool = False


@dataclass(frozen=True)
class ApartSeen:
    """Tasks that have read another database than the one that AWSCURRENT names, so that whatever is deployed would read another one than what runs.

    ``words`` say so; ``secret`` is the database's. ``run`` has pinned what they read; where no run has, it is empty, and ``read`` and ``current`` are the
    ids of the versions of the secret that they have read and that is current; ``read`` is empty where what they read is no version.
    """

    words: str
    secret: str
    run: str = ""
    read: str = ""
    current: str = ""


@dataclass(frozen=True)
class Missing:
    """A part that was not measured, and why."""

    part: str
    why: str


@dataclass(frozen=True)
class Evidence:
    """Everything that triage has seen at a time. ``runs`` are newest first; ``at_work`` is the run that works now, for people. ``cluster`` is that of the
    services, empty where it was not recorded. ``unprovable`` is what the plan of a rollback would refuse for, as its checks could not be made."""

    at: datetime
    services: tuple[ServiceSeen, ...] | None = None
    tasks: tuple[StoppedTask, ...] | None = None
    targets: tuple[TargetsSeen, ...] | None = None
    http: HttpSeen | None = None
    logs: LogsSeen | None = None
    instance: InstanceSeen | None = None
    database: DatabaseSeen | None = None
    secrets: tuple[SecretSeen, ...] | None = None
    runs: tuple[RunSeen, ...] = ()
    unfinished: UnfinishedRun | None = None
    not_measured: tuple[Missing, ...] = ()
    apart: ApartSeen | None = None
    at_work: str = ""
    cluster: str = ""
    unprovable: tuple[Finding, ...] = ()
    times: tuple[TimeSeen, ...] = ()

    @property
    def missing(self) -> dict[str, str]:
        """Part → why it was not measured, in the order of PARTS. Logs that were not understood are not, whatever was found in them."""
        why = {item.part: item.why for item in self.not_measured}
        doubts = {LOGS: self.logs.doubt} if self.logs and self.logs.doubt else {}
        found = {part: why.get(part, "it was not recorded") for part in PARTS if getattr(self, part) is None}
        return {part: {**found, **doubts}[part] for part in PARTS if part in found or part in doubts}


def to_json(value: Any) -> Any:
    """JSON types of an Evidence, or of a part of one."""
    if dataclasses.is_dataclass(value):
        return {item.name: to_json(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [to_json(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else value


def from_json(told: Any) -> Evidence:
    """The Evidence of what ``to_json`` gave, or of what a person wrote down.

    :raises RollbackError: a member is not known, is missing or is of another type; the message names it.
    """
    evidence: Evidence = _read(Evidence, told, "evidence")
    return evidence


def _read(kind: Any, told: Any, where: str) -> Any:
    """``told`` as the type that an annotation names."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, _UNION):
        wanted = next(item for item in inner if item is not types.NoneType)
        return None if told is None else _read(wanted, told, where)
    if origin is tuple:
        _refuse_unless(isinstance(told, (list, tuple)), where, "a list", told)
        return tuple(_read(inner[0], item, "%s[%d]" % (where, place)) for place, item in enumerate(told))
    if dataclasses.is_dataclass(kind):
        return _record(kind, told, where)
    if kind is datetime:
        return _time(told, where)
    numeric = kind is float and isinstance(told, int) and not isinstance(told, bool)
    right = (isinstance(told, kind) and isinstance(told, bool) == (kind is bool)) or numeric
    _refuse_unless(right, where, "of type %s" % kind.__name__, told)
    return kind(told)


def _record(kind: Any, told: Any, where: str) -> Any:
    """``told`` as the dataclass that ``kind`` is."""
    _refuse_unless(isinstance(told, dict), where, "a mapping", told)
    hints = typing.get_type_hints(kind)
    unknown = sorted(set(told) - set(hints))
    needed = [item.name for item in dataclasses.fields(kind) if item.default is dataclasses.MISSING]
    lacking = sorted(set(needed) - set(told))
    if unknown or lacking:
        what = ["%.100s is not known" % name for name in unknown[:9]] + ["%s is missing" % name for name in lacking]
        raise RollbackError("The evidence cannot be read: in %s, %s." % (where, ", ".join(what)))
    return kind(**{name: _read(hints[name], value, "%s.%s" % (where, name)) for name, value in told.items()})


def _time(told: Any, where: str) -> datetime:
    try:
        moment = told if isinstance(told, datetime) else datetime.fromisoformat(told)
    except (TypeError, ValueError):
        moment = None
    if moment is None or moment.tzinfo is None:
        raise _refused(where, "a time with its zone", told)
    return moment


def _refuse_unless(right: bool, where: str, form: str, told: Any) -> None:
    if not right:
        raise _refused(where, form, told)


def _refused(where: str, form: str, told: Any) -> RollbackError:
    return RollbackError("The evidence cannot be read: %s is %.200r and not %s." % (where, told, form))
