# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an inventory may say. One table; every mistake in it is found at once, before the first call to AWS."""

from __future__ import annotations

import re
from typing import Callable, NamedTuple

from ansible_collections.spymeo.rollback.plugins.module_utils._run.identity import RUN_ID, RUN_ID_FORM
from ansible_collections.spymeo.rollback.plugins.module_utils._run.places import FORM as STORE_FORM
from ansible_collections.spymeo.rollback.plugins.module_utils._run.places import place_of


class Variable(NamedTuple):
    """``check`` is a callable: a value that is set → what is wrong with it (str), or None. ``form`` is what it must be, for people."""

    check: Callable[[object], str | None]
    form: str
    may_be_empty: bool


# What every playbook uses, because it looks who works.
OF_RUNS = ("rollback_run_id", "rollback_abandon", "rollback_store", "rollback_lease")

_REVISION = r"(arn:aws[a-z-]*:ecs:[^:]+:\d{12}:task-definition/)?[A-Za-z0-9_-]{1,255}:[1-9]\d*"
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)\Z")
_DIGEST = r"sha256:[0-9a-f]{64}"
TARGET_FORM = re.compile(r"(%s|%s)\Z" % (_DIGEST, _REVISION))


def problems(variables, needed):
    """Every mistake in ``variables`` (dict name → value as the inventory has it), one sentence each.

    :param needed: the variables (list of str) that the playbook at hand uses; the others are not looked at.
    :raises KeyError: ``needed`` names a variable that is not in the table (a mistake in a role, not in an inventory).
    """
    return [text for text in (_problem(name, variables.get(name), VARIABLES[name]) for name in needed) if text]


def _problem(name, value, variable):
    if value is None or value == "":
        text = "%s is not set. Set it in the inventory of this environment to %s."
        return None if variable.may_be_empty else text % (name, variable.form)
    complaint = variable.check(value)
    return "%s is %r: %s. It must be %s." % (name, value, complaint, variable.form) if complaint else None


def _not_text(value):
    if isinstance(value, str):
        return None
    return (
        "it arrived as %s, not as text (AWX and YAML turn text that looks like a number or yes/no into one; put it in quotes)"
        % type(value).__name__
    )


def _check_name(value):
    return _not_text(value) or ("it has spaces around it" if value != value.strip() else None)


def _check_time(value):
    if _not_text(value):
        return _not_text(value)
    return None if _TIME.match(value) else "it is not a time in ISO 8601 with a zone"


def _check_fence(value):
    return None if value in ("none", "scale_to_zero") else "there is no such fence"


def _check_probe(value):
    return None if value in ("direct", "task") else "there is no such way to probe"


def _check_names(value):
    if not isinstance(value, list):
        return "it is %s, not a list" % type(value).__name__
    if not value:
        return "the list is empty"
    return _check_optional_names(value)


def _check_optional_names(value):
    if not isinstance(value, list):
        return "it is %s, not a list" % type(value).__name__
    wrong = [item for item in value if not isinstance(item, str) or not item.strip()]
    if wrong:
        return "%r in it is not a name" % (wrong[0],)
    return "it names %s twice" % _twice(value) if _twice(value) else None


def _twice(value):
    return next((item for item in value if value.count(item) > 1), None)


def _check_url(value):
    if _not_text(value):
        return _not_text(value)
    return None if re.match(r"^https?://[^/\s]+/?$", value) else "it is not an http or https URL without a path"


def _check_path(value):
    if _not_text(value):
        return _not_text(value)
    return None if value.startswith("/") else "it does not begin with a slash"


def _check_target(value):
    if not isinstance(value, dict):
        return _check_one_target(value)
    for service, target in value.items():
        if not isinstance(service, str) or not service.strip():
            return "%r in it is not the name of a service" % (service,)
        complaint = _check_one_target(target)
        if complaint:
            return "for %s, %s" % (service, complaint)
    return None if value else "it names no service"


def _check_one_target(value):
    if _not_text(value):
        return "a bare %s names no task definition" % type(value).__name__
    if value.startswith("sha256:") and not TARGET_FORM.match(value):
        return "a digest has 64 hexadecimal digits"
    return None if TARGET_FORM.match(value) else "a family alone or a bare number does not say which revision"


def _check_seconds(value):
    if isinstance(value, (bool, float)) or not re.match(r"[0-9]+\Z", str(value)):
        return "it is not a whole number"
    return None if int(value) > 0 else "it is not above 0"


def _check_contacts(value):
    if isinstance(value, dict) and all(isinstance(item, str) for pair in value.items() for item in pair):
        return None
    return "it is not a mapping of text to text (put telephone numbers in quotes)"


def _check_mapping(value):
    if not isinstance(value, dict):
        return "it is %s, not a mapping" % type(value).__name__
    for name, item in value.items():
        number = isinstance(item, int) and not isinstance(item, bool)
        if not isinstance(name, str) or not (number or (isinstance(item, str) and item.strip())):
            return "for %s, %r is neither text nor a number" % (name, item)
    return None


