# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Plays that begin, work, die and are resumed in any order and at any moment: never two holders, never a doubled create.

Each play is the real code (``standing``, ``begin``, ``Lease``, ``end``) over a store in this process. What AWS has is a list to which
``create`` adds blindly, as UpdateService does; so only the lock, and looking under it, keep a create from being doubled.
"""

from __future__ import annotations

import contextlib
import itertools

import hypothesis.strategies as st
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.run import COMPLETE, FAILED, FINISH, ROLLBACK
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.lock import LockFree, LockLost, standing
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.store import ABSENT
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.way_on import Play as Asked
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.lease import Lease
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.run_lock import begin, end
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.run_repository import RunRepository
from hypothesis import settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

from .conftest import TableStore

LEASE = 60
THINGS = ["snapshot", "instance", "deployment"]


DEAD = -1


def alive():
    return False


class Died(Exception):
    """The process is gone."""


class Play:
    """One ansible-playbook: it has looked at the lock, then perhaps holds it, then makes its calls."""

    def __init__(self, run_id, given_up, etag, purpose):
        self.run_id, self.given_up, self.etag, self.purpose = run_id, given_up, etag, purpose
        self.fencing = self.lease = self.intent = self.wanted = None


class Plays(RuleBasedStateMachine):
    plays = Bundle("plays")

    def __init__(self):
        super().__init__()
        self.now = 1000.0
        self.memory = RunRepository(TableStore(), "production", "app")
        self.created, self.alive, self.runs = [], [], 0

    def _lock(self):
        return self.memory.lock() or (None, ABSENT)

    @rule(
        target=plays,
        resume=st.booleans(),
        abandon=st.booleans(),
        at_once=st.booleans(),
        purpose=st.sampled_from([ROLLBACK, ROLLBACK, FINISH]),
    )
    def look(self, resume, abandon, at_once, purpose):
        resume, abandon = (resume, abandon) if purpose == ROLLBACK else (False, False)
        found, etag = self._lock()
        lock = found.uncovered if found else None
        self.runs += 1
        named = lock.run_id if lock and (resume or abandon) else ""
        given_up = named if abandon and not resume else ""
        if not isinstance(standing(found, Asked(named if resume else "", given_up, purpose), self.now), LockFree):
            return multiple()
        play = Play(named if resume and named else f"rb-{self.runs}", given_up, etag, purpose)
        if at_once:  # else whatever else happens is between its look and its begin
            self._begin(play)
        return play

    @contextlib.contextmanager
    def _dying(self, puts):
        """Inside, the process dies before its write of that number; with None it lives."""
        left = itertools.count(1)

        def before_put(_key):
            if next(left) == puts:
                raise Died

        self.memory.store.before_put = before_put
        try:
            yield
        finally:
            self.memory.store.before_put = lambda _key: None

    @rule(play=plays, puts=st.sampled_from([None, None, 1, 2, 3, 4]))
    def begin(self, play, puts):
        if not play.fencing:
            with self._dying(puts):
                self._begin(play)

    def _begin(self, play):
        run = {
            "run_id": play.run_id,
            "kind": "Roll back",
            "who": "ada",
            "undoes": "",
            "abandon": play.given_up,
            "purpose": play.purpose,
            "resources": ["arn:1"],
        }
        try:
            before = self._lock()[0]
            play.fencing = begin(self.memory, play.etag, {**run, "plan": [], "before": {}}, self.now, LEASE)[0].fencing
        except (RollbackError, Died):  # somebody has begun since this play looked
            play.fencing = DEAD
            return
        if play.purpose == FINISH and before and before.uncovered.unfinished:
            assert self._lock()[0].uncovered.run_id == before.uncovered.run_id, "the unfinished run is forgotten"
        self._next_module(play)
        self.alive.append(play)

    def _next_module(self, play):
        play.lease = Lease(self.memory, play.run_id, play.fencing, LEASE, alive, lambda: self.now)

    @rule(play=plays)
    def module(self, play):
        """The next task's process knows nothing of the one before."""
        if play in self.alive and not play.intent:
            self._next_module(play)

    @rule(play=plays, thing=st.sampled_from(THINGS))
    def intend(self, play, thing):
        if play not in self.alive or play.intent:
            return
        try:
            play.intent = play.lease.intend("aws", "Create", {"Name": thing})
            play.wanted = f"{thing} of {play.run_id}"
        except LockLost:
            self.alive.remove(play)

    @rule(play=plays, answered=st.booleans())
    def call(self, play, answered):
        """Look, and create what is not there. Its play lives, so the keeper has kept the lease (see ``time_passes``)."""
        if play not in self.alive or not play.intent:
            return
        if play.wanted not in self.created:
            self.created.append(play.wanted)
        if answered:
            play.lease.record(play.intent, "ok")
        else:
            self.alive.remove(play)
        play.intent = None

    @rule(play=plays)
    def renew(self, play):
        if play in self.alive:
            try:
                play.lease.renew()
            except LockLost:
                self.alive.remove(play)

    @rule(play=plays)
    def die(self, play):
        if play in self.alive:
            self.alive.remove(play)

    @rule(play=plays, outcome=st.sampled_from([COMPLETE, FAILED]), puts=st.sampled_from([None, None, 1, 2, 3, 4]))
    def end(self, play, outcome, puts):
        if play in self.alive and not play.intent:
            self.alive.remove(play)
            with contextlib.suppress(LockLost, Died), self._dying(puts):
                end(
                    self.memory,
                    play.run_id,
                    play.fencing,
                    {"outcome": outcome, "touched": True, "lines": [], "seconds": {}},
                    self.now,
                )

    @rule(seconds=st.sampled_from([LEASE // 2, LEASE]))
    def time_passes(self, seconds):
        """A process that is about to call renews meanwhile; between two tasks nobody does."""
        self.now += seconds
        for play in [play for play in self.alive if play.intent]:
            self.renew(play)

    @invariant()
    def at_most_one_play_can_write(self):
        lock, _etag = self._lock()
        holders = [play for play in self.alive if lock and lock.fencing == play.fencing and lock.expires is not None]
        assert len(holders) <= 1

    @invariant()
    def whoever_is_about_to_call_holds_the_lock(self):
        lock, _etag = self._lock()
        for play in self.alive:
            gives_way = play.purpose == FINISH  # also while a call of it is on its way, which harms nobody
            assert not play.intent or lock.fencing == play.fencing or gives_way

    @invariant()
    def nothing_is_created_twice(self):
        assert len(self.created) == len(set(self.created))

    @invariant()
    def fencing_and_numbers_only_grow(self):
        lock, _etag = self._lock()
        now = (lock.fencing, lock.number) if lock else (0, 0)
        assert now >= getattr(self, "before", (0, 0))
        self.before = now

    @invariant()
    def each_intent_is_in_the_lock_or_in_a_journal(self):
        lock, _etag = self._lock()
        kept = {intent.number for intent in lock.under_way} if lock else set()
        kept |= {int(key[-6:]) for key in self.memory.store.list(self.memory.key("journal") + "/")}
        assert set(range(1, lock.number + 1 if lock else 1)) <= kept


Plays.TestCase.settings = settings(max_examples=400, stateful_step_count=40, deadline=None)
TestPlays = Plays.TestCase
