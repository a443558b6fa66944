# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the store remembers of an application: who works on it, what that run intends right now, and what runs came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from typing import Any, TypeVar, Union

# What a run has come to. The first two are unfinished: the run is to be resumed, or given up.
UNDER_WAY, FAILED, UNVERIFIED, COMPLETE, UNTOUCHED, GIVEN_UP = (
    "under way",
    "failed",
    "unverified",
    "complete",
    "untouched",
    "given up",
)
OUTCOMES = (FAILED, UNVERIFIED, COMPLETE)  # what a run can be ended with
UNFINISHED = (UNDER_WAY, FAILED)

UNKNOWN = "unknown"  # the outcome of a call that nobody knows: its process has died, or no answer came
NOT_SENT = "not sent"  # the outcome of a call that has not left this machine

ROLLBACK, UNDO, CHECKPOINT, UNFENCE, FINISH = "rollback", "undo", "checkpoint", "unfence", "finish"
PURPOSES = (ROLLBACK, UNDO, CHECKPOINT, UNFENCE, FINISH)
"""What a run is for. Only a rollback can be undone; only it and an undo leave something to go on with. A finish may follow an unfinished run
without giving it up."""
GIVES_WAY = {CHECKPOINT: (ROLLBACK, UNDO, UNFENCE), FINISH: (ROLLBACK, UNDO, UNFENCE, CHECKPOINT)}
"""To whom a run gives way that is at work: what it does can be done again, and a finish may wait for hours."""


T = TypeVar("T", bound=Union["Intent", "Lock"])


def _from(kind: type[T], content: Mapping[str, Any]) -> T:
    """A dataclass out of what JSON gave; a key that is missing and has no default raises KeyError, one that is new is left alone."""
    return kind(
        **{item.name: content[item.name] for item in fields(kind) if item.name in content or item.default is MISSING}
    )


def call_line(call: Mapping[str, Any]) -> str:
    """A writing call (dict with service, operation and of), for people."""
    return " ".join([call["service"], call["operation"], *(str(value) for value in call["of"].values())])


@dataclass(frozen=True)
class Intent:
    """A writing call that is about to be made. ``number`` is its own in all runs of the application; they ascend.

    ``of`` are the names of what it is about (parameter → value), never a content.
    """

    number: int
    service: str
    operation: str
    of: dict[str, Any] = field(hash=False)
    at: float  # seconds since 1970

    @property
    def label(self) -> str:
        """For people: ``rds CreateDBSnapshot spymeo-db-failed-migration-rb-…``."""
        return call_line(asdict(self))


@dataclass(frozen=True)
class Lock:
    """Who works on an application, or did last. It is never taken away: ``fencing`` and ``number`` only grow."""

    run_id: str
    kind: str  # the playbook, such as rollback_full
    who: str
    since: float  # seconds since 1970, as all times here
    expires: float | None  # None: released
    fencing: int  # of the one play that holds it
    number: int  # of the newest intent
    first_number: int  # what ``number`` was before the run's first play
    outcome: str
    under_way: tuple[Intent, ...]  # those whose outcome is not known to be in the journal
    undoes: str  # the run that this one takes back; empty for a rollback
    undoable: str  # the newest rollback that has ended and has changed something; empty when there is none
    purpose: str = ROLLBACK
    left: float | None = None  # when its play was found dead, before the lease has ended
    command: str = ""  # that was typed, without the ids of runs
    beneath: dict[str, Any] | None = field(
        default=None, hash=False
    )  # of a finish: the lock of the unfinished run that it has found

    @property
    def uncovered(self) -> Lock:
        """The lock without a finish, which leaves it as it has found it; only the numbers have grown."""
        if self.purpose != FINISH or self.beneath is None:
            return self
        found = Lock.from_dict(self.beneath)
        return replace(found, fencing=self.fencing, number=self.number, expires=None, under_way=(), left=None)

    @property
    def wrote(self) -> bool:
        """Whether the run has made a writing call, or was about to; one that has ended and whose calls all were not made has not."""
        return self.number > self.first_number and self.outcome != UNTOUCHED

    @property
    def unfinished(self) -> bool:
        """Whether the run is neither done nor given up, and has something to go on with."""
        return self.outcome in UNFINISHED and self.wrote and self.purpose in (ROLLBACK, UNDO)

    def as_dict(self) -> dict[str, Any]:
        """In JSON types."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Lock:
        """The Lock that ``as_dict`` gave.

        :raises KeyError: something is missing.
        """
        intents = tuple(_from(Intent, item) for item in content["under_way"])
        return _from(cls, dict(content, under_way=intents))
