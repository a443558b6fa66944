# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from datetime import UTC, datetime

from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.logging_status import all_have_logged
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.logs import Stream
from ansible_collections.spymeo.rollback.plugins.module_utils._core.outcome import Pending, Ready

ONE, TWO = (Stream("app", "/ecs/app", name, datetime(2026, 11, 22, tzinfo=UTC)) for name in ("one", "two"))


def test_waits_for_each_stream():
    assert all_have_logged([ONE, TWO], [TWO]) == Pending(1, 2, "nothing was logged yet in two")


def test_is_ready_when_none_is_silent():
    assert isinstance(all_have_logged([ONE, TWO], []), Ready)
    assert isinstance(all_have_logged([], []), Ready)
