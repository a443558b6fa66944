# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every mistake in an inventory is found before the first call to AWS, and named."""

from __future__ import annotations

import pathlib

import pytest
import yaml
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.variables import (
    ALL,
    DERIVED,
    OF_ROLES,
    SECRET,
    VARIABLES,
    of_playbook,
    overriding,
    played_before,
    problems,
    readable,
    unknown,
    wrong,
)

ROOT = pathlib.Path(__file__).parents[6]
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
    assert [problems(GOOD, playbook) for playbook in ALL] == [[]] * len(ALL)


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
    assert problems(dict(GOOD, rollback_task_definition=target), "rollback_full") == []


@pytest.mark.parametrize("seconds", [1, 900, "900"])
def test_takes_whole_seconds_as_a_survey_or_the_command_line_gives_them(seconds):
    assert problems(dict(GOOD, rollback_deploy_timeout=seconds), "rollback_full") == []


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("rollback_cluster", "", "is not set"),
        ("rollback_cluster", None, "is not set"),
        ("rollback_cluster", 20260102, "arrived as int"),
        ("rollback_region", True, "arrived as bool"),
        ("rollback_db_probe", "psql", "there is no such choice"),
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
        ("rollback_base_url", "https://app@app.spymeo.fr/", "without user and query"),
        ("rollback_base_url", "nobody", "without user and query"),
        ("verify_watch", "30s", "is not a number of seconds"),
        ("verify_watch", True, "is not a number of seconds"),
        ("verify_watch", -1, "is not a number of seconds"),
        ("verify_watch", [30], "is not a number of seconds"),
        ("verify_watch", {"second": 30}, "there is no second in it; there are seconds, interval"),
        ("verify_watch", {"seconds": "x"}, "for seconds, it is not a number"),
        ("verify_watch", {"interval": 0}, "for interval, it is not above 0"),
        ("verify_watch", {"failures": 0.5}, "for failures, it is not a whole number"),
        ("verify_watch", {"metrics": "perhaps"}, "for metrics, it is neither true nor false"),
        ("rollback_health_path", "api/health", "slash"),
        ("rollback_contacts", {"dba": 33123456789}, "quotes"),
        ("rollback_contacts", ["dba"], "mapping"),
        ("rollback_bad_since", "2026-13-45T99:99:99Z", "there is no such day"),
        ("rollback_base_url", "https://app.spymeo.fr?x=y", "without user and query"),
        ("rollback_run_id", 20261122, "arrived as int"),
        ("rollback_run_id", "RB_1", "cannot be part of the name"),
        ("rollback_run_id", "rb--1", "cannot be part of the name"),
    ],
)
def test_names_the_variable_its_value_and_the_right_form(variable, value, words):
    playbook = "undo" if variable == "rollback_undo_run" else VARIABLES[variable].playbooks[0]
    (text,) = problems(dict(GOOD, **{variable: value}), playbook)
    assert text.startswith(variable)
    assert words in text
    assert VARIABLES[variable][1] in text


@pytest.mark.parametrize(
    "value", [0, 30, "30", 0.5, {}, {"seconds": 0.5, "interval": "2", "failures": 0, "metrics": False}]
)
def test_a_watch_is_a_number_of_seconds_or_a_mapping(value):
    assert problems(dict(GOOD, verify_watch=value), "verify") == []


def test_an_application_without_http_needs_no_health_path():
    given = {name: value for name, value in GOOD.items() if name != "rollback_health_path"}
    assert len(problems(given, "verify")) == 1
    assert problems(dict(given, rollback_base_url="none"), "verify") == []
    assert problems(dict(GOOD, rollback_base_url="https://spymeo.fr/app", rollback_log_groups=[]), "verify") == []


def test_reports_all_mistakes_at_once():
    assert len(problems({}, "rollback_full")) == 9


def test_looks_only_at_what_the_playbook_uses():
    assert problems(dict(GOOD, rollback_snapshot=41), "rollback_code") == []
    assert len(problems(dict(GOOD, rollback_snapshot=41), "rollback_full")) == 1


def test_a_playbook_that_is_not_known_is_a_mistake_in_a_playbook():
    with pytest.raises(KeyError):
        problems({}, "rollback_kode")


