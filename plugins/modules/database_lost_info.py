#!/usr/bin/python

# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: database_lost_info
version_added: 0.1.0
short_description: Count the rows that a database rollback would leave behind
description:
  - Logs in to the database that the application uses, and counts in each table the rows that were created since a time. A table tells that when it
    has a column C(createdAt) or C(created_at), as Prisma's schemas have.
  - Rows that were changed or deleted since are not counted. After the rollback, M(spymeo.rollback.database_salvage) finds them, too.
  - A database that cannot be asked is no failure, because a rollback may be needed for that very reason. RV(reason) says why nothing was counted.
  - It reads in one read-only transaction. The password is never told.
options:
  database_secret:
    description: Name or ARN of the secret that holds the URL.
    type: str
    required: true
  key:
    description: The key of the URL, if the secret is a JSON object. A secret that is no JSON object is taken as the URL itself.
    type: str
    default: DATABASE_URL
  since:
    description: The time from which on rows are counted, ISO 8601 with a zone.
    type: str
    required: true
  timeout:
    description: How long opening the connection, and each count, may take, in seconds.
    type: int
    default: 5
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
attributes:
  check_mode:
    description: It changes nothing.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
author:
  - SPYMEO (@spymeo)
seealso:
  - module: spymeo.rollback.database_salvage
  - module: spymeo.rollback.rds_rollback_info
"""

EXAMPLES = r"""
- name: What has been written since the snapshot?
  spymeo.rollback.database_lost_info:
    database_secret: spymeo/production/database-url
    since: "2026-11-22T02:00:00Z"
"""

RETURN = r"""
counted:
  description: Whether the database could be asked.
  returned: success
  type: bool
rows:
  description: How many rows of each table were created since then, null where counting took longer than O(timeout).
  returned: success
  type: dict
  sample: {"Practitioner": 12, "Payment": 3}
reason:
  description: The numbers in words, or why there are none.
  returned: success
  type: str
  sample: 3 rows of Payment and 12 rows of Practitioner were created since then
"""

from ansible_collections.spymeo.rollback.plugins.module_utils._errors import Refused
from ansible_collections.spymeo.rollback.plugins.module_utils._iso_time import parse_time
from ansible_collections.spymeo.rollback.plugins.module_utils._module import RollbackModule
from ansible_collections.spymeo.rollback.plugins.module_utils._postgresql.decide import diagnose, target_of
from ansible_collections.spymeo.rollback.plugins.module_utils._postgresql.gateway import PostgresqlGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._postgresql.tell import created
from ansible_collections.spymeo.rollback.plugins.module_utils._secrets.gateway import SecretsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._secrets.url import DatabaseUrl, read_url


def main():
    module = RollbackModule(
        dict(
            database_secret=dict(type="str", required=True, no_log=False),
            key=dict(type="str", default="DATABASE_URL", no_log=False),
            since=dict(type="str", required=True),
            timeout=dict(type="int", default=5),
        )
    )
    with module.telling():
        since = parse_time("since", module.params["since"])
        secrets = SecretsGateway(module.aws("secretsmanager"))
        secret = secrets.secret("database_secret", module.params["database_secret"])
        place = target_of(DatabaseUrl.parse(read_url(secrets.current_value(secret).text, module.params["key"])))
        try:
            rows = PostgresqlGateway(place, module.params["timeout"]).created_since(since)
        except Refused as refused:
            reason = "the rows could not be counted: %s" % diagnose(place, refused).message
            module.exit_json(changed=False, counted=False, rows={}, reason=reason)
        module.exit_json(changed=False, counted=True, rows=dict(rows), reason=created(rows))


if __name__ == "__main__":
    main()
