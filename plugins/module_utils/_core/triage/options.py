# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a triage may recommend. Pure."""

from __future__ import annotations

NONE, CODE, DATABASE, FULL, UNCERTAIN = "none", "CODE", "DATABASE", "FULL", "uncertain"
