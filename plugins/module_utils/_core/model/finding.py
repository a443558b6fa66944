# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one check of one thing came to."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import FAILED, NOTED


@dataclass(frozen=True)
class Finding:
    """What one check of one thing came to. ``cure`` is what to do, empty where nothing is to be done."""

    check: str
    subject: str
    verdict: str
    what: str
    cure: str = ""
    services: tuple[str, ...] = ()

    def unless(self, despite: bool) -> Finding:
        """The same; as a note, where it has failed and the operator wants it ``despite`` that."""
        if not despite or self.verdict != FAILED:
            return self
        return replace(self, verdict=NOTED, what="%s; the operator wants it all the same" % self.what, cure="")
