# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was found in logs, as results and as lines for a person."""

from __future__ import annotations

from datetime import datetime, timezone

from ansible_collections.spymeo.rollback.plugins.module_utils._iso_time import show_time
from ansible_collections.spymeo.rollback.plugins.module_utils._logs.decide import judge
from ansible_collections.spymeo.rollback.plugins.module_utils._logs.noise import evidence_of_expired, told_noise


def result(services, streams, found, noise, baseline, max_examples):
    """The result of a look into logs, in JSON types, with ``verdict``, ``reason`` and ``evidence``.

    :param services: names of the services asked for.
    :param streams: Streams that were read.
    :param found: read.Found.
    :param baseline: read.Baseline, or None.
    """
    groups, known_before = found.collection.groups, baseline.counts if baseline else {}
    new = [group for group in groups if group.fingerprint not in known_before]
    old = [group for group in groups if group.fingerprint in known_before]
    hits = told_noise(noise, found.collection.hits)
    ignored = sum(item["count"] for item in hits if not item["expired"])
    aside = _aside(old, ignored, baseline)
    verdict, reason = judge(services, streams, found.silent, new, aside)
    evidence = ["%d times: %s" % (group.count, group.fingerprint) for group in new[:max_examples]]
    return dict(
        verdict=verdict,
        reason=reason,
        evidence=evidence + (evidence_of_expired(noise, found.collection.hits) if new else []),
        errors=told(new, max_examples),
        codes=count_codes(new),
        old_errors=[dict(error, before=known_before[error["fingerprint"]]) for error in told(old, max_examples)],
        noise=hits,
        streams=[stream.name for stream in streams],
        silent=[stream.name for stream in found.silent],
        lines=found.lines,
    )


def _aside(old, ignored, baseline):
    """What was found and does not count, for people."""
    parts = []
    if old:
        parts.append(
            "%d errors of %d kinds that there were before %s, too"
            % (sum(group.count for group in old), len(old), show_time(baseline.until))
        )
    if ignored:
        parts.append("%d errors are known noise" % ignored)
    if baseline and not baseline.whole:
        parts.append("of the time before, only the first %d lines were read" % baseline.lines)
    return "; ".join(parts)


def told(groups, max_examples):
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


def count_codes(groups):
    """Prisma code → number of errors."""
    codes = sorted({code for group in groups for code in group.codes})
    return {code: sum(group.count for group in groups if code in group.codes) for code in codes}
