# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules share that read and write what is remembered of runs. They start boto3 only for a store in S3."""

from __future__ import annotations

import getpass
import os
import socket
from typing import Any

from ansible.module_utils.basic import env_fallback
from ansible_collections.spymeo.rollback.plugins.module_utils._ansible.result import PlainModule
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.store_location import DEFAULT
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.open_store import open_store
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.run_repository import RunRepository

# amazon.aws's connection options, by its names and aliases, as far as S3 needs them: importing amazon.aws itself takes 0.4 s.
CONNECTION: dict[str, dict[str, Any]] = dict(
    access_key=dict(
        type="str",
        aliases=["aws_access_key_id", "aws_access_key"],
        fallback=(env_fallback, ["AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY"]),
        no_log=False,
    ),
    secret_key=dict(
        type="str",
        aliases=["aws_secret_access_key", "aws_secret_key"],
        fallback=(env_fallback, ["AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY"]),
        no_log=True,
    ),
    session_token=dict(
        type="str", aliases=["aws_session_token"], fallback=(env_fallback, ["AWS_SESSION_TOKEN"]), no_log=True
    ),
    profile=dict(type="str", aliases=["aws_profile"], fallback=(env_fallback, ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"])),
    endpoint_url=dict(type="str", aliases=["aws_endpoint_url"], fallback=(env_fallback, ["AWS_URL"])),
    region=dict(type="str", aliases=["aws_region"], fallback=(env_fallback, ["AWS_REGION", "AWS_DEFAULT_REGION"])),
    validate_certs=dict(type="bool", default=True),
    aws_ca_bundle=dict(type="path", fallback=(env_fallback, ["AWS_CA_BUNDLE"])),
    aws_config=dict(type="dict"),
    debug_botocore_endpoint_logs=dict(
        type="bool", default=False, fallback=(env_fallback, ["ANSIBLE_DEBUG_BOTOCORE_LOGS"])
    ),
)
OPTIONS = dict(
    store=dict(type="str", default=DEFAULT),
    aws=dict(type="dict", options=CONNECTION, apply_defaults=True),
    environment=dict(type="str", default=""),
    application=dict(type="str", default=""),
)


class MemoryModule(PlainModule):
    """A module that knows where the runs of an application are remembered."""

    def __init__(self, argument_spec: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(dict(OPTIONS, **argument_spec), **kwargs)

    def memory(self) -> RunRepository:
        """The RunRepository that the options name.

        :raises BadInput: ``store`` is none.
        """
        store = open_store(self.params["store"], lambda: self.aws("s3"))
        return RunRepository(store, self.params["environment"], self.params["application"])

    def aws(self, service: str) -> Any:
        """A boto3 client. boto3 takes 0.3 s to start, so that whoever needs none does not wait for it."""
        from ansible_collections.spymeo.rollback.plugins.module_utils._aws.s3_store import client_of

        return client_of(self.params["aws"], service)


def whoever() -> str:
    """Who runs this process: ``user@machine``, in AWX with the job's number."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container may give its processes an id without a name
        user = str(os.getuid())
    job = os.environ.get("JOB_ID")
    return "%s@%s%s" % (user, socket.gethostname(), ", AWX job %s" % job if job else "")
