# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What evidence comes to: none, CODE, DATABASE, FULL or uncertain, how sure that is, and what would change it. Pure.

Symptoms of one cause come together, so weights are not added up: the strongest of a side counts, and two hints make a strong one.
What must go back is asked twice: the code (CODE or FULL), the data (DATABASE or FULL). Both together are FULL.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.run import UNDO
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.conditions import (
    of_database,
    of_deployments,
    of_runs,
    of_secrets,
    of_tasks,
    of_users,
    unmeasured,
    words,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.rules import (
    AGAINST,
    ASKED,
    CODE,
    CRITERIA,
    DATABASE,
    DECISIVE,
    EVERY,
    FOR,
    FULL,
    NONE,
    RULES,
    STRONG,
    UNCERTAIN,
    VETO,
    WEAK,
)

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.evidence import (
        ApartSeen,
        Evidence,
        UnfinishedRun,
    )
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.rules import Rule

HIGH, MEDIUM, LOW = "high", "medium", "low"
YES, PERHAPS, NO, NOT_MEASURED = "yes", "perhaps", "no", "not measured"

# Which parts must have been seen for a recommendation to be sure.
_NEEDED = {
    NONE: ("services", "tasks", "targets", "http", "logs", "database"),
    CODE: ("services", "database", "instance"),
    DATABASE: ("services", "database"),
    FULL: ("services", "database"),
}
_WOULD_TELL = {
    "services": "what was deployed when, and where a rollback of the code would go",
    "tasks": "why tasks stopped",
    "targets": "whether the load balancer finds anybody healthy",
    "http": "whether people can log in, sign up and pay",
    "logs": "which errors the running tasks log, and Prisma's codes in them",
    "instance": "whether RDS has trouble, and what data there are to go back to",
    "database": "which migrations came, and whether rows are corrupted or lost: if they are, FULL instead of CODE, DATABASE instead of none",
    "secrets": "whether a secret changed with the release, which only FULL brings back",
}


@dataclass(frozen=True)
class RuleFinding:
    """What a rule says."""

    criteria: tuple[str, ...]
    speaks: str
    option: str
    weight: int
    sentence: str


@dataclass(frozen=True)
class Recommendation:
    """What a person is told. ``leaning`` is what most speaks for when it is uncertain, else the recommendation itself.

    ``criteria`` are (sentence, answer), in the runbook's order. ``doubts`` are why a person has to decide on CODE, empty where it surely loses
    nothing, and of none, what is wrong all the same.
    """

    option: str
    confidence: str
    leaning: str
    why: tuple[str, ...]
    against: tuple[str, ...]
    would_change: tuple[str, ...]
    not_measured: tuple[tuple[str, str], ...]
    criteria: tuple[tuple[str, str], ...]
    doubts: tuple[str, ...] = ()

    @property
    def needs_person(self) -> bool:
        """Whether no trigger may act on it, or stop looking, by itself: only CODE loses nothing, and only where nothing is in doubt."""
        return self.option not in (NONE, CODE) or bool(self.doubts)


def recommend(evidence: Evidence, rules: Iterable[Rule] = RULES) -> Recommendation:
    """The Recommendation for an Evidence."""
    findings = found(evidence, rules)
    option, leaning = outcome(findings)
    missing, gaps = evidence.missing, tuple(unmeasured.gaps(evidence))
    # What is not asked may hide harm to the data; where they are known to be harmed it does not matter.
    unseen = {*missing, *(part for part, _why in gaps if option in (NONE, CODE))}
    criteria = tuple((text, _answer(criterion, findings, evidence)) for criterion, text in CRITERIA.items())
    confidence = _confidence(option, findings, unseen)
    if (evidence.unfinished or evidence.at_work or evidence.apart) and confidence == HIGH:
        confidence = MEDIUM
    if option == NONE and confidence == HIGH and not _decisive(findings) and NOT_MEASURED in dict(criteria).values():
        confidence = MEDIUM
    return Recommendation(
        option=option,
        confidence=confidence,
        leaning=leaning,
        why=_sentences(findings, lambda item: _supports(item, leaning)),
        against=_sentences(findings, lambda item: _contradicts(item, leaning)),
        would_change=tuple(_would_change(option, findings, missing, bool(of_deployments.brought_back(evidence)))),
        not_measured=(*missing.items(), *gaps),
        criteria=criteria,
        doubts=tuple(_doubts(evidence, confidence))
        if option == CODE
        else tuple(_troubles(criteria, evidence))
        if option == NONE
        else (),
    )


def found(evidence: Evidence, rules: Iterable[Rule] = RULES) -> list[RuleFinding]:
    """The RuleFindings, the heaviest first."""
    seen = []
    for rule in rules:
        words = rule.when(evidence)
        if words is not None:
            seen.append(
                RuleFinding(rule.criteria, rule.speaks, rule.option, rule.weight, rule.sentence.format(**words))
            )
    return sorted(seen, key=lambda item: -item.weight)


def strength(weights: Iterable[int]) -> int:
    """What several weights (iterable of int) come to: the greatest; two hints are a strong one."""
    ordered = sorted(weights, reverse=True)
    return max(ordered[0], STRONG) if ordered[1:] and ordered[1] >= WEAK else sum(ordered[:1])


def outcome(findings: Sequence[RuleFinding]) -> tuple[str, str]:
    """(option, leaning) of RuleFindings."""
    code, data = _need(findings, CODE), _need(findings, DATABASE)
    none, most = strength(_weights(findings, FOR, NONE)), max(code, data)
    if data >= STRONG and (code >= STRONG or _whole(findings) >= STRONG):
        wanted = FULL
    elif most >= STRONG:
        wanted = DATABASE if data >= STRONG else CODE
    else:
        wanted = NONE
    leaning = _leaning(findings, code, data) if wanted == NONE and none < STRONG else wanted
    if most >= STRONG and most == none:
        return UNCERTAIN, wanted
    if none > most:
        return (NONE, NONE) if none >= STRONG else (UNCERTAIN, leaning)
    return (UNCERTAIN, leaning) if wanted == NONE else (wanted, wanted)


def _leaning(findings: Sequence[RuleFinding], code: int, data: int) -> str:
    """What the little that there is points to."""
    if not (code or data):
        return NONE
    if not _weights(findings, FOR, DATABASE, CODE):
        return FULL
    return DATABASE if data > code and _weights(findings, FOR, DATABASE) else CODE if code else FULL


def _whole(findings: Sequence[RuleFinding]) -> int:
    """How much speaks for everything together, whatever is said of the code: it may be back already."""
    return strength(_weights(findings, FOR, FULL))


def _weights(findings: Sequence[RuleFinding], speaks: str, *options: str) -> list[int]:
    return [item.weight for item in findings if item.speaks == speaks and item.option in options]


def _need(findings: Sequence[RuleFinding], option: str) -> int:
    """How much speaks for taking the code (CODE) or the data (DATABASE) back, less what speaks against it."""
    against = strength(_weights(findings, AGAINST, option))
    return 0 if against >= VETO else max(0, strength(_weights(findings, FOR, option, FULL)) - against)


def _supports(item: RuleFinding, option: str) -> bool:
    if item.speaks == AGAINST:
        return option == NONE and item.option != NONE and item.weight >= STRONG
    symptom = item.option == CODE and bool(item.criteria)  # of harmed data, too
    return (
        item.option == option
        or (option == FULL and item.option in (CODE, DATABASE))
        or (option == DATABASE and symptom)
    )


def _contradicts(item: RuleFinding, option: str) -> bool:
    if item.speaks == FOR:
        return not _supports(item, option)
    if item.option == EVERY:
        return True
    if option == FULL:  # what is only to be known of CODE is no matter once the data go back with it
        return item.option in (DATABASE, FULL) or (item.option == CODE and item.weight > 0)
    return item.option == option


def _confidence(option: str, findings: Sequence[RuleFinding], unseen: set[str]) -> str:
    if option == UNCERTAIN:
        return LOW
    lacking = [part for part in _NEEDED[option] if part in unseen]
    if option == CODE and "database" in lacking:  # which its instance is one with
        lacking = [part for part in lacking if part != "instance"]
    contrary = [item.weight for item in findings if _contradicts(item, option) and item.weight]
    if option == NONE:
        strongest = max(_weights(findings, FOR, NONE))
        if strongest < STRONG:  # nothing that people do was seen to work; one doubt, whyever that is
            lacking = ["http", *(part for part in lacking if part != "http")]
        points = DECISIVE - (min(2, len(lacking)) if strongest < DECISIVE else 0) - bool(contrary)
    else:
        needs = [_need(findings, need) or _whole(findings) for need in (CODE, DATABASE) if option in (need, FULL)]
        points = min(needs) - min(2, len(lacking)) - (strength(contrary) >= STRONG and max(needs) < DECISIVE)
    return HIGH if points >= DECISIVE else MEDIUM if points == STRONG else LOW


def _sentences(findings: Sequence[RuleFinding], wanted: Callable[[RuleFinding], bool]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item.sentence for item in findings if wanted(item)))


