# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When the tasks have proven that they log. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.outcome import Pending, Ready

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.logs import Stream


def all_have_logged(streams: Sequence[Stream], silent: Sequence[Stream]) -> Ready | Pending:
    """Whether every stream has a line: lines can be found only some time after they were written.

    :param streams: all Streams.
    :param silent: those without a line so far.
    """
    if not silent:
        return Ready("each of %d streams has a line" % len(streams))
    names = ", ".join(stream.name for stream in silent)
    return Pending(len(streams) - len(silent), len(streams), "nothing was logged yet in %s" % names)
