# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What ``rollback_store`` may say."""

from __future__ import annotations

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.store_location import (
    Bucket,
    StoreDirectory,
    store_of,
    vanishes,
)

IN_A_CONTAINER = {"AWX_ISOLATED_DATA_DIR": "/runner/artifacts/7"}
ON_THE_MACHINE = {"AWX_ISOLATED_DATA_DIR": "/tmp/awx_7/artifacts/7", "AWX_PRIVATE_DATA_DIR": "/tmp/awx_7"}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("/srv/rollback", StoreDirectory("/srv/rollback", False)),
        ("~/rollback", StoreDirectory("~/rollback", False)),
        ("vanishing:/tmp/x", StoreDirectory("/tmp/x", True)),
        ("s3://spymeo-rollback", Bucket("spymeo-rollback", "")),
        ("s3://spymeo-rollback/", Bucket("spymeo-rollback", "")),
        ("s3://spymeo-rollback/eu/runs", Bucket("spymeo-rollback", "eu/runs")),
        ("s3:/spymeo-rollback", None),
        ("s3://Spymeo_Rollback/x", None),
        ("s3://spymeo-rollback/a b", None),
        ("rollback", None),
        ("vanishing:rollback", None),
        ("", None),
        ("https://spymeo-rollback.s3.amazonaws.com", None),
    ],
)
def test_a_store_is_a_directory_or_a_bucket(text, place):
    assert store_of(text) == place


@pytest.mark.parametrize(
    ("path", "environment", "on_root", "words"),
    [
        ("/home/ada/.local/state/spymeo-rollback", {}, True, None),
        ("/home/ada/.local/state/spymeo-rollback", ON_THE_MACHINE, True, None),
        ("/tmp/awx_7/project/store", ON_THE_MACHINE, True, "below /tmp/awx_7"),
        ("/root/.local/state/spymeo-rollback", IN_A_CONTAINER, True, "in a container"),
        ("/var/lib/rollback", IN_A_CONTAINER, False, None),
        ("/runner/artifacts/7/store", IN_A_CONTAINER, False, "below /runner/artifacts/7"),
    ],
)
def test_a_directory_that_goes_with_the_job_is_told(path, environment, on_root, words):
    told = vanishes(path, environment, on_root)
    assert (told is None) if words is None else (words in told)
