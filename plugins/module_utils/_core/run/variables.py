# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an inventory may say: the one table. Every mistake in an inventory is found at once, before the first call to AWS.

A name that looks like one of the table and is none is a mistake, too: what a person has set and nobody reads is the worst of
answers.

Defaults and argument_specs of roles, docs/variables.md and README's rows are written from this table, and from role_options.yml
beside it, by tests/tools/write_variables.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from ansible_collections.spymeo.rollback.plugins.module_utils._core.names import RUN_ID_FORM
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.role_options import DERIVED, OF_ROLES, PUBLISHED
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.store_location import FORM as STORE_FORM
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.value_checks import (
    NO_HTTP,
    check_choice,
    check_contacts,
    check_flag,
    check_flag_or_names,
    check_folder,
    check_id,
    check_lists,
    check_mapping,
    check_mappings,
    check_name,
    check_names,
    check_number,
    check_optional_names,
    check_options,
    check_path,
    check_patterns,
    check_seconds,
    check_store,
    check_tables,
    check_target,
    check_text,
    check_time,
    check_url,
    check_watch,
    check_whole,
)


class Variable(NamedTuple):
    """A variable of the inventory.

    - ``check``: a callable: a value that is set → what is wrong with it (str), or None.
    - ``form``: what it must be, for people.
    - ``required``, ``optional``: the playbooks that need it, and those that use it where it is set.
    - ``what``: what it is, in Ansible's markup.
    - ``type``, ``elements``, ``choices``: as in argument_specs.
    - ``default``: what stands for it where it is not set; None where there is none, because somebody needs it.
    - ``options``: the options of roles that take it; a variable verify_* is an option of the role verify itself.
    - ``asked``: whether it is said for one run, on the command line or in a survey of AWX, and not in the inventory.
    - ``readme``: whether README tells it.
    """

    check: Callable[[Any], str | None]
    form: str
    required: tuple[str, ...]
    optional: tuple[str, ...]
    what: str
    type: str = "str"
    elements: str = ""
    choices: tuple[str, ...] = ()
    default: Any = None
    options: tuple[str, ...] = ()
    asked: bool = False
    readme: bool = False

    @property
    def playbooks(self) -> tuple[str, ...]:
        """The playbooks that use it."""
        return (*self.required, *self.optional)


def _choice(choices: tuple[str, ...], default: str, optional: tuple[str, ...], what: str, **others: Any) -> Variable:
    form = "empty, %s, or %s" % (", ".join(choices[:-1]), choices[-1])
    return Variable(check_choice(*choices), form, (), optional, what, choices=choices, default=default, **others)


def _flag(optional: tuple[str, ...], what: str, **others: Any) -> Variable:
    return Variable(check_flag, "empty, true or false", (), optional, what, type="bool", default=False, **others)


CODE, DATABASE, FULL, SECRETS = "rollback_code", "rollback_database", "rollback_full", "rollback_secrets"
UNDO, VERIFY, TRIAGE, CHECKPOINT = "undo", "verify", "triage", "checkpoint"
RELEASES, HOLD, UNFENCE, SALVAGE, FINISH = "releases", "hold", "unfence", "salvage", "finish"

ROLLBACKS = (CODE, DATABASE, FULL, SECRETS)
RESTORES = (DATABASE, FULL)
VERIFIED = (*ROLLBACKS, UNDO, VERIFY)  # that end with the checks
ALONE = (*ROLLBACKS, UNDO, CHECKPOINT, UNFENCE, FINISH)  # that change something: one at a time
READING = (VERIFY, TRIAGE, RELEASES, HOLD, SALVAGE)
ALL = (*ALONE, *READING)

WITHOUT_HTTP = ("rollback_health_path",)  # that nobody needs where rollback_base_url is none
_OURS = re.compile(r"(rollback|verify)(_|\Z)")
_NEAR = 0.88  # difflib's ratio from which on a name is taken for a misspelt one of ours

