# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs a module inside the test's process, against clients whose answers the test has set."""

from __future__ import annotations

import importlib
import json
import pathlib
import time
from types import SimpleNamespace

import boto3
import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.spymeo.rollback.plugins.module_utils._ansible.module import RollbackModule
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.lock import taken
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.store import ABSENT
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.run_repository import RunRepository
from ansible_collections.spymeo.rollback.plugins.module_utils._io import concurrency as _side_by_side
from ansible_collections.spymeo.rollback.plugins.module_utils._io.directory_store import DirectoryStore
from botocore.stub import Stubber

REGION, LEASE = "eu-west-3", 60
ROOT = pathlib.Path(__file__).parents[4]
WRITING = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["action_groups"]["writing"]
PLUGINS = "ansible_collections.spymeo.rollback.plugins.modules"


class Stubs:
    """One stubbed client a service. Answers are given in the order of the calls; each is checked against botocore's shapes."""

    def __init__(self):
        self._of = {}

    def _service(self, service):
        if service not in self._of:
            client = boto3.client(service, region_name=REGION, aws_access_key_id="AKIA", aws_secret_access_key="secret")
            stubber = Stubber(client)
            stubber.activate()
            self._of[service] = SimpleNamespace(client=client, stubber=stubber)
        return self._of[service]

    def client(self, service):
        """The client of a service, as boto3 names it."""
        return self._service(service).client

    def answer(self, service, operation, answer, expected=None):
        """The next call is ``operation`` (with the parameters ``expected``) and gets ``answer``."""
        self._service(service).stubber.add_response(operation, answer, expected)

    def refuse(self, service, operation, code, message="", expected=None):
        """The next call is ``operation`` and is refused with ``code``."""
        self._service(service).stubber.add_client_error(operation, code, message, expected_params=expected)

    def all_used(self):
        """Every call that the test announced was made."""
        for service in self._of.values():
            service.stubber.assert_no_pending_responses()


@pytest.fixture
def aws(monkeypatch):
    """The stubbed clients. A test ends with an error when a call that it announced was not made.

    They hand out their answers in the order of the calls, so one call comes after the other.
    """
    monkeypatch.setattr(_side_by_side, "SIDE_BY_SIDE", 1)
    stubs = Stubs()
    yield stubs
    stubs.all_used()


@pytest.fixture
def held(tmp_path_factory):
    """What a play gives its modules that write: the option ``run``, of a lock that it holds."""
    store = str(tmp_path_factory.mktemp("store"))
    memory = RunRepository(DirectoryStore(store), "production", "app")
    lock = taken(None, "rb-20261122-120000", "Roll back", "ada", "", time.time(), LEASE)
    memory.put_lock(lock, ABSENT)
    place = {"store": store, "environment": "production", "application": "app"}
    return {**place, "fencing": lock.fencing, "lease": LEASE}


@pytest.fixture
def run_module(aws, held, monkeypatch, capsys):
    """Run a module of ours by name with its options; gives its result (dict). One that writes has the lock, unless a test gives ``run``."""

    def run(name, check_mode=False, **options):
        if name in WRITING:
            options = {"run": held, **options}
        monkeypatch.setattr(RollbackModule, "aws", lambda _module, service: aws.client(service))
        module = importlib.import_module(f"{PLUGINS}.{name}")
        arguments = {"region": REGION, "_ansible_check_mode": check_mode, "_ansible_diff": True, **options}
        arguments = {name: value for name, value in arguments.items() if value is not None}
        with patch_module_args(arguments), pytest.raises(SystemExit):
            module.main()
        return json.loads(capsys.readouterr().out)

    return run
