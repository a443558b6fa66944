# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an inventory may say. One table; every mistake in it is found at once, before the first call to AWS.

A name that looks like one of the table and is none is a mistake, too: what a person has set and nobody reads is the worst of
answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.names import RUN_ID, RUN_ID_FORM
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.store_location import FORM as STORE_FORM
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.store_location import place_of
from ansible_collections.spymeo.rollback.plugins.module_utils._core.times import parse_time


class Variable(NamedTuple):
    """A variable of the inventory.

    - ``check``: a callable: a value that is set → what is wrong with it (str), or None.
    - ``form``: what it must be, for people.
    - ``required``, ``optional``: the playbooks that need it, and those that use it where it is set.
    """

    check: Callable[[Any], str | None]
    form: str
    required: tuple[str, ...]
    optional: tuple[str, ...]

    @property
    def playbooks(self) -> tuple[str, ...]:
        """The playbooks that use it."""
        return (*self.required, *self.optional)


CODE, DATABASE, FULL, SECRETS = "rollback_code", "rollback_database", "rollback_full", "rollback_secrets"
UNDO, VERIFY, TRIAGE, CHECKPOINT = "undo", "verify", "triage", "checkpoint"
RELEASES, HOLD, UNFENCE, SALVAGE, FINISH = "releases", "hold", "unfence", "salvage", "finish"

ROLLBACKS = (CODE, DATABASE, FULL, SECRETS)
RESTORES = (DATABASE, FULL)
VERIFIED = (*ROLLBACKS, UNDO, VERIFY)  # that end with the checks
ALONE = (*ROLLBACKS, UNDO, CHECKPOINT, UNFENCE, FINISH)  # that change something: one at a time
READING = (VERIFY, TRIAGE, RELEASES, HOLD, SALVAGE)
ALL = (*ALONE, *READING)

_REVISION = r"(arn:aws[a-z-]*:ecs:[^:]+:\d{12}:task-definition/)?[A-Za-z0-9_-]{1,255}:[1-9]\d*"
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)\Z")
_DIGEST = r"sha256:[0-9a-f]{64}"
_SERVICE_REVISION = r"arn:aws[a-z-]*:ecs:[^:]+:\d{12}:service-revision/[^/\s:]+/[^/\s:]+/\d+"
_TAG = r"(?=[^:]*[.\d])(?!\d+\Z)[A-Za-z0-9_][A-Za-z0-9._-]{0,127}"  # without a digit or a dot it would be a family's name as well
TARGET_FORM = re.compile(r"(%s)\Z" % "|".join((_DIGEST, _REVISION, _SERVICE_REVISION, _TAG)))
NO_HTTP = "none"
WITHOUT_HTTP = ("rollback_health_path",)  # that nobody needs where rollback_base_url is none
_OURS = re.compile(r"(rollback|verify)(_|\Z)")
_NEAR = 0.88  # difflib's ratio from which on a name is taken for a misspelt one of ours


def of_playbook(playbook: str) -> list[str]:
    """The names of the variables (list of str) that a playbook uses.

    :raises KeyError: there is no such playbook (a mistake in a playbook, not in an inventory).
    """
    if playbook not in ALL:
        raise KeyError(playbook)
    return [name for name, variable in VARIABLES.items() if playbook in variable.playbooks]


def readable(names: Iterable[str]) -> list[str]:
    """Of ``names``, those whose values are looked at: known ones that are no secret."""
    return [name for name in names if name in VARIABLES and name not in SECRET]


def problems(variables: Mapping[str, Any], playbook: str) -> list[str]:
    """Every mistake in ``variables`` (dict name → value as the inventory has it), one sentence each.

    :param playbook: the one at hand; what it does not use is not looked at.
    :raises KeyError: there is no such playbook.
    """
    found = []
    needless = WITHOUT_HTTP if variables.get("rollback_base_url") == NO_HTTP else ()
    for name in of_playbook(playbook):
        if name not in needless:
            found.append(_problem(name, variables.get(name), VARIABLES[name], playbook))
    return [text for text in found if text]


