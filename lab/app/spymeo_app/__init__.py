# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""SPYMEO, as small as it can be and still break like the real one.

A web application with a PostgreSQL database: practitioners sign up, an admin logs in and sees a dashboard, payments
go to a provider. It answers and logs as the real application does, which is written for Node with Prisma.

Where to look:

- ``releases``       what each release ships, and the table of the defects that release 2.0.0 can have
- ``config``         the environment variables
- ``application``    the table of routes; then ``practitioners``, ``admin``, ``payments``, ``health``
- ``database``       the connections; ``prisma_errors`` gives their failures Prisma's codes and words
- ``migrate``        ``prisma migrate deploy``
- ``seed``           the first rows, and a fingerprint that tells whether they are whole

Run it with ``python -m spymeo_app serve``, ``migrate`` or ``seed``.
"""
