# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation that our modules share."""

from __future__ import annotations


class ModuleDocFragment:
    """Options, attributes and return values that more than one module has."""

    ATTRIBUTES = r"""
attributes:
  check_mode:
    description: Reports the plan and makes no writing call to AWS.
    support: full
  diff_mode:
    description: Shows what is there before and after.
    support: full
"""

    RUN = r"""
options:
  run_id:
    description:
      - The id of the run that this task belongs to, as M(spymeo.rollback.rollback_run) gives it.
      - What the run creates is named after it and bears it as the tag C(spymeo:rollback-run).
    type: str
    required: true
"""

    WAIT = r"""
options:
  wait:
    description:
      - Whether to wait until it is done. The same task again, with O(wait=true), joins what is under way.
    type: bool
    default: true
  wait_timeout:
    description:
      - How long to wait, in seconds.
    type: int
    default: 3600
"""
