# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parameters of SSM's Parameter Store as we decide on them. Values are not here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class ParameterVersion:
    """One version of a parameter. ``id`` is its number as text; ``settings`` are what PutParameter is given with its value."""

    id: str
    stages: tuple[str, ...]
    created: datetime
    type: str
    settings: tuple[tuple[str, str], ...] = ()

    @classmethod
    def from_boto(cls, answer: Mapping[str, Any]) -> ParameterVersion:
        """From the shape ParameterHistory, of which the value is not kept."""
        kept = ("Description", "KeyId", "AllowedPattern", "DataType")
        return cls(
            id=str(answer["Version"]),
            stages=tuple(sorted(answer.get("Labels", []))),
            created=answer["LastModifiedDate"],
            type=answer["Type"],
            settings=tuple((key, answer[key]) for key in kept if answer.get(key)),
        )


@dataclass(frozen=True)
class Parameter:
    """A parameter and its versions, newest first. The newest one is what applications read: there is no label that moves."""

    name: str
    versions: tuple[ParameterVersion, ...]
    tier: str = "Standard"

    @classmethod
    def from_boto(cls, name: str, history: Collection[Mapping[str, Any]]) -> Parameter:
        """From the entries of GetParameterHistory, in any order; there is one at least."""
        newest = max(history, key=lambda entry: entry["Version"])
        found = sorted(
            (ParameterVersion.from_boto(entry) for entry in history), key=lambda item: int(item.id), reverse=True
        )
        return cls(name, tuple(found), newest.get("Tier", "Standard"))

    @property
    def current(self) -> ParameterVersion:
        """The ParameterVersion that applications read."""
        return self.versions[0]

    def version(self, number: str) -> ParameterVersion | None:
        """The ParameterVersion of that number (str), or None."""
        return next((item for item in self.versions if item.id == number), None)


@dataclass(frozen=True)
class Put:
    """A version of a parameter whose value is written again, as the newest one. The value shows in no repr."""

    name: str
    source: ParameterVersion
    current: ParameterVersion
    tier: str
    value: str = field(repr=False)


def bare_name(text: str) -> str:
    """The name of a parameter that is given by name or by ARN. A name of one level has no slash of its own in its ARN, and then has none here."""
    if not text.startswith("arn:"):
        return text
    path = text.split(":", 5)[5].partition("/")[2]
    return "/" + path if "/" in path else path
