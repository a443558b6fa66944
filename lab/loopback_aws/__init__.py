# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""AWS on loopback: its API for stock clients, and real processes and PostgreSQL servers behind it."""
