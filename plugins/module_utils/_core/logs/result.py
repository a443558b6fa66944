# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was found in logs, as results and as lines for a person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.known_errors import (
    evidence_of_expired,
    noise_result,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.verdict import log_verdict, split
from ansible_collections.spymeo.rollback.plugins.module_utils._core.times import show_time
from ansible_collections.spymeo.rollback.plugins.module_utils._core.words import many

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.found import Found
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.known_errors import Noise
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.verdict import Baseline
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.logs import ErrorGroup, Stream, Unread


def result(
    services: Sequence[str],
    streams: Sequence[Stream],
    unread: Sequence[Unread],
    found: Found,
    noise: Sequence[Noise],
    baseline: Baseline | None,
    max_examples: int,
) -> dict[str, Any]:
    """The result of a look into logs, in JSON types, with ``verdict``, ``reason`` and ``evidence``.

    :param services: names of the services asked for.
    :param streams: Streams that were read.
    :param unread: Unreads.
    :param found: found.Found.
    :param baseline: verdict.Baseline, or None.
    """
    new, doubted, old = split(found.collection.groups, found.seconds, baseline)
    counts = baseline.counts if baseline else {}
    if baseline:
        found.known = baseline.doubtful
    hits = noise_result(noise, found.collection.hits)
    ignored = sum(item["count"] for item in hits if not item["expired"])
    verdict, reason = log_verdict(services, streams, unread, found, new, _aside(old, ignored, baseline, found), doubted)
    old = doubted + old
    evidence = [_kind_line(group, counts.get(group.fingerprint, 0), found, baseline) for group in new[:max_examples]]
    evidence = [reason, *evidence] if len(new) > 1 else evidence
    return dict(
        verdict=verdict,
        reason=reason,
        evidence=evidence + (evidence_of_expired(noise, found.collection.hits) if new else []),
        errors=[
            dict(error, before=counts.get(error["fingerprint"], 0)) for error in error_groups_result(new, max_examples)
        ],
        codes=count_codes(new),
        old_errors=[
            dict(error, before=counts[error["fingerprint"]]) for error in error_groups_result(old, max_examples)
        ],
        noise=hits,
        streams=[stream.name for stream in streams],
        silent=[stream.name for stream in found.silent],
        unread=[
            dict(service=item.service, container=item.container, why=item.why, declared=item.declared)
            for item in unread
        ],
        unclear=[
            dict(
                service=item.service,
                container=item.container,
                lines=item.lines,
                unknown=item.unknown,
                example=item.example,
            )
            for item in found.unclear
        ],
        lines=found.lines,
    )


def _kind_line(group: ErrorGroup, before: int, found: Found, baseline: Baseline | None) -> str:
    """One line for a kind of error, with how often there were of it before where there were."""
    line = "%s: %s" % (many(group.count, "time"), group.fingerprint)
    if not before or baseline is None:
        return line
    now, then = (_rate(count, seconds) for count, seconds in ((group.count, found.seconds), (before, baseline.seconds)))
    return "%s (%s an hour, where there were %s an hour before)" % (line, now, then)


def _rate(count: int, seconds: float) -> str:
    return "%d" % round(count * 3600 / max(seconds, 1.0))


def _aside(old: Sequence[ErrorGroup], ignored: int, baseline: Baseline | None, found: Found) -> str:
    """What was found and does not count, for people."""
    parts = []
    if old and baseline:
        parts.append(
            "%s of %s that there were before %s, too, and as often"
            % (many(sum(group.count for group in old), "error"), many(len(old), "kind"), show_time(baseline.until))
        )
    if ignored:
        parts.append("%s %s known noise" % (many(ignored, "error"), "is" if ignored == 1 else "are"))
    if baseline and not baseline.whole:
        parts.append("of the time before, only the first %s were read" % many(baseline.lines, "line"))
    if found.back_to:
        parts.append("time was up after %s, read back to %s" % (many(found.lines, "line"), show_time(found.back_to)))
    return "; ".join(parts)


def error_groups_result(groups: Iterable[ErrorGroup], max_examples: int) -> list[dict[str, Any]]:
    """The errors in JSON types."""
    return [
        dict(
            fingerprint=group.fingerprint,
            count=group.count,
            first=show_time(datetime.fromtimestamp(group.first / 1000, timezone.utc)),
            service=group.service,
            stream=group.stream,
            example=group.example if place < max_examples else "",
            codes=list(group.codes),
        )
        for place, group in enumerate(groups)
    ]


def count_codes(groups: Sequence[ErrorGroup]) -> dict[str, int]:
    """Prisma code → number of errors."""
    codes = sorted({code for group in groups for code in group.codes})
    return {code: sum(group.count for group in groups if code in group.codes) for code in codes}
