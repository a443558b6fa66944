#!/usr/bin/python
# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rollback_end
version_added: 0.1.0
short_description: Say what a run has come to, write it down, and leave its lock to whoever comes next
description:
  - What a run has come to is one value, RV(outcome). It is made of the run's journal, of the verification of this play, and of the task that has failed, if
    one has. What people read, the record and the exit code follow from it.
  - Writes the outcome to the record of the run, its durations to the history, and releases the lock.
  - A run that has failed is to be resumed, or given up; until then no other run begins. A run that has made no writing call has touched nothing, and
    stands in nobody's way.
  - The deploy hold stays when the run has changed something, and is lifted when it has not, or when the run has undone another one.
  - A run that dies never comes here. Its lock is free when its lease has ended.
  - When the store fails, that is reported in RV(lines), and what the tasks of this play have told in O(calls) stands for the journal.
options:
  run_id:
    description: The id of the run. Empty when the play has failed before it had one.
    type: str
    default: ""
  resumed:
    description: Whether the operator gave that id.
    type: bool
    default: false
  kind:
    description: The name of the playbook.
    type: str
    default: ""
  etag:
    description: The lock as M(spymeo.rollback.rollback_run) has seen it, to tell when another run has begun since.
    type: str
    default: ""
  fencing:
    description: The number of the play, RV(spymeo.rollback.rollback_begin#module:run). 0 means that it has not taken the lock.
    type: int
    default: 0
  failed_task:
    description: The name of the task that has failed.
    type: str
    default: ""
  failure:
    description: What it said.
    type: str
    default: ""
  ways:
    description:
      - What can be done about that, as C(words) and C(command), as the task that has failed tells it. Without them it is known from the outcome.
      - Of a check, what leads to O(until).
    type: list
    elements: dict
    default: []
  until:
    description: Of a check, RV(spymeo.rollback.rollback_run#module:until).
    type: str
    default: ""
  resources:
    description: Of a check, what the real run would claim, as M(spymeo.rollback.rollback_begin) takes it.
    type: list
    elements: str
    default: []
  abandon:
    description: The run that would be given up, as M(spymeo.rollback.rollback_begin) takes it.
    type: str
    default: ""
  verdict:
    description: The verdict of this play's verification. Empty when it has made none; then it is not done.
    type: str
    choices: ["", passed, failed, inconclusive]
    default: ""
  verdict_reason:
    description: Why.
    type: str
    default: ""
  purpose:
    description:
      - What the run is for, as M(spymeo.rollback.rollback_begin) takes it. A rollback and an undo are done when the verification of this play has passed,
        the others when their last task has ended.
    type: str
    choices: [rollback, undo, checkpoint, unfence, finish]
    default: rollback
  deployed:
    description: Whether its deployment has come up, or nothing had to be deployed.
    type: bool
    default: false
  calls:
    description: The writing calls that the tasks of this play have made, as their results tell them.
    type: list
    elements: dict
    default: []
  seconds:
    description: How long the parts of the run took, by part, in seconds. Parts that are null were not done.
    type: dict
    default: {}
  details:
    description: What was done, for people.
    type: list
    elements: str
    default: []
  commands:
    description: Commands that can be pasted, by what they do.
    type: dict
    default: {}
  base_url:
    description: The application's public URL.
    type: str
    default: ""
  contacts:
    description: Whom to call, by role.
    type: dict
    default: {}
  served_at:
    description: When all traffic was on healthy tasks of the release that is wanted, ISO 8601. Empty when that was not seen.
    type: str
    default: ""
  idle:
    description: Of a finish, whether nothing was found that is left to be set.
    type: bool
    default: false
  as_before:
    description:
      - Whether all traffic was on such tasks already when this play looked. What an earlier play of the run has seen counts then.
    type: bool
    default: false
  later:
    description: What is not finished and nobody feels, as M(spymeo.rollback.rds_finish) tells it.
    type: list
    elements: str
    default: []
  finishes:
    description: What is left of earlier runs that this one was to finish, by their ids, as lists of str; empty ones are finished.
    type: dict
    default: {}
  fenced:
    description: Whether the play has brought the services to 0 tasks, and has not brought them back.
    type: bool
    default: false
  cluster:
    description: The ECS cluster, to say what runs when a run has failed.
    type: str
    default: ""
  services:
    description: The services.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - spymeo.rollback.rollback.memory
attributes:
  check_mode:
    description: Writes nothing.
    support: full
  diff_mode:
    description: There is nothing to compare; nothing in production is changed.
    support: full
author:
  - SPYMEO (@spymeo)
seealso:
  - module: spymeo.rollback.rollback_begin
"""

EXAMPLES = r"""
- name: Release the lock
  spymeo.rollback.rollback_end:
    environment: production
    application: spymeo
    run_id: "{{ run.run_id }}"
    fencing: "{{ begun.run.fencing }}"
    verdict: "{{ verification.verdict }}"
    seconds: {deployment: 95.2}
"""

RETURN = r"""
outcome:
  description: What the run has come to.
  returned: success
  type: dict
  contains:
    run_id:
      description: The run.
      type: str
    kind:
      description: The name of the playbook.
      type: str
    state:
      description:
        - V(done) and V(checked) are the good ends.
        - With V(not verified) all was done, and the checks have not passed. With V(not complete) something is missing. With V(untouched) no call was made.
      type: str
    ok:
      description: Whether the playbook may end with exit code 0.
      type: bool
    verified:
      description: Whether all checks have passed in this very play.
      type: bool
    reason:
      description: Why.
      type: str
    made:
      description: The writing calls that were made.
      type: list
      elements: str
    unknown:
      description: The writing calls of which nobody knows whether they were made.
      type: list
      elements: str
    left:
      description: What is still to be done.
      type: list
      elements: str
    seconds:
      description: How long the run took so far, since its first play took the lock.
      type: float
    served:
      description: After how many seconds everybody was served; null where that was not seen.
      type: float
    later:
      description: What is not finished and nobody feels.
      type: list
      elements: str
    next:
      description: The command to run next. Empty when there is none.
      type: str
lines:
  description: The same, for people.
  returned: success
  type: list
  elements: str
hold:
  description: The hold that stands, for people. Empty when none does.
  returned: success
  type: str
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._ansible.run_module import MemoryModule
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.run import PURPOSES, ROLLBACK
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.outcome import outcome_report
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.outcome import (
    RunObservation,
    merged,
    outcome_of,
    unwritten,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.whole_run import joined, of_earlier_plays
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.run_end import Ending

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.outcome import RunOutcome

TEXTS = (
    "run_id",
    "kind",
    "etag",
    "until",
    "abandon",
    "failed_task",
    "failure",
    "verdict_reason",
    "base_url",
    "cluster",
)
FLAGS = ("resumed", "deployed", "fenced", "as_before", "idle")


def seen_by(module: MemoryModule, ending: Ending) -> RunObservation:
    """The RunObservation of this play."""
    params = module.params
    return RunObservation(
        run_id=params["run_id"],
        kind=params["kind"],
        check=module.check_mode,
        calls=tuple(merged(ending.journal, params["calls"])),
        read=ending.journal is not None,
        verdict=params["verdict"],
        reason=params["verdict_reason"],
        purpose=params["purpose"],
        deployed=params["deployed"],
        failed_at=params["failed_task"],
        resumed=params["resumed"],
        later=tuple(params["later"]),
        until=params["until"],
        idle=params["idle"],
        closes=tuple(sorted(params["finishes"])),
    )


def outcome_by(module: MemoryModule, ending: Ending) -> RunOutcome:
    """The RunOutcome of this play, with its clocks and what is next."""
    params, outcome = module.params, outcome_of(seen_by(module, ending))
    following = next_command(outcome, params["commands"], params["ways"])
    return replace(outcome, seconds=ending.clocks.total, served=ending.clocks.served, next=following)


def next_command(outcome: RunOutcome, commands: Mapping[str, str], ways: Sequence[Mapping[str, Any]]) -> str:
    """The command to run next, of those that the task that has failed tells, or that the playbook knows."""
    if ways:
        command: str = ways[0]["command"]
        return command
    names = {"not complete": "go_on", "not verified": "verify", "untouched": "again"}
    return commands.get(names.get(outcome.state, ""), "")


def foreseen(params: Mapping[str, Any], ending: Ending) -> dict[str, Any]:
    """What is to come before the real run of a check, and the ways there, where the claims of other applications tell it; else nothing."""
    refused = ending.refused if not params["until"] and not params["failed_task"] else None
    if refused is None:
        return {}
    ways = [dict(words=words, command=command) for words, command in refused.ways]
    return dict(until="%s. %s" % (refused.until, refused.why), ways=ways)


def whole_details(module: MemoryModule, ending: Ending) -> list[str]:
    """What was done, line by line, also by earlier plays of the run."""
    params = module.params
    earlier = of_earlier_plays(ending.journal or (), params["calls"], params["details"], params["purpose"])
    return joined(params["details"], earlier)


def main() -> None:
    module = MemoryModule(
        dict(
            {name: dict(type="str", default="") for name in TEXTS},
            **{name: dict(type="bool", default=False) for name in FLAGS},
            fencing=dict(type="int", default=0),
            verdict=dict(type="str", default="", choices=["", "passed", "failed", "inconclusive"]),
            purpose=dict(type="str", default=ROLLBACK, choices=list(PURPOSES)),
            calls=dict(type="list", elements="dict", default=[]),
            details=dict(type="list", elements="str", default=[]),
            served_at=dict(type="str", default=""),
            later=dict(type="list", elements="str", default=[]),
            finishes=dict(type="dict", default={}),
            resources=dict(type="list", elements="str", default=[]),
            services=dict(type="list", elements="str", default=[]),
            ways=dict(type="list", elements="dict", default=[]),
            seconds=dict(type="dict", default={}),
            commands=dict(type="dict", default={}),
            contacts=dict(type="dict", default={}),
        )
    )
    params = module.params
    with module.telling():
        ending = Ending(module.memory, params, module.check_mode, time.time)
        params.update(foreseen(params, ending))
        outcome = outcome_by(module, ending)
        around = dict(params, **ending.around(outcome, module.aws), details=whole_details(module, ending))
        lines = outcome_report(outcome, params["failure"], around).text()
        try:
            around.update(ending.write(outcome, lines))
        except RollbackError as error:
            outcome = unwritten(outcome)
            outcome = replace(outcome, next=next_command(outcome, params["commands"], params["ways"]))
            around["store"] = error.message
        lines = outcome_report(outcome, params["failure"], around).text()
        module.exit_json(changed=False, outcome=outcome.as_dict(), lines=lines, hold=around["hold"])


if __name__ == "__main__":
    main()
