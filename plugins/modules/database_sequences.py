#!/usr/bin/python

# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: database_sequences
version_added: 0.1.0
short_description: Move the sequences of a database that goes into service beyond those of the one that goes out of it
description:
  - A restored sequence begins again with the ids that the failed database has given since. A row that is lost and a row that is new would share
    one, so nobody could tell them apart, and the lost ones could not be loaded back.
  - Reads the sequences, also those behind serial and identity columns, of both databases through the URL in a secret, from this machine, and moves each of
    the restored database beyond the failed one's. The margin is 10,000 values, or as many as were given since the data where those are more, because
    the failed database gives ids until nobody uses it any longer.
  - A sequence is never moved back, nor beyond its bound or that of its column's type. Where little is left up to the bound, the margin is half of that.
    It keeps to its increment. Sequences of extensions stay.
  - Where setval is not permitted, nextval is called instead, up to a million times.
  - What keeps a sequence from being moved is reported in RV(findings), no failure, because an application that stays down is worse. So it is with a failed
    database that cannot be asked. Then nothing is moved, because no margin could be known to be enough.
  - An undo leaves the restored database, and moves the sequences of the old one beyond those in the same way.
  - A second time it changes nothing, unless the failed database has given more ids meanwhile.
options:
  database_secret:
    description: Name or ARN of the secret that holds the URL. User, password, database and options are taken from it for both.
    type: str
    required: true
  key:
    description: The key of the URL, if the secret is a JSON object. A secret that is no JSON object is taken as the URL itself.
    type: str
    default: DATABASE_URL
  failed_host:
    description: The host of the failed database, or of whichever goes out of service.
    type: str
    required: true
  failed_port:
    description: Its port.
    type: int
    required: true
  host:
    description: The host of the restored database, or of whichever goes into service.
    type: str
    required: true
  port:
    description: Its port.
    type: int
    required: true
  versions:
    description:
      - Version ids by name or ARN of secrets, as M(spymeo.rollback.rollback_undo_info) gives them. Where O(database_secret) is among them, the database
        at O(host) is logged in to with the URL of that version, because its password counts there. The other one has the current one's.
    type: dict
    default: {}
  timeout:
    description: How long opening a connection, and each statement, may take, in seconds.
    type: int
    default: 30
  run_id:
    description: The id of the run that this task belongs to, as M(spymeo.rollback.rollback_run) gives it.
    type: str
    required: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - spymeo.rollback.rollback.attributes
  - spymeo.rollback.rollback.writing
requirements:
  - psycopg >= 3
author:
  - SPYMEO (@spymeo)
seealso:
  - module: spymeo.rollback.database_url
  - module: spymeo.rollback.database_salvage
"""

EXAMPLES = r"""
- name: No id is given twice
  spymeo.rollback.database_sequences:
    database_secret: spymeo/production/database-url
    failed_host: spymeo-production-db.abcdefghijkl.eu-west-3.rds.amazonaws.com
    failed_port: 5432
    host: spymeo-production-db-rb-20261122-031500.abcdefghijkl.eu-west-3.rds.amazonaws.com
    port: 5432
    run_id: rb-20261122-031500
"""

RETURN = r"""
calls:
  description:
    - The calls of this task that change something, in their order. Each has C(service), C(operation), the names C(of) what it is
      about, and its outcome, which is V(ok), V(unknown) when no answer came, or V(not sent). Moving all sequences of a database is one call,
      C(setval) of C(postgresql).
    - It is reported in a failure, too, so that what was done is known even when the store is not there any more.
  returned: always
  type: list
  elements: dict
  sample: [{"service": "postgresql", "operation": "setval", "of": {"host": "restored.rds", "sequences": "2 sequences"}, "outcome": "ok"}]
before:
  description: What each sequence that is moved has given last, by its name.
  returned: success
  type: dict
  sample: {"public.Payment_id_seq": 1830}
after:
  description: The same after the move; in check mode, as it would be.
  returned: success
  type: dict
  sample: {"public.Payment_id_seq": 11874}