def _decisive(findings: Sequence[RuleFinding]) -> bool:
    return strength(_weights(findings, FOR, NONE)) >= DECISIVE


def _troubles(criteria: Sequence[tuple[str, str]], evidence: Evidence) -> list[str]:
    """What somebody has to look after although there is nothing to roll back."""
    stopped = of_deployments.fenced(evidence) or of_deployments.one_scaled_to_zero(evidence)
    told = ["%s runs no task" % stopped["service"]] if stopped else []
    apart = [evidence.apart.told] if evidence.apart else []
    return [*(text for text, answer in criteria if answer == YES), *told, *apart]


def _doubts(evidence: Evidence, confidence: str) -> Iterator[str]:
    """Why it is not sure that taking the code back loses nothing."""
    if confidence != HIGH:
        yield "it is not sure (confidence: %s)" % confidence
    if of_users.down(evidence) is None:
        yield "nothing is known to be down now"
    yield from _doubts_about_now(evidence)
    taken, came = of_database.migration_takes_away(evidence), of_runs.came_or_unknown(evidence)
    if taken:
        yield "the migration %s takes something away, which the release before may need" % taken["names"]
    elif came:
        yield came
    yield from _doubts_about_runs(evidence)
    secret = of_secrets.secret_changed(evidence) or of_secrets.url_changed(evidence)
    if secret:
        yield "%s got another value with the release, which CODE leaves as it is" % secret["names"]
    if evidence.secrets is None:
        yield "whether a secret changed with the release is not known"
    yield from _doubts_about_releases(evidence)


