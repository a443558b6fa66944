# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a service ran, in order: releases, the stays of each, how long they served, and what was rolled back from. Pure.

A release is what its images are: two task definitions with the same digests are one release, and one task definition whose tag meant two
images is two. Only where AWS has recorded no digests, a release is its task definition.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Union

from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import IN_FLIGHT
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.service_revision import Revision

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import ServiceDeployment

NO_TIME = timedelta(0)
Key = Union[frozenset[str], str]  # of a release: the digests of its images, or the ARN of its task definition
OWN = "own"  # the Key of the Stays of one configuration


@dataclass
class Stay:
    """A time in which a service was to run one release; ``revisions`` are those that it was deployed with, oldest first, and ``ended`` is
    when the next release began, None for the one that it runs. ``served`` is when the first deployment of it had succeeded, ``proven_at`` when
    the last one had, else None."""

    release: Key
    began: datetime
    revisions: list[Revision] = field(default_factory=list)
    proven: list[Revision] = field(default_factory=list)  # those whose deployments have succeeded, oldest first
    served: datetime | None = None
    proven_at: datetime | None = None
    ended: datetime | None = None

    @property
    def revision(self) -> Revision:
        """The Revision that stands for it: the newest that came to serve, else the newest."""
        return (self.proven or self.revisions)[-1]

    def seconds(self, now: datetime | None) -> timedelta:
        """How long it served (timedelta): until something else was begun, which may have done harm from then on."""
        until = self.ended or now
        if self.served is None or until is None:
            return NO_TIME
        return max(until - self.served, NO_TIME)


def _events(history: Sequence[ServiceDeployment]) -> list[tuple[datetime, Revision, datetime | None, bool]]:
    """(when, Revision, when it served or None, whether it is under way) of each time that something was to run, oldest first."""
    events, oldest_first = [], sorted(history, key=lambda item: item.created_at)
    known = {item.target.arn for item in history} | {item.returned.arn for item in history if item.returned}
    nexts = [item.created_at for item in oldest_first[1:]]
    for number, item in enumerate(oldest_first):
        before = sorted(
            (source for source in item.sources if source.arn not in known),
            key=lambda one: one.created_at or item.created_at,
        )
        for place, source in enumerate(before):
            known.add(source.arn)
            began = min(source.created_at or item.created_at, item.created_at)
            # Of two that a deployment replaced, the younger one was still being deployed.
            events.append((began, source, None if place else began, False))
        done = item.finished_at or item.created_at
        events.append(
            (item.created_at, item.target, done if item.status == "SUCCESSFUL" else None, item.status in IN_FLIGHT)
        )
        if item.returned:
            # A newer deployment ends a rollback that is under way, and counts as begun after it.
            at = min([done, *nexts[number : number + 1]])
            events.append((at, item.returned, done if item.status == "ROLLBACK_SUCCESSFUL" else None, False))
    return sorted(events, key=lambda event: event[0])


def _keys(events: Sequence[tuple[datetime, Revision, datetime | None, bool]], origins: Mapping[str, str]) -> list[Key]:
    """The key of the release of each event's Revision, in the order of events."""

    def origin(revision: Revision) -> str:
        return origins.get(revision.task_definition, revision.task_definition)

    sets: dict[str, list[frozenset[str]]] = {}
    references: dict[str, set[frozenset[str]]] = {}
    for _at, revision, _served, _under_way in events:
        if revision.image_set is not None:
            sets.setdefault(origin(revision), []).append(revision.image_set)
            references.setdefault(origin(revision), set()).add(revision.references)

    def copied(revision: Revision) -> bool:
        """Whether a copy names the images of its origin: a pipeline that derives a task definition from a copy may carry its tag to others."""
        return revision.task_definition in origins and revision.references in references[origin(revision)]

    keys: list[Key] = []
    for _at, revision, _served, under_way in events:
        known = set(sets.get(origin(revision), ()))
        if revision.image_set is not None:
            keys.append(revision.image_set)
        elif len(known) == 1 and (not under_way or copied(revision)):
            keys.append(known.pop())
        elif under_way and known:
            keys.append(
                revision.arn
            )  # its tag may mean another image by now; which one is known once a task has pulled it
        else:
            keys.append(origin(revision))
    return keys


def _stays(events: Sequence[tuple[datetime, Revision, datetime | None, bool]], keys: Iterable[Key]) -> list[Stay]:
    """The Stays of events, oldest first; a new one begins where the key is another one."""
    stays: list[Stay] = []
    for (at, revision, served, _under_way), key in zip(events, keys):
        if not stays or stays[-1].release != key:
            if stays:
                stays[-1].ended = at
            stays.append(Stay(key, at))
        stay = stays[-1]
        stay.revisions.append(revision)
        if served is not None:
            stay.proven.append(revision)
            stay.served, stay.proven_at = stay.served or served, served
    return stays