@pytest.mark.parametrize("name", [name for name in VARIABLES if name not in SECRET])
@pytest.mark.parametrize("nothing", [None, ""])
def test_null_and_blank_are_not_set_everywhere(name, nothing):
    for playbook in VARIABLES[name].playbooks:
        found = [text for text in problems(dict(GOOD, **{name: nothing}), playbook) if text.startswith(name)]
        assert [("is not set" in text) for text in found] == [True] * (playbook in VARIABLES[name].required)


@pytest.mark.parametrize("name", sorted(SECRET))
def test_the_value_of_a_secret_is_neither_looked_at_with_the_others_nor_shown(name):
    assert readable([name, "rollback_cluster", "verify_cluster", "other"]) == ["rollback_cluster"]
    playbook = VARIABLES[name].playbooks[0]
    (text,) = wrong(name, "hunter2", playbook)
    assert text.startswith(name)
    assert "hunter2" not in text
    assert wrong(name, None, playbook) == wrong(name, "", playbook) == wrong(name, {"a": "hunter2"}, playbook) == []


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("rollback_snaphot", "rollback_snapshot"),
        ("rollback_fense", "rollback_fence"),
        ("rolback_hold", "rollback_hold"),
        ("rollbackhold", "rollback_hold"),
        ("Rollback_Snapshot", "rollback_snapshot"),
        ("roll_back_fence", "rollback_fence"),
        ("rollback_db_instances", "rollback_db_instance"),
        ("verify_scenario", "verify_scenarios"),
        ("verify_log_noises", "verify_log_noise"),
        ("verfy_secrets", "verify_secrets"),
        ("rollback_runid", "rollback_run_id"),
    ],
)
def test_a_name_that_nobody_reads_is_told_with_the_one_that_was_meant(name, near):
    (text,) = unknown(["rollback_cluster", name])
    assert text.startswith(f"{name} is no variable")
    assert text.endswith(f"did you mean {near}?")


def test_a_name_of_ours_that_is_like_no_other_is_told_too():
    (text,) = unknown(["rollback_zzz"])
    assert text.startswith("rollback_zzz is no variable")


def test_names_of_others_are_left_alone():
    others = [
        "region",
        "verification_url",
        "vault_password",
        "rolling_update",
        "release",
        "run_hold",
        "run_hold_reason",
        "report_base_url",
    ]
    assert unknown([*others, *VARIABLES, *DERIVED, "verified", "rollout_timeout", "role_name", "vars"]) == []


def test_every_variable_is_used_by_a_playbook_and_every_playbook_uses_some():
    assert all(variable.playbooks for variable in VARIABLES.values())
    assert all(set(variable.playbooks) <= set(ALL) for variable in VARIABLES.values())
    assert all(of_playbook(playbook) for playbook in ALL)


def test_an_option_of_a_role_in_an_inventory_is_refused_with_what_to_set():
    found = overriding(
        [
            "database_snapshot",
            "verify_base_url",
            "run_store",
            "database_host",
            "rollback_snapshot",
            "database_wait_timeout",
        ]
    )
    assert [(text.split()[0], text.split(". ")[-1]) for text in found] == [
        ("database_snapshot", "Set rollback_snapshot."),
        ("run_store", "Set rollback_store."),
        ("verify_base_url", "Set rollback_base_url."),
    ]


def test_the_options_of_roles_are_those_that_they_have():
    timeouts = {
        "database_wait_timeout",
        "checkpoint_wait_timeout",
        "salvage_timeout",
        "triage_timeout",
    }  # set nowhere else
    options = {
        name
        for path in (ROOT / "roles").glob("*/defaults/main.yml")
        for name in yaml.safe_load(path.read_text())
        if not name.startswith(("_", "verify_"))
    }
    assert options - timeouts == OF_ROLES


def test_what_playbooks_hand_on_may_come_back():
    assert unknown(["rollback_run", "rollback_triage"]) == []


def test_what_a_play_before_has_published_is_no_mistake():
    published = ["verify_result", "run_plan", "run_result", "code_plan"]
    assert unknown(published) == overriding(published) == []


def test_a_play_that_changes_something_takes_nothing_over_from_one_before():
    assert played_before(["rollback_cluster", "run_plan", "verify_result"]) == []
    (text,) = played_before(["run_plan", "run_lock"])
    assert "Start them one after the other" in text


def test_what_would_be_taken_for_what_a_role_has_published_is_refused():
    (text,) = overriding(["database_plan", "database_host"])
    assert text.startswith("database_plan is what a role tells others")
    assert text.endswith("Call it otherwise.")
