# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fence, as lines: whether nothing runs while the database changes, and what somebody else has started meanwhile. Pure."""

from __future__ import annotations

from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.line import Line, under, within
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.published import Published

_AT_ZERO = "the services stand at 0 tasks from when the new instance has answered until the deployment: nobody is served, and nothing is written meanwhile"
_NONE = "none, because %s: what is written until the deployment stays in %s"


def fence_of_plan(seen: Published) -> list[Line]:
    """Whether there is one, and why (list of Line)."""
    why = within(seen.code, "fence", "why")
    if seen.fence == "scale_to_zero":
        return [Line("FENCE", _AT_ZERO, ("because %s" % why,))]
    none = _NONE % ("nothing was decided" if why is None else why, seen.database["db_instance"])
    return [Line("FENCE", none, ("(rollback_fence=scale_to_zero lets nothing run meanwhile)",))]


def fence_of_outcome(seen: Published, has_snapshot: bool) -> list[Line]:
    """What was counted again behind it, and what somebody else has done to services that stood at 0 tasks (list of Line).

    :param has_snapshot: whether there is a safety snapshot.
    """
    result = seen.database_result
    counted = within(result, "fence", "recounted") or []
    broken = [
        *(within(result, "fence", "broken") or []),
        *(within(result, "fence_again", "broken") or []),
        *(seen.deployed.get("broken") or []),
    ]
    where = seen.database.get("db_instance") or "the database that was in service"
    meanwhile = "What was written meanwhile is in %s%s." % (
        where,
        "; its snapshot has it as far as KEPT says" if has_snapshot else "",
    )
    return [
        *under("FENCE", ("%s." % text for text in counted)),
        *(Line("FENCE", "%s." % text.rstrip("."), (meanwhile,)) for text in broken),
    ]