VARIABLES = {
    "rollback_environment": Variable(
        check_name,
        "the environment's name, like production",
        (*ALONE, VERIFY, RELEASES, HOLD, SALVAGE),
        (TRIAGE,),
        what="The environment, like V(production).",
        options=("checkpoint_environment", "report_environment", "run_environment", "undo_environment"),
        readme=True,
    ),
    "rollback_region": Variable(
        check_name,
        "an AWS region, like eu-west-3",
        (*ALONE, VERIFY, TRIAGE, RELEASES, SALVAGE),
        (HOLD,),
        what="The AWS region, like V(eu-west-3).",
        readme=True,
    ),
    "rollback_cluster": Variable(
        check_name,
        "an ECS cluster, like spymeo-production",
        (*ALONE, VERIFY, TRIAGE, RELEASES),
        (SALVAGE,),
        what="The ECS cluster.",
        options=(
            "checkpoint_cluster",
            "code_cluster",
            "database_cluster",
            "salvage_cluster",
            "triage_cluster",
            "undo_cluster",
            "verify_cluster",
        ),
        readme=True,
    ),
    "rollback_services": Variable(
        check_names,
        "a list of ECS services, like [spymeo-app]",
        (*ALONE, VERIFY, TRIAGE, RELEASES),
        (SALVAGE,),
        what="The services of the application.",
        type="list",
        elements="str",
        options=(
            "checkpoint_services",
            "code_services",
            "database_services",
            "salvage_services",
            "triage_services",
            "verify_services",
        ),
        readme=True,
    ),
    "rollback_task_definition": Variable(
        check_target,
        "empty, or family:revision, like spymeo-app:41, or an image's digest, sha256:…, or its tag, like 1.4.2, "
        "or a mapping from services to those",
        (),
        (CODE, FULL, TRIAGE, RELEASES),
        what=(
            "The release to go back to, as C(family:revision), as ARN, as the digest of an image or its tag; one for "
            "all services, or a mapping from services to those. Empty chooses the release that served before."
        ),
        type="raw",
        default="",
        options=("checkpoint_task_definition", "code_task_definition", "triage_task_definition"),
        asked=True,
        readme=True,
    ),
    "rollback_served_at_least": Variable(
        check_whole,
        "empty, or for how many seconds a release has to have served to be gone back to without being named, like 300",
        (),
        (CODE, FULL, TRIAGE, RELEASES),
        what=(
            "For how many seconds a release has to have served to be gone back to without being named, where another "
            "one did."
        ),
        type="int",
        default=300,
        options=("checkpoint_served_at_least", "code_served_at_least", "triage_served_at_least"),
    ),
    "rollback_on_failure": _choice(
        ("back", "stay"),
        "back",
        (CODE, SECRETS),
        what=(
            "What becomes of a service whose target fails. V(back) brings it back to what served before, V(stay) "
            "leaves it as it is. After a cutover it always stays."
        ),
        options=("code_on_failure",),
        asked=True,
    ),
    "rollback_deployment": _choice(
        ("as_configured", "fast"),
        "as_configured",
        (*ROLLBACKS, UNDO),
        what=(
            "V(as_configured) deploys as the services are configured; V(fast) sets services and target groups so that "
            "this one deployment is over soon, and then as before."
        ),
        options=("code_deployment", "report_deployment", "undo_deployment"),
        readme=True,
    ),
    "rollback_deploy_timeout": Variable(
        check_seconds,
        "empty, or how many seconds the deployment may take, like 900",
        (),
        (*ROLLBACKS, UNDO, UNFENCE),
        what="How long the deployment may take, in seconds.",
        type="int",
        default=900,
        options=("code_wait_timeout", "database_fence_timeout", "undo_wait_timeout"),
    ),
    "rollback_db_instance": Variable(
        check_name,
        "an RDS DB instance identifier, like spymeo-production-db",
        (*RESTORES, CHECKPOINT, SALVAGE, FINISH),
        (TRIAGE,),
        what=(
            "The DB instance of the application; where a rollback has restored another one in its place, that one is "
            "meant."
        ),
        options=("checkpoint_db_instance", "database_db_instance", "salvage_db_instance", "triage_db_instance"),
        readme=True,
    ),
    "rollback_snapshot": Variable(
        check_name,
        "empty, or an RDS DB snapshot identifier, like spymeo-pre-migration-snapshot; empty: that of the release point",
        (),
        (*RESTORES, TRIAGE),
        what="The snapshot from before the migration, which is restored. Empty takes that of the release point.",
        default="",
        options=("database_snapshot", "triage_snapshot"),
        asked=True,
        readme=True,
    ),
    "rollback_release_point": Variable(
        check_name,
        "empty, or none, or the id of a release point, like cp-20261122-024500",
        (),
        (*ROLLBACKS, TRIAGE),
        what=(
            "The id of the release point to go back to. Empty takes the newest one that is older than what runs, "
            "V(none) takes none."
        ),
        default="",
        options=("code_release_point", "triage_release_point"),
        asked=True,
    ),
    "rollback_release": Variable(
        check_name,
        "empty, or the release that is about to be deployed, like v2.0.0",
        (),
        (CHECKPOINT,),
        what="The release that is about to be deployed, for people.",
        default="",
        options=("checkpoint_release",),
        asked=True,
    ),
    "rollback_migrations": Variable(
        check_folder,
        "empty, or the folder of the coming release's migrations, like /builds/app/prisma/migrations",
        (),
        (CHECKPOINT,),
        what=(
            "The migrations of the release that is about to be deployed, on the control node: a folder with Prisma's "
            "C(NAME/migration.sql) or with C(NAME.sql), or one file. The checkpoint tells what they do to the code of "
            "now, and rollbacks know it."
        ),
        default="",
        options=("checkpoint_migrations",),
        readme=True,
    ),
    "rollback_require": _choice(
        ("code", "snapshot"),
        "snapshot",
        (CHECKPOINT,),
        what=(
            "The slowest way back that a deployment may have, by what its migrations do. V(code) fails the checkpoint "
            "where the code alone could not come back."
        ),
        options=("checkpoint_require",),
    ),
    "rollback_signed": Variable(
        check_text,
        "empty, or who accepts a slower way back, and why",
        (),
        (CHECKPOINT,),
        what="Who accepts that a deployment has a slower way back than C(rollback_require), and why.",
        default="",
        options=("checkpoint_signed",),
        asked=True,
    ),
    "rollback_despite_migrations": _flag(
        (CODE, *RESTORES, UNDO),
        what=(
            "V(true) goes on although the plan, also of an undo, says that the release does not know migrations of "
            "the database."
        ),
        options=("code_despite_migrations", "database_despite_migrations", "undo_despite_migrations"),
        asked=True,
    ),
    "rollback_readers": _choice(
        ("refuse", "include", "leave"),
        "refuse",
        (*RESTORES, UNDO),
        what=(
            "What becomes of other services, scheduled tasks and functions on the database that a rollback or an undo "
            "leaves. V(refuse) stops the plan, V(include) starts the services of the cluster again, too, V(leave) "
            "leaves them."
        ),
        options=("database_readers", "undo_readers"),
        readme=True,
    ),
    "rollback_despite_moment": _flag(
        (*RESTORES, SECRETS),
        what="V(true) goes on although the plan says that release, data and secrets are not of the same time.",
        options=("database_despite_moment", "secrets_despite_moment"),
        asked=True,
    ),
    "rollback_despite_data": Variable(
        check_flag_or_names,
        "empty, or tables that are right all the same, like payment_backup,payment_test; or true",
        (),
        RESTORES,
        what=(
            "Tables of which the data are right although the proof says otherwise, like "
            "V(payment_backup,payment_test); V(true) for everything."
        ),
        type="raw",
        default=[],
        options=("database_despite_data",),
        asked=True,
    ),
    "rollback_snapshot_before": Variable(
        check_time,
        "empty, or a time with its zone, in quotes, like '2026-11-22T03:00:00Z'",
        (),
        (*RESTORES, TRIAGE),
        what="Instead of a snapshot's name, a time: the newest snapshot with data of this time or earlier is restored.",
        default="",
        options=("database_snapshot_before",),
        asked=True,
        readme=True,
    ),
    "rollback_point_in_time": Variable(
        check_time,
        "empty, or a time with its zone, in quotes, like '2026-11-22T03:00:00Z'",
        (),
        (*RESTORES, TRIAGE),
        what=(
            "Instead of a snapshot's name, a time: the data of this very moment are restored out of the automated "
            "backups."
        ),
        default="",
        options=("database_point_in_time",),
        asked=True,
        readme=True,
    ),
    "rollback_database_again": _flag(
        RESTORES,
        what=(
            "V(true) restores the same data once more, although the application uses an instance already that was "
            "restored from them."
        ),
        options=("database_again",),
        asked=True,
    ),
    "rollback_despite_lineage": _flag(
        RESTORES,
        what="V(true) takes the snapshot although the data in service have not come from it.",
        options=("database_despite_lineage",),
        asked=True,
    ),
    "rollback_safety_snapshot": _choice(
        ("take", "none"),
        "take",
        RESTORES,
        what=(
            "V(take) takes a snapshot of the failed instance while the other is restored; V(none) takes none, for an "
            "instance of which RDS takes no snapshot any more (C(failed), C(storage-full))."
        ),
        options=("database_safety_snapshot",),
        asked=True,
    ),
    "rollback_fence": _choice(
        ("auto", "none", "scale_to_zero"),
        "auto",
        RESTORES,
        what=(
            "Whether the services stand at 0 tasks for the deployment: V(auto) where nothing of them serves anybody, "
            "V(scale_to_zero) in any case, V(none) never."
        ),
        options=("code_fence", "database_fence"),
        readme=True,
    ),
    "rollback_db_probe": _choice(
        ("direct", "task"),
        "direct",
        (*RESTORES, CODE, UNDO, CHECKPOINT),
        what=(
            "How the restored database is asked before anything is pointed at it. V(direct) logs in from the control "
            "node, V(task) from a one-off ECS task, for where that one has no way to the database."
        ),
        options=("checkpoint_probe", "code_probe", "database_probe", "undo_probe"),
        readme=True,
    ),
    "rollback_db_probe_image": Variable(
        check_name,
        "empty, or an image that has sh and psql, like postgres:17-alpine in a registry of yours",
        (),
        RESTORES,
        what="The image of that task; it needs C(sh) and C(psql). Empty takes PostgreSQL's own from the public ECR.",
        default="",
        options=("database_probe_image",),
    ),
    "rollback_sequences": _choice(
        ("ahead", "leave"),
        "ahead",
        (*RESTORES, UNDO),
        what=(
            "V(ahead) has the restored database give no id that the failed one has given; V(leave) has it begin where "
            "the data end."
        ),
        options=("database_sequences", "report_sequences", "undo_sequences"),
    ),
    "rollback_db_stop_failed": _flag(
        (*RESTORES, FINISH),
        what=(
            "V(true) stops the failed instance at the end, or by C(finish.yml) where its snapshot comes later; RDS "
            "starts it again after seven days. Else it runs on."
        ),
        options=("database_stop_failed",),
    ),
    "rollback_db_warm": Variable(
        check_optional_names,
        "empty, or a list of tables, like [Practitioner]",
        (),
        RESTORES,
        what=(
            "Tables that are read whole before the cutover, because a restored instance loads each block from S3 at "
            "its first reading."
        ),
        type="list",
        elements="str",
        default=[],
        options=("database_warm",),
    ),
    "rollback_database_secret": Variable(
        check_name,
        "the name or ARN of the secret that holds DATABASE_URL",
        (*RESTORES, CHECKPOINT, SALVAGE),
        (CODE, SECRETS, UNDO, UNFENCE, TRIAGE),
        what="The secret that holds DATABASE_URL.",
        options=(
            "checkpoint_database_secret",
            "code_database_secret",
            "database_secret",
            "salvage_database_secret",
            "secrets_database_secret",
            "triage_database_secret",
            "undo_database_secret",
        ),
        readme=True,
    ),
    "rollback_secrets": Variable(
        check_optional_names,
        "a list of secret names or ARNs; it may be empty",
        (),
        (FULL, SECRETS, CHECKPOINT, TRIAGE),
        what="The other secrets that the application reads, and that come back.",
        type="list",
        elements="str",
        default=[],
        options=("checkpoint_secrets", "secrets_names", "triage_secrets"),
        readme=True,
    ),
    "rollback_parameters": Variable(
        check_optional_names,
        "a list of names or ARNs of SSM parameters; it may be empty",
        (),
        (FULL, SECRETS, CHECKPOINT),
        what="The parameters of SSM that come back, too, as names or ARNs.",
        type="list",
        elements="str",
        default=[],
        options=("checkpoint_parameters", "secrets_parameters"),
        readme=True,
    ),
    "rollback_secrets_before": Variable(
        check_time,
        "empty, or a time with its zone, in quotes, like '2026-11-22T03:00:00Z'",
        (),
        (FULL, SECRETS),
        what="When the bad release began. Empty leaves it to what the deployments tell.",
        default="",
        options=("secrets_before",),
        asked=True,
    ),
    "rollback_secret_versions": Variable(
        check_mapping,
        "empty, or a mapping from secrets to version ids, and from parameters to version numbers, like "
        "{spymeo/production/app: 5048a2cf-…}",
        (),
        (FULL, SECRETS),
        what="The version id of a secret, or the number of a parameter's version, by name, instead of what is chosen.",
        type="dict",
        default={},
        options=("secrets_versions",),
        asked=True,
    ),
    "rollback_secret_keys": Variable(
        check_lists,
        "empty, or a mapping from secrets to lists of JSON keys, like {spymeo/production/app: [PAYMENT_API_KEY]}",
        (),
        (FULL, SECRETS),
        what="The keys of a JSON secret that alone come back, by its name.",
        type="dict",
        default={},
        options=("secrets_keys",),
        asked=True,
    ),
    "rollback_backup_secrets": Variable(
        check_mapping,
        "empty, or a mapping from secrets to the secrets that hold their backups",
        (),
        (FULL, SECRETS),
        what="The secret whose value comes back in place of an older version, by the name of the secret that gets it.",
        type="dict",
        default={},
        options=("secrets_backups",),
    ),
    "rollback_base_url": Variable(
        check_url,
        "the application's public URL, like https://app.spymeo.fr; or none, where it has no HTTP",
        VERIFIED,
        (TRIAGE,),
        what="The public URL of the application, or V(none) where it has no HTTP.",
        options=("report_base_url", "triage_base_url", "verify_base_url"),
        readme=True,
    ),
    "rollback_health_path": Variable(
        check_path,
        "the path of the health check, like /api/health",
        VERIFIED,
        (TRIAGE,),
        what="The path of the health check.",
        options=("triage_health_path", "verify_health_path"),
        readme=True,
    ),
    "rollback_log_groups": Variable(
        check_optional_names,
        "a list of CloudWatch Logs groups, like [/ecs/spymeo-app]; or [], where all services are in "
        "rollback_log_elsewhere",
        VERIFIED,
        (TRIAGE,),
        what="The log groups of these services; an empty list where all of them are in C(rollback_log_elsewhere).",
        type="list",
        elements="str",
        options=("triage_log_groups", "verify_log_groups"),
        readme=True,
    ),
    "rollback_log_elsewhere": Variable(
        check_optional_names,
        "empty, or a list of services, or service/container, whose logs are not in CloudWatch Logs, like "
        "[spymeo-app/envoy]",
        (),
        (*VERIFIED, TRIAGE),
        what=(
            "Services, or C(service/container), whose logs are not in CloudWatch Logs, because FireLens or another "
            "driver hands them on or there are none."
        ),
        type="list",
        elements="str",
        default=[],
        options=("triage_log_elsewhere", "verify_log_elsewhere"),
        readme=True,
    ),
    "rollback_contacts": Variable(
        check_contacts,
        "a mapping from a role to whom to call, like {on_call: +33 …}",
        (),
        (*VERIFIED, TRIAGE),
        what="Whom to call, by role.",
        type="dict",
        default={},
        options=("report_contacts", "triage_contacts", "verify_contacts"),
        readme=True,
    ),
    "rollback_run_id": Variable(
        check_id,
        "empty, or the id of the run to resume: %s" % RUN_ID_FORM,
        (),
        ALL,
        what=(
            "The id of a run that has stopped, to go on with it; for C(finish.yml), of the run that is to be finished."
        ),
        default="",
        options=("database_of_run",),
        asked=True,
        readme=True,
    ),
    "rollback_abandon": Variable(
        check_id,
        "empty, or the id of the unfinished run that is given up: %s" % RUN_ID_FORM,
        (),
        ALL,
        what="The id of a run that has stopped, and is given up.",
        default="",
        options=("run_abandon",),
        asked=True,
        readme=True,
    ),
    "rollback_undo_run": Variable(
        check_id,
        "empty, or the id of the run to undo: %s" % RUN_ID_FORM,
        (),
        (UNDO,),
        what="The run to undo. Empty takes the newest one that has changed something and is no undo.",
        default="",
        options=("undo_run",),
        asked=True,
    ),
    "rollback_store": Variable(
        check_store,
        "empty, or %s" % STORE_FORM,
        (),
        ALL,
        what=(
            "Where runs are remembered: a directory of yours on this machine, or C(s3://bucket/prefix), for AWX and "
            "for teams."
        ),
        default="~/.local/state/spymeo-rollback",
        options=("checkpoint_store", "run_store", "undo_store"),
        readme=True,
    ),
    "rollback_lease": Variable(
        check_seconds,
        "empty, or how many seconds the lock holds without being renewed, like 60",
        (),
        ALL,
        what="How many seconds the lock holds without being renewed.",
        type="int",
        default=60,
        options=("run_lease",),
    ),
    "rollback_aws": Variable(
        check_options,
        "empty, or a mapping of amazon.aws's connection options, like {profile: production}",
        (),
        ALL,
        what="How AWS is reached, as the connection options of amazon.aws, like C({profile: production}).",
        type="dict",
        default={},
        options=("run_aws", "undo_aws"),
        readme=True,
    ),
    "rollback_several_hosts": _flag(
        ALONE, what="V(true) when a playbook is meant to change all hosts of the inventory.", asked=True
    ),
    "rollback_despite_unreachable": _flag(
        VERIFIED,
        what="V(true) goes on although the public URL cannot be reached from here, so that nothing can be proven.",
        asked=True,
    ),
    "rollback_bad_since": Variable(
        check_time,
        "empty, or a time with its zone, in quotes, like '2026-11-22T03:00:00Z'",
        (),
        (*VERIFIED, TRIAGE),
        what=(
            "When the accident began. Errors that were logged before, and as often, do not count, and no secret's "
            "version that was made later comes back."
        ),
        default="",
        options=("secrets_bad_since", "verify_log_baseline_until"),
        asked=True,
    ),
    "rollback_hold": _choice(
        ("show", "check", "set", "release"),
        "check",
        (HOLD,),
        what="What is to be done with the deploy hold.",
        options=("run_hold",),
        asked=True,
    ),
    "rollback_hold_reason": Variable(
        check_text,
        "empty, or why deployments are held back, or the reason of the hold that is to be released",
        (),
        (HOLD,),
        what="Why deployments are held back.",
        default="",
        options=("run_hold_reason",),
        asked=True,
    ),
    "rollback_failed_db_instance": Variable(
        check_name,
        "empty, or an RDS DB instance identifier, like spymeo-production-db",
        (),
        (SALVAGE,),
        what=(
            "The DB instance that a rollback has replaced. Empty takes the one that was in service last and holds "
            "something that the one in service has not."
        ),
        default="",
        options=("salvage_failed_db_instance",),
        asked=True,
    ),
    "rollback_salvage_directory": Variable(
        check_name,
        "empty, or a directory on the control node",
        (),
        (SALVAGE,),
        what="Where the CSV files are written.",
        default="~/spymeo-rollback/salvage/{{ inventory_hostname }}",
        options=("salvage_directory",),
    ),
    "rollback_salvage_rules": Variable(
        check_tables,
        "empty, or a mapping from tables to rules",
        (),
        (SALVAGE,),
        what="What a person knows of tables, as M(spymeo.rollback.database_salvage) takes it.",
        type="dict",
        default={},
        options=("salvage_rules",),
    ),
    "rollback_data_rules": Variable(
        check_tables,
        "empty, or a mapping from tables to rules",
        (),
        (TRIAGE, *RESTORES),
        what=(
            "What holds for tables while all is well; the restored database has to keep it before the cutover, and "
            "triage asks about it."
        ),
        type="dict",
        default={},
        options=("database_data_rules", "triage_data_rules"),
        readme=True,
    ),
    "rollback_data_timeout": Variable(
        check_seconds,
        "empty, or how many seconds a rule of rollback_data_rules may take, like 60",
        (),
        (TRIAGE, *RESTORES),
        what="How long one of these rules may take, in seconds; in triage, 20.",
        type="int",
        default=30,
        options=("database_data_timeout", "triage_data_timeout"),
    ),
    "rollback_slow_after": Variable(
        check_number,
        "empty, or how many seconds an answer may take, like 2.5",
        (),
        (TRIAGE,),
        what="An answer that takes more seconds than this is slow.",
        type="float",
        default=2.0,
        options=("triage_slow_after",),
    ),
    "rollback_triage_play": _choice(
        ("all", "reading"),
        "all",
        (TRIAGE,),
        what="V(all) plays every scenario, V(reading) only those that write nothing.",
        options=("triage_play",),
        asked=True,
    ),
    "rollback_evidence_file": Variable(
        check_name,
        "empty, or a file into which triage writes what it has seen",
        (),
        (TRIAGE,),
        what="A file that gets what was seen, as JSON.",
        default="",
        options=("triage_record",),
        asked=True,
    ),
    "rollback_evidence_from": Variable(
        check_name,
        "empty, or a file that rollback_evidence_file has written",
        (),
        (TRIAGE,),
        what="A file with what an earlier look has seen, to be decided on instead of looking.",
        default="",
        options=("triage_evidence_from",),
        asked=True,
    ),
    "rollback_e2e_command": Variable(
        check_text,
        "empty, or the command of the end-to-end tests, like npm run test:e2e",
        (),
        VERIFIED,
        what="The command of the application's end-to-end tests.",
        default="",
        options=("verify_e2e_command",),
        readme=True,
    ),
    "rollback_e2e_runs_on": _choice(
        ("controller", "task"),
        "controller",
        VERIFIED,
        what="Where they run: V(controller) is this machine, V(task) a one-off ECS task.",
        options=("verify_e2e_runs_on",),
    ),
    "rollback_e2e_chdir": Variable(
        check_name,
        "empty, or a directory on the control node",
        (),
        VERIFIED,
        what="The directory in which they run on this machine. Empty is that of the playbook.",
        default="",
        options=("verify_e2e_chdir",),
    ),
    "rollback_e2e_timeout": Variable(
        check_seconds,
        "empty, or how many seconds the tests may take, like 900",
        (),
        VERIFIED,
        what="How long they may take, in seconds.",
        type="int",
        default=900,
        options=("verify_e2e_timeout",),
    ),
    "rollback_e2e_environment": Variable(
        check_mapping,
        "empty, or a mapping from names to values",
        (),
        VERIFIED,
        what="Environment variables for them.",
        type="dict",
        default={},
        options=("verify_e2e_environment",),
    ),
    "rollback_e2e_secret_environment": Variable(
        check_options,
        "empty, or a mapping from names to values",
        (),
        VERIFIED,
        what="The same for credentials, which never reach any output. Not where they run as a task.",
        type="dict",
        default={},
        options=("verify_e2e_secret_environment",),
    ),
    "rollback_e2e_task_definition": Variable(
        check_name,
        "empty, or family:revision, like spymeo-e2e:3",
        (),
        VERIFIED,
        what="What the task is made of that runs them. Empty is what the first service runs.",
        default="",
        options=("verify_e2e_task_definition",),
    ),
    "rollback_e2e_container": Variable(
        check_name,
        "empty, or the name of a container of it",
        (),
        VERIFIED,
        what="The container of it that runs them. Empty is the first.",
        default="",
        options=("verify_e2e_container",),
    ),
    "rollback_e2e_directory": Variable(
        check_name,
        "empty, or a directory on the control node",
        (),
        VERIFIED,
        what="Where their output is kept.",
        default="~/spymeo-rollback/verify",
        options=("verify_e2e_directory",),
    ),
    "verify_scenarios": Variable(
        check_mappings,
        "empty, or a list of scenarios, as roles/verify/README.md tells",
        (),
        (*VERIFIED, TRIAGE),
        what=(
            "What a person would try by hand, besides the health check: HTTP scenarios, as "
            "M(spymeo.rollback.verify_http) takes them."
        ),
        type="list",
        elements="dict",
        default=[],
        options=("triage_scenarios",),
        readme=True,
    ),
    "verify_variables": Variable(
        check_options,
        "empty, or a mapping from names to values",
        (),
        (*VERIFIED, TRIAGE),
        what="Values that the scenarios use as C(${name}), credentials among them; they never reach any output.",
        type="dict",
        default={},
        options=("triage_variables",),
    ),
    "verify_secrets": Variable(
        check_tables,
        "empty, or a mapping from names to secrets, like {admin_password: {secret: spymeo/production/admin}}",
        (),
        (*VERIFIED, TRIAGE),
        what=(
            "More of them, out of Secrets Manager, each with C(secret) and perhaps C(key). Only secrets that are "
            "named here are read."
        ),
        type="dict",
        default={},
        options=("triage_variable_secrets",),
    ),
    "verify_log_noise": Variable(
        check_mappings,
        "empty, or a list of known errors, each with pattern, reason and until",
        (),
        (*VERIFIED, TRIAGE),
        what=(
            "Errors in the logs that are known, each with C(pattern), C(reason) and C(until), the last day on which "
            "they do not count."
        ),
        type="list",
        elements="dict",
        default=[],
        options=("triage_log_noise",),
    ),
    "verify_log_patterns": Variable(
        check_patterns,
        "empty, or a list of regular expressions that tell an error, like ['^EEK ']",
        (),
        (*VERIFIED, TRIAGE),
        what=(
            "Regular expressions that tell an error, besides what is known as one. Lines that none of them matches "
            "count as understood."
        ),
        type="list",
        elements="str",
        default=[],
        options=("triage_log_patterns",),
    ),
    "verify_log_ignore": Variable(
        check_patterns,
        "empty, or a list of regular expressions of lines that are no errors",
        (),
        (*VERIFIED, TRIAGE),
        what="Regular expressions of lines that are no errors, whatever they look like, and need no level.",
        type="list",
        elements="str",
        default=[],
        options=("triage_log_ignore",),
    ),
    "verify_log_window": Variable(
        check_seconds,
        "empty, or a number of minutes, like 60",
        (),
        VERIFIED,
        what="Of a task that is older, the last so many minutes are read, the newest lines first.",
        type="int",
        default=60,
    ),
    "verify_log_baseline_minutes": Variable(
        check_seconds,
        "empty, or a number of minutes, like 60",
        (),
        VERIFIED,
        what="How much of the time before the accident is looked at, in minutes.",
        type="int",
        default=60,
    ),
    "verify_log_settle": Variable(
        check_whole,
        "empty, or a number of seconds, like 10",
        (),
        VERIFIED,
        what=(
            "How long to wait until what the checks have provoked can be read in the logs, in seconds. It ends sooner "
            "with the first younger line."
        ),
        type="int",
        default=10,
    ),
    "verify_watch": Variable(
        check_watch,
        "empty, or for how many seconds the application is watched, like 30, or a mapping, like {seconds: 30, "
        "interval: 2, failures: 1}",
        (),
        VERIFIED,
        what=(
            "For how many seconds the application is watched once its scenarios have passed; C(0) is not at all. Or a "
            "mapping with C(seconds), C(interval) between two health requests, how many C(failures) of these are "
            "allowed, and C(metrics), whether the load balancer's traffic is compared with the hour before, as "
            "C(watch) of M(spymeo.rollback.verify_application) takes them."
        ),
        type="raw",
        default=30,
        readme=True,
    ),
    "verify_wait_timeout": Variable(
        check_seconds,
        "empty, or a number of seconds, like 30",
        (),
        VERIFIED,
        what="How long to wait for tasks that are on their way, and for the first line of each, in seconds.",
        type="int",
        default=30,
    ),
    "verify_timeout": Variable(
        check_seconds,
        "empty, or a number of seconds, like 15",
        (),
        VERIFIED,
        what="How long one request may take, in seconds.",
        type="int",
        default=15,
    ),
    "verify_health_times": Variable(
        check_seconds,
        "empty, or how many times in a row, like 3",
        (),
        VERIFIED,
        what="How many times in a row the health check must answer what is expected.",
        type="int",
        default=3,
    ),
    "verify_health_expect": Variable(
        check_options,
        "empty, or what the health check must answer, like {status: 200}",
        (),
        VERIFIED,
        what="What the health check must answer, as C(expect) of M(spymeo.rollback.verify_http).",
        type="dict",
        default={"status": 200},
    ),
}

