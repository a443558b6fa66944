# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Amazon RDS for PostgreSQL: instances are servers of this machine."""

from .service import Rds

__all__ = ["Rds"]
