# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A one-off task: whether its definition is there already, and what became of it. Pure: no AWS, no clock, no Ansible."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.outcome import Failed, Pending, Ready


def same(registered: Mapping[str, Any], content: Mapping[str, Any]) -> bool:
    """Whether a registered task definition is what ``content`` asks for; what ECS adds by itself does not count."""
    return _within(content, registered)


def _within(part: Any, whole: Any) -> bool:
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(
            key in whole and _within(value, whole[key]) for key, value in part.items()
        )
    if isinstance(part, list):
        return isinstance(whole, list) and len(part) == len(whole) and all(map(_within, part, whole))
    return bool(part == whole)


def one_off_task_status(task: Mapping[str, Any], name: str) -> Ready | Pending | Failed:
    """Ready once the container of this name has come to its end, whatever it found. ``task``: shape Task."""
    if task["lastStatus"] != "STOPPED":
        return Pending(0, 1, "it is %s" % task["lastStatus"])
    container = next(item for item in task["containers"] if item["name"] == name)
    if "exitCode" in container:
        return Ready("it has ended with exit code %d" % container["exitCode"])
    return Failed(container.get("reason") or task.get("stoppedReason") or "ECS gives no reason")


def exit_code(task: Mapping[str, Any], name: str) -> int:
    """The exit code of the container of this name in a task (shape Task) that has ended."""
    code: int = next(item for item in task["containers"] if item["name"] == name)["exitCode"]
    return code
