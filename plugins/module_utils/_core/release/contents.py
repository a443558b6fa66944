# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person sees of a task definition when two of them are compared. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.task_definition import TaskDefinition

_TELLING_NAME = re.compile(r"(?i)secret|token|passw|credential|private|api_?key|(^|_)(key|dsn|url|uri)$")


def contents(definition: TaskDefinition, digests: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """A TaskDefinition in JSON types, for a diff: image, digest, environment and where secrets come from.

    A plain environment value may be a secret all the same: where its name or its value looks like one, a fingerprint
    stands for it, which shows that it changed and not what it is.

    :param digests: image reference → digest, as recorded.
    """
    return {
        container.name: dict(
            image=container.image,
            digest=digests.get(container.image, "not recorded"),
            environment={name: _shown(name, value) for name, value in container.environment},
            secrets=dict(container.secrets),
        )
        for container in definition.containers
    }


def _shown(name: str, value: str) -> str:
    if _TELLING_NAME.search(name) or "://" in value:
        return "hidden, fingerprint %s" % hashlib.sha256(value.encode()).hexdigest()[:8]
    return value
