#!/usr/bin/python

# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: database_url
version_added: 0.1.0
short_description: Point the database URL in a secret at another address
description:
  - Replaces host and port of the PostgreSQL URL that a secret holds. User, password, their percent-encoding, the database and every option stay
    byte for byte, and so does the rest of a JSON secret.
  - Without O(host) and O(port) it only tells where the URL points.
  - The new version of the secret becomes current, and the one before it stays, as C(AWSPREVIOUS). A second try of the same run writes no second version.
  - The URL itself never leaves the module.
  - With O(db_instance) and O(new_db_instance) both are marked with C(spymeo:rollback-served), since and until when they were in service. With O(pending)
    only the new one is, because the deployment that follows pins that version.
options:
  database_secret:
    description: Name or ARN of the secret.
    type: str
    required: true
  key:
    description: The key of the URL, if the secret is a JSON object. A secret that is no JSON object is taken as the URL itself.
    type: str
    default: DATABASE_URL
  host:
    description: The new host, a DNS name or an IP address without brackets. Without it the host stays.
    type: str
  port:
    description: The new port. Without it the port stays.
    type: int
  run_id:
    description: The id of the run that this task belongs to, as M(spymeo.rollback.rollback_run) gives it. Needed with O(host) or O(port).
    type: str
  pending:
    description:
      - Write the new version under a label of the run, and leave what applications read. A task that pins this version can try it.
      - A later task of the same run, without this option, makes that version current. It then bears the label C(spymeo-rollback-pinned), so that
        tasks that pin it find it for as long as they run.
    type: bool
    default: false
  db_instance:
    description: The DB instance that the URL points at, which goes out of service.
    type: str
  new_db_instance:
    description: The DB instance at O(host), which goes into service.
    type: str
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - spymeo.rollback.rollback.attributes
  - spymeo.rollback.rollback.writing
author:
  - SPYMEO (@spymeo)
seealso:
  - module: spymeo.rollback.database_probe_info
"""

EXAMPLES = r"""
- name: Where does the application's URL point?
  spymeo.rollback.database_url:
    database_secret: spymeo/production/database-url
  register: url

- name: Point it at the restored instance
  spymeo.rollback.database_url:
    database_secret: spymeo/production/database-url
    host: spymeo-production-db-rb-20261122-031500.abcdefghijkl.eu-west-3.rds.amazonaws.com
    port: 5432
    run_id: rb-20261122-031500
"""

RETURN = r"""
calls:
  description:
    - The calls of this task that change something, in their order. Each has C(service), C(operation), the names C(of) what it is
      about, and its outcome, which is V(ok), the code with which AWS refused it, V(unknown) when no answer came, or V(not sent).
    - It is reported in a failure, too, so that what was done is known even when the store is not there any more.
  returned: always
  type: list
  elements: dict
  sample: [{"service": "ecs", "operation": "UpdateService", "of": {"cluster": "production", "service": "app"}, "outcome": "ok"}]
before:
  description: Where the URL pointed, as C(host) and C(port).
  returned: success
  type: dict
  sample: {"host": "spymeo-production-db.abcdefghijkl.eu-west-3.rds.amazonaws.com", "port": 5432}
after:
  description: Where it points now, or would in check mode.
  returned: success
  type: dict
plan:
  description: What is written, in words.
  returned: success
  type: list
  elements: str
reason:
  description: Why a version was written, or why none was.
  returned: success
  type: str
database:
  description: The name of the database in the URL.
  returned: success
  type: str
user:
  description: The user in the URL, decoded.
  returned: success
  type: str
version_id:
  description: The version of the secret that holds RV(after).
  returned: success
  type: str
previous_version_id:
  description: The version of the secret that holds RV(before).
  returned: success
  type: str
unmarked:
  description: Why an instance could not be marked; empty when both are, or none was to be. The URL has moved all the same.
  returned: success
  type: str
