# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reading logs takes no more memory and no more time a line however long they are. docs/performance.md has a million lines."""

from __future__ import annotations

from bench.logs import ERRORS_EVERY, measure

FEW, MANY = 20_000, 200_000  # lines
MOST = 200  # MiB
GROWTH = 25  # MiB: what a process keeps of pages that it has read and let go
SLOWER = 1.5  # times; processor seconds vary on a machine with other work


def test_ten_times_the_lines_take_ten_times_the_time_and_the_same_memory():
    few, many = measure(FEW), measure(MANY)
    assert (few.lines, many.lines) == (FEW, MANY)
    assert (few.errors, many.errors) == (FEW // ERRORS_EVERY, MANY // ERRORS_EVERY)
    assert many.mebibytes < MOST
    assert many.mebibytes - few.mebibytes < GROWTH
    assert many.cpu / many.lines < SLOWER * few.cpu / few.lines
