# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Application Load Balancers: HTTP proxies that probe their targets."""

from .service import Elbv2

__all__ = ["Elbv2"]
