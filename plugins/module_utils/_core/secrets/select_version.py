# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which version of a value comes back: of a secret, or of a parameter. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput
from ansible_collections.spymeo.rollback.plugins.module_utils._core.times import show_time


class CandidateVersion(Protocol):
    """A version of a secret or of a parameter. ``stages`` are its labels, ``created`` is an aware datetime."""

    @property
    def id(self) -> str: ...

    @property
    def stages(self) -> tuple[str, ...]: ...

    @property
    def created(self) -> datetime: ...


NAME_ONE = "Name one in rollback_secret_versions."


@dataclass(frozen=True)
class VersionChoice:
    """The version that comes back."""

    target: str
    reason: str


@dataclass(frozen=True)
class Recorded:
    """The version that a release point has recorded. ``point`` tells people which one it is."""

    id: str
    point: str


@dataclass(frozen=True)
class VersionHistory:
    """What is known of a value called ``name`` that ``option`` lists.

    ``versions`` are those that may have been current, newest first; ``listed`` are all that AWS lists. ``previous`` is the one that
    the label AWSCURRENT has left for the current one, None where AWS has no such label.
    """

    option: str
    name: str
    current: CandidateVersion
    versions: tuple[CandidateVersion, ...]
    previous: CandidateVersion | None = None
    listed: tuple[CandidateVersion, ...] = ()


def select_version(
    past: VersionHistory, before: datetime | None, named: str | None = None, recorded: Recorded | None = None
) -> VersionChoice:
    """The VersionChoice for a VersionHistory.

    In this order: what the operator named; what the release point recorded; the current version, when it is older than the bad release; the
    newest one that is. AWSPREVIOUS decides nothing, because it swaps places with AWSCURRENT at every move; but where it is on an
    older version than the newest one, that newest one had lost AWSCURRENT before the bad release came, and the choice is not certain.

    :param before: aware datetime when the bad release began, None when none is known.
    :param named: version id, or None.
    :param recorded: Recorded, or None.
    :raises BadInput: the version is not there, or the choice is not certain; the message lists the versions.
    """
    if named:
        return _there(
            past,
            named,
            "rollback_secret_versions names it",
            "the version %s that rollback_secret_versions names" % named,
        )
    if recorded:
        what = "the version %s that %s recorded" % (recorded.id, recorded.point)
        return _there(past, recorded.id, "%s recorded it" % recorded.point, what)
    if before is None:
        return VersionChoice(past.current.id, "no bad release is known, so the current version stays")
    if past.current.created < before:
        return VersionChoice(past.current.id, "the current version is older than the bad release")
    return _newest(past, before)


def candidates(versions: Iterable[CandidateVersion]) -> str:
    """A sentence that lists the versions that a person may choose from."""
    listed = [
        "%s (%s, %s)" % (item.id, ", ".join(item.stages) or "no label", show_time(item.created)) for item in versions
    ]
    return "Its versions are: %s." % ("; ".join(listed) or "none")


def _there(past: VersionHistory, version_id: str, reason: str, what: str) -> VersionChoice:
    if not any(item.id == version_id for item in past.listed):
        problem = "it has not, or no longer, %s" % what
        raise BadInput(past.option, past.name, problem, "%s %s" % (candidates(past.listed), NAME_ONE))
    return VersionChoice(version_id, reason)


def _newest(past: VersionHistory, before: datetime) -> VersionChoice:
    older = [item for item in past.versions if item.created < before]
    if not older:
        problem = "no version of it was created before %s" % show_time(before)
    elif len(older) > 1 and older[1].created == older[0].created:
        problem = "two versions were created at %s" % show_time(older[0].created)
    elif past.previous in older[1:]:
        problem = "of the versions before %s, %s is the newest, but %s was current last (AWSPREVIOUS)" % (
            show_time(before),
            older[0].id,
            past.previous.id,
        )
    else:
        return VersionChoice(older[0].id, "it is the newest version created before %s" % show_time(before))
    raise BadInput(past.option, past.name, problem, "%s %s" % (candidates(past.listed), NAME_ONE))