class Timeline:
    """What a service ran.

    :param history: ServiceDeployments in any order.
    :param origins: ARN of a copy that this collection registered → ARN of what it is a copy of, as far as known.
    :param now: aware datetime; until then, what runs has served.
    :param moments: timedelta; what served no longer has served for moments only.
    """

    def __init__(
        self,
        history: Sequence[ServiceDeployment],
        origins: Mapping[str, str] | None = None,
        now: datetime | None = None,
        moments: timedelta = NO_TIME,
    ) -> None:
        events = _events(history)
        self._events, self._keys = events, _keys(events, origins or {})
        self.stays = _stays(events, self._keys)
        self.now = now or max((event[2] or event[0] for event in events), default=None)
        self.moments = moments
        self.releases = list(dict.fromkeys(stay.release for stay in self.stays))  # in the order in which they were born
        self._births: dict[Key | None, int] = {release: number for number, release in enumerate(self.releases)}
        self._places: dict[Key | None, list[int]] = {}  # release → numbers of its stays
        for number, stay in enumerate(self.stays):
            self._places.setdefault(stay.release, []).append(number)
        self._fell = self._rolled_back()

    @property
    def running(self) -> Key | None:
        """The key of the release that it runs, or is being brought to; None without a record."""
        return self.stays[-1].release if self.stays else None

    @property
    def revisions(self) -> list[Revision]:
        """The Revisions that it was to run, in order."""
        return [event[1] for event in self._events]

    def of(self, release: Key | None) -> list[Stay]:
        """The stays of a release, oldest first."""
        return [self.stays[number] for number in self._places.get(release, ())]

    def born(self, release: Key) -> datetime:
        """When a release was first deployed."""
        return self.of(release)[0].began

    def younger(self, release: Key | None) -> list[Key]:
        """Releases born after ``release``, oldest first; all of them when it was never deployed."""
        return self.releases[self._births[release] + 1 :] if release in self._births else self.releases

    def spans(self, release: Key) -> list[tuple[datetime, datetime | None]]:
        """[from, to] of each time that a release served, oldest first; ``to`` is None while it does."""
        return [(stay.served, stay.ended) for stay in self.of(release) if stay.served is not None]

    def seconds(self, release: Key, since: int = 0) -> timedelta:
        """How long a release served (timedelta), counted from the stay of that number on."""
        return sum((stay.seconds(self.now) for stay in self._from(release, since)), NO_TIME)

    def has_served(self, release: Key, since: int = 0) -> bool:
        """Whether a deployment of it has succeeded, from the stay of that number on."""
        return any(stay.served is not None for stay in self._from(release, since))

    def _from(self, release: Key, since: int) -> list[Stay]:
        return [self.stays[number] for number in self._places.get(release, ()) if number >= since]

    def failed_last(self, release: Key) -> bool:
        """Whether a release that served before did not come up when it was deployed the last time."""
        return self.has_served(release) and self.of(release)[-1].served is None

    def for_moments(self, release: Key) -> bool:
        """Whether all that it has served are moments."""
        return self.seconds(release) < self.moments

    def proven(self, release: Key) -> bool:
        """Whether a release can be gone back to without a word of the operator: it is not what runs, it has served for more than moments, it came
        up the last time, and it was not rolled back from without having served again."""
        served = self.has_served(release) and not self.failed_last(release) and not self.for_moments(release)
        return served and release != self.running and not self.rolled_back_from(release)

    def _rolled_back(self) -> dict[Key, int]:
        """Release → the number of the stay with which it was last rolled back from, whoever did it.

        Deploying a release again while a younger one runs is a rollback: everything born after it that ran since it first did was rolled
        back from.
        """
        fell: dict[Key, int] = {}
        for number, stay in enumerate(self.stays):
            first = self._places[stay.release][0]
            if first == number or self._births[self.stays[number - 1].release] < self._births[stay.release]:
                continue  # new, or forward again
            between = {other.release for other in self.stays[first:number]} & set(self.younger(stay.release))
            fell.update(dict.fromkeys(between, number))
        return fell

    def rolled_back_from(self, release: Key, moments_count: bool = False) -> bool:
        """Whether a release was rolled back from, and did not serve again since for more than moments (or at all)."""
        if release not in self._fell:
            return False
        since = self._fell[release]
        if moments_count:
            return not self.has_served(release, since)
        return not self.has_served(release, since) or self.seconds(release, since) < self.moments

    @property
    def brought_back(self) -> bool:
        """Whether what runs was brought back from younger releases."""
        return self.running is not None and bool(self.younger(self.running))

    def bad_stay(self, target: Key | None) -> Stay | None:
        """The first Stay after the last time that ``target`` served for more than moments (where it never did: at all); None without one.

        Of the release that runs, the time before it was brought back counts, so what is found is what it was brought back from.
        """
        return self.good_and_bad(target)[1]

    def good_and_bad(self, target: Key | None) -> tuple[Stay | None, Stay | None]:
        """``bad_stay`` and the Stay before it, in which ``target`` had proven itself: (good, bad), both None without one."""
        return self._good_and_bad(self.stays, self._places.get(target, ()))

    def stays_of(self, is_own: Callable[[Revision], bool]) -> list[Stay]:
        """The Stays as they are where one configuration is told apart from the rest of its release; the ``release`` of its own is OWN.

        :param is_own: Revision → whether it brings that configuration.
        """
        keys: list[Key] = [OWN if is_own(event[1]) else key for event, key in zip(self._events, self._keys)]
        return _stays(self._events, keys)

    def own_good_and_bad(self, is_own: Callable[[Revision], bool]) -> tuple[Stay | None, Stay | None]:
        """``good_and_bad`` of one configuration: the same images with another one may be what is bad."""
        stays = self.stays_of(is_own)
        return self._good_and_bad(stays, [place for place, stay in enumerate(stays) if stay.release is OWN])

    def _on_end(self, stays: Sequence[Stay], place: int) -> timedelta:
        """How long the release of a stay had served by its end without another one in between: what never served has interrupted nothing."""
        total = NO_TIME
        for number in range(place, -1, -1):
            stay = stays[number]
            if stay.release == stays[place].release:
                total += stay.seconds(self.now)
            elif stay.served is not None:
                break
        return total

    def _good_and_bad(self, stays: Sequence[Stay], places: Sequence[int]) -> tuple[Stay | None, Stay | None]:
        places = [place for place in places if place < len(stays) - 1]
        served = [place for place in places if stays[place].served is not None]
        proper = [place for place in served if self._on_end(stays, place) >= self.moments]
        places = proper or served or places
        return (stays[places[-1]], stays[places[-1] + 1]) if places else (None, None)
