# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every mistake in an inventory is found before the first call to AWS, and named."""

from __future__ import annotations

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._run.inputs import VARIABLES, problems

DIGEST = "sha256:" + "0123456789abcdef" * 4

GOOD = {
    "rollback_environment": "production",
    "rollback_region": "eu-west-3",
    "rollback_cluster": "spymeo-production",
    "rollback_services": ["spymeo-app"],
    "rollback_task_definition": "",
    "rollback_deploy_timeout": "",
    "rollback_db_instance": "spymeo-production-db",
    "rollback_snapshot": "spymeo-pre-migration-snapshot",
    "rollback_database_secret": "spymeo/production/database-url",
    "rollback_secrets": [],
    "rollback_base_url": "https://app.spymeo.fr",
    "rollback_health_path": "/api/health",
    "rollback_log_groups": ["/ecs/spymeo-app"],
    "rollback_contacts": {"dba": "+33 1 23 45 67 89"},
    "rollback_run_id": "",
}


def test_a_good_inventory_has_no_problems():
    assert problems(GOOD, sorted(VARIABLES)) == []


@pytest.mark.parametrize(
    "target",
    [
        "app:1",
        "arn:aws:ecs:eu-west-3:123456789012:task-definition/app:41",
        DIGEST,
        {"app": "app:41"},
        {"app": "app:41", "worker": DIGEST, "cron": "arn:aws-cn:ecs:cn-north-1:123456789012:task-definition/cron:7"},
    ],
)
def test_takes_a_typed_target_for_all_services_or_for_each(target):
    assert problems(dict(GOOD, rollback_task_definition=target), ["rollback_task_definition"]) == []


@pytest.mark.parametrize("seconds", [1, 900, "900"])
def test_takes_whole_seconds_as_a_survey_or_the_command_line_gives_them(seconds):
    assert problems(dict(GOOD, rollback_deploy_timeout=seconds), ["rollback_deploy_timeout"]) == []


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("rollback_cluster", "", "is not set"),
        ("rollback_cluster", None, "is not set"),
        ("rollback_cluster", 20260102, "arrived as int"),
        ("rollback_region", True, "arrived as bool"),
        ("rollback_db_probe", "psql", "there is no such way to probe"),
        ("rollback_db_stop_failed", "yes", "it is neither true nor false"),
        ("rollback_db_stop_failed", 1, "it is neither true nor false"),
        ("rollback_secret_versions", ["a"], "it is list, not a mapping"),
        ("rollback_secret_versions", {"app": None}, "for app, None is neither text nor a number"),
        ("rollback_secret_versions", {"app": True}, "for app, True is neither text nor a number"),
        ("rollback_secret_keys", {"app": "KEY"}, "for app, it is str, not a list"),
        ("rollback_secret_keys", {"app": []}, "for app, the list is empty"),
        ("rollback_backup_secrets", "app", "it is str, not a mapping"),
        ("rollback_parameters", "/flag", "it is str, not a list"),
        ("rollback_secrets_before", "yesterday", "not a time in ISO 8601"),
        ("rollback_despite_migrations", "maybe", "neither true nor false"),
        ("rollback_release", 1.1, "arrived as float"),
        ("rollback_snapshot", 1.1, "arrived as float"),
        ("rollback_snapshot", " x", "spaces"),
        ("rollback_services", "spymeo-app", "is str, not a list"),
        ("rollback_services", [], "is empty"),
        ("rollback_services", [41], "41 in it is not a name"),
        ("rollback_services", ["a", "b", "a"], "names a twice"),
        ("rollback_secrets", "x", "not a list"),
        ("rollback_task_definition", 41, "a bare int names no task definition"),
        ("rollback_task_definition", 1.1, "a bare float"),
        ("rollback_task_definition", "41", "does not say which revision"),
        ("rollback_task_definition", "spymeo-app", "does not say which revision"),
        ("rollback_task_definition", "spymeo-app:0", "does not say which revision"),
        ("rollback_task_definition", "spymeo-app:41\n", "does not say which revision"),
        ("rollback_task_definition", "spymeo-app:latest", "does not say which revision"),
        ("rollback_task_definition", "sha256:12ab", "64 hexadecimal digits"),
        ("rollback_task_definition", DIGEST.upper(), "does not say which revision"),
        ("rollback_task_definition", ["spymeo-app:41"], "a bare list"),
        ("rollback_task_definition", {}, "names no service"),
        ("rollback_task_definition", {"app": 41}, "for app, a bare int names no task definition"),
        ("rollback_task_definition", {"app": "app:41", "worker": 1.1}, "for worker, a bare float"),
        ("rollback_task_definition", {"app": "41"}, "for app, a family alone or a bare number"),
        ("rollback_task_definition", {"app": ""}, "for app, a family alone"),
        ("rollback_task_definition", {"app": None}, "for app, a bare NoneType"),
        ("rollback_task_definition", {"app": {"app": "app:41"}}, "for app, a bare dict"),
        ("rollback_task_definition", {41: "app:41"}, "41 in it is not the name of a service"),
        ("rollback_task_definition", {" ": "app:41"}, "is not the name of a service"),
        ("rollback_deploy_timeout", 0, "is not above 0"),
        ("rollback_deploy_timeout", -1, "is not a whole number"),
        ("rollback_deploy_timeout", 1.5, "is not a whole number"),
        ("rollback_deploy_timeout", True, "is not a whole number"),
        ("rollback_deploy_timeout", "15m", "is not a whole number"),
        ("rollback_deploy_timeout", "900\n", "is not a whole number"),
        ("rollback_deploy_timeout", [900], "is not a whole number"),
        ("rollback_base_url", "app.spymeo.fr", "not an http or https URL"),
        ("rollback_base_url", "https://app.spymeo.fr/login", "without a path"),
        ("rollback_health_path", "api/health", "slash"),
        ("rollback_contacts", {"dba": 33123456789}, "quotes"),
        ("rollback_contacts", ["dba"], "mapping"),
        ("rollback_run_id", 20261122, "arrived as int"),
        ("rollback_run_id", "RB_1", "cannot be part of the name"),
        ("rollback_run_id", "rb--1", "cannot be part of the name"),
    ],
)
def test_names_the_variable_its_value_and_the_right_form(variable, value, words):
    (text,) = problems(dict(GOOD, **{variable: value}), sorted(VARIABLES))
    assert text.startswith(variable)
    assert words in text
    assert VARIABLES[variable][1] in text


def test_reports_all_mistakes_at_once():
    assert len(problems({}, sorted(VARIABLES))) == 9


def test_looks_only_at_what_the_playbook_needs():
    assert problems({}, ["rollback_task_definition"]) == []


def test_an_unknown_variable_is_a_mistake_in_a_role():
    with pytest.raises(KeyError):
        problems({}, ["rollback_kluster"])
