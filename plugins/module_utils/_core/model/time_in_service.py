# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Since and until when a DB instance was in service, as a tag of it tells. Pure.

A cutover writes the beginning before it moves DATABASE_URL and the end after that, so what is written is never shorter than the truth.
The tag begins with the DbiResourceId of its instance: one that was inherited, through a snapshot, tells nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

_FORM = "%Y%m%dT%H%M%SZ"
ROUNDED = timedelta(seconds=1)  # a tag has whole seconds, rounded so that a period is the longer for it
MOST = 6  # periods in a tag, whose value has 256 characters at most


@dataclass(frozen=True)
class Period:
    """From ``since`` to ``until`` (aware datetimes); ``until`` is None where no end is written down."""

    since: datetime
    until: datetime | None = None


def read_periods(text: str, resource_id: str) -> tuple[Period, ...]:
    """The Periods (tuple, oldest first) in the tag of the instance with that DbiResourceId; empty when it is another one's."""
    own, *parts = text.split() or [""]
    if own != resource_id:
        return ()
    found = (part.partition("/") for part in parts)
    return tuple(Period(_time(since), _time(until) if until else None) for since, _slash, until in found)


def as_tag(periods: tuple[Period, ...], resource_id: str) -> str:
    """The value of the tag. Where there are too many, the two oldest become one that lasts from the first to the end of the second."""
    while len(periods) > MOST:
        periods = (replace(periods[1], since=periods[0].since), *periods[2:])
    told = ("%s/%s" % (period.since.strftime(_FORM), _until(period)) for period in periods)
    return " ".join((resource_id, *told))


def entered(periods: tuple[Period, ...], now: datetime) -> tuple[Period, ...]:
    """The Periods of an instance that goes into service."""
    if periods and periods[-1].until is None:
        return periods
    return (*periods, Period(_floor(now)))


def taken_out(periods: tuple[Period, ...], created: datetime, now: datetime, served_now: bool) -> tuple[Period, ...]:
    """The Periods of an instance that was taken out of service.

    :param created: since when it was in service, where nothing is written down.
    :param served_now: whether it is known to have been in service until now; else what has an end keeps it.
    """
    if not periods:
        return (Period(_floor(created), _ceiling(now)),)
    if periods[-1].until is None:
        return (*periods[:-1], replace(periods[-1], until=_ceiling(now)))
    return (*periods, Period(periods[-1].until, _ceiling(now))) if served_now else periods


def met(periods: tuple[Period, ...], since: datetime, until: datetime | None) -> bool | None:
    """Whether what ran from ``since`` to ``until`` (aware datetimes, None: it still runs) has read an instance that is in service now, given its
    Periods: True, False, or None where that is not certain.

    A task reads at its start. What was deployed while the instance was in service has read it, and so has what runs still. What was there
    already when the instance came into service has, if a task of it was started then.
    """
    if any(period.since <= since and (period.until is None or since < period.until - ROUNDED) for period in periods):
        return True
    if not periods or (periods[-1].until is not None and (until is None or until > periods[-1].until)):
        return None  # it is in service, and no tag tells since when
    if until is None:
        return True
    return None if any(since < period.since < until for period in periods) else False


def _until(period: Period) -> str:
    return period.until.strftime(_FORM) if period.until else ""


def _time(text: str) -> datetime:
    return datetime.strptime(text, _FORM).replace(tzinfo=timezone.utc)


def _floor(moment: datetime) -> datetime:
    return moment.astimezone(timezone.utc).replace(microsecond=0)


def _ceiling(moment: datetime) -> datetime:
    return _floor(moment + timedelta(microseconds=999999))