plan:
  description: What is moved, one sentence a sequence.
  returned: success
  type: list
  elements: str
reason:
  description: What the sequences have come to, in one sentence.
  returned: success
  type: str
findings:
  description: The sequences that may give ids twice, and why.
  returned: success
  type: list
  elements: dict
  contains:
    check:
      description: Always V(ids).
      type: str
    subject:
      description: The sequence, or the host of the database that could not be asked.
      type: str
    verdict:
      description: Always V(noted).
      type: str
    what:
      description: What was found.
      type: str
"""

from functools import partial
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._ansible.module import WritingModule
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.secretsmanager import SecretsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.probe import diagnosing, target_of
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.sequences import (
    NOT_ASKED,
    NOT_MOVED,
    UNSURE,
    SequenceMove,
    ahead,
    came_to,
    finding,
    result,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.words import many
from ansible_collections.spymeo.rollback.plugins.module_utils._io.postgresql import PostgresqlGateway

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.sequences import Sequence, SequenceKept
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.finding import Finding
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.postgresql import DatabaseLogin


def targets(module: WritingModule) -> tuple[DatabaseLogin, DatabaseLogin]:
    """The DatabaseLogin that goes out of service, and the one that goes into it."""
    params, secrets = module.params, SecretsGateway(module.aws("secretsmanager"))
    now = secrets.database_url(params["database_secret"], params["key"])
    then = (
        secrets.database_url(params["database_secret"], params["key"], params["versions"])
        if params["versions"]
        else now
    )
    failed, restored = now.at(params["failed_host"], params["failed_port"]), then.at(params["host"], params["port"])
    return target_of(failed), target_of(restored)


def sequences(place: DatabaseLogin, timeout: int) -> tuple[Sequence, ...]:
    """The Sequences of a DatabaseLogin."""
    with diagnosing(place):
        return PostgresqlGateway(place, timeout).sequences()


def compare_sequences(
    module: WritingModule, failed: DatabaseLogin, restored: DatabaseLogin
) -> tuple[list[SequenceKept | SequenceMove], str, list[Finding]]:
    """(a SequenceMove or SequenceKept for each sequence of the DatabaseLogin ``restored``, in words, Findings)."""
    found = []
    for place in (failed, restored):
        read, problem = module.measuring(partial(sequences, place, module.params["timeout"]))
        if read is None:
            return [], "nothing was moved", [finding(place.host, NOT_ASKED % problem)]
        found.append(read)
    steps = ahead(found[1], found[0])
    return steps, *came_to(steps)


def move(module: WritingModule, restored: DatabaseLogin, moves: list[SequenceMove]) -> None:
    """Make SequenceMoves in the database of a DatabaseLogin, as one writing call of the run."""

    def call() -> None:
        with diagnosing(restored):
            PostgresqlGateway(restored, module.params["timeout"]).move(moves)

    module.recording("postgresql", "setval", dict(host=restored.host, sequences=many(len(moves), "sequence")), call)


def main() -> None:
    module = WritingModule(
        dict(
            database_secret=dict(type="str", required=True, no_log=False),
            key=dict(type="str", default="DATABASE_URL", no_log=False),
            failed_host=dict(type="str", required=True),
            failed_port=dict(type="int", required=True),
            host=dict(type="str", required=True),
            port=dict(type="int", required=True),
            versions=dict(type="dict", default={}),
            timeout=dict(type="int", default=30),
            run_id=dict(type="str", required=True),
        )
    )
    with module.telling():
        failed, restored = targets(module)
        steps, told, found = compare_sequences(module, failed, restored)
        moves = [step for step in steps if isinstance(step, SequenceMove)]
        if moves and not module.check_mode:
            problem = module.measuring(lambda: move(module, restored, moves))[1]
            if problem:
                told, found = UNSURE, [*found, finding(restored.host, NOT_MOVED % problem)]
        module.finish(changed=bool(moves), **result(steps, told, found))


if __name__ == "__main__":
    main()
