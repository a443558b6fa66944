#!/usr/bin/python
# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rollback_run
version_added: 0.1.0
short_description: Check what the inventory says, give the run its id, and see whether it may begin
description:
  - Looks at the variables C(rollback_*) and C(verify_*) that a playbook uses and reports every mistake at once, before the first call to AWS. A name
    that looks like one of them and is none is a mistake, too.
  - Gives the run an id. Everything that the run creates is named after it, so a run that died is resumed by giving the id again.
  - Looks who works on the application, and whether an earlier run was not finished. It writes nothing; M(spymeo.rollback.rollback_begin) takes the lock.
options:
  variables:
    description: The variables as the inventory, the survey or the command line gave them, by name. A variable that is not set is left out or empty.
    type: dict
    required: true
  playbook:
    description: The playbook at hand. It tells which variables are used, and which are needed.
    type: str
    required: true
    choices:
      - rollback_code
      - rollback_database
      - rollback_full
      - rollback_secrets
      - undo
      - checkpoint
      - unfence
      - verify
      - triage
      - releases
      - hold
      - salvage
      - finish
  given:
    description: The names of all variables that are set, in which misspelt ones are looked for.
    type: list
    elements: str
    default: []
  connection:
    description: What is wrong with C(rollback_aws), as P(spymeo.rollback.connection#filter) tells it, because its values may be secrets.
    type: list
    elements: str
    default: []
  overridden:
    description: The names of what inventory and command line set, in which options of our roles are looked for.
    type: list
    elements: str
    default: []
  purpose:
    description: What the run is for, as M(spymeo.rollback.rollback_begin) takes it.
    type: str
    choices: [rollback, undo, checkpoint, unfence, finish]
    default: rollback
  alone:
    description:
      - Whether this playbook must be the only one that works on the application. While another one does, or when a run was not finished, it is refused;
        a run that is named to be resumed and looks alive is waited for until its lease has ended.
      - In check mode that is only reported.
    type: bool
    default: false
  abandon:
    description:
      - The unfinished run that is given up, or V(*) for a playbook that may follow any. The default is what C(rollback_abandon) says in O(variables).
    type: str
    default: ""
  kind:
    description: The name of the playbook. It alone goes on with its runs, and expected durations are looked up for it.
    type: str
    default: ""
  command:
    description: The command that was typed, without the ids of runs, to say how an unfinished run is given up.
    type: str
    default: ""
  only_give_up:
    description: The command that gives an unfinished run up and begins no other, to say that, too.
    type: str
    default: ""
  fail_on_error:
    description:
      - Whether a store that cannot be used, or a library that is missing, is a failure of this task. Without it, RV(evidence) tells it.
    type: bool
    default: true
  checks:
    description:
      - The checks with which the playbook will end, as M(spymeo.rollback.verify_application) takes them. Mistakes in them are reported now, and not once
        production has been changed.
    type: dict
    suboptions:
      scenarios:
        description: HTTP scenarios.
        type: raw
      lines:
        description: Where in which file each part of them was written, as P(spymeo.rollback.lines#filter) tells it.
        type: dict
        default: {}
      variables:
        description: What they refer to, as text.
        type: raw
      secrets:
        description: Names (the keys) of what they refer to and Secrets Manager holds.
        type: raw
      noise:
        description: Errors in the logs that are known.
        type: raw
      expect:
        description: What the health check must answer.
        type: raw
      e2e:
        description: The end-to-end tests, if there are any.
        type: dict
        suboptions:
          command:
            description: What is run. Without it there are no such tests.
            type: raw
          runs_on:
            description: Where they run.
            type: raw
          chdir:
            description: The directory in which they run on this machine.
            type: raw
          timeout:
            description: How long they may take, in seconds.
            type: raw
          secret_environment:
            description: Their environment variables that are masked.
            type: raw
extends_documentation_fragment:
  - spymeo.rollback.rollback.memory
attributes:
  check_mode:
    description: It changes nothing.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
author:
  - SPYMEO (@spymeo)
seealso:
  - module: spymeo.rollback.rollback_begin
  - module: spymeo.rollback.rollback_end
"""

EXAMPLES = r"""
- name: Begin a run
  spymeo.rollback.rollback_run:
    variables:
      rollback_cluster: "{{ rollback_cluster | default('') }}"
      rollback_run_id: "{{ rollback_run_id | default('') }}"
    playbook: triage
    environment: production
    application: spymeo
    alone: true
  register: run
"""

RETURN = r"""
ways:
  description: What can be done about an unfinished run, as C(words) and the C(command) to paste. In check mode these commands act.
  returned: always, but for other failures
  type: list
  elements: dict
until:
  description: In check mode, what has to come before a real run may begin, as a clause. Empty where nothing has to.
  returned: success
  type: str
  sample: run rb-20261122-031500 is gone on with, or given up
lines:
  description: RV(notes), RV(until) and RV(ways) as the lines of a plan, each command on a line of its own.
  returned: success
  type: list
  elements: str
run_id:
  description: The id that was given, or a new one made of the time.
  returned: success
  type: str
  sample: rb-20261122-031500
resumed:
  description: Whether the id was given.
  returned: success
  type: bool
by_id:
  description: Whether C(rollback_run_id) goes on with the run. With C(finish) it names the run that is finished, and the same command goes on.
  returned: success
  type: bool
alone:
  description: Whether the run is to take the lock next, so that nothing of it is there before that.
  returned: success
  type: bool
etag:
  description: What M(spymeo.rollback.rollback_begin) compares the lock with, so that a plan holds only if nobody has worked since.
  returned: success
  type: str
behind:
  description: The fencing number of the play that holds the lock and gives way to this one, for M(spymeo.rollback.rollback_begin); 0 where none does.
  returned: success
  type: int
evidence:
  description: What would keep the run from succeeding and is known by now, with its cure; the store that cannot be used. For the plan, with what it finds.
  returned: success
  type: list
  elements: str
notes:
  description: What is to be reported with the plan, one sentence each; who works, whose lock is taken over, whether deployments are held back.
  returned: success
  type: list
  elements: str
unfinished:
  description: What is left to be finished of earlier runs, one sentence each, as M(spymeo.rollback.rds_finish) has told it.
  returned: success
  type: list
  elements: str
unfinished_runs:
  description: The ids of those runs.
  returned: success
  type: list
  elements: str
undoable:
  description: The newest run that has changed something; it can be undone. Empty when there is none.
  returned: success
  type: str
expected:
  description: How long the parts of a run took lately, by part, as the median in C(seconds) of so many C(runs).
  returned: success
  type: dict
  sample: {"restore": {"seconds": 312.0, "runs": 3}}
times:
  description:
    - How long rollbacks of each C(kind) took lately until users were served, or in all where that was not timed, as the median in C(seconds) of so many
      C(runs).
  returned: success
  type: list
  elements: dict
runs:
  description:
    - The rollbacks that have ended, newest first, each with C(run_id), C(kind), C(ended), C(outcome) and the C(parts) that were done.
    - One that was undone has the undo's run in C(undone_by), and its end in C(undone).
  returned: success
  type: list
  elements: dict
unfinished_run:
  description:
    - The run that has died, or that nobody has gone on with, as C(id), C(kind), C(purpose) and the C(command) that goes on with it.
    - C(back) is the command that undoes it, where it is an undo; C(nowhere) is whether that would bring back what was there when it began.
    - Empty when there is none.
  returned: success
  type: dict
at_work:
  description: The run that works now, for people. Empty when none does.
  returned: success
  type: str
in_the_way:
  description: RV(at_work), where a rollback would be refused for it. A checkpoint and a finish give way, so they are not in the way.
  returned: success
  type: str
release_points:
  description: The newest release points, newest first, as M(spymeo.rollback.release_point) has written them.
  returned: success
  type: list
  elements: dict
"""

import importlib.util
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timezone
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._ansible.run_module import MemoryModule
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput, RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.known_errors import read_noise
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.run import PURPOSES, ROLLBACK
from ansible_collections.spymeo.rollback.plugins.module_utils._core.names import new_run_id
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.durations import (
    ended_rollbacks,
    expected,
    times,
    unfinished,
    unfinished_runs,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.hold import releases
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.lock import keeps_out, who_works
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.outlook import (
    Outlook,
    given_up_line,
    not_to_give_up,
    runs_lines,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.store import ABSENT, StoreError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.variables import (
    ALL,
    FINISH,
    RELEASES,
    RESTORES,
    VERIFIED,
    overriding,
    played_before,
    problems,
    unknown,
    wrong,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.variables_together import problems_together
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.way_on import Play, to_go_on_with
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.e2e import e2e_problems as problems_of_tests
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.scenario import (
    check_variables,
    read_scenarios,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.credentials import check_secrets
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.release_points import known
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.run_claims import namesakes
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.run_lock import glance, observe_lock
from ansible_collections.spymeo.rollback.plugins.module_utils._io.progress import teller
from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import Clock

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._flows.run_lock import LockObservation
    from ansible_collections.spymeo.rollback.plugins.module_utils._flows.run_repository import RunRepository

# What is wrong with their types is told by the variables' own names (``inputs``), and not by those of these options.
E2E = dict(
    {name: dict(type="raw") for name in ("command", "runs_on", "chdir", "timeout")},
    secret_environment=dict(type="raw", no_log=True),
)
CHECKS = dict(
    scenarios=dict(type="raw"),
    lines=dict(type="dict", default={}),
    variables=dict(type="raw", no_log=True),
    secrets=dict(type="raw", no_log=False),
    noise=dict(type="raw"),
    expect=dict(type="raw"),
    e2e=dict(type="dict", options=E2E),
)
LIBRARIES = {"requests": "the checks", "psycopg": "the look at the database (rollback_db_probe: direct)"}


def problems_of_types(checks: dict[str, Any] | None, playbook: str) -> list[str]:
    """Every mistake in the types of the options of ``checks``, which may be None."""
    tests = (checks or {}).get("e2e") or {}
    given = dict(verify_variables=(checks or {}).get("variables"), rollback_e2e_secret_environment=tests.get("secret_environment"))  # fmt: skip
    return [text for name, value in given.items() for text in wrong(name, value, playbook)]


def problems_of_checks(checks: dict[str, Any] | None, today: date) -> list[str]:
    """Every mistake (list of str) in the option ``checks``, which may be None. Their types are right."""
    if checks is None:
        return []
    tests = checks["e2e"] or {}
    given = {name: checks[name] or {} for name in ("variables", "secrets")}
    names = {*given["variables"], *given["secrets"], "run_id"}
    found = []
    for refuse in (
        lambda: check_variables(given["variables"]),
        lambda: check_secrets(given["secrets"]),
        lambda: read_scenarios(checks["scenarios"] or [], names, checks["lines"]),
        lambda: read_scenarios(
            [dict(name="health check (verify_health_expect)", steps=[dict(path="/", expect=checks["expect"] or {})])],
            names,
            {},
        ),
        lambda: read_noise(checks["noise"] or [], today),
    ):
        try:
            refuse()
        except RollbackError as error:
            found += error.evidence
    return found + problems_of_tests(tests_of(tests), os.path.isdir) if tests.get("command") else found


def tests_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """The end-to-end tests with their defaults."""
    return dict(
        command=given["command"],
        runs_on=given.get("runs_on") or "controller",
        chdir=given.get("chdir") or None,
        timeout=int(given.get("timeout") or 900),
        secret_environment=given.get("secret_environment") or {},
    )


def missing_libraries(variables: dict[str, Any], playbook: str) -> list[str]:
    """What this Python lacks for the playbook at hand, with its cure (list of str)."""
    direct = playbook in RESTORES and (variables.get("rollback_db_probe") or "direct") == "direct"
    needed = ["requests"] * (playbook in VERIFIED) + ["psycopg"] * direct
    lacking = [name for name in needed if importlib.util.find_spec(name) is None]
    text = "%s is not installed for %s, and %s need it. Run: %s -m pip install %s."
    return [text % (name, sys.executable, LIBRARIES[name], sys.executable, name) for name in lacking]


def see(module: MemoryModule, memory: RunRepository, run_id: str, abandon: str) -> tuple[LockObservation, Outlook]:
    """What the store tells, as the LockObservation, and as the Outlook of the play: whoever acts is refused here."""
    params = module.params
    play = Play(run_id, abandon, params["purpose"])
    if params["alone"]:  # a playbook that only reads neither goes on with a run nor gives one up
        play = replace(play, **{name: params[name] for name in ("kind", "command", "only_give_up")})
    if not params["alone"] or module.check_mode:
        seen, found = glance(memory, play, time.time())
        return seen, found if params["alone"] else replace(found, ways=(), until="")
    seen = observe_lock(memory, play, time.time, Clock(), teller("lease"))
    notes = ["the lock is taken over: %s" % seen.found] if seen.found else []
    given_up = given_up_line(seen.lock, play, check=False)
    return seen, Outlook((*notes, *([given_up] if given_up else [])))


def also_lines(module: MemoryModule, memory: RunRepository, seen: LockObservation, named: str) -> list[str]:
    """What is to be reported with the Outlook: a run that nobody can give up, who holds deployments back.

    :param named: the run that ``rollback_abandon`` names; empty without one.
    """
    notes = []
    if named and module.params["alone"]:
        found = next(
            (run for each in (memory, *map(memory.beside, namesakes(memory))) if (run := each.run(named))), None
        )
        notes.append(not_to_give_up(named, seen.lock, found[0]["outcome"] if found else None))
    held = (memory.read("hold") or (None,))[0]
    return [note for note in [*notes, *(who for who, _command in releases(held, ""))] if note]


def to_go_on(memory: RunRepository, run: dict[str, str]) -> dict[str, Any]:
    """RV(unfinished_run).

    :param run: as ``to_go_on_with`` tells it.
    """
    return dict(run, nowhere=bool(run["back"]) and memory.leads_nowhere(run["id"])) if run else {}


def remembered(module: MemoryModule, given: str, abandon: str) -> dict[str, Any]:
    """What the store has of the application, in JSON types; where it cannot be read, that is reported with what else is in the way."""
    nothing = dict(
        etag=ABSENT,
        behind=0,
        notes=[],
        ways=[],
        until="",
        lines=[],
        unfinished=[],
        unfinished_runs=[],
        undoable="",
        expected={},
        times=[],
        runs=[],
        unfinished_run={},
        at_work="",
        in_the_way="",
        release_points=[],
    )
    try:
        memory = module.memory()
        seen, found = see(module, memory, given, abandon)
        named = module.params["variables"].get("rollback_abandon") or ""
        notes = [*found.notes, *also_lines(module, memory, seen, named)]
        absent = memory.store.absent() if module.params["playbook"] == RELEASES else None
        if absent:
            notes.append(absent)
        history = (memory.read("history") or (dict(runs=[]),))[0]
        return dict(
            etag=seen.etag,
            behind=seen.behind(module.params["purpose"]),
            notes=notes,
            ways=[dict(words=words, command=command) for words, command in found.ways],
            until=found.until,
            lines=runs_lines(notes, found.ways, found.until),
            unfinished=unfinished(history["runs"]),
            unfinished_runs=unfinished_runs(history["runs"]),
            undoable=seen.undoable,
            expected=expected(history["runs"], module.params["kind"]),
            times=times(history["runs"]),
            runs=ended_rollbacks(history["runs"]),
            unfinished_run=to_go_on(memory, to_go_on_with(seen.lock, time.time())),
            at_work=who_works(seen.lock, time.time()) or "",
            in_the_way=keeps_out(seen.lock, time.time()) or "",
            release_points=known(memory),
            evidence=[],
        )
    except (StoreError, BadInput) as error:
        return dict(nothing, evidence=[error.message])


def main() -> None:
    module = MemoryModule(
        dict(
            variables=dict(type="dict", required=True),
            playbook=dict(type="str", required=True, choices=list(ALL)),
            given=dict(type="list", elements="str", default=[]),
            connection=dict(type="list", elements="str", default=[]),
            overridden=dict(type="list", elements="str", default=[]),
            purpose=dict(type="str", default=ROLLBACK, choices=list(PURPOSES)),
            alone=dict(type="bool", default=False),
            abandon=dict(type="str", default=""),
            kind=dict(type="str", default=""),
            command=dict(type="str", default=""),
            only_give_up=dict(type="str", default=""),
            fail_on_error=dict(type="bool", default=True),
            checks=dict(type="dict", options=CHECKS),
        )
    )
    variables, playbook, checks = (module.params[name] for name in ("variables", "playbook", "checks"))
    with module.telling():
        now = datetime.now(timezone.utc)
        found = unknown(module.params["given"]) + overriding(module.params["overridden"])
        found += played_before(module.params["overridden"]) if module.params["alone"] else []
        found += problems(variables, playbook) + module.params["connection"] + problems_of_types(checks, playbook)
        found = found or problems_together(variables, playbook, now) + problems_of_checks(checks, now.date())
        if found:
            raise RollbackError("Nothing was changed: the inventory cannot be used.", found)
        given = (
            variables.get("rollback_run_id") or "" if playbook != FINISH else ""
        )  # there it names the run that is finished
        abandon = module.params["abandon"] or variables.get("rollback_abandon") or ""
        store = remembered(module, given, abandon)
        store["evidence"] += missing_libraries(variables, playbook)
        if store["evidence"] and module.params["fail_on_error"]:
            raise RollbackError("Nothing was changed. Fix this first:", store["evidence"])
        told = dict(run_id=given or new_run_id(now), resumed=bool(given), by_id=playbook != FINISH)
        module.exit_json(changed=False, alone=module.params["alone"] and not module.check_mode, **told, **store)


if __name__ == "__main__":
    main()
