# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which release point a rollback goes back to: the newest one older than what runs. Pure: no AWS, no clock, no Ansible."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput, RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.next_step import short
from ansible_collections.spymeo.rollback.plugins.module_utils._core.times import parse_time

NONE = "none"  # what the operator names to go back without a release point
NO_POINT = "no release point is known"


@dataclass(frozen=True)
class ServicePast:
    """What one service has run, as far as a release point is chosen by it.

    ``running`` is its release (ARN), ``since`` when it came to run it, the last time. Where it was ``brought_back`` to that already,
    ``bad_since`` is when the releases that it was brought back from began. ``bad`` are all releases that were rolled back from.
    ``images`` are the digests of what runs, and ``bad_images`` those of what was rolled back from, as far as AWS has recorded them: a release
    is what its images are, whatever its task definition is called. ``configured`` is when the task definition that it runs came: the operator
    may name another one of the same images. ``ended`` tells of each release (ARN) when another one took its place, after the last time that it
    had served for more than moments.
    """

    service: str
    running: str
    since: datetime
    brought_back: bool
    bad_since: datetime | None
    bad: frozenset[str]
    images: frozenset[str] = frozenset()
    bad_images: frozenset[frozenset[str]] = frozenset()
    configured: datetime | None = None
    ended: dict[str, datetime] = field(default_factory=dict)

    def runs(self, release: str, images: frozenset[str]) -> bool:
        """Whether a release (ARN, digests as recorded) is the one that runs. Of several images, those that are recorded decide."""
        return images <= self.images if images and self.images else release == self.running

    def runs_otherwise(self, release: str | None, images: frozenset[str] | None) -> bool:
        """Whether a release that the operator named (ARN or None, digests or None) is the one that runs, with another task definition."""
        if not release or not images:
            return False
        return release != self.running and self.runs(release, images)

    def fell(self, release: str, images: frozenset[str]) -> bool:
        """Whether a release was rolled back from."""
        known = images and self.images and all(self.bad_images)
        return any(images <= bad for bad in self.bad_images) if known else release in self.bad


@dataclass(frozen=True)
class ReleasePoint:
    """A release point: what ran when it was made. ``releases`` and ``deployed`` map services to ARNs, of the release, and of the revision
    that ran, which may be a copy of it; ``images`` maps them to the digests (frozenset) that were recorded."""

    id: str
    created: datetime
    releases: dict[str, str]
    deployed: dict[str, str]
    images: dict[str, frozenset[str]] = field(default_factory=dict)
    record: dict[str, Any] = field(repr=False, default_factory=dict)

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> ReleasePoint:
        """From what the store has.

        :raises RollbackError: it lacks something; another version of this collection has written it, or somebody edited it.
        """
        try:
            services = record["services"]
            releases = {name: item["release"] for name, item in services.items()}
            deployed = {name: item["task_definition"] for name, item in services.items()}
            images = {name: frozenset((item.get("digest") or {}).values()) for name, item in services.items()}
            created = parse_time("created", record["created"])
            if created is None:
                raise KeyError("created")
            return cls(record["id"], created, releases, deployed, images, record)
        except (KeyError, TypeError, AttributeError) as missing:
            text = "The release point %s in the store cannot be used: it lacks %s. Set rollback_release_point to another one, or to none."
            raise RollbackError(text % (record.get("id", "without an id"), missing)) from missing

    @property
    def label(self) -> str:
        """For people."""
        return "release point %s" % self.id


def read_release_points(records: Iterable[dict[str, Any]], wanted: str = "") -> list[ReleasePoint]:
    """The ReleasePoints of records, in their order.

    One that cannot be read stops the rollback, because skipping it would take an older one, unless the operator has said which one to use.

    :param wanted: as for ``select_release_point``.
    :raises RollbackError: a record lacks something.
    """
    points = []
    for record in records:
        try:
            points.append(ReleasePoint.from_record(record))
        except RollbackError:
            if not wanted or record.get("id") == wanted:
                raise
    return points


@dataclass(frozen=True)
class ReleasePointSelection:
    """The ReleasePoint that a rollback uses, or None, and why; ``verdicts`` tell of every point (id) why it is not used."""

    point: ReleasePoint | None
    reason: str
    verdicts: dict[str, str]


