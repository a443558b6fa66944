# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What evidence comes to: none, CODE, DATABASE, FULL or uncertain, how sure that is, and what would change it. Pure.

Symptoms of one cause come together, so weights are not added up: the strongest of a side counts, and two hints make a strong one.
What must go back is asked twice: the code (CODE or FULL), the data (DATABASE or FULL). Both together are FULL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.conditions import (
    of_database,
    of_deployments,
    of_runs,
    of_secrets,
    of_tasks,
    of_users,
    unmeasured,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.options import (
    CODE,
    DATABASE,
    FULL,
    NONE,
    UNCERTAIN,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.rules import (
    AGAINST,
    ASKED,
    CRITERIA,
    DECISIVE,
    EVERY,
    FOR,
    RULES,
    STRONG,
    VETO,
    WEAK,
)

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.evidence import (
        Evidence,
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
    apart = [evidence.apart.words] if evidence.apart else []
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
    unread = of_secrets.unread_words(evidence)
    if unread:
        yield (
            "running tasks of %(services)s may have read another value of %(names)s than the current one, which those of the release before would read"
            % unread
        )
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
        yield evidence.apart.words
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
