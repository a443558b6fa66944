# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The releases that a service could go back to, and what is known for and against each. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Callable

from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.service_revision import Revision, changes
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.names import option_of, same_content
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.next_step import short
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.timeline import NO_TIME, OWN

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.timeline import Key, Stay, Timeline

RUNNING, SAME_IMAGE, DELETED, FELL = "running", "same image", "deleted", "rolled back from"
MOMENTS, FAILED, SERVED, NEVER = "moments", "failed", "served", "never served"


@dataclass(frozen=True)
class Candidate:
    """A release of the record, as the Revision that would come back. ``verdict`` says in words whether it can be chosen: ``served`` can be,
    ``moments`` and ``failed`` only where no other is left. ``last`` is when its last time began, ``against`` what is known against it."""

    release: Key
    revision: Revision
    first_deployed: datetime
    last: datetime
    verdict: str
    against: tuple[str, ...] = ()
    same_images: bool = False
    now: datetime | None = None
    named: Callable[[], str] = field(default=str, repr=False, compare=False)
    times: Callable[[], Sequence[Stay]] = field(default=tuple, repr=False, compare=False)

    @cached_property
    def stays(self) -> Sequence[Stay]:
        """The Stays in which it served, oldest first: of its release, or of its own where the release serves on with another configuration.
        Like ``option`` they are found out where they are reported."""
        return self.times()

    @property
    def spans(self) -> list[tuple[datetime, datetime | None]]:
        """[from, to] of each, ``to`` None while it serves."""
        return [(stay.served, stay.ended) for stay in self.stays if stay.served is not None]

    @property
    def seconds(self) -> timedelta:
        """How long it served in all (timedelta)."""
        return sum((stay.seconds(self.now) for stay in self.stays), NO_TIME)

    @cached_property
    def option(self) -> str:
        """The value of ``rollback_task_definition`` that picks it. It takes a while, so it is found out where it is reported."""
        return self.named()

    @property
    def task_definition(self) -> str:
        """The ARN of its task definition."""
        return self.revision.task_definition

    def is_of(self, revision: Revision, origins: Mapping[str, str]) -> bool:
        """Whether a Revision is of this candidate."""
        return self.revision is revision or same_content(self.revision, revision, origins)

    def to_result(self) -> dict[str, Any]:
        """In JSON types."""
        return dict(
            task_definition=short(self.task_definition),
            release_name=", ".join(self.revision.names),
            digest=dict(self.revision.digests),
            first_deployed=self.first_deployed.isoformat(),
            served=spans_result(self.spans),
            seconds=round(self.seconds.total_seconds(), 1),
            verdict=self.verdict,
            against=list(self.against),
            option=self.option,
            told=candidate_line(self),
        )


def spans_result(spans: Iterable[tuple[datetime, datetime | None]]) -> list[list[str]]:
    """Spans of time in JSON types: [[from, to], …], ISO 8601 in UTC; the last ``to`` is empty while it serves."""
    return [[began.isoformat(), ended.isoformat() if ended else ""] for began, ended in spans]


def candidates(
    timeline: Timeline, running: Revision, gone: Container[str], origins: Mapping[str, str]
) -> tuple[Candidate, ...]:
    """The Candidates of a service, those that ran last first.

    :param timeline: Timeline.
    :param running: the Revision that runs.
    :param gone: ARNs of task definitions that were deleted.
    :param origins: ARN of a copy → ARN of its origin.
    """
    found: list[Candidate] = []
    seen: set[Key] = set()
    for stay in reversed(timeline.stays):
        if stay.release not in seen:
            seen.add(stay.release)
            found += _of_release(stay.release, timeline, running, gone, origins)
    return tuple(found)


def _of_release(
    release: Key,
    timeline: Timeline,
    running: Revision,
    gone: Container[str],
    origins: Mapping[str, str],
) -> list[Candidate]:
    stays = timeline.of(release)
    proven = [revision for stay in reversed(stays) for revision in reversed(stay.proven)]
    if release != timeline.running:
        there = [revision for revision in proven if revision.task_definition not in gone]
        revision = (there or proven or [stays[-1].revision])[0]
        return [candidate_of(release, revision, timeline, running, gone, origins)]
    found = [candidate_of(release, running, timeline, running, gone, origins)]
    for revision in proven:
        if not any(same_content(revision, item.revision, origins) for item in found):
            found.append(candidate_of(release, revision, timeline, running, gone, origins))
    return found


