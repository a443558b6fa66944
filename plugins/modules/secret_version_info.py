#!/usr/bin/python

# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: secret_version_info
version_added: 0.1.0
short_description: Tell which version of each secret and parameter would come back, and why
description:
  - Reads the versions of secrets (Secrets Manager), deprecated ones included, and of parameters (SSM's Parameter Store).
  - It chooses for each the version that O(versions) names; else the one that O(release_point) has recorded; else the current one, when that is older than
    the bad release; else the newest one created before the bad release began.
  - The label C(AWSPREVIOUS) is not asked, because it swaps places with C(AWSCURRENT) at every move.
  - It fails, and names the candidates, when the version was pruned, when none is old enough, or when the choice is not certain. It also fails while a
    rotation is under way, for a replica, which is read-only, and for a secret that is scheduled for deletion.
  - Values are read only where they have to be, in memory. For O(keys), O(backups), parameters, and a JSON secret that holds the database URL, they
    are compared. None is returned, logged or shown.
options:
  secrets:
    description: Names or ARNs of the secrets. The list may be empty.
    type: list
    elements: str
    required: true
  parameters:
    description: Names or ARNs of parameters of SSM's Parameter Store that come back, too.
    type: list
    elements: str
    default: []
  before:
    description:
      - When the bad release began, ISO 8601 with a time zone, as RV(spymeo.rollback.ecs_release_info#module:bad_since) tells it.
      - Empty means that no bad release is known. Then everything stays at its current version, unless O(versions), O(backups) or
        O(release_point) say otherwise.
    type: str
    required: true
  versions:
    description: The version id of a secret, or the number of a parameter's version, by the name that O(secrets) or O(parameters) has.
    type: dict
    default: {}
  keys:
    description:
      - The keys of a JSON secret that alone come back, as a list, by the name that O(secrets) has. Its other keys stay as they are, byte for byte.
    type: dict
    default: {}
  backups:
    description: The secret whose current value comes back in place of an older version, by the name that O(secrets) has.
    type: dict
    default: {}
  release_point:
    description: The release point to go back to, with C(id), C(secrets) (ARN → version id) and C(parameters) (name → number). Empty means none.
    type: dict
    default: {}
  database_secret:
    description:
      - Name or ARN of the secret that holds the database URL, because an old URL must never come back over the new endpoint of the database.
      - Where O(secrets) names it too, it is left out when it is the URL itself. When it is a JSON object, its other keys come back, and every
        PostgreSQL URL in it stays.
    type: str
  key:
    description: The key of the URL, if that secret is a JSON object.
    type: str
    default: DATABASE_URL
  bad_since:
    description: When the harm began, ISO 8601 with a time zone. A version that is chosen and was made later is a mistake.
    type: str
  despite_moment:
    description: Whether such a version is right all the same.
    type: bool
    default: false
  fail_on_error:
    description: Whether the task fails when something is wrong with a secret. Without it, that is reported in RV(evidence).
    type: bool
    default: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - spymeo.rollback.rollback.attributes
author:
  - SPYMEO (@spymeo)
seealso:
  - module: spymeo.rollback.secret_rollback
"""

EXAMPLES = r"""
- name: Which versions would come back?
  spymeo.rollback.secret_version_info:
    secrets: [spymeo/production/payment-api-key, spymeo/production/session-secret]
    database_secret: spymeo/production/database-url
    before: "{{ release.bad_since }}"
  register: secrets
"""

RETURN = r"""
targets:
  description: What of which version each secret goes back to, by name, as M(spymeo.rollback.secret_rollback) takes it.
  returned: success
  type: dict
  sample: {"spymeo/production/session-secret": "5048a2cf-8c04-4b4f-b5a1-6ac1f0b7a9d1"}
parameter_targets:
  description: The number of the version whose value each parameter goes back to, by name, as M(spymeo.rollback.secret_rollback) takes it.
  returned: success
  type: dict
  sample: {"/spymeo/production/log-level": "7"}
before:
  description: The version that is current now, by name of the secret or parameter.
  returned: success
  type: dict
after:
  description: The same as RV(before), because nothing is changed.
  returned: success
  type: dict
plan:
  description: What a rollback would do, one sentence for each secret that would change.
  returned: success
  type: list
  elements: str
reason:
  description: Why the secrets would change or stay.
  returned: success
  type: str
evidence:
  description: With O(fail_on_error=false), what is wrong, with its cure.
  returned: success
  type: list
  elements: str
secrets:
  description: What is known about each secret.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name of the secret.
      type: str
    arn:
      description: Its ARN.
      type: str
    current:
      description: The version id that bears C(AWSCURRENT).
      type: str
    chosen:
      description: The version id that would come back. Null where the secret is left out.
      type: str
    reason:
      description: Why this one.
      type: str
    changes:
      description: Whether anything of the secret would change.
      type: bool
    json_keys:
      description: The JSON keys that would change, where the secret comes back in part or from a backup.
      type: list
      elements: str
    kept:
      description: The JSON keys that stay because they hold the URL of the database.
      type: list
      elements: str
    target:
      description: The same as in RV(targets).
      type: raw
    versions:
      description: All versions, newest first, with C(id), C(stages) (a list) and C(created) (ISO 8601).
      type: list
      elements: dict
parameters:
  description: What is known about each parameter, with C(name), C(current), C(chosen), C(reason), C(changes) and C(versions) as for secrets.
  returned: success
  type: list
  elements: dict
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._ansible.module import RollbackModule
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.secretsmanager import SecretsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ssm import ParametersGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.secrets.moment import younger
from ansible_collections.spymeo.rollback.plugins.module_utils._core.times import parse_time
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.select_secrets import (
    ParameterChoosing,
    SecretChoosing,
    Wishes,
    refuse_unlisted,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._io.concurrency import side_by_side

if TYPE_CHECKING:
    pass


def wishes_of(params: dict[str, Any], gateway: SecretsGateway) -> Wishes:
    """The Wishes that the options hold."""
    secret = params["database_secret"]
    return Wishes(
        parse_time("before", params["before"]),
        params["versions"],
        params["keys"],
        params["backups"],
        params["release_point"],
        gateway.secret("database_secret", secret).arn if secret and params["secrets"] else None,
        params["key"],
    )


def versions_result(secrets: Sequence[dict[str, Any]], parameters: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The result, from what was chosen."""
    found = [*secrets, *parameters]
    current = {item["name"]: item["current"] for item in found}
    return dict(
        before=current,
        after=current,
        plan=["%s: %s → %s" % (item["name"], item["current"], item["chosen"]) for item in found if item["changes"]],
        reason="; ".join("%s: %s" % (item["name"], item["reason"]) for item in found) or "no secrets are named",
        secrets=secrets,
        targets={item["name"]: item["target"] for item in secrets if item["target"]},
        parameters=parameters,
        parameter_targets={item["name"]: item["chosen"] for item in parameters},
    )


def planned(module: RollbackModule) -> dict[str, Any]:
    """The result. What is wrong with one secret hides nothing of the others.

    :raises RollbackError: with every mistake.
    """
    params, gateway = module.params, SecretsGateway(module.aws("secretsmanager"))
    wishes = wishes_of(params, gateway)
    refuse_unlisted(wishes, params["secrets"], params["parameters"])
    choosing = SecretChoosing(gateway, wishes)
    secrets = side_by_side(lambda name: or_error(choosing.choose, name), params["secrets"])
    parameters: list[dict[str, Any] | RollbackError] = []
    if params["parameters"]:
        numbers = ParameterChoosing(ParametersGateway(module.aws("ssm")), wishes)
        parameters = side_by_side(lambda name: or_error(numbers.choose, name), params["parameters"])
    errors = [item for item in [*secrets, *parameters] if isinstance(item, RollbackError)]
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise RollbackError(
            errors[0].message, [line for error in errors[1:] for line in [error.message, *error.evidence]]
        )
    bad_since = None if params["despite_moment"] else parse_time("bad_since", params["bad_since"])
    chosen, numbered = ([item for item in some if isinstance(item, dict)] for some in (secrets, parameters))
    return dict(versions_result(chosen, numbered), evidence=younger([*chosen, *numbered], bad_since))


def or_error(choose: Callable[[str], dict[str, Any]], name: str) -> dict[str, Any] | RollbackError:
    """What ``choose(name)`` gives, or the RollbackError that it raises."""
    try:
        return choose(name)
    except RollbackError as error:
        return error


def main() -> None:
    module = RollbackModule(
        dict(
            secrets=dict(type="list", elements="str", required=True, no_log=False),
            parameters=dict(type="list", elements="str", default=[]),
            before=dict(type="str", required=True),
            versions=dict(type="dict", default={}),
            keys=dict(type="dict", default={}, no_log=False),
            backups=dict(type="dict", default={}),
            release_point=dict(type="dict", default={}),
            database_secret=dict(type="str", no_log=False),
            key=dict(type="str", default="DATABASE_URL", no_log=False),
            bad_since=dict(type="str"),
            despite_moment=dict(type="bool", default=False),
            fail_on_error=dict(type="bool", default=True),
        )
    )
    params = module.params
    with module.telling():
        try:
            result = planned(module)
        except RollbackError as error:
            if params["fail_on_error"]:
                raise
            result = dict(versions_result([], []), evidence=[error.message, *error.evidence])
        module.finish(changed=False, **result)


if __name__ == "__main__":
    main()
