# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Each condition of the table, once where it holds and once where it does not; the table itself; and each sentence."""

from __future__ import annotations

import string

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.conditions import (
    of_answers,
    of_database,
    of_deployments,
    of_logs,
    of_runs,
    of_secrets,
    of_tasks,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.options import CODE, DATABASE, FULL, NONE
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.recommend import found
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.rules import (
    AGAINST,
    CRITERIA,
    DECISIVE,
    EVERY,
    FOR,
    NOTE,
    RULES,
    STRONG,
    VETO,
    WEAK,
)

ELB = {"code": "ServiceSchedulerInitiated", "reason": "Task failed ELB health checks in (target-group app)"}
P1001 = [{"fingerprint": "Can't reach database server", "count": 9, "codes": ["P1001"]}]
P2022 = [{"fingerprint": "The column does not exist", "count": 9, "codes": ["P2022"]}]
P1000 = {"answers": False, "code": "P1000", "why": "wrong password"}
SIGN_UP_500 = {"sign-up/sign up": {"status": 500}}
LOGIN_401 = {"administration/log in as administrator": {"status": 401}}
RENAME = {"20261122_rename_city": "done"}
TODAY = "2026-11-22T02:38:00Z"
ROLLING_BACK = {"deployments": [{"release": "app:42", "status": "ROLLBACK_IN_PROGRESS", "at": TODAY}]}
CHANGED = [{"name": "production/app", "since": TODAY}]
UNREAD = [{**CHANGED[0], "unread": ["app"]}]
PLACED = "(service app) was unable to place a task because no container instance met all of its requirements."
RUNS = [
    {
        "id": "rb-1",
        "kind": "Roll back the code",
        "at": "2026-11-22T02:50:00Z",
        "outcome": "complete",
        "parts": ["deployment"],
    }
]
FULLS = [{**RUNS[0], "kind": "Roll back everything", "outcome": "unverified", "parts": ["restore", "deployment"]}]
ONE = [{"name": "app", "release": "app:42", "desired": 2, "running": 2}]
ZERO = [{**ONE[0], "name": "worker", "desired": 0, "running": 0}]
HEALTH = {
    "scenario": "health", "step": "/api/health", "method": "GET", "path": "/api/health", "verdict": "passed", "status": 200, "seconds": 0.1,
}  # fmt: skip

DOWN = {"service": {"running": 1}}
ELSEWHERE = {"logs": {"addresses": ["app-db.example.org:5433"]}}
NOT_FOUND = {"code": "TaskFailedToStart", "reason": "CannotPullContainerError: app:42: not found"}
THROTTLED = {"code": "TaskFailedToStart", "reason": "CannotPullContainerError: toomanyrequests: Rate exceeded"}
HOST = {"code": "EssentialContainerExited", "reason": "Host EC2 (instance i-1) terminated."}
BY_AWS = (
    "Timeout waiting for network interface provisioning to complete.",
    "Unexpected EC2 error while attempting to Create Network Interface: InsufficientFreeAddressesInSubnet",
    "ResourceInitializationError: unable to pull secrets or registry auth: ThrottlingException: Rate exceeded",
    "CannotPullContainerError: unexpected status code 503 Service Unavailable",
    "CannotPullContainerError: 429 Too Many Requests - Server message: toomanyrequests: You have reached your pull rate limit",
    "DockerTimeoutError: Could not transition to started; timed out after waiting 3m0s",
)
NO_ROOM = {"code": "TaskFailedToStart", "reason": "Capacity is unavailable at this time."}


def undone(runs):
    """The same runs, undone three minutes ago."""
    return [{**run, "undone_by": "un-1", "undone": "2026-11-22T02:57:00Z"} for run in runs]


def deployed(status):
    """That the newest deployment came to this."""
    return [{"release": "app:42", "status": status, "at": TODAY}]


def said(message):
    """That RDS said this of the instance two minutes ago."""
    return {"instance": {"events": [{"at": "2026-11-22T02:58:00Z", "message": message}]}}


# condition: (evidence in which it holds, evidence in which it does not); without "like" it is that of a fresh release that is well.
TABLE = {
    of_tasks.crash_loop: [
        ({"ended": {"count": 2, "exit": 1}, **DOWN}, {"ended": {"count": 1, "exit": 1}, **DOWN}),
        ({"ended": {"count": 2, "exit": 1}, **DOWN}, {"ended": {"count": 2, "exit": 1}}),
        ({"ended": {"count": 2, "exit": 1}, **DOWN}, {"ended": {"count": 2, "exit": 0}, **DOWN}),
        ({"ended": {"count": 2, "exit": 0, **ELB}, **DOWN}, {"ended": {"count": 9, **NOT_FOUND}, **DOWN}),
        (
            {"ended": {"count": 1, "exit": 1}, "service": {"failed_tasks": 3, "running": 1}},
            {"service": {"failed_tasks": 3}},
        ),
        (
            {"ended": {"count": 2, "exit": 1}, "service": {"rollout": "IN_PROGRESS"}},
            {"ended": {"count": 2, **HOST}, **DOWN},
        ),
    ],
    of_tasks.crash_loop_while_well: [
        ({"ended": {"count": 2, "exit": 1}}, {"ended": {"count": 2, "exit": 1}, **DOWN}),
        ({"ended": {"count": 2, "exit": 1}}, {"ended": {"count": 2, "exit": 1}, "missing": {"http": "x"}}),
        ({"ended": {"count": 2, **ELB}}, {"ended": {"count": 2, "exit": 0}}),
    ],
    of_tasks.tasks_end: [
        ({"ended": {"count": 2, "exit": 0}, **DOWN}, {"ended": {"count": 2, "exit": 0}}),
        ({"ended": {"count": 2, **NOT_FOUND}, **DOWN}, {"ended": {"count": 2, **THROTTLED}, **DOWN}),
        ({"service": {"failed_tasks": 3, "running": 1}}, {"service": {"failed_tasks": 2, "running": 1}}),
        (
            {"ended": {"count": 1, **THROTTLED}, "service": {"failed_tasks": 4, "running": 1}},
            {"ended": {"count": 2, **THROTTLED}, "service": {"failed_tasks": 4, "running": 1}},
        ),
    ],
    of_tasks.tasks_end_while_well: [
        ({"ended": {"count": 2, "exit": 0}}, {"ended": {"count": 2, "exit": 1}}),
        ({"ended": {"count": 2, **NOT_FOUND}}, {"ended": {"count": 2, **THROTTLED}}),
        ({"ended": {"count": 2, "exit": 0}}, {"ended": {"count": 2, "exit": 0}, "outage": 503}),
    ],
    of_tasks.not_started: [
        ({"ended": {"count": 1, **failed}, **DOWN}, {"ended": {"count": 1, **other}, **DOWN})
        for failed in (THROTTLED, HOST, *({"code": "TaskFailedToStart", "reason": reason} for reason in BY_AWS))
        for other in (NOT_FOUND, NO_ROOM)
    ],
    of_tasks.not_started_some: [
        (
            {"ended": {"count": 1, **THROTTLED}, "services": [{**ONE[0], "running": 1}, {**ONE[0], "name": "worker"}]},
            {"ended": {"count": 1, **THROTTLED}, **DOWN},
        ),
    ],
    of_tasks.not_started_at_first: [
        ({"ended": {"count": 2, **THROTTLED}}, {"ended": {"count": 2, **THROTTLED}, **DOWN}),
        ({"ended": {"count": 2, **HOST, "exit": 137}}, {"ended": {"count": 2, "exit": 137}}),
    ],
    of_tasks.one_crash: [({"ended": {"count": 1, "exit": 1}}, {"ended": {"count": 2, "exit": 1}})],
    of_tasks.deployment_failed: [
        ({"service": {"rollout": "FAILED"}}, {"like": "brought-back", "service": {"rollout": "FAILED"}})
    ],
    of_tasks.no_healthy_target: [
        ({"targets": [{"group": "app", "unhealthy": 2}]}, {"targets": [{"group": "app", "initial": 2}]}),
        ({"targets": [{"group": "app"}]}, {"targets": [{"group": "app"}], "service": {"desired": 0}}),
    ],
    of_answers.outage: [({"outage": 503}, {"broken": SIGN_UP_500})],
    of_logs.cannot_connect: [
        ({"errors": P1001}, {"errors": [{**P1001[0], "before": 4}]}),
        ({"broken": {"payment/pay": {"status": 500, "reason": "the body is: P1017"}}}, {"errors": P2022}),
    ],
    of_logs.looks_elsewhere: [
        ({**ELSEWHERE, **DOWN}, {"logs": {"addresses": ["app-db.example.org:5432"]}, **DOWN}),
        ({**ELSEWHERE, **DOWN}, ELSEWHERE),
        ({**ELSEWHERE, "outage": 503}, {"logs": {"addresses": []}, **DOWN}),
        *(
            ({"logs": {"addresses": ["x:1"]}, **DOWN}, {"logs": {"addresses": [may_be]}, **DOWN})
            for may_be in (
                "APP-DB.example.org.",
                "app-db.example.org",
                "10.0.1.5:5432",
                "[fd00::5]:5432",
                "app-proxy.proxy-c1.eu-west-3.rds.amazonaws.com:5432",
                "app.cluster-ro-c1.eu-west-3.rds.amazonaws.com:5432",
                "app-db-replica-1.c1.eu-west-3.rds.amazonaws.com:5432",
                "reader.example.org",
                "app-ro.example.org:6432",
            )
        ),
        *(
            (
                {"logs": {"addresses": [other]}, **DOWN},
                {"logs": {"addresses": [other]}, "missing": {"database": "x", "instance": "x"}, **DOWN},
            )
            for other in ("error-db.example.org:5432", "localhost", "app-db.example.com:5432", "app-db-old.example.org")
        ),
    ],
    of_logs.looked_elsewhere: [
        (ELSEWHERE, {**ELSEWHERE, **DOWN}),
        (ELSEWHERE, {"logs": {"addresses": ["app-db.example.org"]}}),
        ({"logs": {"addresses": ["x:1"]}, "missing": {"database": "x"}}, {"logs": {"addresses": ["replica:5432"]}}),
    ],
    of_logs.database_answers: [({"errors": P1001}, {"errors": P1001, "database": P1000})],
    of_answers.login_refused: [
        (({"broken": LOGIN_401}), {"broken": {"sign-up/sign up": {"status": 401, "path": "/api/practitioners"}}})
    ],
    of_answers.feature_broken: [
        ({"broken": SIGN_UP_500}, {"outage": 500}),
        ({"broken": SIGN_UP_500}, {"broken": {"payment/pay": {"status": 503}}}),
    ],
    of_answers.feature_without_answer: [
        ({"broken": {"payment/pay": {"status": 502}}}, {"broken": SIGN_UP_500}),
        ({"broken": {"payment/pay": {"status": None, "reason": "the connection was refused"}}}, {}),
    ],
    of_answers.feature_otherwise: [({"broken": {"payment/pay": {"status": 400}}}, {"broken": LOGIN_401})],
    of_answers.slow: [({"late": 2.1}, {"late": 1.9})],
    of_answers.partly_slow: [({"broken": {"payment/pay": {"verdict": "passed", "seconds": 3.0}}}, {"late": 3.0})],
    of_database.database_quick: [({"late": 3.0}, {"late": 3.0, "database": {"seconds": 1.5}}), ({"late": 3.0}, {})],
    of_database.database_slow: [({"late": 3.0, "database": {"seconds": 2.5}}, {"database": {"seconds": 2.5}})],
    of_logs.new_errors: [({"errors": [{"fingerprint": "TypeError", "count": 1}]}, {"errors": P1001})],
    of_database.mismatch_without_migration: [
        ({"errors": P2022, **DOWN}, {"errors": P2022, "migrations": RENAME, **DOWN}),
        ({"errors": P2022, "broken": SIGN_UP_500}, {"errors": P2022}),
    ],
    of_database.mismatch_in_logs_without_migration: [
        ({"errors": P2022}, {"errors": P2022, "migrations": RENAME}),
        ({"errors": P2022}, {"errors": P2022, "broken": SIGN_UP_500}),
    ],
    of_database.mismatch_of_unknown_origin: [
        ({"errors": P2022, "missing": {"database": "x"}}, {"errors": P2022}),
        ({"errors": P2022, "service": {"proven": None}}, {"errors": P1001}),
    ],
    of_database.harmed_by_release: [
        ({"rules": {"lost": "x"}}, {"like": "old", "rules": {"lost": "x"}}),
        ({"rules": {"lost": "x"}}, {}),
    ],
    of_database.rows_corrupted: [({"rules": {"corrupted": "x"}}, {"rules": {"unknown": "x"}})],
    of_database.rows_lost: [({"rules": {"lost": "x"}}, {"rules": {"whole": "x"}})],
    of_database.schema_changed: [({"rules": {"schema": "x"}}, {"rules": {"corrupted": "x"}})],
    of_database.mismatch_by_migration: [
        ({"errors": P2022, "migrations": RENAME, "broken": SIGN_UP_500}, {"errors": P2022, "migrations": RENAME}),
    ],
    of_database.mismatch_in_logs_only: [
        ({"errors": P2022, "migrations": RENAME}, {"errors": P2022, "migrations": RENAME, "broken": SIGN_UP_500}),
    ],
    of_database.migration_failed_and_felt: [
        ({"migrations": {"m": "failed"}, "outage": 503}, {"migrations": {"m": "failed"}}),
        ({"migrations": {"m": "failed"}, "broken": SIGN_UP_500}, {"migrations": {"m": "rolled back"}, "outage": 503}),
    ],
    of_database.migration_failed_quietly: [
        ({"migrations": {"m": "failed"}}, {"migrations": {"m": "failed"}, "outage": 503})
    ],
    of_database.migration_stops_tasks: [
        ({"errors": [{"fingerprint": "P3009", "count": 1, "codes": ["P3009"]}]}, {"errors": P2022})
    ],
    of_database.migration_takes_away: [
        ({"migrations": RENAME}, {"migrations": {"20261122_add_renamed_city": "done"}}),
        ({"migrations": {"m": "takes_away"}}, {"migrations": {"m_drop_x": "additive"}}),
        ({"migrations": {"m": "unknown"}}, {"migrations": {"m": "changes_data"}}),
    ],
    of_database.unproven_came: [
        ({"migrations": {"m": "done"}}, {"migrations": {"m": "rolled back"}}),
        ({"migrations": {"m": "done"}}, {}),
        ({"migrations": {"m": "takes_away"}}, {"migrations": {"m": "additive"}}),
        ({"migrations": {"m": "unknown"}}, {"migrations": {"m": "additive"}}),
    ],
    of_database.additive_came: [
        ({"migrations": {"m": "additive"}}, {"migrations": {"m": "additive", "n": "done"}}),
        ({"migrations": {"m": "additive", "n": "additive"}}, {"migrations": {"m": "additive", "n": "changes_data"}}),
        ({"migrations": {"m": "additive"}}, {}),
    ],
    of_database.instance_lost: [
        ({"instance": {"status": status}}, {"instance": {"status": other}})
        for status, other in (
            ("failed", "rebooting"),
            ("deleting", "incompatible-network"),
            ("restore-error", "incompatible-option-group"),
            ("incompatible-restore", "incompatible-parameters"),
        )
    ]
    + [
        (
            {"instance": {"status": "incompatible-network"}, "database": {"answers": False}},
            {"instance": {"status": "incompatible-network"}},
        ),
    ],
    of_database.instance_crippled: [
        ({"instance": {"status": status}}, {"instance": {"status": status}, "database": {"answers": False}})
        for status in ("incompatible-network", "incompatible-option-group")
    ],
    of_database.lost_out_of_use: [
        ({"instance": {"status": status}}, {"instance": {"status": "deleting"}})
        for status in (
            "failed",
            "restore-error",
            "inaccessible-encryption-credentials",
            "incompatible-restore",
            "incompatible-create",
        )
    ]
    + [
        (
            {"instance": {"status": status}, "database": {"answers": False}},
            {"instance": {"status": status}, "missing": {"database": "x"}},
        )
        for status in ("deleting", "incompatible-network", "incompatible-option-group")
    ],
    of_database.lost_perhaps_out_of_use: [
        ({"instance": {"status": status}, "missing": {"database": "x"}}, {"instance": {"status": status}})
        for status in ("deleting", "incompatible-network", "incompatible-option-group")
    ],
    of_database.passing_out_of_use: [
        ({"instance": {"status": status}}, {"instance": {"status": "storage-full"}})
        for status in (
            "stopped",
            "starting",
            "incompatible-parameters",
            "inaccessible-encryption-credentials-recoverable",
        )
    ]
    + [
        (
            {"instance": {"status": "storage-full"}, "database": {"answers": False}},
            {"instance": {"status": "storage-full"}, "missing": {"database": "x"}},
        ),
    ],
    of_database.passing_perhaps_out_of_use: [
        (
            {"instance": {"status": "storage-full"}},
            {"instance": {"status": "storage-full"}, "database": {"answers": False}},
        ),
    ],
    of_database.instance_passing_and_whole: [
        (
            {"instance": {"status": "storage-full"}},
            {"instance": {"status": "storage-full"}, "rules": {"corrupted": "x"}},
        ),
    ],
    of_runs.unfinished: [({"unfinished": {"id": "rb-1", "kind": "Roll back the code", "command": "x"}}, {})],
    of_runs.at_work: [({"at_work": "Run rb-1 of ada (Roll back, since 1) is at work"}, {})],
    of_runs.apart: [({"apart": {"words": "2 tasks of app read a, AWSCURRENT names b", "secret": "url"}}, {})],
    of_deployments.deployment_open: [
        ({"service": {"rollout": "IN_PROGRESS"}}, {}),
        ({"service": {"rollout": "IN_PROGRESS", "came": "2026-11-21T22:00:00Z"}}, {"service": {"rollout": ""}}),
        ({"service": {"running": 1, "came": "2026-11-22T02:55:00Z"}}, {"service": {"running": 1}}),
        *(
            ({"service": {"deployments": deployed(status)}}, {"service": {"deployments": deployed(well)}})
            for status in ("STOPPED", "STOP_REQUESTED", "PENDING", "IN_PROGRESS", "ROLLBACK_FAILED", "NEVER_HEARD_OF")
            for well in ("SUCCESSFUL", "ROLLBACK_SUCCESSFUL")
        ),
    ],
    of_tasks.tasks_failed: [
        ({"service": {"failed_tasks": 1}}, {"service": {"failed_tasks": 1}, "ended": {"count": 1, "exit": 1}}),
        ({"service": {"failed_tasks": 2}}, {"service": {"failed_tasks": 2}, "ended": {"count": 2, **THROTTLED}}),
        ({"service": {"failed_tasks": 2}}, {"service": {"failed_tasks": 3}}),
    ],
    of_tasks.odd_ends: [
        (
            {"ended": {"count": 1, "code": "ServiceSchedulerInitiated", "reason": "Scaling activity", "exit": odd}},
            {"ended": {"count": 1, "code": "ServiceSchedulerInitiated", "reason": "Scaling activity", "exit": even}},
        )
        for odd, even in ((139, 137), (1, 143), (134, 0))
    ]
    + [
        ({"ended": {"count": 1, "code": code}}, {"ended": {"count": 1, "code": "TerminationNotice"}})
        for code in ("", "NeverHeardOf")
    ],
    of_tasks.others_end: [
        ({"ended": {"count": 1, "release": "app:43", "exit": 1}}, {"ended": {"count": 1, "exit": 1}}),
        (
            {"ended": {"count": 1, "service": "cron", "exit": 1}},
            {"ended": {"count": 1, "release": "app:41", "exit": 1}},
        ),
    ],
    of_database.database_late: [
        ({"database": {"seconds": 2.5}}, {"database": {"seconds": 1.5}}),
        ({"database": {"seconds": 2.5}}, {"database": {"seconds": 2.5}, "late": 3.0}),
    ],
    of_database.instance_warned: [
        (said(message), said("DB instance restarted"))
        for message in (
            "The free storage capacity for DB Instance: app-db is low at 1% of the provisioned storage",
            "DB instance has exhausted its allocated storage.",
            "Unable to apply the change of the parameter group",
        )
    ],
    of_database.failover_while_broken: [
        (
            {**said("Multi-AZ instance failover completed"), "broken": SIGN_UP_500},
            said("Multi-AZ instance failover started"),
        ),
        ({**said("DB instance restarted"), "outage": 503}, {"broken": SIGN_UP_500}),
    ],
    of_logs.features_failed_before: [
        (
            {"broken": SIGN_UP_500, "errors": [{"fingerprint": "TypeError", "count": 50, "before": 50}]},
            {"broken": SIGN_UP_500, "errors": [{"fingerprint": "TypeError", "count": 50, "before": 50, "more": True}]},
        ),
        (
            {"broken": SIGN_UP_500, "errors": [{"fingerprint": "TypeError", "count": 1, "before": 1}]},
            {"errors": [{"fingerprint": "TypeError", "count": 1, "before": 1}]},
        ),
    ],
    of_runs.run_failed: [
        ({"runs": [{**RUNS[0], "outcome": "failed"}]}, {"runs": RUNS}),
        ({"runs": [{**RUNS[0], "outcome": "failed"}]}, {"runs": [{**RUNS[0], "outcome": "failed", "parts": []}]}),
    ],
    of_deployments.one_scaled_to_zero: [({"services": [*ONE, *ZERO]}, {"service": {"desired": 0}})],
    of_database.instance_passing: [({"instance": {"status": "rebooting"}}, {"instance": {"status": "backing-up"}})],
    of_secrets.secret_changed: [
        ({"secrets": CHANGED}, {"like": "old", "secrets": CHANGED}),
        ({"secrets": CHANGED}, {}),
    ],
    of_secrets.secret_may_be_why: [
        ({"secrets": CHANGED, "broken": LOGIN_401}, {"secrets": CHANGED}),
        ({"secrets": CHANGED, "broken": LOGIN_401}, {"broken": LOGIN_401}),
        ({"secrets": CHANGED, "broken": LOGIN_401}, {"secrets": UNREAD, "broken": LOGIN_401}),
    ],
    of_secrets.secret_unread: [
        ({"secrets": UNREAD}, {"secrets": CHANGED}),
        ({"secrets": UNREAD}, {"secrets": [{**UNREAD[0], "holds_url": True}]}),
        ({"secrets": UNREAD, "outage": 503}, {"secrets": UNREAD, "broken": LOGIN_401}),
    ],
    of_secrets.secret_unread_may_be_why: [
        ({"secrets": UNREAD, "broken": LOGIN_401}, {"secrets": UNREAD}),
        ({"secrets": UNREAD, "broken": {"payment/pay": {"status": 502}}}, {"secrets": UNREAD, "broken": SIGN_UP_500}),
        ({"secrets": UNREAD, "broken": LOGIN_401}, {"secrets": CHANGED, "broken": LOGIN_401}),
    ],
    of_answers.everything_passes: [
        ({}, {"late": 3.0}),
        ({}, {"broken": SIGN_UP_500}),
        ({}, {"http": {"left_out": ["x"]}}),
    ],
    of_answers.health_passes: [
        ({"http": {"steps": [HEALTH]}}, {}),
        ({"http": {"steps": [HEALTH]}}, {"missing": {"http": "x"}}),
    ],
    of_logs.quiet: [({}, {"logs": {"silent": ["x"]}}), ({}, {"service": {"running": 1}}), ({}, {"errors": P1001})],
    of_deployments.rolling_back: [({"service": ROLLING_BACK}, {"like": "brought-back"})],
    of_deployments.deployment_starting: [
        (
            {"service": {"came": "2026-11-22T02:55:00Z", "rollout": "IN_PROGRESS"}},
            {"service": {"came": "2026-11-22T02:55:00Z", "rollout": "IN_PROGRESS", "failed_tasks": 1}},
        ),
        ({"service": {"came": "2026-11-22T02:55:00Z", "running": 1}}, {"service": {"running": 1}}),
    ],
    of_deployments.fenced: [({"service": {"desired": 0, "fenced_by": "rb-1"}}, {"service": {"desired": 0}})],
    of_deployments.scaled_to_zero: [({"service": {"desired": 0}}, {"service": {"desired": 0, "fenced_by": "rb-1"}})],
    of_tasks.no_capacity: [
        (
            {"ended": {"count": 1, **NO_ROOM}, "service": {"running": 1}},
            {"ended": {"count": 1, **NO_ROOM, "reason": "CannotPullContainerError: x"}, "service": {"running": 1}},
        ),
        ({"ended": {"count": 1, **NO_ROOM}, "service": {"running": 1}}, {"ended": {"count": 1, **NO_ROOM}}),
        (
            {"ended": {"count": 1, **NO_ROOM}, "service": {"running": 1}},
            {"ended": {"count": 1, **NO_ROOM}, "services": [{**ONE[0], "running": 1}, {**ONE[0], "name": "worker"}]},
        ),
    ],
    of_tasks.no_capacity_for_some: [
        (
            {"ended": {"count": 1, **NO_ROOM}, "services": [{**ONE[0], "running": 1}, {**ONE[0], "name": "worker"}]},
            {"ended": {"count": 1, **NO_ROOM}, "service": {"running": 1}},
        ),
    ],
    of_tasks.too_few_targets: [
        ({"targets": [{"group": "app", "healthy": 1}]}, {"targets": [{"group": "app", "healthy": 1, "initial": 1}]}),
        ({"targets": [{"group": "app", "healthy": 1, "other": 1}]}, {"targets": [{"group": "app", "healthy": 2}]}),
        (
            {"targets": [{"group": "app", "healthy": 1, "services": ["app"]}]},
            {"targets": [{"group": "app", "healthy": 1, "services": ["another"]}]},
        ),
        (
            {"targets": [{"group": "app", "healthy": 1}]},
            {"targets": [{"group": "app", "healthy": 1}], "service": {"came": "2026-11-22T02:55:00Z"}},
        ),
    ],
    of_answers.turned_away: [
        ({"outage": status}, {"outage": other}) for status, other in ((429, 503), (301, 404), (403, 500))
    ],
    of_database.instance_unknown: [
        ({"instance": {"status": "never-heard-of"}}, {"instance": {"status": status}})
        for status in ("available", "backing-up", "stopped", "failed", "upgrading")
    ],
    of_database.instance_at_work: [
        ({"instance": {"status": "upgrading"}}, {"instance": {"status": "upgrading"}, "database": {"answers": False}}),
        ({"instance": {"status": "maintenance"}}, {"instance": {"status": "rebooting"}}),
    ],
    of_database.failover: [
        (
            {
                "instance": {
                    "events": [{"at": "2026-11-22T02:50:00Z", "message": "Multi-AZ instance failover completed"}]
                }
            },
            {
                "instance": {
                    "events": [{"at": "2026-11-22T01:50:00Z", "message": "Multi-AZ instance failover completed"}]
                }
            },
        )
    ],
    of_deployments.brought_back: [({"like": "brought-back"}, {})],
    of_deployments.served_long: [({"like": "old"}, {}), ({"like": "old"}, {"like": "brought-back"})],
    of_deployments.history_unknown: [
        ({"missing": {"services": "denied"}}, {}),
        ({"services": []}, {"like": "brought-back", "service": {"came": None}}),
        ({"service": {"came": None}}, {"services": [{**ONE[0], "came": None}, {**ONE[0], "came": TODAY}]}),
    ],
    of_logs.errors_before: [({"errors": [{**P1001[0], "before": 3}]}, {"errors": P1001})],
    of_database.url_refused: [({"database": P1000}, {})],
    of_deployments.no_release_before: [({"service": {"before": ""}}, {})],
    of_database.what_is_lost: [({}, {"instance": {"data_from": None}})],
    of_database.snapshot_too_young: [
        (
            {"migrations": {"m": "done"}, "instance": {"data_from": "2026-11-22T02:36:00Z"}},
            {"migrations": {"m": "done"}},
        ),
    ],
    of_database.nothing_to_restore: [({"instance": {"snapshot_problem": "x"}}, {})],
    of_tasks.too_few_tasks: [
        ({"service": {"running": 1}}, {"service": {"running": 1, "came": "2026-11-22T02:55:00Z"}}),
        ({"service": {"running": 0}}, {"service": {"desired": 0, "running": 0}}),
    ],
    of_tasks.not_placed: [
        ({"service": {"events": [PLACED], "event_times": ["2026-11-22T02:50:00Z"]}}, {}),
        (
            {
                "service": {
                    "events": [
                        "(service app) failed to launch a task with (error ECS was unable to assume the role x)."
                    ],
                    "event_times": ["2026-11-22T02:59:00Z"],
                }
            },
            {"service": {"events": [PLACED], "event_times": ["2026-11-22T02:10:00Z"]}},
        ),
    ],
    of_tasks.some_targets_unhealthy: [
        (
            {"targets": [{"group": "app", "healthy": 1, "unhealthy": 1}]},
            {"targets": [{"group": "app", "unhealthy": 2}]},
        ),
    ],
    of_secrets.secret_left: [
        (
            {"like": "brought-back", "secrets": CHANGED, "rules": {"lost": "x"}},
            {"like": "brought-back", "secrets": CHANGED},
        ),
        (
            {"like": "brought-back", "secrets": CHANGED, "rules": {"lost": "x"}},
            {"secrets": CHANGED, "rules": {"lost": "x"}},
        ),
    ],
    of_secrets.secret_changed_alone: [
        ({"like": "old", "secrets": CHANGED}, {"secrets": CHANGED}),
        (
            {"like": "brought-back", "secrets": CHANGED},
            {"like": "brought-back", "secrets": CHANGED, "rules": {"lost": "x"}},
        ),
        ({"like": "old", "secrets": CHANGED}, {"like": "old"}),
    ],
    of_runs.code_undone: [
        ({"runs": undone(RUNS)}, {"runs": RUNS}),
        ({"runs": undone(RUNS)}, {"like": "brought-back", "runs": undone(RUNS)}),
        ({"runs": undone(RUNS)}, {"runs": undone(RUNS), "service": {"came": "2026-11-22T02:58:00Z"}}),
        ({"runs": undone(FULLS)}, {"runs": undone([{**RUNS[0], "parts": []}])}),
    ],
    of_runs.data_undone: [
        ({"rules": {"lost": "x"}, "runs": undone(FULLS)}, {"runs": undone(FULLS)}),
        ({"rules": {"lost": "x"}, "runs": undone(FULLS)}, {"rules": {"lost": "x"}, "runs": undone(RUNS)}),
        ({"like": "old", "rules": {"lost": "x"}, "runs": undone(FULLS)}, {"rules": {"lost": "x"}, "runs": FULLS}),
    ],
    of_runs.code_taken_back: [
        ({"like": "brought-back", "outage": 503, "runs": RUNS}, {"like": "brought-back", "runs": RUNS}),
        ({"like": "brought-back", "broken": LOGIN_401, "runs": RUNS}, {"broken": LOGIN_401, "runs": RUNS}),
        (
            {"like": "brought-back", "broken": LOGIN_401, "runs": RUNS},
            {"like": "brought-back", "broken": LOGIN_401, "runs": [{**RUNS[0], "outcome": "failed"}]},
        ),
    ],
    of_runs.data_taken_back: [
        ({"rules": {"lost": "x"}, "runs": FULLS}, {"runs": FULLS}),
        ({"like": "old", "rules": {"lost": "x"}, "runs": FULLS}, {"like": "old", "rules": {"lost": "x"}, "runs": RUNS}),
        (
            {"rules": {"lost": "x"}, "runs": FULLS},
            {"rules": {"lost": "x"}, "runs": FULLS, "service": {"came": "2026-11-22T02:58:00Z"}},
        ),
    ],
    of_runs.same_release: [
        ({"service": {"against": ["it served for 2 s only"]}}, {"like": "brought-back", "service": {"against": ["x"]}})
    ],
    of_answers.left_behind: [({"broken": {"sign-up/remove": {"status": 500}}}, {"broken": SIGN_UP_500})],
}
ROWS = [
    pytest.param(condition, *row, id=f"{condition.__name__} {place}")
    for condition, rows in TABLE.items()
    for place, row in enumerate(rows)
]


@pytest.mark.parametrize(("condition", "holds", "does_not"), ROWS)
def test_a_condition_holds_where_it_should_and_nowhere_else(condition, holds, does_not, evidence):
    assert condition(evidence(**holds)) is not None
    assert condition(evidence(**does_not)) is None


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.speaks} {rule.option} {rule.when.__name__}")
def test_a_rule_says_a_whole_sentence_with_the_words_of_its_condition(rule, evidence):
    for holds, _does_not in TABLE[rule.when]:
        words = rule.when(evidence(**holds))
        needed = {name for _text, name, _form, _conversion in string.Formatter().parse(rule.sentence) if name}
        assert needed <= set(words)
        (finding,) = found(evidence(**holds), [rule])
        assert "{" not in finding.sentence
        assert "None" not in finding.sentence


def test_the_table_holds_nothing_but_what_is_decided_on():
    for rule in RULES:
        assert rule.speaks in (FOR, AGAINST)
        assert rule.option in (NONE, CODE, DATABASE, FULL, EVERY)
        assert rule.option != EVERY or (rule.speaks, rule.weight) == (AGAINST, NOTE)
        assert rule.weight in (NOTE, WEAK, STRONG, DECISIVE, VETO)
        assert set(rule.criteria) <= set(CRITERIA)
        assert rule.speaks == AGAINST or rule.weight > NOTE
    assert {rule.when for rule in RULES} == set(TABLE)


def test_each_of_the_runbooks_criteria_has_rules():
    assert [name for name in CRITERIA if not any(name in rule.criteria for rule in RULES)] == []


@pytest.mark.parametrize("part", ["services", "tasks", "targets", "http", "logs", "instance", "database", "secrets"])
def test_no_condition_minds_that_a_part_is_missing(part, evidence):
    for rows in TABLE.values():
        for holds, _does_not in rows:
            seen = evidence(**{**holds, "missing": {**holds.get("missing", {}), part: "denied"}})
            assert all(finding.sentence for finding in found(seen))