def candidate_of(
    release: Key,
    revision: Revision,
    timeline: Timeline,
    running: Revision,
    gone: Container[str],
    origins: Mapping[str, str],
) -> Candidate:
    """The Candidate that a Revision of a release of the record is; the other arguments are those of ``candidates``."""
    against = tuple(_against(release, revision, timeline, running, gone))
    served = [stay for stay in timeline.of(release) if stay.served is not None]

    def times() -> list[Stay]:
        if release != timeline.running or same_content(revision, running, origins):
            return served
        own = timeline.stays_of(lambda one: same_content(one, revision, origins))
        return [stay for stay in own if stay.release is OWN and stay.served is not None]

    return Candidate(
        release=release,
        revision=revision,
        first_deployed=timeline.born(release),
        last=(served or timeline.of(release))[-1].began,
        verdict=_verdict(release, revision, timeline, running, gone),
        against=against,
        same_images=release == timeline.running,
        named=lambda: option_of(revision, timeline, origins),
        times=times,
        now=timeline.now,
    )


def _verdict(release: Key, revision: Revision, timeline: Timeline, running: Revision, gone: Container[str]) -> str:
    if revision is running:
        return RUNNING
    if revision.task_definition in gone:
        return DELETED
    if release == timeline.running:
        return SAME_IMAGE
    if timeline.rolled_back_from(release, moments_count=True):
        return FELL
    if not timeline.has_served(release):
        return NEVER
    if timeline.failed_last(release):
        return FAILED
    if timeline.rolled_back_from(release) or timeline.for_moments(release):
        return MOMENTS
    return SERVED


def _against(
    release: Key, revision: Revision, timeline: Timeline, running: Revision, gone: Container[str]
) -> Iterator[str]:
    """What is known against a release, in words."""
    if revision is running:
        return
    if revision.task_definition in gone:
        yield "its task definition was deleted"
    if release == timeline.running:
        other = changes(running, revision).lines
        differs = "; ".join(other) if other else "its task definition is another one"
        yield "it has the images of what runs, so it is the same release; only this differs: %s" % differs
    if timeline.rolled_back_from(release):
        lifted = not timeline.rolled_back_from(release, moments_count=True)
        yield "it was rolled back from" + (", and served again for moments only" if lifted else "")
    if timeline.failed_last(release):
        yield "its last deployment did not succeed"
    if not timeline.has_served(release):
        yield "no deployment of it has succeeded"
    elif timeline.for_moments(release) and release != timeline.running:
        yield "it served for %s only" % duration(timeline.seconds(release))


def eligible(found: Iterable[Candidate]) -> list[Candidate]:
    """The Candidates that can be chosen without a word of the operator, best first: the newest that served for more than moments, then those
    that served for moments only, then those that did not come up the last time. Never one with the images of what runs, nor one that was
    rolled back from or deleted."""
    by_age = sorted((item for item in found if not item.same_images), key=lambda item: item.last, reverse=True)
    return [item for verdict in (SERVED, MOMENTS, FAILED) for item in by_age if item.verdict == verdict]


def candidate_line(item: Candidate) -> str:
    """A Candidate for people."""
    told = [short(item.task_definition)]
    names = ", ".join([*item.revision.names, *(digest[:19] for _image, digest in item.revision.digests)])
    told.append("(%s)" % names if names else "")
    told.append("first deployed %s" % item.first_deployed.isoformat(timespec="seconds"))
    ended = next((ended for _began, ended in reversed(item.spans)), None)
    if item.spans:
        until = " until %s" % ended.isoformat(timespec="seconds") if ended else ""
        told.append("served %s%s" % (duration(item.seconds), until))
    text = "  ".join(filter(None, [*told, "; ".join(item.against) or item.verdict]))
    return text + ("" if item.verdict in (RUNNING, DELETED) else "  -e rollback_task_definition=%s" % item.option)


def option_text(item: Candidate) -> str:
    """A Candidate and how to pick it, in a few words."""
    name = ", ".join(item.revision.names)
    label = "%s (%s)" % (short(item.task_definition), name) if name else short(item.task_definition)
    return "%s, which served %s: -e rollback_task_definition=%s" % (label, duration(item.seconds), item.option)


def duration(span: timedelta) -> str:
    """A timedelta for people, in its two largest units."""
    seconds = int(span.total_seconds())
    parts = []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append("%d %s" % (count, unit))
    return " ".join(parts[:2]) or "0 s"
