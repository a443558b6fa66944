# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A store in this process, with the same promises as the others."""

from __future__ import annotations

import itertools

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.store import ABSENT, ANY, Conflict
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.run_repository import RunRepository


class TableStore:
    """A dict. ``before_put`` is called before each write, and may raise."""

    def __init__(self):
        self.table, self._etags, self.before_put = {}, itertools.count(1), lambda key: None

    def __str__(self):
        return "a table"

    def get(self, key):
        return self.table.get(key)

    def put(self, key, text, expect):
        self.before_put(key)
        if expect != ANY and (self.table[key][1] if key in self.table else ABSENT) != expect:
            raise Conflict(key)
        self.table[key] = (text, f"{next(self._etags):032d}")
        return self.table[key][1]

    def list(self, prefix):
        return sorted(key for key in self.table if key.startswith(prefix))


@pytest.fixture
def store():
    return TableStore()


@pytest.fixture
def memory(store):
    return RunRepository(store, "production", "app")
