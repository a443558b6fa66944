# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task definition itself says of a failed database, as it has to be in a copy. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.url import DatabaseUrl, comparable
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.preflight import ValueFrom
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.task_definition import (
    Container,
    Edit,
    TaskDefinition,
)


@dataclass(frozen=True)
class UrlMove:
    """A database's new address, and the version of the secret that has it.

    ``entries``: service → [{container, name, secret}], as ``url_references.entries`` gives them.
    """

    host: str
    port: int
    version_id: str
    entries: dict[str, list[dict[str, str]]]

    def edits(self, service: str, definition: TaskDefinition) -> tuple[Edit, ...]:
        """The Edits of a TaskDefinition that ``service`` is to run.

        :raises RollbackError: an entry holds no database URL, though it did when the places were looked for.
        """
        named = {(entry["container"], entry["name"]): entry.get("secret") for entry in self.entries.get(service, [])}
        found = []
        for container in definition.containers:
            for name, value in container.environment:
                if (container.name, name) in named:
                    moved = DatabaseUrl.parse(value).at(self.host, self.port).text
                    found.append(Edit(container.name, "environment", name, moved))
            for name, text in container.secrets:
                if (container.name, name) in named:
                    reference = ValueFrom.parse(text)
                    secret = named[container.name, name] or reference.id  # a partial ARN takes no version
                    pinned = "%s:%s::%s" % (secret, reference.key, self.version_id)
                    found.append(Edit(container.name, "secrets", name, pinned))
        return tuple(found)


def unpinned(definition: TaskDefinition, origin: TaskDefinition) -> tuple[Edit, ...]:
    """The Edits that have a copy read whichever version is current again, where its origin does and a run has pinned one instead.

    :param origin: the TaskDefinition that it is a copy of.
    """
    return tuple(
        Edit(container.name, "secrets", name, before) for container, name, _text, before in _pins(definition, origin)
    )


def pinned_versions(definition: TaskDefinition, origin: TaskDefinition) -> tuple[tuple[str, str], ...]:
    """The same places: (ARN of the secret, id of the version) of each."""
    found = (ValueFrom.parse(text) for _container, _name, text, _before in _pins(definition, origin))
    return tuple(sorted({(item.id, item.version) for item in found}))


def pinned_names(definition: TaskDefinition, origin: TaskDefinition) -> tuple[str, ...]:
    """The same places: what they are called in their containers."""
    return tuple(dict.fromkeys(name for _container, name, _text, _before in _pins(definition, origin)))


def _pins(definition: TaskDefinition, origin: TaskDefinition) -> Iterator[tuple[Container, str, str, str]]:
    """(Container, name, valueFrom, the origin's valueFrom) of each entry that has a version where the origin's has none."""
    before = {(item.name, name): text for item in origin.containers for name, text in item.secrets}
    for container in definition.containers:
        for name, text in container.secrets:
            was = before.get((container.name, name), text)
            now, then = ValueFrom.parse(text), ValueFrom.parse(was)
            if now.version and not (then.version or then.stage) and now.id.startswith(then.id):
                yield container, name, text, was


def points_at(text: str, host: str) -> bool:
    """Whether a text is a PostgreSQL URL whose host is ``host``, so that it can be moved."""
    try:
        return comparable(DatabaseUrl.parse(text).host) == comparable(host)
    except RollbackError:
        return False


def same_but_address(one: str, other: str) -> bool:
    """Whether two PostgreSQL URLs differ in host and port at most."""
    try:
        first, second = DatabaseUrl.parse(one), DatabaseUrl.parse(other)
    except RollbackError:
        return False
    return (first.before, first.rest) == (second.before, second.rest)
