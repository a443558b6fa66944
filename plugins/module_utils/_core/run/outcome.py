# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a play has come to, as one value; the text, the record, the artifact and the exit code all follow from it. Pure.

Nothing is concluded from a task's silence. What was changed is what the journal tells, call by call; that the application works is
what the verification of this very play says; that all was done is said by the last task alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.run import (
    CHECKPOINT,
    COMPLETE,
    FAILED,
    FINISH,
    NOT_SENT,
    ROLLBACK,
    UNDO,
    UNFENCE,
    UNKNOWN,
    UNVERIFIED,
    call_line,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import PASSED

MADE, NOT_MADE = "made", "not made"
# Codes with which AWS's services say that something broke on their side. Whether the call was made before that is not known.
_BROKE = ("InternalFailure", "InternalError", "InternalServiceError", "InternalServerError", "ServerException", "ServiceUnavailable")  # fmt: skip

DONE, CHECKED, NOT_VERIFIED, NOT_COMPLETE, UNTOUCHED = "done", "checked", "not verified", "not complete", "untouched"


def fate(outcome: str) -> str:
    """Whether a writing call was MADE, NOT_MADE, or whether that is UNKNOWN.

    :param outcome: as the journal has it: ``ok``, an error code, ``unknown``, ``not sent``.
    """
    if outcome == "ok":
        return MADE
    if outcome == NOT_SENT:
        return NOT_MADE
    return UNKNOWN if outcome == UNKNOWN or outcome in _BROKE or outcome.startswith("5") else NOT_MADE


def merged(journal: Iterable[Mapping[str, Any]] | None, calls: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The writing calls of a run: those of its journal, and those that tasks of this play tell of which are not in it.

    :param journal: entries, or None where the store could not be read.
    :param calls: dicts with service, operation, of and outcome.
    """
    known = [dict(service=item["service"], operation=item["operation"], of=item["of"], outcome=item["outcome"]) for item in journal or []]  # fmt: skip
    left = list(known)
    for call in calls:
        if call in left:
            left.remove(call)
        else:
            known.append(call)
    return known


_WHAT = (
    (ROLLBACK, "The rollback"),
    (UNDO, "The undo"),
    (CHECKPOINT, "The checkpoint"),
    (UNFENCE, "The run"),
    (FINISH, "The run"),
)


@dataclass(frozen=True)
class RunObservation:
    """What is known at the end of a play.

    - ``check``: whether it was a check.
    - ``calls``: as ``merged`` gives them. ``read``: whether the journal could be read.
    - ``verdict``, ``reason``: of the verification of this play; empty when it has made none.
    - ``purpose``: one of PURPOSES. A rollback and an undo end with a verification.
    - ``deployed``: whether the one deployment has come up, or nothing had to be deployed.
    - ``failed_at``: the task that has failed; empty when none has. ``resumed``: whether the operator gave the run's id.
    - ``later``: what is not finished and nobody feels, one sentence each.
    - ``idle``: of a finish, whether nothing is left to be set; ``closes`` are the ids of the runs of which that is written down then.
    - ``until``: of a check, what has to come before the real run may begin, as a clause; empty where nothing has to.
    """

    run_id: str
    kind: str
    check: bool
    calls: tuple[dict[str, Any], ...] = ()
    read: bool = True
    verdict: str = ""
    reason: str = ""
    purpose: str = ROLLBACK
    deployed: bool = False
    failed_at: str = ""
    resumed: bool = False
    later: tuple[str, ...] = ()
    until: str = ""
    idle: bool = False
    closes: tuple[str, ...] = ()

    @property
    def proves(self) -> bool:
        """Whether the playbook is done only when it has proven that the application works."""
        return self.purpose in (ROLLBACK, UNDO)

    @property
    def what(self) -> str:
        """What it did, for people."""
        return dict(_WHAT)[self.purpose]


@dataclass(frozen=True)
class RunOutcome:
    """``state`` is one of DONE, CHECKED, NOT_VERIFIED, NOT_COMPLETE and UNTOUCHED; with the first two ``ok`` is true, and the exit code 0.

    ``made``, ``unknown``: the writing calls of the run that were made, and those of which nobody knows, for people.
    ``verified``: whether the checks have passed in this play. ``left``: what is still to be done. ``next``: a command.
    Two clocks, in seconds since the run's first play took the lock: ``served``, when all traffic was on healthy tasks of the release that is wanted, None
    where that was not seen; ``seconds``, when all was done but for what comes ``later``, which nobody feels.
    """

    run_id: str
    kind: str
    state: str
    ok: bool
    verified: bool
    reason: str
    made: tuple[str, ...]
    unknown: tuple[str, ...]
    left: tuple[str, ...] = ()
    seconds: float = 0.0
    next: str = ""
    served: float | None = None
    later: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """In JSON types."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @property
    def recorded(self) -> str:
        """What the store is to say: one of OUTCOMES."""
        if self.state == NOT_VERIFIED:
            return UNVERIFIED
        return COMPLETE if self.state == DONE or self.verified else FAILED


def outcome_of(seen: RunObservation) -> RunOutcome:
    """The RunOutcome of a RunObservation; without what is still to be looked at (seconds, next)."""
    made = tuple(call_line(call) for call in seen.calls if fate(call["outcome"]) == MADE)
    unknown = tuple(call_line(call) for call in seen.calls if fate(call["outcome"]) == UNKNOWN)
    verified = seen.verdict == PASSED
    state = _state(seen, verified, bool(made or unknown))
    return RunOutcome(
        run_id=seen.run_id,
        kind=seen.kind,
        state=state,
        ok=state in (DONE, CHECKED),
        verified=verified and not seen.check,
        reason=_reason(seen, state, verified, made, unknown),
        made=made,
        unknown=unknown,
        left=(seen.failed_at,) if seen.failed_at else (),
        later=seen.later,
    )


def unwritten(outcome: RunOutcome) -> RunOutcome:
    """The RunOutcome where the store does not take it: nobody who comes next would know that the run has ended."""
    if not outcome.ok:
        return outcome
    reason = (
        "Everything was done%s. Only that could not be written down: the lock ends by itself, and the run counts as unfinished."
        % (", and every check has passed" if outcome.verified else "")
    )
    return replace(outcome, state=NOT_COMPLETE, ok=False, reason=reason, left=("Write down what the run has come to",))


def _state(seen: RunObservation, verified: bool, wrote: bool) -> str:
    if seen.failed_at:
        if seen.deployed and seen.verdict and not verified:
            return NOT_VERIFIED
        return NOT_COMPLETE if wrote or not seen.read else UNTOUCHED
    if seen.check:
        return CHECKED
    return DONE if verified or not seen.proves else NOT_VERIFIED


def _reason(seen: RunObservation, state: str, verified: bool, made: tuple[str, ...], unknown: tuple[str, ...]) -> str:
    """Why, in one sentence or two. It holds for what was written down, and says where that could not be read."""
    if state == CHECKED:
        return _checked(seen)
    if state == DONE:
        unproven = {
            UNFENCE: "whether the application works was not checked",
            FINISH: "every setting was compared, and is as it is to be",
        }.get(seen.purpose, "its last task has ended well")
        return "every check has passed" if seen.proves else unproven
    if state == NOT_VERIFIED:
        return "%s is complete. It is not verified: %s." % (seen.what, (seen.reason or "no check was made").rstrip("."))
    if state == UNTOUCHED:
        return "Nothing was changed: no call that changes anything was made."
    if verified:
        return "%s is complete, and every check has passed. Only this task is missing." % seen.what
    if not seen.read and not (made or unknown):
        return "The journal of the run cannot be read, so it is not known what was changed."
    if unknown and not made:
        return "It is not known whether anything was changed: of the calls below no answer came."
    if seen.purpose == FINISH:
        return "What is left is said above. The application is served meanwhile, and nobody who uses it feels that."
    if seen.purpose == CHECKPOINT:
        return "The checkpoint is not complete: there is no release point. What was made stays, and does no harm."
    return (
        "%s is not complete. What was done stays as it is; nothing was deleted. Do not leave it like this." % seen.what
    )


def _checked(seen: RunObservation) -> str:
    """What a check has shown, and what would become of the real run: nothing is promised that would be refused."""
    text = "nothing was changed, and the checks that follow were not made" if seen.proves else "nothing was changed"
    if seen.until:
        return "%s; without --check, this is refused until %s" % (text, seen.until)
    if seen.proves:
        id_of = "this" if seen.resumed else "a new"
        return "%s; without --check, the plan above is what is done (under %s run id)" % (text, id_of)
    done = {
        UNFENCE: "what is said above of each service is what is done",
        FINISH: _finished(seen),
    }
    return "%s; without --check, %s" % (text, done.get(seen.purpose, "what is said above is what is done"))


def _finished(seen: RunObservation) -> str:
    """What a finish would do."""
    if not seen.idle:
        return "what is said above is finished, and nothing else"
    if seen.closes:
        return "nothing is left to be set, and that is written down for run %s" % ", ".join(seen.closes)
    return "nothing happens: there is nothing to finish"
