# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The outcome of a run that was stopped and gone on with tells what one tells that nobody stopped."""

from __future__ import annotations

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.whole_run import (
    joined,
    name_of,
    of_earlier_plays,
)

ARN = "arn:aws:secretsmanager:eu-west-3:123456789012:secret:%s-AbCdEf"
APP, URL = ARN % "production/app", ARN % "production/url"


def call(operation, outcome="ok", **of):
    return {"service": "x", "operation": operation, "of": of, "outcome": outcome}


def current(secret, source, target, outcome="ok"):
    label = {"SecretId": secret, "VersionStage": "AWSCURRENT", "MoveToVersionId": target, "RemoveFromVersionId": source}
    return call("UpdateSecretVersionStage", outcome, **label)


PINNED = call("UpdateSecretVersionStage", SecretId=URL, VersionStage="spymeo-rollback-pinned", MoveToVersionId="u2")
SETVAL = call("setval", host="restored.rds", sequences="2 sequences")


@pytest.mark.parametrize(
    ("journal", "calls", "details", "purpose", "lines"),
    [
        ([], [], [], "rollback", []),
        ([current(APP, "a1", "a2")], [], [], "rollback", ["SECRETS   production/app: a1 → a2"]),
        ([current(APP, "a1", "a2")], [], ["SECRETS   production/app: a1 → a2"], "rollback", []),
        ([current(APP, "a1", "a2", "unknown")], [], [], "rollback", []),  # it is told as a call of which nobody knows
        (
            [current(APP, "a1", "a2"), current(APP, "a2", "a3")],
            [],
            [],
            "rollback",
            ["SECRETS   production/app: a1 → a3"],
        ),
        # the database's own secret is told as DATABASE of a rollback, and as a secret of an undo
        ([PINNED, current(URL, "u1", "u2")], [], [], "rollback", []),
        ([PINNED, current(URL, "u1", "u2")], [], [], "undo", ["SECRETS   production/url: u1 → u2"]),
        ([current(URL, "u2", "u1")], [], [], "undo", ["SECRETS   production/url: u2 → u1"]),
        # another label is none that anybody reads
        ([call("UpdateSecretVersionStage", SecretId=APP, VersionStage="x", MoveToVersionId="a2")], [], [], "undo", []),
        (
            [call("PutParameter", Name="/app/level")],
            [],
            [],
            "rollback",
            ["SECRETS   /app/level: a new version was written"],
        ),
        ([call("PutParameter", Name="/app/level")], [], ["SECRETS   /app/level: version 2 → 3"], "rollback", []),
        (
            [SETVAL],
            [],
            ["CODE      app"],
            "rollback",
            [
                "IDS       2 sequences of restored.rds went beyond those of the database that was left, in an earlier play of this run"
            ],
        ),
        ([SETVAL], [SETVAL], [], "rollback", []),  # this play tells it
        ([call("setval", "57014", host="restored.rds", sequences="2 sequences")], [], [], "rollback", []),
    ],
)
def test_what_this_play_has_not_done_itself_is_told_by_the_journal(journal, calls, details, purpose, lines):
    assert of_earlier_plays(journal, calls, details, purpose) == lines


def test_of_sequences_that_an_earlier_play_has_moved_there_is_one_line():
    earlier = of_earlier_plays([SETVAL], [], ["IDS       2 were ahead already"], "rollback")

    assert joined(["IDS       2 were ahead already", "CHECK     b"], ["SECRETS   s", *earlier]) == [
        "IDS       2 were ahead already: 2 sequences of restored.rds went beyond those of the database that was left, in an earlier play of this run",
        "SECRETS   s",
        "CHECK     b",
    ]


def test_the_lines_stand_before_the_checks():
    assert joined(["CODE      a", "CHECK     b", "LEFT      c"], ["IDS       d"]) == [
        "CODE      a",
        "IDS       d",
        "CHECK     b",
        "LEFT      c",
    ]
    assert joined(["CODE      a"], ["IDS       d"]) == ["CODE      a", "IDS       d"]


@pytest.mark.parametrize(("secret", "name"), [(APP, "production/app"), ("production/app", "production/app")])
def test_a_secret_is_told_by_its_name(secret, name):
    assert name_of(secret) == name