def wrong(name: str, value: Any, playbook: str) -> list[str]:
    """What is wrong with the value of a secret variable (list of one str, or of none); the value is not shown."""
    if _blank(value):
        return []
    variable = VARIABLES[name]
    complaint = variable.check(value) if playbook in variable.playbooks else None
    return ["%s: %s. It must be %s." % (name, complaint, variable.form)] if complaint else []


def unknown(names: Iterable[str]) -> list[str]:
    """One sentence for each of ``names`` that looks like a variable of this collection and is none."""
    return [text for text in map(_misspelt, sorted(names)) if text]


def overriding(names: Iterable[str]) -> list[str]:
    """One sentence for each of ``names`` (what inventory and command line set) that a playbook of ours sets itself, by that name, for a role."""
    found = sorted(name for name in names if name in DERIVED or name in OF_ROLES)
    return [_OVERRIDING % (name, _instead(name)) for name in found]


_OVERRIDING = "%s is an option of a role, which the playbook sets itself; set like this, it would win over what the inventory says. %s"


def _instead(name: str) -> str:
    ours = "rollback_" + name.partition("_")[2]
    return "Set %s." % ours if ours in VARIABLES else "Call it otherwise."


def _misspelt(name: str) -> str | None:
    if name in VARIABLES or name in DERIVED or name in HANDED_ON:
        return None
    ours = _OURS.match(name)
    near = _nearest(name, 0.6 if ours else _NEAR)
    if not near:
        return _UNKNOWN % (name, "docs/runbook.md and README.md tell them") if ours else None
    return _UNKNOWN % (name, "did you mean %s?" % near)


def meant(name: str) -> str | None:
    """The variable of this collection that an unknown name surely stands for, or None."""
    return _nearest(name, _NEAR)


_UNKNOWN = "%s is no variable of this collection, so nothing would read it; %s"


def _nearest(name: str, ratio: float) -> str | None:
    import difflib  # takes longer to load than all else here; who has made no mistake need not wait for it

    words = name.lower().replace("-", "_")
    known = difflib.get_close_matches(words, [*VARIABLES, *DERIVED], 1, ratio)
    return known[0] if known else None


def _blank(value: Any) -> bool:
    """Whether a value counts as not set: nothing, or what a survey sends for a question without an answer."""
    return value is None or value == ""


def _problem(name: str, value: Any, variable: Variable, playbook: str) -> str | None:
    if _blank(value):
        if playbook not in variable.required:
            return None
        return "%s is not set. Set it in the inventory of this environment to %s." % (name, variable.form)
    complaint = variable.check(value)
    return "%s is %r: %s. It must be %s." % (name, value, complaint, variable.form) if complaint else None


def _not_text(value: Any) -> str | None:
    if isinstance(value, str):
        return None
    return (
        "it arrived as %s, not as text (AWX and YAML turn text that looks like a number or yes/no into one; put it in quotes)"
        % type(value).__name__
    )


def _check_name(value: Any) -> str | None:
    return _not_text(value) or ("it has spaces around it" if value != value.strip() else None)


def _check_time(value: Any) -> str | None:
    if _not_text(value):
        return _not_text(value)
    if not _TIME.match(value):
        return "it is not a time in ISO 8601 with a zone"
    try:
        parse_time("", value)
    except RollbackError:
        return "there is no such day or hour"
    return None


def _check_names(value: Any) -> str | None:
    if not isinstance(value, list):
        return "it is %s, not a list" % type(value).__name__
    if not value:
        return "the list is empty"
    return _check_optional_names(value)


def _check_optional_names(value: Any) -> str | None:
    if not isinstance(value, list):
        return "it is %s, not a list" % type(value).__name__
    wrong = [item for item in value if not isinstance(item, str) or not item.strip()]
    if wrong:
        return "%r in it is not a name" % (wrong[0],)
    return "it names %s twice" % _twice(value) if _twice(value) else None


