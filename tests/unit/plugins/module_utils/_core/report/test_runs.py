# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.line import text_of
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.runs import (
    expected_times,
    half_of_it,
    undone,
    unfinished_run,
)

RUN = {"id": "rb-1", "kind": "Roll back the code", "command": "code.yml -e rollback_run_id=rb-1"}
STANDS = {"run_id": "rb-1", "kind": "Roll back the code", "undone_by": "", "undone": ""}
UNDONE = {**STANDS, "undone_by": "rb-2", "undone": "2026-11-29 18:32:24Z"}


def test_an_unfinished_run_is_told_with_its_command_or_with_what_goes_on():
    assert text_of(unfinished_run(RUN, ", and so", "More:", "more")) == [
        "RUNS      run rb-1 (Roll back the code) was not finished, and so. This goes on with it:",
        "          code.yml -e rollback_run_id=rb-1",
        "          More:",
        "          more",
    ]
    (line,) = text_of(half_of_it({**RUN, "command": ""}))
    assert line.endswith("may be half of it. Its own playbook and -e rollback_run_id=rb-1 go on with it.")
    assert half_of_it({}) == []


@pytest.mark.parametrize(("runs", "told"), [([], 0), ([STANDS, UNDONE], 0), ([UNDONE, STANDS], 1)])
def test_that_the_last_rollback_was_undone_is_told_before_the_next(runs, told):
    lines = text_of(undone(runs))

    assert len(lines) == told
    assert all("run rb-2 has undone it on 2026-11-29 18:32:24 UTC" in line for line in lines)


def test_how_long_it_may_take():
    assert expected_times({}) == []
    parts = {"restore": {"seconds": 312.0, "runs": 3}, "total": {"seconds": 400.4, "runs": 5}}
    assert text_of(expected_times(parts)) == [
        "EXPECT    restore about 5:12, total about 6:40 (minutes:seconds; the median of up to 5 runs)"
    ]
