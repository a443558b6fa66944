# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every module that talks to AWS shares: its clients, and what botocore's errors mean to a person."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any, NoReturn, TypeVar

try:
    import boto3
    import botocore.session
    from botocore.config import Config
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        EndpointConnectionError,
        NoCredentialsError,
        NoRegionError,
        PartialCredentialsError,
    )
    from botocore.parsers import ResponseParserError

    # What botocore raises where a call to AWS comes to no good answer; ResponseParserError is none of its BotoCoreErrors.
    AWS_ERRORS: tuple[type[Exception], ...] = (BotoCoreError, ClientError, ResponseParserError)
except ImportError as missing:
    BOTOCORE_MISSING: ImportError | None = missing  # AnsibleAWSModule tells the person which library to install
    AWS_ERRORS = ()
else:
    BOTOCORE_MISSING = None

from ansible_collections.amazon.aws.plugins.module_utils.botocore import get_aws_connection_info
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.spymeo.rollback.plugins.module_utils._ansible.result import Telling
from ansible_collections.spymeo.rollback.plugins.module_utils._core.absence import said
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import REFUSALS, RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.run import UNKNOWN
from ansible_collections.spymeo.rollback.plugins.module_utils._core.unforeseen import unforeseen
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.journal import record_calls
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.lease import OK, Lease
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.open_store import open_store
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.run_repository import RunRepository
from ansible_collections.spymeo.rollback.plugins.module_utils._io.control_process import Player

REJECTED_CREDENTIALS = (
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "ExpiredTokenException",
)
# As M(rollback_begin) gives it.
RUN = dict(
    store=dict(type="str"),
    environment=dict(type="str"),
    application=dict(type="str"),
    fencing=dict(type="int"),
    lease=dict(type="int"),
)


T = TypeVar("T")
_loaders: list[Any] = []  # one for all sessions of a process


def _core() -> botocore.session.Session:
    """A botocore session that has read the services' descriptions already when one of this process, or of its parent, has.

    They are 0.08 s of the first client of each session (measured).
    """
    core = botocore.session.Session()
    if not _loaders:
        _loaders.append(core.get_component("data_loader"))
    core.register_component("data_loader", _loaders[0])
    return core


def read_descriptions(*services: str) -> None:
    """Let this process, and those that are forked from it, make clients of these services sooner. Calls nobody."""
    if BOTOCORE_MISSING:
        return
    session: Any = boto3.session.Session(botocore_session=_core())
    for service in services:
        session.client(service, region_name="eu-west-3", aws_access_key_id="-", aws_secret_access_key="-")