def _twice(value: Sequence[Any]) -> Any:
    return next((item for item in value if value.count(item) > 1), None)


def _check_patterns(value: Any) -> str | None:
    problem = _check_optional_names(value)
    for pattern in () if problem else value:
        try:
            re.compile(pattern)
        except re.error as error:
            return "'%s' is no regular expression: %s" % (pattern, error)
    return problem


def _check_url(value: Any) -> str | None:
    if _not_text(value):
        return _not_text(value)
    right = value == NO_HTTP or re.match(r"https?://[^/\s?#@]+(/[^\s?#@]*)?\Z", value)
    return None if right else "it is not an http or https URL without user and query"


def _check_path(value: Any) -> str | None:
    if _not_text(value):
        return _not_text(value)
    return None if value.startswith("/") else "it does not begin with a slash"


def _check_target(value: Any) -> str | None:
    if not isinstance(value, dict):
        return _check_one_target(value)
    for service, target in value.items():
        if not isinstance(service, str) or not service.strip():
            return "%r in it is not the name of a service" % (service,)
        complaint = _check_one_target(target)
        if complaint:
            return "for %s, %s" % (service, complaint)
    return None if value else "it names no service"


def _check_one_target(value: Any) -> str | None:
    if _not_text(value):
        return "a bare %s names no task definition" % type(value).__name__
    if value.startswith("sha256:") and not TARGET_FORM.match(value):
        return "a digest has 64 hexadecimal digits"
    return None if TARGET_FORM.match(value) else "a family alone or a bare number does not say which revision"


def _check_seconds(value: Any) -> str | None:
    return _check_whole(value) or (None if int(value) > 0 else "it is not above 0")


def _check_whole(value: Any) -> str | None:
    if isinstance(value, (bool, float)) or not re.match(r"[0-9]+\Z", str(value)):
        return "it is not a whole number"
    return None


def _check_number(value: Any) -> str | None:
    if isinstance(value, bool) or not re.match(r"[0-9]+(\.[0-9]+)?\Z", str(value)):
        return "it is not a number"
    return None if float(value) > 0 else "it is not above 0"


def _check_watch(value: Any) -> str | None:
    """Seconds alone, or a mapping."""
    if not isinstance(value, dict):
        return (
            None
            if re.match(r"[0-9]+(\.[0-9]+)?\Z", str(value)) and value is not True
            else "it is not a number of seconds"
        )
    checks = dict(seconds=_check_number, interval=_check_number, failures=_check_whole, metrics=_check_flag)
    for name, item in value.items():
        if name not in checks:
            return "there is no %s in it; there are %s" % (name, ", ".join(checks))
        if checks[name](item):
            return "for %s, %s" % (name, checks[name](item))
    return None


def _check_text(value: Any) -> str | None:
    return _not_text(value)


def _choice(*words: str) -> Callable[[Any], str | None]:
    return lambda value: None if value in words else "there is no such choice"


def _check_options(value: Any) -> str | None:
    return None if isinstance(value, dict) else "it is %s, not a mapping" % type(value).__name__


def _check_tables(value: Any) -> str | None:
    if not isinstance(value, dict):
        return "it is %s, not a mapping" % type(value).__name__
    wrong = [name for name, item in value.items() if not isinstance(item, dict)]
    return "for %s, there is no mapping" % wrong[0] if wrong else None


def _check_mappings(value: Any) -> str | None:
    if not isinstance(value, list):
        return "it is %s, not a list" % type(value).__name__
    return None if all(isinstance(item, dict) for item in value) else "something in it is no mapping"


def _check_contacts(value: Any) -> str | None:
    if isinstance(value, dict) and all(isinstance(item, str) for pair in value.items() for item in pair):
        return None
    return "it is not a mapping of text to text (put telephone numbers in quotes)"


def _check_mapping(value: Any) -> str | None:
    if not isinstance(value, dict):
        return "it is %s, not a mapping" % type(value).__name__
    for name, item in value.items():
        number = isinstance(item, int) and not isinstance(item, bool)
        if not isinstance(name, str) or not (number or (isinstance(item, str) and item.strip())):
            return "for %s, %r is neither text nor a number" % (name, item)
    return None


