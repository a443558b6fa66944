# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a watch has seen of an application over some time, and what that comes to. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import FAILED, INCONCLUSIVE, PASSED
from ansible_collections.spymeo.rollback.plugins.module_utils._core.words import many

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import Service, ServiceTask

# Task's stoppedReason where nobody's code is the cause (Amazon ECS stopped tasks error messages).


@dataclass(frozen=True)
class Watch:
    """For how many ``seconds`` an application is watched, in which ``interval`` (seconds), and how many requests may fail."""

    seconds: float
    interval: float
    failures: int


@dataclass
class Watched:
    """What was seen so far.

    - ``asked``: how many requests were sent; ``failed`` and ``unknown``: why those that did not pass did not (list of str).
    - ``looks``: how often the tasks were looked at; ``ended``: those that have ended by themselves, ``excused``: those that something else has
      ended (lists of str); ``unread``: why the tasks could not be looked at, or empty.
    - ``seconds``: how long it was.
    """

    asked: int = 0
    failed: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    looks: int = 0
    ended: list[str] = field(default_factory=list)
    excused: list[str] = field(default_factory=list)
    unread: str = ""
    seconds: float = 0.0


def is_decided(watch: Watch, watched: Watched) -> bool:
    """Whether watching on would change nothing."""
    return bool(watched.ended) or len(watched.failed) > watch.failures


def verdict_of(watch: Watch, watched: Watched) -> tuple[str, str, list[str]]:
    """(verdict, reason, evidence)."""
    wrong = list(watched.ended)
    if len(watched.failed) > watch.failures:
        lost = "%d of %s failed (%d may)" % (len(watched.failed), many(watched.asked, "health request"), watch.failures)
        wrong.append("%s: %s" % (lost, watched.failed[0]))
    if wrong:
        return FAILED, "within %s, %s" % (many(round(watched.seconds), "second"), "; ".join(wrong)), wrong
    missing = [watched.unread] if watched.unread else []
    if watched.asked and len(watched.failed) == watched.asked:
        return (
            FAILED,
            "none of %s passed: %s" % (many(watched.asked, "health request"), watched.failed[0]),
            list(watched.failed[:1]),
        )
    if watched.asked and len(watched.failed) + len(watched.unknown) == watched.asked:
        missing.append("none of %s passed" % many(watched.asked, "health request"))
    if len(watched.unknown) > watch.failures:
        missing.append("%d of %s could not be judged: %s" % (
            len(watched.unknown), many(watched.asked, "health request"), watched.unknown[0]))  # fmt: skip
    if missing or not (watched.asked or watched.looks):
        return INCONCLUSIVE, "; ".join(missing) or "there is nothing to watch", missing
    return PASSED, _passed_line(watched), []


def _passed_line(watched: Watched) -> str:
    parts = []
    if watched.asked:
        good = watched.asked - len(watched.failed) - len(watched.unknown)
        parts.append("%d of %s passed" % (good, many(watched.asked, "health request")))
    if watched.looks:
        parts.append("no task has ended by itself")
    parts += watched.excused
    return "for %s, %s" % (
        many(round(watched.seconds), "second"),
        " and ".join(parts[:2]) + "".join("; " + part for part in parts[2:]),
    )


def ended_tasks(
    before: Mapping[str, ServiceTask], now: Collection[str], services: Mapping[str, tuple[Service, Service]]
) -> list[ServiceTask]:
    """The tasks that are gone and should not be (list of ServiceTask).

    :param before: id → ServiceTask that has run so far, of each service's deployment.
    :param now: ids (set) of those that are to run now.
    :param services: service → (Service as it was, Service as it is).
    """
    gone = [task for task in before.values() if task.id not in now]
    found = []
    for name, (was, is_now) in services.items():
        of_service = [task for task in gone if task.service == name]
        if _deployed_anew(was, is_now) or len(of_service) <= was.desired - is_now.desired:
            continue  # somebody has deployed, or fewer are wanted: the last check tells of the one, and the other is right
        found += of_service
    return found


def _deployed_anew(was: Service, is_now: Service) -> bool:
    if was.primary is None or is_now.primary is None:
        return was.primary is not is_now.primary
    return was.primary.created_at != is_now.primary.created_at
