# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The end of a play: what the store and ECS tell of it, and what is written into the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.run import FINISH
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.service_health import tasks_line
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.clocks import Clocks, clocks
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.hold import describe_hold, releases
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.lock import who_works
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.store import ABSENT
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.way_on import to_go_on_with
from ansible_collections.spymeo.rollback.plugins.module_utils._core.times import parse_time
from ansible_collections.spymeo.rollback.plugins.module_utils._flows import run_lock as plays
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.run_claims import in_use

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.run import Lock
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.lock import LockRefused
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.outcome import RunOutcome
    from ansible_collections.spymeo.rollback.plugins.module_utils._flows.run_repository import RunRepository


class Ending:
    """What is known of a run when its play ends.

    ``journal`` are the entries of the run (list of dict), None when they cannot be read; a run that has never held the lock has none.

    :param memory: callable that gives the RunRepository.
    :param params: the options of rollback_end.
    :param check: whether this is a check.
    :param clock: callable → seconds since 1970.
    """

    def __init__(
        self, memory: Callable[[], RunRepository], params: Mapping[str, Any], check: bool, clock: Callable[[], float]
    ) -> None:
        self._params, self._check, self._clock = params, check, clock
        self._trouble, self._etag = "", ABSENT
        self._memory: RunRepository | None = None
        self._lock: Lock | None = None
        self._record: dict[str, Any] | None = None
        self.journal: list[dict[str, Any]] | None = [] if self._never_began else None
        try:
            self._memory = memory()
            self._lock, self._etag = self._memory.lock() or (None, ABSENT)
            if self.journal is None:
                self.journal = self._memory.journal(params["run_id"])
            if self._ours:
                self._record = (self._memory.run(params["run_id"]) or (None,))[0]
        except RollbackError as error:
            self._trouble = error.message

    @property
    def refused(self) -> LockRefused | None:
        """Of a check, why the real run could not take its resources: another application's run works on them, or was not finished."""
        if not (self._check and self._memory and self._params["resources"]):
            return None
        try:
            return in_use(
                self._memory, dict(self._params, command=self._params["commands"].get("begun", "")), self._clock()
            )
        except RollbackError:  # what the store says is reported
            return None

    @property
    def _never_began(self) -> bool:
        return self._check or not (self._params["fencing"] or self._params["resumed"])

    @property
    def _ours(self) -> bool:
        """Whether this play has taken the lock."""
        return bool(self._params["fencing"]) and not self._check

    @property
    def clocks(self) -> Clocks:
        """The Clocks of the run; of a play that has not taken the lock, nothing."""
        if not (self._ours and self._lock):
            return Clocks(None, 0.0)
        at = parse_time("served_at", self._params["served_at"])
        record = dict(dict(since=self._lock.since, plays=[self._lock.fencing]), **self._record or {})
        seen = dict(as_before=self._params["as_before"], wrote=bool(self._params["calls"]))
        return clocks(record, self._clock(), at.timestamp() if at else None, **seen)

    def _leads_nowhere(self) -> bool:
        """Whether this is an undo whose own undo brings back the same; where the store does not tell, it is not."""
        try:
            return self._memory.leads_nowhere(self._params["run_id"]) if self._memory else False
        except RollbackError:
            return False

    @property
    def _first(self) -> bool:
        """Whether this is the first play of its run: only then its clocks are those of a run without a pause."""
        return not (self._record or {}).get("plays", [])[1:]

    def around(self, outcome: RunOutcome, client: Callable[[str], Any]) -> dict[str, Any]:
        """What ``outcome_report`` takes besides the outcome.

        :param client: callable: the name of a service → its boto3 client.
        """
        commands = self._params["commands"]
        names = ("undo", "again", "go_on", "back", "verify", "unfence", "finish")
        found = {name: commands.get(name, "") for name in names}
        wrote = outcome.made or outcome.unknown
        if found["back"] and self._leads_nowhere():
            found.update(back="", nowhere=commands.get("triage", ""))
        return dict(
            found,
            fence=found["unfence"] if self._params["fenced"] else "",
            up=self._up(client) if wrote and not outcome.verified else [],
            **self._holding(self._hold_then(outcome)),
            at_latest=self.clocks.at_latest,
            store=self._trouble,
            at_work=self._at_work(),
            unfinished_run=self._left_beneath(),
        )

    def write(self, outcome: RunOutcome, lines: Sequence[str]) -> dict[str, Any]:
        """Write the outcome into the store, where this play holds the lock. Gives what has changed of ``around``.

        :raises RollbackError: it cannot be written.
        """
        if not self._ours:
            return {}
        if self._memory is None:
            raise RollbackError(self._trouble)
        parts = dict(self._params["seconds"], served=outcome.served if self._first else None)
        seconds = {part: float(value) for part, value in parts.items() if value is not None}
        others = [text for left in self._params["finishes"].values() for text in left]
        own = [text for text in outcome.later if text not in others]
        ended = dict(self._ended(outcome), lines=lines, seconds=seconds, came_to=outcome.as_dict(), left=own)
        for run_id, left in self._params["finishes"].items():
            plays.finish(self._memory, run_id, left, self._params["run_id"], self._clock())
        plays.end(self._memory, self._params["run_id"], self._params["fencing"], ended, self._clock())
        return self._holding(self._hold())

    def _ended(self, outcome: RunOutcome) -> dict[str, Any]:
        """What ``run_lock.end`` is reported, as far as the hold depends on it."""
        touched = bool(outcome.made or outcome.unknown) or self.journal is None
        return dict(outcome=outcome.recorded, touched=touched)

    def _hold_then(self, outcome: RunOutcome) -> dict[str, Any] | None:
        """The hold as it stands once this has been written; None where it cannot be read, for what the store said is reported already."""
        if not (self._ours and self._memory and self._record and self._lock):
            return self._hold()
        try:
            return plays.hold_at_the_end(self._memory, self._record, self._lock, self._ended(outcome), self._clock())
        except RollbackError:
            return None

    def _hold(self) -> dict[str, Any] | None:
        try:
            return (self._memory.read("hold") or (None,))[0] if self._memory else None
        except RollbackError:
            return None

    def _holding(self, held: dict[str, Any] | None) -> dict[str, Any]:
        """Who holds deployments back, in one line, and each with the command that ends that."""
        return dict(hold=describe_hold(held) or "", holds=releases(held, self._params["commands"].get("release", "")))

    def _at_work(self) -> str:
        """The run that has begun since this one looked, for people; empty when there is none."""
        if self._ours or not self._params["etag"] or self._etag == self._params["etag"]:
            return ""
        return who_works(self._lock, self._clock()) or ""

    def _left_beneath(self) -> dict[str, str]:
        """The unfinished run that a finish leaves as it was, as ``to_go_on_with`` tells it; empty for every other play."""
        return to_go_on_with(self._lock, self._clock()) if self._params["purpose"] == FINISH else {}

    def _up(self, client: Callable[[str], Any]) -> list[str]:
        """What runs now, a line for each service."""
        from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ecs import EcsGateway

        try:
            services = EcsGateway(client("ecs"), self._params["cluster"]).services(self._params["services"])
        except Exception as error:  # noqa: BLE001 - whatever it is, the failure that is being reported counts more
            return ["what runs could not be read (%s)" % type(error).__name__]
        return [tasks_line(service) for service in services]