def _check_lists(value: Any) -> str | None:
    if not isinstance(value, dict):
        return "it is %s, not a mapping" % type(value).__name__
    wrong = [(name, _check_names(item)) for name, item in value.items() if _check_names(item)]
    return "for %s, %s" % wrong[0] if wrong else None


def _check_flag(value: Any) -> str | None:
    return (
        None if isinstance(value, bool) or str(value).lower() in ("true", "false") else "it is neither true nor false"
    )


def _check_flag_or_names(value: Any) -> str | None:
    """Names as a list, or as text with commas, which is what ``-e`` gives."""
    if isinstance(value, bool):
        return None
    return _check_optional_names([name.strip() for name in value.split(",")] if isinstance(value, str) else value)


def _check_id(value: Any) -> str | None:
    if _not_text(value):
        return _not_text(value)
    return None if RUN_ID.match(value) else "it cannot be part of the name of a DB instance"


def _check_store(value: Any) -> str | None:
    if _not_text(value):
        return _not_text(value)
    return None if place_of(value) else "it is neither a directory nor a bucket"


VARIABLES = {
    "rollback_environment": Variable(
        _check_name, "the environment's name, like production", (*ALONE, VERIFY, RELEASES, HOLD, SALVAGE), (TRIAGE,)
    ),
    "rollback_region": Variable(
        _check_name, "an AWS region, like eu-west-3", (*ALONE, VERIFY, TRIAGE, RELEASES, SALVAGE), (HOLD,)
    ),
    "rollback_cluster": Variable(
        _check_name, "an ECS cluster, like spymeo-production", (*ALONE, VERIFY, TRIAGE, RELEASES), (SALVAGE,)
    ),
    "rollback_services": Variable(
        _check_names, "a list of ECS services, like [spymeo-app]", (*ALONE, VERIFY, TRIAGE, RELEASES), (SALVAGE,)
    ),
    "rollback_task_definition": Variable(
        _check_target,
        "empty, or family:revision, like spymeo-app:41, or an image's digest, sha256:…, or its tag, like 1.4.2, or a mapping from services to those",
        (),
        (CODE, FULL, TRIAGE, RELEASES),
    ),
    "rollback_served_at_least": Variable(
        _check_whole,
        "empty, or for how many seconds a release has to have served to be gone back to without being named, like 300",
        (),
        (CODE, FULL, TRIAGE, RELEASES),
    ),
    "rollback_on_failure": Variable(_choice("back", "stay"), "empty, back, or stay", (), (CODE, SECRETS)),
    "rollback_deployment": Variable(
        _choice("as_configured", "fast"), "empty, as_configured, or fast", (), (*ROLLBACKS, UNDO)
    ),
    "rollback_deploy_timeout": Variable(
        _check_seconds, "empty, or how many seconds the deployment may take, like 900", (), (*ROLLBACKS, UNDO, UNFENCE)
    ),
    "rollback_db_instance": Variable(
        _check_name,
        "an RDS DB instance identifier, like spymeo-production-db",
        (*RESTORES, CHECKPOINT, SALVAGE, FINISH),
        (TRIAGE,),
    ),
    "rollback_snapshot": Variable(
        _check_name,
        "empty, or an RDS DB snapshot identifier, like spymeo-pre-migration-snapshot; empty: that of the release point",
        (),
        (*RESTORES, TRIAGE),
    ),
    "rollback_release_point": Variable(
        _check_name, "empty, or none, or the id of a release point, like cp-20261122-024500", (), (*ROLLBACKS, TRIAGE)
    ),
    "rollback_release": Variable(
        _check_name, "empty, or the release that is about to be deployed, like v2.0.0", (), (CHECKPOINT,)
    ),
    "rollback_despite_migrations": Variable(_check_flag, "empty, true or false", (), (CODE, *RESTORES, UNDO)),
    "rollback_readers": Variable(
        _choice("refuse", "include", "leave"), "empty, refuse, include, or leave", (), (*RESTORES, UNDO)
    ),
    "rollback_despite_moment": Variable(_check_flag, "empty, true or false", (), (*RESTORES, SECRETS)),
    "rollback_despite_data": Variable(
        _check_flag_or_names,
        "empty, or tables that are right all the same, like payment_backup,payment_test; or true",
        (),
        RESTORES,
    ),
    "rollback_snapshot_before": Variable(
        _check_time, "empty, or a time with its zone, in quotes, like '2026-11-22T03:00:00Z'", (), (*RESTORES, TRIAGE)
    ),
    "rollback_point_in_time": Variable(
        _check_time, "empty, or a time with its zone, in quotes, like '2026-11-22T03:00:00Z'", (), (*RESTORES, TRIAGE)
    ),
    "rollback_database_again": Variable(_check_flag, "empty, true or false", (), RESTORES),
    "rollback_despite_lineage": Variable(_check_flag, "empty, true or false", (), RESTORES),
    "rollback_safety_snapshot": Variable(_choice("take", "none"), "empty, take, or none", (), RESTORES),
    "rollback_fence": Variable(
        _choice("auto", "none", "scale_to_zero"), "empty, auto, none, or scale_to_zero", (), RESTORES
    ),
    "rollback_db_probe": Variable(
        _choice("direct", "task"), "empty, direct, or task", (), (*RESTORES, CODE, UNDO, CHECKPOINT)
    ),
    "rollback_db_probe_image": Variable(
        _check_name,
        "empty, or an image that has sh and psql, like postgres:17-alpine in a registry of yours",
        (),
        RESTORES,
    ),
    "rollback_sequences": Variable(_choice("ahead", "leave"), "empty, ahead, or leave", (), (*RESTORES, UNDO)),
    "rollback_db_stop_failed": Variable(_check_flag, "empty, true or false", (), (*RESTORES, FINISH)),
    "rollback_db_warm": Variable(
        _check_optional_names, "empty, or a list of tables, like [Practitioner]", (), RESTORES
    ),
    "rollback_database_secret": Variable(
        _check_name,
        "the name or ARN of the secret that holds DATABASE_URL",
        (*RESTORES, CHECKPOINT, SALVAGE),
        (CODE, SECRETS, UNDO, TRIAGE),
    ),
    "rollback_secrets": Variable(
        _check_optional_names,
        "a list of secret names or ARNs; it may be empty",
        (),
        (FULL, SECRETS, CHECKPOINT, TRIAGE),
    ),
    "rollback_parameters": Variable(
        _check_optional_names,
        "a list of names or ARNs of SSM parameters; it may be empty",
        (),
        (FULL, SECRETS, CHECKPOINT),
    ),
    "rollback_secrets_before": Variable(
        _check_time, "empty, or a time with its zone, in quotes, like '2026-11-22T03:00:00Z'", (), (FULL, SECRETS)
    ),
    "rollback_secret_versions": Variable(
        _check_mapping,
        "empty, or a mapping from secrets to version ids, and from parameters to version numbers, like {spymeo/production/app: 5048a2cf-…}",
        (),
        (FULL, SECRETS),
    ),
    "rollback_secret_keys": Variable(
        _check_lists,
        "empty, or a mapping from secrets to lists of JSON keys, like {spymeo/production/app: [PAYMENT_API_KEY]}",
        (),
        (FULL, SECRETS),
    ),
    "rollback_backup_secrets": Variable(
        _check_mapping, "empty, or a mapping from secrets to the secrets that hold their backups", (), (FULL, SECRETS)
    ),
    "rollback_base_url": Variable(
        _check_url,
        "the application's public URL, like https://app.spymeo.fr; or none, where it has no HTTP",
        VERIFIED,
        (TRIAGE,),
    ),
    "rollback_health_path": Variable(
        _check_path, "the path of the health check, like /api/health", VERIFIED, (TRIAGE,)
    ),
    "rollback_log_groups": Variable(
        _check_optional_names,
        "a list of CloudWatch Logs groups, like [/ecs/spymeo-app]; or [], where all services are in rollback_log_elsewhere",
        VERIFIED,
        (TRIAGE,),
    ),
    "rollback_log_elsewhere": Variable(
        _check_optional_names,
        "empty, or a list of services, or service/container, whose logs are not in CloudWatch Logs, like [spymeo-app/envoy]",
        (),
        (*VERIFIED, TRIAGE),
    ),
    "rollback_contacts": Variable(
        _check_contacts, "a mapping from a role to whom to call, like {on_call: +33 …}", (), (*VERIFIED, TRIAGE)
    ),
    "rollback_run_id": Variable(_check_id, "empty, or the id of the run to resume: %s" % RUN_ID_FORM, (), ALL),
    "rollback_abandon": Variable(
        _check_id, "empty, or the id of the unfinished run that is given up: %s" % RUN_ID_FORM, (), ALL
    ),
    "rollback_undo_run": Variable(_check_id, "empty, or the id of the run to undo: %s" % RUN_ID_FORM, (), (UNDO,)),
    "rollback_store": Variable(_check_store, "empty, or %s" % STORE_FORM, (), ALL),
    "rollback_lease": Variable(
        _check_seconds, "empty, or how many seconds the lock holds without being renewed, like 60", (), ALL
    ),
    "rollback_aws": Variable(
        _check_options, "empty, or a mapping of amazon.aws's connection options, like {profile: production}", (), ALL
    ),
    "rollback_several_hosts": Variable(_check_flag, "empty, true or false", (), ALONE),
    "rollback_despite_unreachable": Variable(_check_flag, "empty, true or false", (), VERIFIED),
    "rollback_bad_since": Variable(
        _check_time, "empty, or a time with its zone, in quotes, like '2026-11-22T03:00:00Z'", (), (*VERIFIED, TRIAGE)
    ),
    "rollback_hold": Variable(
        _choice("show", "check", "set", "release"), "empty, show, check, set, or release", (), (HOLD,)
    ),
    "rollback_hold_reason": Variable(
        _check_text,
        "empty, or why deployments are held back, or the reason of the hold that is to be released",
        (),
        (HOLD,),
    ),
    "rollback_failed_db_instance": Variable(
        _check_name, "empty, or an RDS DB instance identifier, like spymeo-production-db", (), (SALVAGE,)
    ),
    "rollback_salvage_directory": Variable(
        _check_name, "empty, or a directory on the machine that plays", (), (SALVAGE,)
    ),
    "rollback_salvage_rules": Variable(_check_tables, "empty, or a mapping from tables to rules", (), (SALVAGE,)),
    "rollback_data_rules": Variable(_check_tables, "empty, or a mapping from tables to rules", (), (TRIAGE, *RESTORES)),
    "rollback_data_timeout": Variable(
        _check_seconds,
        "empty, or how many seconds a rule of rollback_data_rules may take, like 60",
        (),
        (TRIAGE, *RESTORES),
    ),
    "rollback_slow_after": Variable(
        _check_number, "empty, or how many seconds an answer may take, like 2.5", (), (TRIAGE,)
    ),
    "rollback_triage_play": Variable(_choice("all", "reading", "none"), "empty, all, reading, or none", (), (TRIAGE,)),
    "rollback_evidence_file": Variable(
        _check_name, "empty, or a file into which triage writes what it has seen", (), (TRIAGE,)
    ),
    "rollback_evidence_from": Variable(
        _check_name, "empty, or a file that rollback_evidence_file has written", (), (TRIAGE,)
    ),
    "rollback_e2e_command": Variable(
        _check_text, "empty, or the command of the end-to-end tests, like npm run test:e2e", (), VERIFIED
    ),
    "rollback_e2e_runs_on": Variable(_choice("controller", "task"), "empty, controller, or task", (), VERIFIED),
    "rollback_e2e_chdir": Variable(_check_name, "empty, or a directory on the machine that plays", (), VERIFIED),
    "rollback_e2e_timeout": Variable(
        _check_seconds, "empty, or how many seconds the tests may take, like 900", (), VERIFIED
    ),
    "rollback_e2e_environment": Variable(_check_mapping, "empty, or a mapping from names to values", (), VERIFIED),
    "rollback_e2e_secret_environment": Variable(
        _check_options, "empty, or a mapping from names to values", (), VERIFIED
    ),
    "rollback_e2e_task_definition": Variable(_check_name, "empty, or family:revision, like spymeo-e2e:3", (), VERIFIED),
    "rollback_e2e_container": Variable(_check_name, "empty, or the name of a container of it", (), VERIFIED),
    "rollback_e2e_directory": Variable(_check_name, "empty, or a directory on the machine that plays", (), VERIFIED),
    "verify_scenarios": Variable(
        _check_mappings, "empty, or a list of scenarios, as roles/verify/README.md tells", (), (*VERIFIED, TRIAGE)
    ),
    "verify_variables": Variable(_check_options, "empty, or a mapping from names to values", (), (*VERIFIED, TRIAGE)),
    "verify_secrets": Variable(
        _check_tables,
        "empty, or a mapping from names to secrets, like {admin_password: {secret: spymeo/production/admin}}",
        (),
        (*VERIFIED, TRIAGE),
    ),
    "verify_log_noise": Variable(
        _check_mappings,
        "empty, or a list of known errors, each with pattern, reason and until",
        (),
        (*VERIFIED, TRIAGE),
    ),
    "verify_log_patterns": Variable(
        _check_patterns,
        "empty, or a list of regular expressions that tell an error, like ['^EEK ']",
        (),
        (*VERIFIED, TRIAGE),
    ),
    "verify_log_ignore": Variable(
        _check_patterns, "empty, or a list of regular expressions of lines that are no errors", (), (*VERIFIED, TRIAGE)
    ),
    "verify_log_window": Variable(_check_seconds, "empty, or a number of minutes, like 60", (), VERIFIED),
    "verify_log_baseline_minutes": Variable(_check_seconds, "empty, or a number of minutes, like 60", (), VERIFIED),
    "verify_log_settle": Variable(_check_whole, "empty, or a number of seconds, like 10", (), VERIFIED),
    "verify_watch": Variable(
        _check_watch,
        "empty, or for how many seconds the application is watched, like 30, or a mapping, like {seconds: 30, interval: 2, failures: 1}",
        (),
        VERIFIED,
    ),
    "verify_wait_timeout": Variable(_check_seconds, "empty, or a number of seconds, like 30", (), VERIFIED),
    "verify_timeout": Variable(_check_seconds, "empty, or a number of seconds, like 15", (), VERIFIED),
    "verify_health_times": Variable(_check_seconds, "empty, or how many times in a row, like 3", (), VERIFIED),
    "verify_health_expect": Variable(
        _check_options, "empty, or what the health check must answer, like {status: 200}", (), VERIFIED
    ),
}

