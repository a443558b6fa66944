# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where in the store an application has its lock, its runs, their journals, its hold and its history."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.run import Lock
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.lock import clock_of
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.outlook import leads_nowhere
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.store import (
    ABSENT,
    ANY,
    Conflict,
    StoreError,
    as_json,
    from_json,
    key_of,
)

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.run import Intent
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.store import Store


class RunRepository:
    """What the store has of one application in one environment.

    - ``lock``: the Lock.
    - ``runs/<run id>``: the record of a run, for people and for the undo.
    - ``journal/<run id>/<number>``: one writing call: what was intended, when, and what became of it.
    - ``hold``: whether deployments are to keep out.
    - ``history``: how long earlier runs took.
    """

    def __init__(self, store: Store, environment: str, application: str) -> None:
        self.store = store
        self.place = key_of(environment, application)

    def beside(self, place: str) -> RunRepository:
        """The RunRepository of another application in the same store, by its ``place``."""
        other = copy.copy(self)
        other.place = place
        return other

    def lock(self) -> tuple[Lock, str] | None:
        """(Lock, etag), or None when no run has ever begun.

        :raises StoreError: the store cannot be read, or the lock in it was cut.
        """
        found = self.read("lock")
        if found is None:
            return None
        try:
            return Lock.from_dict(found[0]), found[1]
        except (KeyError, TypeError) as missing:
            text = "%s in the store %s lacks %s: another version of this collection wrote it, or somebody edited it."
            raise StoreError(text % (self.key("lock"), self.store, missing)) from missing

    def put_lock(self, lock: Lock, expect: str) -> str:
        """Write the lock; gives its new etag. Raises Conflict where ``expect`` does not hold."""
        return self.store.put(self.key("lock"), as_json(lock.as_dict()), expect)

    def run(self, run_id: str) -> tuple[dict[str, Any], str] | None:
        """(the record of a run as a dict, etag), or None."""
        return self.read("runs", run_id)

    def leads_nowhere(self, run_id: str) -> bool:
        """As outlook.leads_nowhere, of the run of that id; False of what is no undo."""
        found = self.run(run_id)
        undone = self.run(found[0]["undoes"]) if found and found[0].get("undoes") else None
        return leads_nowhere(found[0], undone[0]) if found and undone else False

    def runs(self) -> list[str]:
        """The ids of all runs that have left a record, in order."""
        return [key.rpartition("/")[2] for key in self.store.list(self.key("runs") + "/")]

    def put_run(self, run_id: str, record: Mapping[str, Any]) -> None:
        """Write the record of a run."""
        self.write(record, "runs", run_id)

    def put_entry(self, run_id: str, intent: Intent, outcome: str, now: float) -> None:
        """Write a writing call with its outcome to the journal."""
        self.store.put(self._entry_key(run_id, intent), as_json(_entry(intent, outcome, now)), ANY)

    def settle(self, run_id: str, intent: Intent, outcome: str, now: float) -> None:
        """The same for a call of a process that has died, unless it had written the outcome itself."""
        with contextlib.suppress(Conflict):
            self.store.put(self._entry_key(run_id, intent), as_json(_entry(intent, outcome, now)), ABSENT)

    def journal(self, run_id: str) -> list[dict[str, Any]]:
        """The entries of a run's journal (list of dict), oldest first."""
        return [self._listed(key) for key in self.store.list(self.key("journal", run_id) + "/")]

    def _listed(self, key: str) -> dict[str, Any]:
        found = self.store.get(key)
        if found is None:
            raise StoreError(
                "%s in the store %s was listed a moment ago, and is gone: somebody deletes or moves what is in the store. "
                "Find out who, then run again." % (key, self.store)
            )
        return from_json(self.store, key, found[0])

    def read(self, *parts: str) -> tuple[dict[str, Any], str] | None:
        """(dict, etag) of a key, or None.

        :raises StoreError: the store cannot be read, or the text was cut.
        """
        key = self.key(*parts)
        found = self.store.get(key)
        return None if found is None else (from_json(self.store, key, found[0]), found[1])

    def write(self, content: Mapping[str, Any], *parts: str) -> None:
        """Write a dict. Only the play that holds the lock does."""
        self.store.put(self.key(*parts), as_json(content), ANY)

    def key(self, *parts: str) -> str:
        """The key of something of this application."""
        return "%s/%s" % (self.place, key_of(*parts))

    def _entry_key(self, run_id: str, intent: Intent) -> str:
        return self.key("journal", run_id, "%06d" % intent.number)


def _entry(intent: Intent, outcome: str, now: float) -> dict[str, Any]:
    return dict(
        asdict(intent),
        outcome=outcome,
        told="%s: %s" % (intent.label, outcome),
        began=clock_of(intent.at),
        ended=clock_of(now),
    )
