# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether traffic is worse than it was. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.traffic import Minute
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import FAILED, PASSED
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.rank_test import chance_of_larger
from ansible_collections.spymeo.rollback.plugins.module_utils._core.words import many

MINUTE = timedelta(minutes=1)
LONGEST_AFTER, BEFORE = 10, 60  # minutes that are compared
# A minute with less counts for nothing: at night, half of it would be the requests of the checks themselves.
BUSY = 60  # requests
LEAST_AFTER, LEAST_BEFORE = 2, 10  # minutes; one minute against sixty is never better than one in 61
SURE = 0.01 / 2  # two things are compared, and one in a hundred may be wrong in either
# What is surely worse may be worse by nothing that anybody feels.
MORE_ERRORS, MORE_LATENCY = 0.01, 0.1  # share, seconds
TIMES_ERRORS, TIMES_LATENCY = 2.0, 1.5
FELT_BY_ANYBODY = 0.05  # share: so many more are felt, however many there were


def windows(
    since: datetime, now: datetime, harm: datetime | None = None
) -> tuple[tuple[datetime, datetime], tuple[datetime, datetime]]:
    """((begin, end) of now, (begin, end) of before): aware datetimes of whole minutes.

    :param since: since when all is as it is now.
    :param harm: when the accident began, or None: the hour before ends there.
    """
    end = _floor(now)
    begin = max(_floor(since + MINUTE - timedelta(microseconds=1)), end - LONGEST_AFTER * MINUTE)
    until = _floor(min(harm or since, since))
    return (begin, end), (until - BEFORE * MINUTE, until)


def _floor(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def compare(now: Iterable[Minute], before: Iterable[Minute]) -> tuple[str | None, str, list[str]]:
    """(verdict or None, reason, evidence) of two lists of Minute. None: they are too few to say anything, and the reason says of what."""
    now, before = _busy(now), _busy(before)
    for there, least, what in ((now, LEAST_AFTER, "since then"), (before, LEAST_BEFORE, "before")):
        if len(there) < least:
            words = "the load balancer has %s with %d requests or more %s, and %d are needed to compare"
            return None, words % (many(len(there), "minute"), BUSY, what, least), []
    worse = [line for line in (_errors(now, before), _latency(now, before)) if line]
    if worse:
        return FAILED, "; ".join(worse), worse
    larger = [text for text in (_more_errors(now, before), _slower(now, before)) if text]
    if larger:
        return None, "%s, which may be chance after %s" % ("; ".join(larger), many(len(now), "minute")), []
    told = "%d minutes are like the %d before: %s of 5xx (%s), %s (%s)" % (
        len(now), len(before), _percent(_share(now)), _percent(_share(before)), _seconds(now), _seconds(before),
    )  # fmt: skip
    return PASSED, told, []


def merged(lists: Iterable[Iterable[Minute]]) -> list[Minute]:
    """The Minutes of several ways to the same tasks as one list; blue/green uses two target groups in turn."""
    found: dict[datetime, list[Minute]] = {}
    for minute in (minute for minutes in lists for minute in minutes):
        found.setdefault(minute.at, []).append(minute)
    return [_sum(at, found[at]) for at in sorted(found)]


def _sum(at: datetime, minutes: Sequence[Minute]) -> Minute:
    known = [(minute.latency, minute.requests) for minute in minutes if minute.latency is not None]
    weight = sum(requests for _latency, requests in known)
    latency = sum(each * requests for each, requests in known) / weight if weight else None
    return Minute(at, sum(minute.requests for minute in minutes), sum(minute.errors for minute in minutes), latency)


def _busy(minutes: Iterable[Minute]) -> list[Minute]:
    return [minute for minute in minutes if max(minute.requests, minute.errors) >= BUSY]


def _share(minutes: Sequence[Minute]) -> float:
    return sum(minute.errors for minute in minutes) / sum(max(minute.requests, minute.errors) for minute in minutes)


def _more_errors(now: Sequence[Minute], before: Sequence[Minute]) -> str:
    """How 5xx are more by what people feel, or empty."""
    is_share, was_share = _share(now), _share(before)
    few = is_share < was_share + MORE_ERRORS or (
        is_share < was_share * TIMES_ERRORS and is_share < was_share + FELT_BY_ANYBODY
    )
    if few:
        return ""
    told = _percent(is_share), _percent(was_share)
    return "%s of the requests are answered with 5xx, and %s in the hour before" % told


def _errors(now: Sequence[Minute], before: Sequence[Minute]) -> str:
    """How 5xx are worse, and surely so, or empty."""
    chance = chance_of_larger([minute.share for minute in now], [minute.share for minute in before])
    return "" if chance > SURE else _more_errors(now, before)


def _latencies(minutes: Iterable[Minute]) -> list[float]:
    return [minute.latency for minute in minutes if minute.latency is not None]


def _slower(now: Sequence[Minute], before: Sequence[Minute]) -> str:
    """How answers are slower by what people feel, or empty."""
    new, old = _latencies(now), _latencies(before)
    if len(new) < LEAST_AFTER or len(old) < LEAST_BEFORE:
        return ""
    median, was = statistics.median(new), statistics.median(old)
    if median < was + MORE_LATENCY or median < was * TIMES_LATENCY:
        return ""
    return "nine of ten answers take up to %.2f s, and %.2f s in the hour before" % (median, was)


def _latency(now: Sequence[Minute], before: Sequence[Minute]) -> str:
    """How answers are slower, and surely so, or empty."""
    told = _slower(now, before)
    return told if told and chance_of_larger(_latencies(now), _latencies(before)) <= SURE else ""


def _percent(share: float) -> str:
    return "%.1f %%" % (100 * share)


def _seconds(minutes: Iterable[Minute]) -> str:
    found = _latencies(minutes)
    return "nine of ten answers within %.2f s" % statistics.median(found) if found else "no answer of a target"
