# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.times import parse_time, show_time

MOMENT = datetime(2026, 11, 22, 3, 11, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T03:11:05Z",
        "2026-11-22T03:11:05+00:00",
        "2026-11-22T04:11:05+01:00",
        "2026-11-22 03:11:05.000000+00:00",
    ],
)
def test_reads_a_moment_in_any_zone(text):
    assert parse_time("since", text) == MOMENT


def test_an_empty_text_is_no_moment():
    assert parse_time("since", "") is None
    assert parse_time("since", None) is None


@pytest.mark.parametrize("text", ["2026-11-22T03:11:05", "yesterday", "1763780000"])
def test_refuses_a_moment_that_is_not_certain_and_names_the_option(text):
    with pytest.raises(RollbackError, match=f"The option since is '{text}'"):
        parse_time("since", text)


def test_shows_utc():
    assert show_time(MOMENT.astimezone(timezone(timedelta(hours=1)))) == "2026-11-22T03:11:05+00:00"