def _doubts_about_runs(evidence: Evidence) -> Iterator[str]:
    tried, undone = of_runs.tried(evidence), of_runs.code_undone(evidence)
    if evidence.unfinished:
        yield "run %s was not finished" % evidence.unfinished.id
    if evidence.at_work:
        yield evidence.at_work
    if evidence.apart:
        yield evidence.apart.told
    if tried:
        yield "a rollback was tried %s ago already (run %s: %s)" % (tried["ago"], tried["run"], tried["kind"])
    if undone:
        yield "it was tried, and undone %s ago (run %s)" % (undone["ago"], undone["by"])


def _doubts_about_now(evidence: Evidence) -> Iterator[str]:
    """What goes on at the moment that may be why, and passes without a rollback."""
    at_work, stopped, unplaced = (
        of_deployments.ecs_at_work(evidence),
        of_deployments.one_scaled_to_zero(evidence),
        of_tasks.not_placed(evidence),
    )
    if at_work:
        yield "a deployment of %s is under way" % at_work["service"]
    if unplaced:
        yield (
            "ECS could not start tasks of %(service)s %(ago)s ago (%(said)s), and may not start those of the release before"
            % unplaced
        )
    if stopped:
        yield "somebody has stopped %s, which may be why" % stopped["service"]


def _doubts_about_releases(evidence: Evidence) -> Iterator[str]:
    for service in evidence.services or ():
        if service.before == service.release and not service.brought_back:
            yield "%s would be brought back to what it runs" % service.name
        if not service.before:
            yield "no release of %s can be chosen to go back to" % service.name
        elif not service.brought_back:
            yield from ("%s: %s" % (service.before, text) for text in service.against)


def _would_change(
    option: str, findings: Sequence[RuleFinding], missing: Mapping[str, str], back: bool
) -> Iterator[str]:
    """What would lead to another answer: each finding without which it is another, each part that was not seen."""
    for item in findings:
        other, _leaning_then = outcome([each for each in findings if each is not item])
        if other != option:
            yield "without this it would be %s: %s" % (other, item.sentence)
    for part in missing:
        yield "to know %s" % _WOULD_TELL[part]
    if option == CODE:
        yield "if the checks after CODE fail with P2021 or P2022, the release before cannot use the database as it is now: then FULL"
    if option in (DATABASE, FULL) and not back:
        yield "if the rows turn out to be whole, CODE alone loses nothing"


