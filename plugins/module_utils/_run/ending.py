# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The end of a play: what the store and ECS tell of it, and what is written into the store."""

from __future__ import annotations

from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.serving import told_now
from ansible_collections.spymeo.rollback.plugins.module_utils._errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._iso_time import parse_time
from ansible_collections.spymeo.rollback.plugins.module_utils._run import plays
from ansible_collections.spymeo.rollback.plugins.module_utils._run.decide import who_works
from ansible_collections.spymeo.rollback.plugins.module_utils._run.hold import holds_of, told
from ansible_collections.spymeo.rollback.plugins.module_utils._run.store import ABSENT


class Ending:
    """What is known of a run when its play ends.

    ``journal`` are the entries of the run (list of dict), None when they cannot be read; a run that has never held the lock has none.

    :param memory: callable that gives the Memory.
    :param params: the options of rollback_end.
    :param check: whether this is a check.
    :param clock: callable → seconds since 1970.
    """

    def __init__(self, memory, params, check, clock):
        self._params, self._check, self._clock = params, check, clock
        self._trouble, self._memory, self._lock, self._etag = "", None, None, ABSENT
        self.journal = [] if self._never_began else None
        try:
            self._memory = memory()
            self._lock, self._etag = self._memory.lock() or (None, ABSENT)
            if self.journal is None:
                self.journal = self._memory.journal(params["run_id"])
        except RollbackError as error:
            self._trouble = error.message

    @property
    def _never_began(self):
        return self._check or not (self._params["fencing"] or self._params["resumed"])

    @property
    def _ours(self):
        """Whether this play has taken the lock."""
        return bool(self._params["fencing"]) and not self._check

    @property
    def seconds(self):
        """Since this play took the lock."""
        return round(self._clock() - self._lock.since, 1) if self._ours and self._lock else 0.0

    @property
    def served(self):
        """Seconds from when this play took the lock until everybody was served, or None."""
        at = parse_time("served_at", self._params["served_at"])
        return round(max(0.0, at.timestamp() - self._lock.since), 1) if at and self._ours and self._lock else None

    def around(self, outcome, client):
        """What ``outcome_text.lines_of`` takes besides the outcome.

        :param client: callable: the name of a service → its boto3 client.
        """
        commands = self._params["commands"]
        names = ("undo", "again", "go_on", "back", "verify", "release", "unfence", "finish")
        found = {name: commands.get(name, "") for name in names}
        wrote = outcome.made or outcome.unknown
        return dict(
            found,
            fence=found["unfence"] if self._params["fenced"] else "",
            up=self._up(client) if wrote and not outcome.verified else [],
            hold=self._hold() or "",
            release=self._release(found["release"]),
            store=self._trouble,
            at_work=self._at_work(),
        )

    def write(self, outcome, lines):
        """Write the outcome into the store, where this play holds the lock. Gives what has changed of ``around``.

        :raises RollbackError: it cannot be written.
        """
        if not self._ours:
            return {}
        if self._memory is None:
            raise RollbackError(self._trouble)
        parts = dict(self._params["seconds"], served=outcome.served)
        seconds = {part: float(value) for part, value in parts.items() if value is not None}
        touched = bool(outcome.made or outcome.unknown) or self.journal is None
        ended = dict(outcome=outcome.recorded, touched=touched, lines=lines, seconds=seconds, came_to=outcome.as_dict())
        for run_id, left in self._params["finishes"].items():
            plays.finish(self._memory, run_id, left, self._params["run_id"], self._clock())
        plays.end(self._memory, self._params["run_id"], self._params["fencing"], ended, self._clock())
        return dict(hold=self._hold() or "")

    def _hold(self):
        if self._memory is None:
            return None
        try:
            return told((self._memory.read("hold") or (None,))[0])
        except RollbackError:
            return None  # what the store said is told already

    def _release(self, command):
        """The command that releases the hold of this run; where other holds stand too, that one alone."""
        try:
            holds = holds_of((self._memory.read("hold") or (None,))[0]) if self._memory else []
        except RollbackError:
            return command
        own = [hold for hold in holds if hold["run_id"] == self._params["run_id"]]
        return "%s -e rollback_hold_reason=%s" % (command, own[0]["run_id"]) if own and holds[1:] else command

    def _at_work(self):
        """The run that has begun since this one looked, for people; empty when there is none."""
        if self._ours or not self._params["etag"] or self._etag == self._params["etag"]:
            return ""
        return who_works(self._lock, self._clock()) or ""

    def _up(self, client):
        """What runs now, a line for each service."""
        from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.gateway import EcsGateway

        try:
            services = EcsGateway(client("ecs"), self._params["cluster"]).services(self._params["services"])
        except Exception as error:  # noqa: BLE001 - whatever it is, the failure that is being told counts more
            return ["what runs could not be read (%s)" % type(error).__name__]
        return [told_now(service) for service in services]
