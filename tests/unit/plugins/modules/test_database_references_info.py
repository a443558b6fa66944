# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""database_references_info against whole answers of ECS, Secrets Manager and SSM."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HOST = "app-db.abc.eu-west-3.rds.amazonaws.com"
URL = f"postgresql://app:s3cr3t-value@{HOST}:5432/app"
SECRET = "arn:aws:secretsmanager:eu-west-3:123456789012:secret:app/url-AbCdEf"
PARAMETER = "/app/report-url"


@pytest.fixture
def look(aws, run_module):
    """Run it for a container with these secrets."""

    def run(*secrets, reads=lambda: None, **options):
        told = {"ARN": SECRET, "Name": "app/url", "LastChangedDate": NOON}
        aws.answer("secretsmanager", "describe_secret", told, {"SecretId": "app/url"})
        aws.answer("secretsmanager", "list_secret_version_ids", {"Versions": []})
        container = {
            "name": "app",
            "image": "app:1",
            "secrets": [{"name": name, "valueFrom": text} for name, text in secrets],
        }
        answer = {"taskDefinition": {"containerDefinitions": [container]}}
        aws.answer("ecs", "describe_task_definition", answer, {"taskDefinition": "app:1", "include": ["TAGS"]})
        reads()
        given = {"targets": {"app": "app:1"}, "database_secret": "app/url", "host": HOST, **options}
        return run_module("database_references_info", **given)

    return run


def test_what_follows_and_what_stays_behind_is_told_without_a_value(aws, look):
    parameter = {"Parameters": [{"Name": PARAMETER, "Value": URL}]}
    aws.answer("ssm", "get_parameters", parameter, {"Names": [PARAMETER], "WithDecryption": True})
    value = {"SecretString": json.dumps({"URL": URL})}
    reads = lambda: aws.answer("secretsmanager", "get_secret_value", value, {"SecretId": SECRET})  # noqa: E731
    result = look(("DATABASE_URL", f"{SECRET}:URL::"), ("REPORT_URL", PARAMETER), reads=reads)
    told = [(item["check"], item["subject"], item["verdict"]) for item in result["findings"]]
    assert told == [
        ("reference", "REPORT_URL", "noted"),
        ("reference", "DATABASE_URL", "passed"),
        ("cutover", "app", "passed"),
    ]
    assert "s3cr3t-value" not in json.dumps(result)


def test_a_cutover_that_reaches_nobody_fails_before_anything_has_changed(look):
    result = look()
    assert result["msg"].startswith("A new DATABASE_URL would not reach the application (of 1 checks, 1 failed).")
    assert "Correct rollback_database_secret" in result["msg"]
    assert "failed" not in look(fail_on_error=False)


@pytest.mark.parametrize("answer", [{"SecretString": "plain"}, {"SecretString": "[]"}, {"SecretBinary": b"x"}, None])
def test_a_secret_without_such_a_text_names_no_host(aws, look, answer):
    def reads():
        if answer is None:
            aws.refuse("secretsmanager", "get_secret_value", "ResourceNotFoundException")
        else:
            aws.answer("secretsmanager", "get_secret_value", answer)

    result = look(("DATABASE_URL", f"{SECRET}:URL::"), reads=reads)
    assert [item["check"] for item in result["findings"]] == ["cutover"]


def test_what_may_not_be_read_is_not_checked(aws, look):
    reads = lambda: aws.refuse("secretsmanager", "get_secret_value", "AccessDeniedException")  # noqa: E731
    result = look(("DATABASE_URL", SECRET), reads=reads)
    assert (result["verdict"], result["findings"][0]["verdict"]) == ("inconclusive", "inconclusive")
