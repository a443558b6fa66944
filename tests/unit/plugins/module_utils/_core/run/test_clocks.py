# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""SERVED and FINISHED are of the whole run, whoever has gone on with it."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.run import COMPLETE, FAILED, UNVERIFIED
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.clocks import Clocks, clocks, earlier
from hypothesis import given

SINCE, NOW = 1_000.0, 1_300.0


def record(plays=1, **before):
    return {
        "since": SINCE,
        "plays": [{}] * plays,
        **({"earlier": {"served": None, "total": None, **before}} if plays > 1 else {}),
    }


@pytest.mark.parametrize(
    ("run", "seen", "told"),
    [
        (record(), {}, Clocks(None, 300.0)),
        (record(), {"served_at": 1_060.0}, Clocks(60.0, 300.0)),
        (record(), {"served_at": 1_060.0, "as_before": True}, Clocks(60.0, 300.0)),
        (record(), {"served_at": 999.0}, Clocks(0.0, 300.0)),  # two machines' clocks
        # The play that deployed was killed: this one deploys, waits for what that one has begun, or finds it done.
        (record(2), {"served_at": 1_290.0}, Clocks(290.0, 300.0)),
        (record(2), {"served_at": 1_290.0, "as_before": True}, Clocks(290.0, 300.0, at_latest=True)),
        # It had ended, and had seen it.
        (record(2, served=60.0), {"served_at": 1_290.0, "as_before": True}, Clocks(60.0, 300.0)),
        (record(2, served=60.0), {"served_at": 1_290.0}, Clocks(290.0, 300.0)),
        (record(2, served=60.0), {}, Clocks(None, 300.0)),
        # It was complete, and is played once more.
        (
            record(2, served=60.0, total=90.0),
            {"served_at": 1_290.0, "as_before": True, "wrote": False},
            Clocks(60.0, 90.0),
        ),
        (record(2, served=60.0, total=90.0), {"served_at": 1_290.0, "as_before": True}, Clocks(60.0, 300.0)),
    ],
)
def test_the_clocks_are_those_of_the_whole_run(run, seen, told):
    assert clocks(run, NOW, **seen) == told


@pytest.mark.parametrize(
    ("before", "kept"),
    [
        ({}, {"served": None, "total": None}),
        ({"outcome": FAILED, "came_to": {"served": None, "seconds": 5.0}}, {"served": None, "total": None}),
        ({"outcome": UNVERIFIED, "came_to": {"served": 3.0, "seconds": 5.0}}, {"served": 3.0, "total": None}),
        ({"outcome": COMPLETE, "came_to": {"served": 3.0, "seconds": 5.0}}, {"served": 3.0, "total": 5.0}),
        # A second play was killed before it wrote what it came to.
        ({"outcome": "under way", "earlier": {"served": 3.0, "total": None}}, {"served": 3.0, "total": None}),
    ],
)
def test_a_record_keeps_what_its_earlier_plays_have_seen(before, kept):
    assert earlier(before) == kept


@given(
    plays=st.integers(1, 4),
    served_at=st.none() | st.floats(SINCE, NOW),
    as_before=st.booleans(),
    wrote=st.booleans(),
    before=st.none() | st.floats(0, 100),
)
def test_nobody_is_served_after_the_end(plays, served_at, as_before, wrote, before):
    found = clocks(record(plays, served=before), NOW, served_at, as_before, wrote)
    assert found.total == NOW - SINCE
    assert found.served is None or 0 <= found.served <= found.total