"""

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._ansible.module import WritingModule
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.rds import RdsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.secretsmanager import SecretsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.retire import into_service, out_of_service
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.url import (
    DatabaseUrl,
    read_url,
    replace_url,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.secrets import StageMove
from ansible_collections.spymeo.rollback.plugins.module_utils._core.secrets.next_step import (
    pending_label,
    refuse_unusable,
    write_token,
)

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rds import DbInstance
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.secrets import Secret, Value


def address(url: DatabaseUrl) -> dict[str, Any]:
    """Where a URL points, for results."""
    return dict(host=url.host, port=url.port)


def rewrite(module: WritingModule, gateway: SecretsGateway, secret: Secret, value: Value, url: DatabaseUrl) -> str:
    """Write the URL at its new address, and give the id of the version that holds it."""
    run_id, text = module.params["run_id"], replace_url(value.text, module.params["key"], url.text)
    token, label = write_token(run_id, secret.arn, url.host, url.port), pending_label(run_id)
    tried = secret.staged(label)
    if module.check_mode:
        return token
    if module.params["pending"]:
        # What a probe by a task has tried is there. Where the secret was changed since, putting it is refused.
        if not (tried and tried.id == token and gateway.value(secret, token).text == text):
            gateway.put_pending(secret, text, token, label)
    elif tried and tried.id == token:
        gateway.activate_pending(
            secret, text, StageMove(secret.name, secret.arn, value.version_id, token), label, pinned=secret
        )
    else:
        gateway.put_current(secret, text, token)
    return token


def tidy(module: WritingModule, gateway: SecretsGateway, secret: Secret, version_id: str) -> None:
    """Take the label of a version of this run away that became current in a try which ended before it did so itself."""
    label = pending_label(module.params["run_id"])
    tried = secret.staged(label)
    if tried and tried.id == version_id and not (module.check_mode or module.params["pending"]):
        gateway.drop_label(secret, label, version_id)


class InServiceRecord:
    """Writes down which DB instance was in service and which is: the beginning before the URL moves, the end after it."""

    def __init__(self, module: WritingModule) -> None:
        self._module = module
        self._gateway = RdsGateway(module.aws("rds"))
        self._old, self._new = self._read("db_instance"), self._read("new_db_instance")

    def _read(self, option: str) -> DbInstance:
        name = self._module.params[option]
        found = self._gateway.instance(name)
        if found is None:
            raise BadInput(option, name, "there is no such DB instance")
        return found

    def begin(self) -> str | None:
        """Mark the new instance. What stands against it is returned (else None) and no failure: it must not keep a rollback."""
        return self._tag(self._new, into_service(self._new, datetime.now(timezone.utc)))

    def end(self) -> str | None:
        """Mark the old one, likewise: the URL has moved, and the deployment must come now. rds_retire tries it again."""
        return self._tag(self._old, out_of_service(self._old, self._new, datetime.now(timezone.utc), served_now=True))

    def _tag(self, instance: DbInstance, tags: dict[str, str]) -> str | None:
        return self._module.measuring(lambda: self._gateway.tag(instance.arn, tags))[1] if tags else None


def move(
    module: WritingModule, gateway: SecretsGateway, secret: Secret, value: Value, url: DatabaseUrl
) -> tuple[str, str | None]:
    """As ``rewrite``, with the marks of both instances where they are named. Gives what stands against the marks, too."""
    marks = bool(module.params["db_instance"]) and not module.check_mode
    service = InServiceRecord(module) if marks else None
    begun = service.begin() if service else None
    version_id = rewrite(module, gateway, secret, value, url)
    return version_id, begun or (service.end() if service and not module.params["pending"] else None)


def main() -> None:
    module = WritingModule(
        dict(
            database_secret=dict(type="str", required=True, no_log=False),
            key=dict(type="str", default="DATABASE_URL", no_log=False),
            host=dict(type="str"),
            port=dict(type="int"),
            run_id=dict(type="str"),
            pending=dict(type="bool", default=False),
            db_instance=dict(type="str"),
            new_db_instance=dict(type="str"),
        ),
        required_together=[("db_instance", "new_db_instance")],
        required_by=dict(host="run_id", port="run_id"),
    )
    with module.telling():
        gateway = SecretsGateway(module.aws("secretsmanager"))
        secret = gateway.secret("database_secret", module.params["database_secret"])
        refuse_unusable("database_secret", secret, gateway.region)
        value = gateway.current_value(secret)
        url = DatabaseUrl.parse(read_url(value.text, module.params["key"]))
        wanted = url.at(module.params["host"], module.params["port"])
        changed = address(wanted) != address(url)
        moved = move(module, gateway, secret, value, wanted) if changed else (value.version_id, None)
        version_id, unmarked = moved
        if not changed and module.params["run_id"]:
            tidy(module, gateway, secret, version_id)
        module.finish(
            changed=changed,
            before=address(url),
            after=address(wanted),
            plan=["%s: host and port become %s, port %d" % (secret.name, wanted.host, wanted.port)] if changed else [],
            reason="the URL pointed %s" % ("elsewhere" if changed else "there already, or nothing else was asked for"),
            database=url.database,
            user=url.user,
            version_id=version_id,
            previous_version_id=value.version_id,
            unmarked=unmarked or "",
        )


if __name__ == "__main__":
    main()
