# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""SPYMEO's production as the runbook knows it, its accidents, and what a person types to bring it up."""
