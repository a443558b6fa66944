# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""make bench: how long a rollback takes, side by side with what people would use instead; make bench-profile: where its time goes."""

from __future__ import annotations

import argparse
import subprocess
import sys

from bench import keep, measure, profile, suite
from bench.production import Failed
from bench.sets import QUICK
from spymeo_world.accidents import PipelineFailed

RESULTS, QUICK_RESULTS = measure.ROOT / "docs/performance", measure.ROOT / "tests/output/bench"
BROKEN = (Failed, PipelineFailed, RuntimeError, OSError, subprocess.SubprocessError)


def main() -> int:
    """1 when a budget is missed or a run did not end where it should."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--times", type=int, default=3, help="how often each case is run (3)")
    options.add_argument(
        "--only", nargs="+", choices=suite.PARTS, default=list(suite.PARTS), help="which parts (all); others are kept"
    )
    options.add_argument("--quick", action="store_true", help="a look in under 3 minutes, kept in tests/output/bench")
    options.add_argument(
        "--profile",
        metavar="PLAYBOOK",
        help="where one run of this playbook spends its time: rollback_full, rollback_code",
    )
    asked = options.parse_args()
    if asked.profile:
        print(profile.profiled(asked.profile, QUICK))
        return 0
    tables, failure = [], None
    try:
        for table in suite.quick() if asked.quick else suite.measured(asked.only, asked.times):
            tables.append(keep.dated(table))
    except BROKEN as error:  # what was measured before it is worth keeping
        failure = f"FAILED: {error}"
    folder = QUICK_RESULTS if asked.quick or failure else RESULTS
    keep.keep(folder, tables)
    print((folder / "measured.md").read_text())
    lines = suite.missed(tables)
    print(failure or "\n".join(["Missed:", *lines] if lines else ["Every budget is kept."]))
    return 1 if lines or failure else 0


if __name__ == "__main__":
    sys.exit(main())
