# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecr import Reference

HOST = "123456789012.dkr.ecr.eu-west-3.amazonaws.com"
DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("text", "repository", "tag", "digest"),
    [
        (f"{HOST}/app:1.4.2", "app", "1.4.2", None),
        (f"{HOST}/app", "app", "latest", None),
        (f"{HOST}/team/web-app@{DIGEST}", "team/web-app", None, DIGEST),
        (f"{HOST}/app:1.4.2@{DIGEST}", "app", None, DIGEST),
        (f"{HOST}.cn/app:v1", "app", "v1", None),
        (f"{HOST.replace('ecr.', 'ecr-fips.')}/app:v1", "app", "v1", None),
        ("123456789012.dkr-ecr.eu-west-3.on.aws/app:v1", "app", "v1", None),
    ],
)
def test_takes_a_reference_of_ecr_apart(text, repository, tag, digest):
    assert Reference.parse(text) == Reference("123456789012", "eu-west-3", repository, tag, digest)


@pytest.mark.parametrize(
    "text",
    [
        "nginx",
        "nginx:1.27",
        "docker.io/library/nginx:1",
        "public.ecr.aws/nginx/nginx:1",
        "localhost:5000/a",
        f"{HOST}/app:",
    ],
)
def test_what_is_not_in_a_private_registry_of_ecr_is_no_reference(text):
    assert Reference.parse(text) is None