# No value of these is ever shown: what they hold may be a secret.
SECRET = frozenset(["rollback_aws", "verify_variables", "rollback_e2e_secret_environment"])

# What playbooks hand on to a workflow, which AWX gives to later jobs as extra variables. Nothing is read of them.
HANDED_ON = frozenset(["rollback_run", "rollback_triage"])


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
    """One sentence for each of ``names`` (what inventory and command line set) that a playbook of ours sets itself, by that name, for a role.

    What roles publish is there, too, once a play of ours has begun, and then ``run_plan`` always is.
    """
    given = set(names)
    ours = given & PUBLISHED if "run_plan" not in given else ()
    return [_OVERRIDING % (name, _instead(name)) for name in sorted(given & (DERIVED | OF_ROLES))] + [
        _PUBLISHED % name for name in sorted(ours)
    ]


_OVERRIDING = "%s is an option of a role, which the playbook sets itself; set like this, it would win over what the inventory says. %s"
_PLAYED = (
    "this very command has played another playbook that changes something, and what that one has told would be taken for this one's. "
    "Start them one after the other, each with a command of its own."
)
_PUBLISHED = "%s is what a role tells others; set like this, it would be taken for that. Call it otherwise."


def played_before(names: Iterable[str]) -> list[str]:
    """One sentence (list of str, or empty) where ``names`` tell that a play before has taken the lock, in the same ansible-playbook."""
    return [_PLAYED] if "run_lock" in names else []


def _instead(name: str) -> str:
    ours = "rollback_" + name.partition("_")[2]
    return "Set %s." % ours if ours in VARIABLES else "Call it otherwise."


def _misspelt(name: str) -> str | None:
    if name in VARIABLES or name in DERIVED or name in HANDED_ON or name in PUBLISHED:
        return None
    ours = _OURS.match(name)
    near = _nearest(name, 0.6 if ours else _NEAR)
    if not near:
        return _UNKNOWN % (name, "docs/variables.md tells all of them") if ours else None
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