class RollbackModule(Telling, AnsibleAWSModule):  # type: ignore[misc]  # amazon.aws has no types
    """A module that talks to AWS; supports check mode and diff, and ends with ``finish`` or with a message."""

    def __init__(self, argument_spec: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(argument_spec=argument_spec, supports_check_mode=True, **kwargs)
        self._session: Any = None
        self._making = threading.Lock()

    def aws(self, service: str) -> Any:
        """A boto3 client. Retries are explicit: botocore 1.44 changed its defaults.

        All clients share one session: a session of its own costs each of them 0.1 s more (measured). It is no session for several threads at a time
        (boto3's documentation, "Multithreading with clients"), so they take turns.
        """
        region, endpoint_url, options = get_aws_connection_info(self)
        profile, own = options.pop("profile_name", None), options.pop("aws_config", None)
        config = Config(retries={"mode": "standard", "total_max_attempts": 6}, connect_timeout=5, read_timeout=30)
        config = config.merge(own) if own else config
        with self._making:
            if self._session is None:
                self._session = boto3.session.Session(profile_name=profile, botocore_session=_core())
            return self._session.client(
                service, region_name=region, endpoint_url=endpoint_url, config=config, **options
            )

    def measuring(self, measure: Callable[[], T]) -> tuple[T, None] | tuple[None, str]:
        """(what ``measure()`` gives, None), or (None, why it could not be measured)."""
        try:
            return measure(), None
        except RollbackError as error:
            return None, " ".join([error.message, *error.evidence])
        except AWS_ERRORS as error:
            return None, explain(error, self.params.get("endpoint_url"), self.region)
        except Exception as error:  # noqa: BLE001 - one part that breaks must not take the others with it
            return None, unforeseen(error, self._name)

    @contextlib.contextmanager
    def telling(self) -> Iterator[None]:
        """Turn whatever stops the work inside into one message for a person, once, here."""
        with super().telling():
            try:
                yield
            except AWS_ERRORS as error:
                raise RollbackError(explain(error, self.params.get("endpoint_url"), self.region)) from error


class WritingModule(RollbackModule):
    """A module whose writing calls belong to a run: each is intended and recorded in the run's lock and journal.

    It tells them in its result, too, be it a success or a failure, since the store may be gone. Without a run it calls nobody,
    but in check mode, where nothing is written.
    """

    def __init__(self, argument_spec: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(dict(argument_spec, run=dict(type="dict", options=RUN)), **kwargs)
        self._lease: Lease | None = None

    @contextlib.contextmanager
    def telling(self) -> Iterator[None]:
        with super().telling():
            if not self.check_mode:
                refuse_without_run(self.params["run"])
            yield

    def aws(self, service: str) -> Any:
        client, run = super().aws(service), self.params["run"]
        if not self.check_mode:
            record_calls(client, self._held(run))
        return client

    def recording(self, service: str, operation: str, of: dict[str, Any], call: Callable[[], T]) -> T:
        """What ``call()`` gives, which changes something that AWS's API does not know, as a writing call of the run.

        :param service, operation: what is called, in its own terms.
        :param of: the names of what it is about (dict).
        :raises Lost: the lock is not ours any more; nothing was called.
        """
        lease = self._held(self.params["run"])
        intent = lease.intend(service, operation, of)
        outcome = UNKNOWN
        try:
            answer = call()
            outcome = OK
        finally:
            lease.record(intent, outcome)
        return answer

    def exit_json(self, **result: Any) -> NoReturn:
        super().exit_json(calls=self._calls(), **result)

    def fail_json(self, msg: str, **result: Any) -> NoReturn:
        super().fail_json(msg, calls=self._calls(), **result)

    def _calls(self) -> list[dict[str, Any]]:
        """What was called and what became of it. A parameter that is refused ends the module before it has a lease."""
        lease = getattr(self, "_lease", None)
        return lease.calls if lease else []

    def _held(self, run: dict[str, Any]) -> Lease:
        if self._lease is None:
            store = open_store(run["store"], lambda: super(WritingModule, self).aws("s3"))
            memory = RunRepository(store, run["environment"], run["application"])
            self._lease = Lease(memory, self.params["run_id"], run["fencing"], run["lease"], Player().gone)
        return self._lease


def refuse_without_run(run: dict[str, Any] | None) -> None:
    """
    :param run: the option ``run``, or None.
    :raises RollbackError: nobody has taken the lock, so that two could change the same thing at once, and nobody could tell what was done.
    """
    given = run or {}
    lacking = [name for name in RUN if given.get(name) is None]
    if lacking:
        raise RollbackError(
            "Nothing was called: this module changes production only for a run that holds its lock, and its option run %s. "
            "Take the lock with spymeo.rollback.rollback_begin, and pass on what that returns as run, as the playbooks do; check mode needs none."
            % ("is empty" if len(lacking) == len(RUN) else "lacks " + ", ".join(lacking))
        )


def explain(error: Exception, endpoint_url: str | None, region: str | None) -> str:
    """One or two sentences for a botocore error: what happened and what to do. No request values: they may be secrets."""
    if isinstance(error, (NoCredentialsError, PartialCredentialsError)):
        return (
            "There are no complete AWS credentials (%s). Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, attach the AWS credential to the "
            "job template, or set rollback_aws.profile." % error
        )
    if isinstance(error, NoRegionError):
        return "There is no AWS region. Set rollback_region."
    if isinstance(error, EndpointConnectionError):
        where = endpoint_url or "AWS's endpoint"
        return (
            "%s in %s cannot be reached (%s). Check rollback_region, rollback_aws.endpoint_url and the network of this machine."
            % (where, region, error)
        )
    if isinstance(error, ClientError):
        return _explain_answer(error)
    if isinstance(error, ResponseParserError):
        return (
            "What came instead of an answer of AWS cannot be read (%s). Something on the way has answered, such as a proxy or a portal: look at "
            "the network of this machine and at rollback_aws.endpoint_url." % said(error)
        )
    return "The call to AWS failed: %s" % error


def _explain_answer(error: ClientError) -> str:
    answer = error.response.get("Error", {})
    code, message = answer.get("Code", "without a code"), answer.get("Message", "")
    if code in REJECTED_CREDENTIALS:
        return "AWS does not accept the credentials (%s: %s). Renew them, then run again." % (code, message)
    if code in REFUSALS:
        return "These credentials may not call %s (%s). docs/permissions.md lists what is needed." % (
            error.operation_name,
            message,
        )
    return "AWS refused %s with %s: %s" % (error.operation_name, code, message)