def select_release_point(
    points: Sequence[ReleasePoint],
    pasts: Sequence[ServicePast],
    named: Mapping[str, str],
    wanted: str = "",
    images: Mapping[str, frozenset[str]] | None = None,
) -> ReleasePointSelection:
    """The ReleasePointSelection.

    :param points: ReleasePoints, newest first.
    :param pasts: the ServicePast of each service.
    :param named: service → release (ARN) that the operator named as the target.
    :param wanted: the id of the point that the operator named, ``none``, or empty.
    :param images: service → digests (frozenset) of what the operator named, as far as known.
    :raises BadInput: there is no such point, or it lacks a service.
    """
    verdicts = {point.id: why_not(point, pasts, named, images or {}) for point in points}
    if wanted == NONE:
        return ReleasePointSelection(
            None, "rollback_release_point says so", dict.fromkeys(verdicts, "rollback_release_point is none")
        )
    if wanted:
        return _wanted(points, pasts, wanted, verdicts)
    point = next((item for item in points if not verdicts[item.id]), None)
    if point is None:
        reason = "none of the %d release points is older than what runs" % len(points) if points else NO_POINT
        return ReleasePointSelection(None, reason, verdicts)
    later = {item.id: "%s is newer" % point.id for item in points if item.created < point.created}
    return ReleasePointSelection(
        point,
        _reason(point, pasts, named, images or {}),
        {**verdicts, **{key: verdicts[key] or why for key, why in later.items()}},
    )


def _wanted(
    points: Sequence[ReleasePoint], pasts: Sequence[ServicePast], wanted: str, verdicts: Mapping[str, str]
) -> ReleasePointSelection:
    point = next((item for item in points if item.id == wanted), None)
    if point is None:
        listed = ", ".join(item.id for item in points) or "none at all"
        raise BadInput("release_point", wanted, "there is no such release point", "There are: %s." % listed)
    missing = [past.service for past in pasts if past.service not in point.releases]
    if missing:
        problem = "it has not recorded %s" % ", ".join(missing)
        raise BadInput("release_point", wanted, problem, "Name another one, or correct rollback_services.")
    others = {item.id: "%s is named" % wanted for item in points if item is not point}
    return ReleasePointSelection(point, "rollback_release_point names it", {**verdicts, wanted: "", **others})


def _reason(
    point: ReleasePoint, pasts: Sequence[ServicePast], named: Mapping[str, str], images: Mapping[str, frozenset[str]]
) -> str:
    moved = [
        past
        for past in pasts
        if not past.runs(point.releases[past.service], _images(point, past))
        or past.runs_otherwise(named.get(past.service), images.get(past.service))
    ]
    if not moved:
        return "it is the newest one from before the release that was rolled back from already"
    return "it is the newest one older than %s" % ", ".join(dict.fromkeys(short(past.running) for past in moved))


def why_not(
    point: ReleasePoint,
    pasts: Sequence[ServicePast],
    named: Mapping[str, str],
    images: Mapping[str, frozenset[str]] | None = None,
) -> str:
    """Why a rollback does not use a ReleasePoint; empty when it could. Every service has to agree, because it is one state of all of them."""
    moves = False
    for past in pasts:
        recorded = point.releases.get(past.service)
        if recorded is None:
            return "it has not recorded %s" % past.service
        wanted = named.get(past.service), (images or {}).get(past.service)
        problem = _problem(point, past, recorded, *wanted)
        if problem:
            return problem
        moves = moves or past.brought_back or not past.runs(recorded, _images(point, past))
        moves = moves or past.runs_otherwise(*wanted)
    return "" if moves else "what it has recorded runs"


def _images(point: ReleasePoint, past: ServicePast) -> frozenset[str]:
    return point.images.get(past.service, frozenset())


def _problem(
    point: ReleasePoint, past: ServicePast, recorded: str, named: str | None, named_images: frozenset[str] | None
) -> str:
    known, otherwise = _images(point, past), past.runs_otherwise(named, named_images)
    other = known != named_images if known and named_images and not otherwise else recorded != named
    if named and other:
        return "it has recorded %s, and %s is named" % (short(recorded), short(named))
    if past.fell(recorded, known):
        return "it has recorded %s, which was rolled back from" % short(recorded)
    if past.runs(recorded, known):
        if otherwise and point.created >= (past.configured or past.since):
            return "it was made after %s began" % short(past.running)
        late = past.bad_since is not None and point.created >= past.bad_since and not otherwise
        return "it was made after the release that was rolled back from began" if late else ""
    if past.brought_back and not named:
        return "it has recorded %s, and %s was brought back to %s already" % (
            short(recorded),
            past.service,
            short(past.running),
        )
    if point.created >= past.since:
        return "it was made after %s began" % short(past.running)
    if recorded in past.ended and point.created >= past.ended[recorded]:
        return "it was made after what came after %s began" % short(recorded)
    return ""
