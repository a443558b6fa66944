# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A task of ECS that has stopped, and the ends of its containers, from the shape Task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.foreign import foreign


@dataclass(frozen=True)
class ContainerExit:
    """The end of a container; ``code`` is None when it never ran."""

    container: str
    code: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class StoppedTask:
    """A task that stopped within the last hour, as long as ECS remembers it. ``code`` is its stopCode, ``reason`` its stoppedReason, ``at`` its stoppedAt."""

    service: str
    release: str
    code: str
    reason: str
    at: datetime
    id: str = ""
    exits: tuple[ContainerExit, ...] = ()

    @classmethod
    def from_boto(cls, answer: Mapping[str, Any], service: str) -> StoppedTask:
        """From the shape Task of one that has its ``stoppedAt``."""
        return cls(
            service=service,
            release=answer["taskDefinitionArn"].rpartition("/")[2],
            code=answer.get("stopCode", ""),
            reason=foreign(answer.get("stoppedReason", "no reason given")),
            at=answer["stoppedAt"],
            id=answer["taskArn"].rpartition("/")[2],
            exits=tuple(
                ContainerExit(item["name"], item.get("exitCode"), foreign(item.get("reason", "")))
                for item in answer["containers"]
            ),
        )

    def __str__(self) -> str:
        return "task %s: %s" % (self.id, self.how)

    @property
    def how(self) -> str:
        """How it ended: its reason, and the exit codes that there are."""
        exits = [
            "%s exited with %s%s" % (item.container, item.code, " (%s)" % item.reason if item.reason else "")
            for item in self.exits
            if item.code is not None
        ]
        return "; ".join([self.reason, *exits])


@dataclass(frozen=True)
class LoggedTask:
    """A task that stopped, and what its log stream is found with. ``definition`` is an ARN."""

    task: StoppedTask
    definition: str
    created: datetime
