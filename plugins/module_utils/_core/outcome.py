# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How ready something is: the three answers that every look at what is awaited gives."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Ready:
    """It is there; ``detail`` says how we know."""

    detail: str = ""


@dataclass(frozen=True)
class Pending:
    """It is on its way: ``done`` of ``total`` (tasks, percent), ``detail`` for people. ``fresh``: this look has asked for what is awaited now.

    ``away``: this look got no answer, so that ``done`` is what an earlier one has seen.
    """

    done: float
    total: float
    detail: str
    fresh: bool = False
    away: bool = False


@dataclass(frozen=True)
class Failed:
    """It will never be there; ``reason`` says why this is certain."""

    reason: str