def _check_lists(value):
    if not isinstance(value, dict):
        return "it is %s, not a mapping" % type(value).__name__
    wrong = [(name, _check_names(item)) for name, item in value.items() if _check_names(item)]
    return "for %s, %s" % wrong[0] if wrong else None


def _check_flag(value):
    return (
        None if isinstance(value, bool) or str(value).lower() in ("true", "false") else "it is neither true nor false"
    )


def _check_id(value):
    if _not_text(value):
        return _not_text(value)
    return None if RUN_ID.match(value) else "it cannot be part of the name of a DB instance"


def _check_store(value):
    if _not_text(value):
        return _not_text(value)
    return None if place_of(value) else "it is neither a directory nor a bucket"


def _required(check, form):
    return Variable(check, form, False)


def _optional(check, form):
    return Variable(check, form, True)


VARIABLES = {
    "rollback_environment": _required(_check_name, "the environment's name, like production"),
    "rollback_region": _required(_check_name, "an AWS region, like eu-west-3"),
    "rollback_cluster": _required(_check_name, "an ECS cluster, like spymeo-production"),
    "rollback_services": _required(_check_names, "a list of ECS services, like [spymeo-app]"),
    "rollback_task_definition": _optional(
        _check_target,
        "empty, or family:revision, like spymeo-app:41, or an image's digest, sha256:…, or a mapping from services to those",
    ),
    "rollback_deploy_timeout": _optional(
        _check_seconds, "empty, or how many seconds the deployment may take, like 900"
    ),
    "rollback_db_instance": _required(_check_name, "an RDS DB instance identifier, like spymeo-production-db"),
    "rollback_snapshot": _optional(
        _check_name,
        "empty, or an RDS DB snapshot identifier, like spymeo-pre-migration-snapshot; empty: that of the release point",
    ),
    "rollback_release_point": _optional(
        _check_name, "empty, or none, or the id of a release point, like cp-20261122-024500"
    ),
    "rollback_release": _optional(_check_name, "empty, or the release that is about to be deployed, like v2.0.0"),
    "rollback_despite_migrations": _optional(_check_flag, "empty, true or false"),
    "rollback_snapshot_before": _optional(
        _check_time, "empty, or a time with its zone, in quotes, like '2026-11-22T03:00:00Z'"
    ),
    "rollback_point_in_time": _optional(
        _check_time, "empty, or a time with its zone, in quotes, like '2026-11-22T03:00:00Z'"
    ),
    "rollback_fence": _optional(_check_fence, "empty, none, or scale_to_zero"),
    "rollback_db_probe": _optional(_check_probe, "empty, direct, or task"),
    "rollback_db_probe_image": _optional(
        _check_name,
        "empty, or an image that has sh and psql, like postgres:17-alpine in a registry of yours",
    ),
    "rollback_db_stop_failed": _optional(_check_flag, "empty, true or false"),
    "rollback_db_warm": _optional(_check_optional_names, "empty, or a list of tables, like [Practitioner]"),
    "rollback_database_secret": _required(_check_name, "the name or ARN of the secret that holds DATABASE_URL"),
    "rollback_secrets": _optional(_check_optional_names, "a list of secret names or ARNs; it may be empty"),
    "rollback_parameters": _optional(
        _check_optional_names, "a list of names or ARNs of SSM parameters; it may be empty"
    ),
    "rollback_secrets_before": _optional(
        _check_time, "empty, or a time with its zone, in quotes, like '2026-11-22T03:00:00Z'"
    ),
    "rollback_secret_versions": _optional(
        _check_mapping,
        "empty, or a mapping from secrets to version ids, and from parameters to version numbers, like {spymeo/production/app: 5048a2cf-…}",
    ),
    "rollback_secret_keys": _optional(
        _check_lists,
        "empty, or a mapping from secrets to lists of JSON keys, like {spymeo/production/app: [PAYMENT_API_KEY]}",
    ),
    "rollback_backup_secrets": _optional(
        _check_mapping, "empty, or a mapping from secrets to the secrets that hold their backups"
    ),
    "rollback_base_url": _required(_check_url, "the application's public URL, like https://app.spymeo.fr"),
    "rollback_health_path": _required(_check_path, "the path of the health check, like /api/health"),
    "rollback_log_groups": _required(_check_names, "a list of CloudWatch Logs groups, like [/ecs/spymeo-app]"),
    "rollback_contacts": _optional(_check_contacts, "a mapping from a role to whom to call, like {on_call: +33 …}"),
    "rollback_run_id": _optional(_check_id, "empty, or the id of the run to resume: %s" % RUN_ID_FORM),
    "rollback_abandon": _optional(
        _check_id, "empty, or the id of the unfinished run that is given up: %s" % RUN_ID_FORM
    ),
    "rollback_undo_run": _optional(_check_id, "empty, or the id of the run to undo: %s" % RUN_ID_FORM),
    "rollback_store": _optional(_check_store, "empty, or %s" % STORE_FORM),
    "rollback_lease": _optional(
        _check_seconds, "empty, or how many seconds the lock holds without being renewed, like 60"
    ),
}
