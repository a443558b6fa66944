# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.secrets import LABELS, Secret, SecretVersion
from ansible_collections.spymeo.rollback.plugins.module_utils._core.secrets.labels import describe_labelling, plan_label
from hypothesis import given
from hypothesis import strategies as st

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
OURS = "spymeo-release-"


def secret(*stages):
    """A secret whose versions, oldest first, bear these labels; the newest one is current, too."""
    last = len(stages) - 1
    versions = [
        SecretVersion(
            f"v{place}", (*labels, *(["AWSCURRENT"] if place == last else [])), NOON + timedelta(minutes=place)
        )
        for place, labels in enumerate(stages)
    ]
    return Secret("app", "arn:app", NOON, tuple(reversed(versions)))


def many(count):
    return [f"audit-{number}" for number in range(count)]


@pytest.mark.parametrize(
    ("stages", "label", "new", "dropped", "loser"),
    [
        ([[]], "spymeo-release-cp-9", True, None, None),
        ([[OURS + "cp-1"]], OURS + "cp-1", False, None, None),  # the same value as at an earlier release
        ([[OURS + "cp-1"], []], OURS + "cp-9", True, None, None),
        ([[OURS + "cp-1"], many(15), []], OURS + "cp-9", True, None, None),  # 17 with AWSCURRENT
        ([[OURS + "cp-1"], many(16), []], OURS + "cp-9", True, OURS + "cp-1", "v0"),  # two stay free
        ([many(16), [OURS + "cp-1"], [OURS + "cp-2"], []], OURS + "cp-9", True, OURS + "cp-1", "v1"),
        ([many(18), []], OURS + "cp-9", True, None, None),  # none to give up, but still room
    ],
)
def test_what_is_labelled_and_which_label_gives_way(stages, label, new, dropped, loser):
    step = plan_label(secret(*stages), OURS + "cp-9", OURS)
    assert (step.label, step.new, step.dropped, step.loser) == (label, new, dropped, loser)


def test_a_secret_full_of_other_labels_is_refused_and_they_are_listed():
    with pytest.raises(BadInput, match=r"rollback_secrets .*'app': it has 20 labels.*audit-0, audit-1"):
        plan_label(secret(many(19), []), OURS + "cp-9", OURS)


def test_what_is_given_up_is_told():
    assert describe_labelling(plan_label(secret([OURS + "cp-1"], many(16), []), OURS + "cp-9", OURS)) == [
        "app: spymeo-release-cp-1 is taken away from version v0, the oldest, because the secret has no label left; AWS may prune that version",
        "app: version v2 is kept by the label spymeo-release-cp-9",
    ]
    assert describe_labelling(plan_label(secret([OURS + "cp-1"]), OURS + "cp-9", OURS)) == []


@given(st.lists(st.integers(0, 6), min_size=1, max_size=6), st.integers(0, 19))
def test_never_more_labels_than_aws_allows_and_the_current_version_has_one_of_ours(ours, others):
    stages = [[f"{OURS}{place}-{number}" for number in range(count)] for place, count in enumerate(ours)]
    whole = secret(many(others), *stages)
    used = sum(len(item.stages) for item in whole.versions)
    if used > LABELS:
        return
    try:
        step = plan_label(whole, OURS + "cp-9", OURS)
    except BadInput:
        assert (used, sum(ours)) == (LABELS, 0)
        return
    assert used + step.new - (step.dropped is not None) <= LABELS
    assert step.new or step.label in step.version.stages
    assert step.loser != step.version.id
