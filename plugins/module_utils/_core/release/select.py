# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which release a service goes back to: the whole order of precedence. Pure: no AWS, no clock, no Ansible."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.service_revision import (
    Revision,
    changes,
    same_images,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.candidates import (
    DELETED,
    FAILED,
    MOMENTS,
    RUNNING,
    SAME_IMAGE,
    Candidate,
    candidate_line,
    candidate_of,
    candidates,
    eligible,
    option_text,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.names import same_content
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.next_step import short
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.timeline import OWN

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.timeline import Key, Stay, Timeline

NAMED = "rollback_task_definition names it"
LISTED = 10  # candidates that a refusal lists
NEXT = 3  # candidates that a plan shows besides the one that is chosen
PASSED = 5  # candidates that it tells to have been passed over
PASSED_OVER = (MOMENTS, FAILED, SAME_IMAGE)  # what a plan tells of what is younger than the one that is chosen


@dataclass(frozen=True)
class ReleaseChoice:
    """Where a service goes back to.

    ``first_bad`` is the task definition (ARN) of the first release after the target, ``bad_since`` when it came, ``good_since`` when the
    target had begun before; None where nothing is bad. Of a target that the operator named, what came after it is the first deployment of
    anything else, be it its own images with another configuration. ``notes`` are what a person has to know of this choice. ``candidates``
    are all releases of the record, newest first, and ``next`` those that come after the chosen one, best first. ``bad`` is every Stay since
    ``bad_since`` of anything but the target, oldest first.
    """

    target: Revision
    reason: str
    first_bad: str | None
    bad_since: datetime | None
    good_since: datetime | None
    notes: tuple[str, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    next: tuple[Candidate, ...] = ()
    bad: tuple[Stay, ...] = ()


def offered(known: tuple[Candidate, ...]) -> list[Candidate]:
    """Of Candidates those that a plan or a refusal may tell with the option that picks them, so that they have to be there."""
    best = eligible(known)
    rest = [item for item in known if item.verdict not in (RUNNING, DELETED) and not any(item is one for one in best)]
    if not best:
        return rest[:LISTED]
    as_it_served = [item for item in rest if item.verdict == SAME_IMAGE][:1]
    return [*[*best, *rest][: NEXT + 1], *as_it_served, *_passed_over(known, best[0])[:PASSED]]


def _passed_over(known: tuple[Candidate, ...], chosen: Candidate) -> list[Candidate]:
    """Of Candidates those that are younger than the chosen one, and could be taken for what is wanted."""
    return [item for item in known if item is not chosen and item.last > chosen.last and item.verdict in PASSED_OVER]


def choose_target(
    name: str,
    running: Revision,
    timeline: Timeline,
    named: Revision | None = None,
    recorded: tuple[Revision, str, bool] | None = None,
    gone: Container[str] = frozenset(),
    origins: Mapping[str, str] | None = None,
) -> ReleaseChoice:
    """The ReleaseChoice of a service.

    In this order:

    1. what the operator named;
    2. what the release point that the operator named has recorded;
    3. what runs, when it was brought back already, so that a second run changes nothing;
    4. what the newest release point older than what runs has recorded;
    5. of the service revisions that ran before, the newest whose images are not those of what runs, that served for more than moments, and
       that was not rolled back from without having served again; mostly what the bad deployment replaced;
    6. where none has served for more than moments, the newest that has served at all, and that came up the last time.

    :param name: of the service.
    :param running: the Revision that it runs.
    :param timeline: Timeline.
    :param named: the Revision that the operator named, or None.
    :param recorded: ``(Revision, why, insisted)`` of a release point, or None.
    :param gone: ARNs of task definitions that were deleted, so that they cannot come back.
    :param origins: ARN of a copy → ARN of its origin.
    :raises RollbackError: none can be chosen; the evidence lists the candidates, each with the option that picks it.
    """
    origins = origins or {}
    known = candidates(timeline, running, gone, origins)
    best = eligible(known)

    def choice(target: Revision, reason: str, insisted: bool = False) -> ReleaseChoice:
        return _choice(target, reason, insisted, running, timeline, known, gone, origins)

    if named:
        return choice(named, NAMED, insisted=True)
    if recorded and recorded[2]:
        return choice(*recorded)
    if running.task_definition not in {item.task_definition for stay in timeline.stays[-1:] for item in stay.revisions}:
        what = "AWS has no record that %s was deployed (it keeps 90 days)" % short(running.task_definition)
        raise _nothing_to_choose(name, what, known)
    if timeline.brought_back:
        gone_back = ", ".join(_left(item, timeline) for item in timeline.younger(timeline.running))
        reason = "it was brought back already, from %s; %s" % (gone_back, _elsewhere(best))
        return choice(running, reason)
    if recorded:
        return choice(*recorded)
    if not best:
        what = "nothing older than %s has served without being rolled back from" % short(running.task_definition)
        if any(item.same_images and item.verdict != RUNNING for item in known):
            what += ", but with the same images"
        raise _nothing_to_choose(name, what, known)
    words = "it is the newest one before %s that has served and was not rolled back from"
    return choice(best[0].revision, words % _first_bad_name(timeline, best[0], running))


def _first_bad_name(timeline: Timeline, candidate: Candidate, running: Revision) -> str:
    stay = timeline.bad_stay(candidate.release)
    return short(stay.revision.task_definition if stay else running.task_definition)


def _left(release: Key, timeline: Timeline) -> str:
    """What a service was brought back from. What never served says nothing against what runs, nor for it."""
    name = short(timeline.of(release)[-1].revision.task_definition)
    return name if timeline.has_served(release) else "%s (which never served)" % name


def _elsewhere(best: Sequence[Candidate]) -> str:
    if not best:
        return "nothing else is chosen without being named"
    return "the next one would be %s" % option_text(best[0])


def _choice(
    target: Revision,
    reason: str,
    insisted: bool,
    running: Revision,
    timeline: Timeline,
    known: tuple[Candidate, ...],
    gone: Container[str],
    origins: Mapping[str, str],
) -> ReleaseChoice:
    def is_own(revision: Revision) -> bool:
        return same_content(revision, target, origins)

    ours = next((item for item in known if item.is_of(target, origins)), None)
    if ours is None:  # an older configuration of its release, or nothing that AWS has a record of
        releases = (stay.release for stay in reversed(timeline.stays) if any(map(is_own, stay.revisions)))
        ours = next((candidate_of(item, target, timeline, running, gone, origins) for item in releases), None)
    release = ours.release if ours else None
    stays = same_content(target, running, origins)
    good, bad = _good_and_bad(release, timeline, is_own, stays, insisted)
    others = tuple(item for item in known if item is not ours and item.verdict != RUNNING)
    best = eligible(others)
    rest = [item for item in others if item not in best and item.verdict != DELETED]
    return ReleaseChoice(
        target=target,
        reason=reason,
        first_bad=bad.revisions[0].task_definition if bad else None,
        bad_since=bad.began if bad else None,
        good_since=good.began if good else None,
        notes=tuple(_notes(target, ours, running, timeline, known, stays, reason == NAMED, origins)),
        candidates=known,
        next=tuple([*best, *rest][:NEXT]),
        bad=tuple(_bad_stays(release, timeline, is_own, insisted, bad)) if bad else (),
    )


def _bad_stays(
    release: Key | None, timeline: Timeline, is_own: Callable[[Revision], bool], insisted: bool, first: Stay
) -> Iterator[Stay]:
    """Every Stay since ``first``, the first that is bad, of what the target is not; the other arguments are those of ``_good_and_bad``."""
    for stay in timeline.stays_of(is_own):
        target = stay.release is OWN or (stay.release == release and not insisted)
        if stay.began >= first.began and not target:
            yield stay


def _good_and_bad(
    release: Key | None, timeline: Timeline, is_own: Callable[[Revision], bool], stays: bool, insisted: bool
) -> tuple[Stay | None, Stay | None]:
    """The Stay of the target before anything was bad, and the first that is; None each where there is none.

    :param release: the key of the target's release, None where it was never deployed.
    :param is_own: Revision → whether it brings what the target brings.
    :param stays: whether the target runs already.
    :param insisted: whether the operator named it, so that what else its release was deployed with is what they do not want.
    """
    if release is None:
        return None, next(iter(timeline.stays[-1:]), None)  # it takes the place of what runs
    if release != timeline.running and release in timeline.younger(timeline.running):
        return None, None  # forward
    good, bad = timeline.own_good_and_bad(is_own) if insisted else (None, None)
    if bad is None and (not stays or timeline.brought_back):
        good, bad = timeline.good_and_bad(release)
    if bad is None and not stays:
        bad = timeline.stays[-1]
    return good, bad


def _notes(
    target: Revision,
    ours: Candidate | None,
    running: Revision,
    timeline: Timeline,
    known: tuple[Candidate, ...],
    stays: bool,
    named: bool,
    origins: Mapping[str, str],
) -> Iterator[str]:
    """What is known against a choice."""
    what = short(target.task_definition)
    if stays:
        yield from _stands_otherwise(running, timeline, origins, known)
        return
    if ours is None:
        yield "%s was never deployed, as far as AWS's record goes; whether it starts is not known" % what
        if same_images(target, running):
            yield "%s has the images of what runs: it is the same release" % what
        return
    for against in ours.against:
        yield "%s: %s" % (what, against)
    if named:
        return
    passed = _passed_over(known, ours)
    for item in passed[:PASSED]:
        yield "passed over: %s" % candidate_line(item)
    if passed[PASSED:]:
        yield "passed over: %d more" % len(passed[PASSED:])


def _stands_otherwise(
    running: Revision, timeline: Timeline, origins: Mapping[str, str], known: tuple[Candidate, ...]
) -> Iterator[str]:
    """Where what runs was brought back with another configuration than the one with which it served."""
    served = [revision for stay in timeline.of(timeline.running)[:-1] for revision in stay.proven]
    if not timeline.brought_back or not served:
        return
    told = changes(running, served[-1]).lines
    if told:
        item = next((item for item in known if item.is_of(served[-1], origins)), None)
        how = "; as it served: %s" % option_text(item) if item and item.verdict != DELETED else ""
        yield "%s runs otherwise than when it served: %s%s" % (short(running.task_definition), "; ".join(told), how)


def _nothing_to_choose(name: str, why: str, known: tuple[Candidate, ...]) -> RollbackError:
    there = offered(known)
    shown = [item for item in known if item.verdict in (RUNNING, DELETED) or any(item is one for one in there)][:LISTED]
    return RollbackError(
        "There is no task definition to bring service %s back to: %s. Name one in rollback_task_definition%s."
        % (
            name,
            why,
            ", each with its value below" if any(item.verdict != RUNNING for item in known) else ", as family:revision",
        ),
        [candidate_line(item) for item in shown] or ["AWS lists no deployment of this service"],
        dict(candidates=[item.to_result() for item in shown]),
    )
