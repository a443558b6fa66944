# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What leads on from a run that was not finished: its own command, the one that takes it back, and what giving it up means. Pure."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.run import (
    FINISH,
    ROLLBACK,
    UNDO,
    Lock,
)


@dataclass(frozen=True)
class Play:
    """What a play that wants to begin was asked for.

    ``run_id`` is the run that the operator wants to resume, empty for a new one; ``abandon`` the one that the operator gives up, empty, or WHICHEVER
    for what may follow any run. ``purpose`` is one of PURPOSES, ``kind`` the name of the playbook, empty when any may go on with a run. ``command`` was
    typed, without the ids of runs; ``only_give_up`` is the command that gives a run up and begins no other, empty where it is not known. ``undoes`` is
    the run that the play takes back, empty where that is not known; None for what the lock and the command tell.
    """

    run_id: str = ""
    abandon: str = ""
    purpose: str = ROLLBACK
    kind: str = ""
    command: str = ""
    only_give_up: str = ""
    undoes: str | None = None


def ways_out(
    run_id: str, its_command: str, command: str, then: str = "", only_give_up: str = ""
) -> tuple[tuple[str, str], ...]:
    """(words, command) to go on with an unfinished run, and to give it up; without those of which the command is not known.

    :param its_command: with which the run was begun, and ``command``, which was typed now; both without the ids of runs.
    :param then: what that play does besides giving the run up, as ``then_done`` tells it; where it is empty, its own run.
    :param only_give_up: as a Play has it.
    """
    going_on, giving_up = VARIABLES
    then = then or "leaves what it has done, and then begins %s anew" % _playbook(command)
    ways = [
        ("Go on with run %s:" % run_id, its_command and "%s -e %s=%s" % (its_command, going_on, run_id)),
        ("Or this gives run %s up, %s:" % (run_id, then), command and "%s -e %s=%s" % (command, giving_up, run_id)),
        ("Or this gives run %s up, and begins nothing. %s:" % (run_id, _STAYS), only_give_up),
    ]
    return tuple((words, typed) for words, typed in ways if typed)


VARIABLES = ("rollback_run_id", "rollback_abandon")
_STAYS = "What it has done stays, but for services at 0 tasks and settings of a fast deployment, which are put back"


def then_done(run: Lock, play: Play) -> str:
    """What an undo does besides giving a run up, as what a sentence says of it; empty for another purpose, or where there is nothing to undo."""
    undone = undone_by(run, play) if play.undoes is None else play.undoes
    if not undone:
        return ""
    return (
        "and takes back what it has done"
        if undone == run.run_id
        else "leaves what it has done, and then undoes run %s" % undone
    )


def undone_by(run: Lock, play: Play) -> str:
    """The id of the run that a Play takes back that begins after ``run``; empty for one that is no undo, or that finds nothing to undo."""
    named = re.search(r"-e rollback_undo_run=(\S+)", play.command)
    return "" if play.purpose != UNDO else named.group(1) if named else undoable(run)


def _playbook(command: str) -> str:
    """The playbook of a command, like rollback_code.yml."""
    words = shlex.split(command)
    return words[1].rpartition("/")[2] if len(words) > 1 else "this playbook"


def to_go_on_with(lock: Lock | None, now: float) -> dict[str, str]:
    """The run that was not finished and that nobody works on: dict(id, kind, purpose, command: that goes on with it, back: that undoes an undo; both
    empty where they are not known); empty when there is none.

    :param lock: the Lock as it is recorded, or None. A finish leaves what it has found as it was, also while it works.
    :param now: seconds since 1970.
    """
    if lock is None:
        return {}
    at_work = lock.expires is not None and now < lock.expires and lock.left is None and lock.purpose != FINISH
    run = lock.uncovered
    if at_work or not run.unfinished:
        return {}
    way = next((command for _words, command in ways_out(run.run_id, run.command, "")), "")
    return dict(id=run.run_id, kind=run.kind, purpose=run.purpose, command=way, back=_way_back(run))


def _way_back(run: Lock) -> str:
    """The command that undoes an undo, with what was typed for that, which may be what kept it from being refused."""
    if run.purpose != UNDO or not run.command:
        return ""
    return "%s -e rollback_undo_run=%s" % (re.sub(r" -e rollback_undo_run=\S+", "", run.command), run.run_id)


def undoable(lock: Lock) -> str:
    """The newest rollback that has changed something: the run of ``lock``, or an earlier one; empty when there is none."""
    return lock.run_id if lock.wrote and lock.purpose == ROLLBACK else lock.undoable