def _answer(criterion: str, findings: Sequence[RuleFinding], evidence: Evidence) -> str:
    weights = [item.weight for item in findings if criterion in item.criteria and item.speaks == FOR]
    if weights:
        return YES if strength(weights) >= STRONG else PERHAPS
    return NO if ASKED[criterion](evidence) else NOT_MEASURED


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
    """The Next of a Recommendation."""
    option, leaning = recommendation.option, recommendation.leaning
    earlier = _after_earlier_runs(option, leaning, evidence)
    if earlier:
        return earlier
    unknown = [service.name for service in evidence.services or () if not service.before and not service.brought_back]
    target = {"rollback_task_definition": "FAMILY:REVISION"} if unknown else {}
    name_one = _name_one(unknown) if unknown else ""
    if option == CODE:
        doubts = (
            "A person decides: %s." % "; ".join(recommendation.doubts) if recommendation.doubts else "It loses nothing."
        )
        step = Next("rollback_code.yml", target, " ".join(filter(None, [doubts, name_one])))
        return _despite_migrations(step, evidence)
    if option in (DATABASE, FULL):
        return _data_back(option, evidence, target if option == FULL else {}, name_one if option == FULL else "")
    if option == UNCERTAIN:
        return _when_uncertain(leaning, evidence, target, name_one)
    if recommendation.doubts and recommendation.why:
        passing = of_database.instance_passing(evidence)
        cure = "%(name)s is %(status)s: %(cure)s" % passing if passing else recommendation.why[0]
        return Next("triage.yml", {}, "No rollback helps, and a person has to act: %s. Then look again." % cure)
    return Next("triage.yml", {}, "Look again in a minute, if people still complain.")


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
        return Next("triage.yml", {}, "ECS is at work: look again in a minute.")
    over = of_database.failover_while_broken(evidence)
    if over:
        words = "%(name)s has failed over or restarted %(ago)s ago: look again in a few minutes, when applications have connected again."
        return Next("triage.yml", {}, "%s A person decides." % (words % over))
    if of_secrets.secret_may_be_why(evidence):
        words = "It leaves code and data alone. A person decides whether the secret is the cause."
        return Next("rollback_secrets.yml", {}, words, look_first=True)
    if of_deployments.brought_back(evidence):
        return _after_code(evidence)
    if leaning == CODE:
        words = "When in doubt, begin with CODE: most often it loses nothing. A person decides. %s" % name_one
        return _despite_migrations(Next("rollback_code.yml", target, words.strip(), look_first=True), evidence)
    return Next("triage.yml", {}, "A person decides: see what would change the answer, then look again.")


def _after_earlier_runs(option: str, leaning: str, evidence: Evidence) -> Next | None:
    """The Next where an earlier run decides it, whatever else is seen; else None."""
    if evidence.at_work:
        return Next("triage.yml", {}, "%s. Wait until it is done, then look again." % evidence.at_work)
    if evidence.unfinished:
        return _go_on(evidence.unfinished, evidence)
    if evidence.apart:
        return _put_right(evidence.apart)
    undone = of_runs.code_undone(evidence)
    if option in (CODE, UNCERTAIN) and leaning == CODE and undone:
        return _after_undo(evidence, undone)
    return None


def _go_on(run: UnfinishedRun, evidence: Evidence) -> Next:
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
    if run.purpose == UNDO and why:
        words = "%s, and what it brings back does not come up (%s). This goes back to what ran before the undo, and gives it up. A person decides."
        on = replace(go_on, words="Or, once that is fixed, go on with the undo.")
        return replace(back, words=words % (told, why), instead=(on,))
    following = _following(evidence) if why else {}
    if following and run.command:
        words = "%s, and what it has brought back does not come up (%s): go on with it, to the release before that one. A person decides."
        command = "%s -e rollback_task_definition=%s" % (run.command, following["rollback_task_definition"])
        go_on = replace(go_on, variables={**go_on.variables, **following}, words=words % (told, why), command=command)
    return replace(go_on, instead=(back,))


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