# No value of these is ever shown: what they hold may be a secret.
SECRET = frozenset(["rollback_aws", "verify_variables", "rollback_e2e_secret_environment"])

# What playbooks hand on to a workflow, which AWX gives to later jobs as extra variables. Nothing is read of them.
HANDED_ON = frozenset(["rollback_run", "rollback_triage"])

# What the role verify makes of others.
DERIVED = frozenset(
    "verify_" + name
    for name in (
        "base_url", "health_path", "cluster", "services", "log_groups", "log_elsewhere", "contacts", "run_id", "log_baseline_until", "e2e_command",
        "e2e_runs_on", "e2e_chdir", "e2e_timeout", "e2e_environment", "e2e_secret_environment", "e2e_task_definition",
        "e2e_container", "e2e_directory",
    )
)  # fmt: skip

# Options of roles that playbooks set themselves. In an inventory they would win over what the inventory says under our names.
OF_ROLES = frozenset(
    [
        "checkpoint_application",
        "checkpoint_cluster",
        "checkpoint_database_secret",
        "checkpoint_db_instance",
        "checkpoint_environment",
        "checkpoint_parameters",
        "checkpoint_probe",
        "checkpoint_release",
        "checkpoint_run_id",
        "checkpoint_secrets",
        "checkpoint_served_at_least",
        "checkpoint_services",
        "checkpoint_store",
        "checkpoint_task_definition",
        "code_choose",
        "code_cluster",
        "code_database",
        "code_fence",
        "code_database_secret",
        "code_deployment",
        "code_despite_migrations",
        "code_fail_on_error",
        "code_on_failure",
        "code_on_failure_reason",
        "code_probe",
        "code_proof",
        "code_readers_of",
        "code_release_point",
        "code_release_points",
        "code_restored_secrets",
        "code_run_id",
        "code_served_at_least",
        "code_services",
        "code_task_definition",
        "code_wait_timeout",
        "database_again",
        "database_cluster",
        "database_data_rules",
        "database_db_instance",
        "database_data_timeout",
        "database_despite_data",
        "database_despite_lineage",
        "database_despite_migrations",
        "database_despite_moment",
        "database_fail_on_error",
        "database_fence",
        "database_fence_timeout",
        "database_of_run",
        "database_point_in_time",
        "database_probe",
        "database_probe_image",
        "database_readers",
        "database_release",
        "database_run_id",
        "database_safety_snapshot",
        "database_secret",
        "database_sequences",
        "database_services",
        "database_snapshot",
        "database_snapshot_before",
        "database_stop_failed",
        "database_targets",
        "database_warm",
        "report_base_url",
        "report_contacts",
        "report_deployment",
        "report_environment",
        "report_fence",
        "report_sequences",
        "run_abandon",
        "run_application",
        "run_aws",
        "run_before",
        "run_checks",
        "run_command",
        "run_commands",
        "run_details",
        "run_environment",
        "run_fail_on_error",
        "run_failed_task",
        "run_given",
        "run_hold",
        "run_hold_reason",
        "run_kind",
        "run_lease",
        "run_message",
        "run_playbook",
        "run_purpose",
        "run_resources",
        "run_store",
        "run_undoes",
        "run_variables",
        "run_ways",
        "run_who",
        "salvage_cluster",
        "salvage_database_secret",
        "salvage_db_instance",
        "salvage_directory",
        "salvage_failed_db_instance",
        "salvage_rules",
        "salvage_services",
        "secrets_backups",
        "secrets_bad_since",
        "secrets_before",
        "secrets_database_secret",
        "secrets_despite_moment",
        "secrets_fail_on_error",
        "secrets_keys",
        "secrets_names",
        "secrets_parameters",
        "secrets_release_point",
        "secrets_run_id",
        "secrets_versions",
        "triage_at_work",
        "triage_base_url",
        "triage_cluster",
        "triage_contacts",
        "triage_data_from",
        "triage_data_rules",
        "triage_data_timeout",
        "triage_database_secret",
        "triage_db_instance",
        "triage_evidence_from",
        "triage_health_path",
        "triage_log_elsewhere",
        "triage_log_groups",
        "triage_log_ignore",
        "triage_log_noise",
        "triage_log_patterns",
        "triage_play",
        "triage_record",
        "triage_release_point",
        "triage_release_points",
        "triage_run_id",
        "triage_runs",
        "triage_scenarios",
        "triage_secrets",
        "triage_served_at_least",
        "triage_services",
        "triage_slow_after",
        "triage_snapshot",
        "triage_task_definition",
        "triage_unfinished_run",
        "triage_variable_secrets",
        "triage_variables",
        "undo_application",
        "undo_aws",
        "undo_cluster",
        "undo_database_secret",
        "undo_deployment",
        "undo_despite_migrations",
        "undo_environment",
        "undo_probe",
        "undo_proof",
        "undo_readers",
        "undo_run",
        "undo_run_id",
        "undo_sequences",
        "undo_store",
        "undo_wait_timeout",
    ]
)
