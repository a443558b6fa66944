# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person does next: the playbook, its variables, and the words beside it. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.run import UNDO
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.conditions import (
    of_database,
    of_deployments,
    of_runs,
    of_secrets,
    words,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.options import (
    CODE,
    DATABASE,
    FULL,
    UNCERTAIN,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.recommend import Recommendation

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.finding import Finding
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.evidence import (
        ApartSeen,
        Evidence,
        UnfinishedRun,
    )


@dataclass(frozen=True)
class Next:
    """What a person runs next: a playbook, its extra variables, and in words why. ``look_first`` asks for ``--check`` alone. ``command`` is the whole
    command where it is known. ``instead`` are the other ways, where a person has to choose."""

    playbook: str
    variables: dict[str, str]
    words: str
    look_first: bool = False
    command: str = ""
    instead: tuple[Next, ...] = ()


def next_of(recommendation: Recommendation, evidence: Evidence) -> Next:
    """The Next of a Recommendation: one that its plan does not refuse for what was seen, or that says what comes first."""
    return _provable(_next_of(recommendation, evidence), evidence.unprovable)


_PROVEN = ("rollback_code.yml", "rollback_database.yml", "rollback_full.yml", "rollback_secrets.yml", "undo.yml")


def _provable(step: Next, unprovable: Sequence[Finding]) -> Next:
    """A Next whose plan does not refuse because the checks at its end could not be made. What only a correction helps with is said first."""
    step = replace(step, instead=tuple(_provable(way, unprovable) for way in step.instead))
    if step.playbook not in _PROVEN or not unprovable:
        return step
    first = [
        "First put right what its plan would refuse for (%s %s: %s). %s"
        % (found.check.replace("_", " "), found.subject, found.what, found.cure)
        for found in unprovable
        if found.check != "base_url"
    ]
    unreachable = next((found for found in unprovable if found.check == "base_url"), None)
    if unreachable is None:
        return replace(step, words=" ".join([*first, step.words]))
    words = (
        "Without rollback_despite_unreachable its plan refuses: %s, %s. Where the address is wrong, or only the control node does not reach it, "
        "correct that instead." % (unreachable.subject, unreachable.what)
    )
    flag = {"rollback_despite_unreachable": "true"}
    command = step.command and "%s -e rollback_despite_unreachable=true" % step.command
    said = " ".join([*first, step.words, words])
    return replace(step, variables={**flag, **step.variables}, words=said, command=command, look_first=True)


def _next_of(recommendation: Recommendation, evidence: Evidence) -> Next:
    option, leaning = recommendation.option, recommendation.leaning
    earlier = _after_earlier_runs(recommendation, evidence)
    if earlier:
        return earlier
    unknown = [service.name for service in evidence.services or () if not service.before and not service.brought_back]
    target = {"rollback_task_definition": "FAMILY:REVISION"} if unknown else {}
    name_one = _name_one(unknown) if unknown else ""
    if option == CODE:
        doubts = (
            "A person decides: %s." % "; ".join(recommendation.doubts) if recommendation.doubts else "It loses nothing."
        )
        additive = of_database.additive_came(evidence)
        doubts += (
            " The release before can run with %(names)s, which only adds%(beware)s." % additive if additive else ""
        )
        step = Next("rollback_code.yml", target, " ".join(filter(None, [doubts, name_one])))
        return _despite_migrations(step, evidence)
    if option in (DATABASE, FULL):
        return _data_back(option, evidence, target if option == FULL else {}, name_one if option == FULL else "")
    if option == UNCERTAIN:
        return _when_uncertain(leaning, evidence, target, name_one)
    if of_deployments.deployment_starting(evidence) or of_deployments.rolling_back(evidence):
        return Next("triage.yml", {}, _ECS_AT_WORK)
    if recommendation.doubts and recommendation.why:
        passing = of_database.instance_passing(evidence)
        cure = "%(name)s is %(status)s: %(cure)s" % passing if passing else recommendation.why[0]
        return Next("triage.yml", {}, "No rollback helps, and a person has to act: %s. Then look again." % cure)
    return Next("triage.yml", {}, "Look again in a minute, if people still complain.")


_ECS_AT_WORK = "ECS is at work: look again in a minute."


def _despite_migrations(step: Next, evidence: Evidence) -> Next:
    """A Next for CODE; where a migration has taken something away, which its plan refuses, with what the plan then needs."""
    taken = of_database.migration_takes_away(evidence)
    if not taken:
        return step
    words = (
        "%s Without rollback_despite_migrations its plan refuses, because %s takes something away: "
        "this is right only if the release before works without that." % (step.words, taken["names"])
    )
    variables = {"rollback_despite_migrations": "true", **step.variables}
    full = Next(
        "rollback_full.yml", step.variables, "Or, if it does not, with the data: that takes them back.", look_first=True
    )
    return replace(step, variables=variables, words=words, look_first=True, instead=(full,))


def _when_uncertain(leaning: str, evidence: Evidence, target: dict[str, str], name_one: str) -> Next:
    if of_deployments.deployment_starting(evidence) or of_deployments.rolling_back(evidence):
        return Next("triage.yml", {}, _ECS_AT_WORK)
    over = of_database.failover_while_broken(evidence)
    if over:
        words = "%(name)s has failed over or restarted %(ago)s ago: look again in a few minutes, when applications have connected again."
        return Next("triage.yml", {}, "%s A person decides." % (words % over))
    if of_secrets.secret_unread_may_be_why(evidence):
        return _start_again(evidence)
    if of_secrets.secret_may_be_why(evidence):
        words = "It leaves code and data alone. A person decides whether the secret is the cause."
        return Next("rollback_secrets.yml", {}, words, look_first=True)
    if of_deployments.brought_back(evidence):
        return _after_code(evidence)
    if leaning == CODE:
        words = "When in doubt, begin with CODE: most often it loses nothing. A person decides. %s" % name_one
        return _despite_migrations(Next("rollback_code.yml", target, words.strip(), look_first=True), evidence)
    return Next("triage.yml", {}, "A person decides: see what would change the answer, then look again.")


def _start_again(evidence: Evidence) -> Next:
    """Where tasks have not read what a secret holds now, whatever that is: they are the first thing that is to be right."""
    text = "aws ecs update-service --cluster %s --service %s --force-new-deployment"
    cluster = shlex.quote(evidence.cluster or "CLUSTER")
    commands = [text % (cluster, shlex.quote(name)) for name in of_secrets.services_to_start_again(evidence)]
    words = (
        "Whether %(names)s was set wrongly or put right, running tasks of %(services)s may not have read it. This starts the same code again, with the "
        "value of now; then look again. A person decides."
    )
    told = words % (of_secrets.unread_words(evidence) or {})
    return Next("", {}, told, command=" && ".join(commands))


def _after_earlier_runs(recommendation: Recommendation, evidence: Evidence) -> Next | None:
    """The Next where an earlier run decides it, whatever else is seen; else None."""
    option, leaning = recommendation.option, recommendation.leaning
    if evidence.at_work:
        return Next("triage.yml", {}, "%s. Wait until it is done, then look again." % evidence.at_work)
    if evidence.unfinished:
        return _go_on(evidence.unfinished, evidence, recommendation)
    if evidence.apart:
        return _put_right(evidence.apart)
    undone = of_runs.code_undone(evidence)
    if option in (CODE, UNCERTAIN) and leaning == CODE and undone:
        return _after_undo(evidence, undone)
    return None


def _go_on(run: UnfinishedRun, evidence: Evidence, recommendation: Recommendation) -> Next:
    """Whatever else is seen may be half of what an unfinished run does. What has failed would fail again, so the way back comes first there."""
    playbook = re.search(r"[\w-]+\.yml", run.command)
    told = "Run %s (%s) was not finished" % (run.id, run.kind)
    go_on = Next(
        playbook[0] if playbook else "",
        {"rollback_run_id": run.id},
        "%s: go on with it, or give it up, before anything else. A person decides." % told,
        command=run.command,
    )
    back = _undo_of(run.id, "Or give it up: this goes back to what ran before it.", run.back)
    why = of_runs.does_not_come_up(evidence)
    if run.purpose == UNDO and run.nowhere and why:
        on = replace(go_on, words="Or, once that is fixed, go on with the undo.")
        return _instead_of_nowhere(
            run, "%s, and what it brings back does not come up (%s)" % (told, why), on, evidence, recommendation
        )
    if run.purpose == UNDO and why:
        words = "%s, and what it brings back does not come up (%s). This goes back to what ran before the undo, and gives it up. A person decides."
        on = replace(go_on, words="Or, once that is fixed, go on with the undo.")
        return replace(back, words=words % (told, why), instead=(on,))
    if run.purpose != UNDO and _all_fenced(run, evidence):
        back = Next(
            "unfence.yml",
            {},
            "Or give it up: this gives the services back the tasks that they had, of what ran before. It has moved no database yet; "
            "secrets stay as it has set them.",
        )
    following = _following(evidence) if why else {}
    if following and run.command:
        words = "%s, and what it has brought back does not come up (%s): go on with it, to the release before that one. A person decides."
        command = "%s -e rollback_task_definition=%s" % (run.command, following["rollback_task_definition"])
        go_on = replace(go_on, variables={**go_on.variables, **following}, words=words % (told, why), command=command)
    return replace(go_on, instead=(back,))


def _all_fenced(run: UnfinishedRun, evidence: Evidence) -> bool:
    """Whether a run has died before its deployment: every service stands at 0 tasks for it still."""
    services = evidence.services or ()
    return bool(services) and all(service.fenced_by == run.id for service in services)


def _instead_of_nowhere(
    run: UnfinishedRun, told: str, on: Next, evidence: Evidence, recommendation: Recommendation
) -> Next:
    """Where an undo brings back what was there when it began, its own undo brings that back, too: what is recommended comes instead."""
    words = "%s. What ran before the undo is the same, so undoing it leads nowhere either." % told
    step = _next_of(recommendation, replace(evidence, unfinished=None))
    if not step.playbook.startswith("rollback_"):
        return replace(on, words="%s Once that is fixed, go on with it. A person decides." % words)
    variables = {**step.variables, "rollback_abandon": run.id}
    return replace(
        step, variables=variables, words="%s This gives it up. %s" % (words, step.words), instead=(on, *step.instead)
    )


def _undo_of(run_id: str, words: str, command: str = "") -> Next:
    return Next("undo.yml", {"rollback_undo_run": run_id}, words, command=command)


def _following(evidence: Evidence) -> dict[str, str]:
    """The variable that names the release after the one that was brought back already; empty where that is not one for all services."""
    services = evidence.services or ()
    one = services[0] if of_deployments.brought_back(evidence) and len(services) == 1 else None
    return {"rollback_task_definition": one.next} if one and one.next else {}


def _put_right(apart: ApartSeen) -> Next:
    """Where tasks have read another database than what starts next would, no rollback is planned: that is put right first."""
    if apart.run:
        words = (
            "The running tasks read a database that run %s has pinned, and AWSCURRENT names another one, so no rollback is planned. "
            "This takes that run back. A person decides."
        )
        on = Next(
            "",
            {"rollback_run_id": apart.run},
            "Or go on with it: its own playbook and -e rollback_run_id=%s." % apart.run,
        )
        return replace(_undo_of(apart.run, words % apart.run), instead=(on,))
    words = "AWSCURRENT of %s was moved, and names another database than the running tasks read, so no rollback is planned. Find out who has moved it."
    told = words % apart.secret
    if not apart.read:
        return Next(
            "triage.yml",
            {},
            "%s Have it name the database that is right, or deploy what reads it, then look again." % told,
        )
    command = (
        "aws secretsmanager update-secret-version-stage --secret-id %s --version-stage AWSCURRENT --move-to-version-id %s --remove-from-version-id %s"
        % (shlex.quote(apart.secret), apart.read, apart.current)
    )
    return Next(
        "", {}, "%s This has it name again what they read; then look again. A person decides." % told, command=command
    )


def _data_back(option: str, evidence: Evidence, target: dict[str, str], name_one: str) -> Next:
    playbook, also = (
        ("rollback_full.yml", ", and code and secrets with them") if option == FULL else ("rollback_database.yml", "")
    )
    words = "A person decides: it takes the data back%s. %s" % (also, _restored(evidence))
    tried, undone = of_runs.data_taken_back(evidence), of_runs.data_undone(evidence)
    restored_by = evidence.instance.restored_by if evidence.instance else ""
    variables = {"rollback_database_again": "true", **target} if tried or restored_by else target
    said = [words, name_one]
    if tried:
        said.insert(0, _TAKEN_BACK % tried)
    elif restored_by:
        said.append("Run %s has restored them before, so the plan has to be told to do it once more." % restored_by)
    if undone:
        said.insert(0, _UNDONE % dict(undone, what="The data were taken back", other="older data (rollback_snapshot)"))
    words = " ".join(filter(None, said))
    return Next(
        playbook,
        variables,
        words,
        look_first=bool(tried or undone),
        instead=_undone_again(undone, "was restored then, which is kept"),
    )


def _undone_again(undone: words.Words | None, what: str) -> tuple[Next, ...]:
    """The way back to what an undo has left; none where there was no undo.

    :param what: that is gone back to, as a clause.
    """
    return (_undo_of(str(undone["by"]), "Or go back to what %s: this undoes that undo." % what),) if undone else ()


_TAKEN_BACK = "The data were taken back %(ago)s ago already (run %(run)s). Find what has harmed them since, or restore older ones (rollback_snapshot)."


_UNDONE = "%(what)s by run %(run)s, and that was undone %(ago)s ago (run %(by)s): find out why; the same again does the same. Else take %(other)s."


def _after_undo(evidence: Evidence, undone: words.Words) -> Next:
    """What is next where taking the code back was tried and undone: the release before that one, never the same again without a word."""
    services = evidence.services or ()
    left = [service for service in services if service.next]
    one = left[0] if len(left) == len(services) == 1 else None
    other = one.next_told if one else "another release"
    words = "%s A person decides." % (_UNDONE % dict(undone, what="The code was taken back", other=other))
    again = _undone_again(undone, "ran before that")
    if one:
        return Next("rollback_code.yml", {"rollback_task_definition": one.next}, words, look_first=True, instead=again)
    return Next("releases.yml", {}, "%s See what else has served, and name one." % words, instead=again)


def _after_code(evidence: Evidence) -> Next:
    """What is next where the release before runs already and something is wrong all the same: the one before that, never the same again."""
    services = evidence.services or ()
    left = [service for service in services if service.next]
    if len(left) == len(services) == 1:
        words = (
            "The release before runs already, and that did not help. The next one is %s. A person decides."
            % left[0].next_told
        )
        return Next("rollback_code.yml", {"rollback_task_definition": left[0].next}, words, look_first=True)
    words = "The release before runs already, and that did not help. See what else has served, and name one. A person decides."
    return Next("releases.yml", {}, words)


def _name_one(services: Sequence[str]) -> str:
    return "Name the release to go back to: none can be chosen for %s." % ", ".join(services)


def _restored(evidence: Evidence) -> str:
    instance = evidence.instance
    if instance is None or instance.data_from is None:
        return "Which data come back is not known yet: look at the plan."
    return "The data are those of %s UTC." % instance.data_from.strftime("%Y-%m-%d %H:%M:%S")
