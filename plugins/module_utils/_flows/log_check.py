# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The look into the logs of services, as modules take it from their options."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.entries import Rules
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.known_errors import read_noise
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.result import result
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.verdict import streams_of
from ansible_collections.spymeo.rollback.plugins.module_utils._core.times import parse_time
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.logs import (
    LogReader,
    read_baseline,
    wait_until_readable,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.services import dead_tasks_of
from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import Clock

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ecs import EcsGateway
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.logs import LogsGateway
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.known_errors import Noise
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.logs import Stream, Unread
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.service_health import ServiceObservation


@dataclass(frozen=True)
class LogCheck:
    """What counts as an error, and for how long it is waited for. Times are seconds but for ``minutes``."""

    log_groups: tuple[str, ...]
    elsewhere: tuple[str, ...]
    rules: Rules
    noise: tuple[Noise, ...]
    include_stopped: bool
    baseline_until: datetime | None
    baseline_minutes: int
    max_examples: int
    wait_timeout: int
    window_minutes: int
    read_timeout: int

    @classmethod
    def of(cls, params: dict[str, Any], now: datetime) -> LogCheck:
        """From the options of a module.

        :param now: aware datetime in UTC.
        :raises RollbackError: a pattern, a time or an entry of noise cannot be used.
        """
        return cls(
            tuple(params["log_groups"]),
            tuple(params["log_elsewhere"]),
            Rules.of(params["patterns"], params["ignore"]),
            read_noise(params["noise"], now.date()),
            params["include_stopped"],
            parse_time("baseline_until", params["baseline_until"]),
            params["baseline_minutes"],
            params["max_examples"],
            params["wait_timeout"],
            params["window"],
            params["read_timeout"],
        )

    def run(
        self,
        ecs: EcsGateway,
        logs: LogsGateway,
        looks: Sequence[ServiceObservation],
        since: datetime | None = None,
        requests: tuple[datetime, int] | None = None,
    ) -> dict[str, Any]:
        """The result, in JSON types.

        :param ecs: EcsGateway.
        :param logs: LogsGateway.
        :param looks: list of ServiceObservation: which tasks there are.
        :param since: aware datetime before which nothing counts, or None for the start of each task.
        :param requests: None, or (aware datetime, seconds): when requests were sent whose traces shall be read, and how long they are
            waited for.
        """
        streams, unread = self._streams(ecs, looks, since)
        until = self.baseline_until
        baseline = read_baseline(logs, streams, self.rules, until, self.baseline_minutes) if until else None
        if requests:
            wait_until_readable(logs, [stream for stream in streams if not stream.dead], *requests)
        clock = Clock()
        window = None if since else self.window_minutes * 60
        reader = LogReader(logs, self.rules, self.noise, clock, clock.now() + self.read_timeout, window)
        found = reader.read_when_heard(streams, self.wait_timeout)
        services = [seen.service.name for seen in looks]
        return result(services, streams, unread, found, self.noise, baseline, self.max_examples)

    def _streams(
        self, ecs: EcsGateway, looks: Sequence[ServiceObservation], since: datetime | None
    ) -> tuple[list[Stream], tuple[Unread, ...]]:
        """(Streams, Unreads)."""
        ended = dead_tasks_of(ecs, looks) if self.include_stopped else [[] for _seen in looks]
        tasks = [(list(seen.running), dead) for seen, dead in zip(looks, ended)]
        definitions = ecs.task_definitions({task.task_definition for pair in tasks for part in pair for task in part})
        running, dead = ([task for pair in tasks for task in pair[which]] for which in (0, 1))
        return streams_of(running, definitions, self.log_groups, since, dead, self.elsewhere)
