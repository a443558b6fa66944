# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput, RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.secrets import (
    Secret,
    SecretVersion,
    StageMove,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.secrets.next_step import (
    choose_version,
    may_be_unread,
    plan_move,
    refuse_unusable,
    write_token,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.secrets.select_version import Recorded
from hypothesis import given
from hypothesis import strategies as st

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
REGION = "eu-west-3"


def at(minutes):
    return NOON + timedelta(minutes=minutes)


def secret(*versions, **more):
    """A secret of versions (id, minutes after noon, stages)."""
    found = tuple(SecretVersion(name, tuple(stages), at(minutes)) for name, minutes, stages in versions)
    ordered = tuple(sorted(found, key=lambda version: version.created, reverse=True))
    return Secret(name="app/key", arn="arn:app/key", changed=NOON, versions=ordered, **more)


ROTATED = secret(("old", -90, []), ("good", -60, ["AWSPREVIOUS"]), ("bad", -1, ["AWSCURRENT"]))


def test_chooses_the_newest_version_older_than_the_bad_release():
    assert choose_version(ROTATED, at(-5)).target == "good"


def test_does_not_follow_awsprevious_when_the_secret_changed_twice_during_the_bad_release():
    twice = secret(("good", -60, []), ("bad-1", -3, ["AWSPREVIOUS"]), ("bad-2", -1, ["AWSCURRENT"]))
    assert choose_version(twice, at(-5)).target == "good"


def test_stays_once_it_was_brought_back():
    back = secret(("good", -60, ["AWSCURRENT"]), ("bad", -1, ["AWSPREVIOUS"]))
    choice = choose_version(back, at(-5))
    assert choice.target == "good"
    assert plan_move(back, choice.target) is None


MOVED_BACK = secret(("good", -60, ["AWSCURRENT"]), ("bad", -30, ["AWSPREVIOUS"]))  # changed last at noon
PUT = secret(("good", -60, ["AWSPREVIOUS"]), ("bad", -30, ["AWSCURRENT"]))


@pytest.mark.parametrize(
    ("what", "started", "unread"),
    [
        (MOVED_BACK, -10, True),  # it has read what was current in between
        (MOVED_BACK, -40, False),  # it has read what is current again
        (MOVED_BACK, 1, False),
        (PUT, -40, True),
        (PUT, -10, False),  # whatever was changed since, as a tag, it was no value
        (secret(("good", -60, ["AWSCURRENT"]), ("new", -30, ["AWSPENDING"])), -10, False),  # it never was current
    ],
)
def test_a_task_that_was_there_before_its_secret_became_current_may_have_read_another_value(what, started, unread):
    assert may_be_unread(what, at(started)) is unread


def test_stays_when_no_bad_release_is_known():
    assert choose_version(ROTATED, None).target == "bad"


def test_refuses_when_no_version_is_old_enough_and_names_the_candidates():
    with pytest.raises(
        BadInput,
        match=r"no version of it was created before .*bad \(AWSCURRENT, .*good \(AWSPREVIOUS, .*old \(no label",
    ) as refused:
        choose_version(ROTATED, at(-120))
    assert refused.value.option == "secrets"


def test_refuses_two_versions_of_the_same_moment():
    twins = secret(("one", -60, []), ("two", -60, []), ("bad", -1, ["AWSCURRENT"]))
    with pytest.raises(BadInput, match="two versions were created"):
        choose_version(twins, at(-5))


def test_stays_on_an_older_version_that_was_brought_back_when_the_next_bad_release_comes():
    """The newest version before that release is the one of the first bad release."""
    back = secret(("good", -60, ["AWSCURRENT"]), ("bad", -30, ["AWSPREVIOUS"]))
    assert choose_version(back, at(-5)).target == "good"


def test_refuses_when_the_newest_older_version_had_lost_awscurrent_before_the_bad_release():
    twice = secret(("good", -60, ["AWSPREVIOUS"]), ("rolled-back-from", -30, []), ("bad", -1, ["AWSCURRENT"]))
    with pytest.raises(
        BadInput, match=r"rolled-back-from is the newest, but good was current last .*rollback_secret_versions"
    ):
        choose_version(twice, at(-5))
    assert choose_version(twice, at(-5), named="good").target == "good"


@pytest.mark.parametrize("label", ["AWSPENDING", "spymeo-rollback-pending-rb-1"])
def test_never_chooses_a_version_that_was_written_and_never_became_current(label):
    written = secret(("good", -60, ["AWSPREVIOUS"]), ("tried", -30, [label]), ("bad", -1, ["AWSCURRENT"]))
    assert choose_version(written, at(-5)).target == "good"


def test_a_label_of_somebody_else_says_nothing_against_a_version():
    labelled = secret(("good", -60, ["AWSPREVIOUS"]), ("newer", -30, ["audited"]), ("bad", -1, ["AWSCURRENT"]))
    with pytest.raises(BadInput, match="newer is the newest, but good"):
        choose_version(labelled, at(-5))


def test_the_named_version_comes_before_the_recorded_one_and_that_before_any_other():
    recorded = Recorded("old", "release point cp-1")
    assert choose_version(ROTATED, at(-5), "bad", recorded).target == "bad"
    choice = choose_version(ROTATED, at(-5), None, recorded)
    assert (choice.target, choice.reason) == ("old", "release point cp-1 recorded it")
    assert choose_version(ROTATED, None, None, recorded).target == "old"


@pytest.mark.parametrize(
    ("named", "recorded", "words"),
    [
        ("gone", None, "no longer, the version gone that rollback_secret_versions names"),
        (None, Recorded("gone", "release point cp-1"), "the version gone that release point cp-1 recorded"),
    ],
)
def test_refuses_a_version_that_was_pruned_and_names_the_candidates(named, recorded, words):
    with pytest.raises(BadInput, match=words + r".*bad \(AWSCURRENT, .*good \(AWSPREVIOUS"):
        choose_version(ROTATED, at(-5), named, recorded)


@given(st.lists(st.integers(-100, 100), min_size=1, unique=True), st.integers(-100, 100))
def test_whatever_it_chooses_is_older_than_the_bad_release_and_nothing_lies_between(ages, began):
    versions = [(str(age), age, ["AWSCURRENT"] if age == max(ages) else []) for age in ages]
    older = [age for age in ages if age < began]
    if older:
        assert choose_version(secret(*versions), at(began)).target == str(max(older))
    else:
        with pytest.raises(BadInput):
            choose_version(secret(*versions), at(began))


@pytest.mark.parametrize(
    ("unusable", "error", "words"),
    [
        (
            secret(("a", -9, ["AWSCURRENT"]), ("b", -1, ["AWSPENDING"])),
            RollbackError,
            "A rotation of secret app/key is under way",
        ),
        (secret(("a", -9, ["AWSCURRENT"]), primary_region="eu-west-1"), BadInput, "its primary is in eu-west-1"),
        (secret(("a", -9, ["AWSCURRENT"]), deleted=NOON), BadInput, "scheduled for deletion on 2026-"),
        (secret(("a", -9, [])), RollbackError, "no version labelled AWSCURRENT"),
    ],
)
def test_refuses_a_secret_that_cannot_be_written(unusable, error, words):
    with pytest.raises(error, match=words):
        refuse_unusable("secrets", unusable, REGION)


def test_a_finished_rotation_and_a_primary_in_this_region_are_usable():
    usable = secret(("a", -9, ["AWSCURRENT", "AWSPENDING"]), primary_region=REGION)
    assert refuse_unusable("secrets", usable, REGION) is None


def test_moves_from_the_current_version_to_the_target():
    assert plan_move(ROTATED, "good") == StageMove("app/key", "arn:app/key", "bad", "good")


def test_refuses_a_target_that_was_pruned():
    with pytest.raises(RollbackError, match="has no version gone"):
        plan_move(ROTATED, "gone")


def test_a_run_writes_one_version_an_address_however_often_it_is_started():
    assert write_token("rb-1", "arn", "db", 5432) == write_token("rb-1", "arn", "db", 5432)
    others = {
        write_token("rb-2", "arn", "db", 5432),
        write_token("rb-1", "arn", "db", 5433),
        write_token("rb-1", "arn", "dc", 5432),
    }
    assert write_token("rb-1", "arn", "db", 5432) not in others
    assert len(others) == 3
    assert 32 <= len(write_token("rb-1", "arn", "db", 5432)) <= 64  # what ClientRequestToken may be
