# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whatever a parser or a library raises ends in one sentence with its kind; its traceback is for -vvv; neither has secrets."""

from __future__ import annotations

import json

import boto3
import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.spymeo.rollback.plugins.module_utils._ansible.module import RollbackModule
from ansible_collections.spymeo.rollback.plugins.module_utils._ansible.result import PlainModule
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.rds import RdsGateway
from botocore.awsrequest import AWSResponse
from botocore.parsers import ResponseParserError

SECRET = "postgresql://ada:hunter2@db/app"
AWS = dict(region="eu-west-3", access_key="AKIA", secret_key="very-secret-key")


def answer_of(kind, work, capsys, verbosity=0, **arguments):
    """What a module of that kind answers whose work it is to call ``work(module)``."""
    internal = {"_ansible_verbosity": verbosity, "_ansible_module_name": "spymeo.rollback.some_module"}
    with patch_module_args({**arguments, **internal}):
        module = kind({})
        with pytest.raises(SystemExit), module.telling():
            work(module)
    return json.loads(capsys.readouterr().out)


def deep(_module):
    return json.loads("[" * 200_000)


def missing(_module):
    return {}["endpoint"]


def undecodable(_module):
    return b"\xff".decode()


def too_large(_module):
    raise MemoryError


def with_a_secret(_module):
    raise ValueError(f"cannot read {SECRET} password=hunter2 " + "x" * 1000)


@pytest.mark.parametrize("module", [PlainModule, RollbackModule])
@pytest.mark.parametrize(
    ("work", "told"),
    [
        (deep, "(RecursionError: maximum recursion depth exceeded"),
        (missing, "(KeyError: 'endpoint')"),
        (undecodable, "(UnicodeDecodeError: 'utf-8' codec"),
        (too_large, "(MemoryError)"),
        (with_a_secret, "(ValueError: cannot read postgresql://********@db/app password=********"),
    ],
)
def test_what_nobody_has_foreseen_is_one_sentence_with_its_kind(module, work, told, capsys):
    result = answer_of(module, work, capsys, **(AWS if module is RollbackModule else {}))
    assert result["failed"]
    assert result["msg"].startswith(f"some_module failed in a way that nobody has foreseen {told}")
    assert "run with -vvv" in result["msg"]
    assert "Traceback" not in str(result)
    assert "hunter2" not in str(result)
    assert len(result["msg"]) < 700


@pytest.mark.parametrize("module", [PlainModule, RollbackModule])
def test_at_vvv_there_is_the_traceback_without_secrets(module, capsys):
    result = answer_of(module, with_a_secret, capsys, 3, **(AWS if module is RollbackModule else {}))
    assert result["traceback"][0] == "Traceback (most recent call last):"
    assert any("in with_a_secret" in line for line in result["traceback"])
    assert "hunter2" not in str(result)


def html(request, **_event):
    return AWSResponse(request.url, 200, {"Content-Type": "text/html"}, Page())


class Page:
    """A portal's page, as urllib3 gives a body."""

    def stream(self, **_how):
        yield b"<html><body>Please log in</html>"


def test_a_page_instead_of_an_answer_is_told_as_what_it_is(capsys):
    def work(module):
        client = module.aws("rds")
        client.meta.events.register("before-send", html)
        RdsGateway(client).instance("db")

    result = answer_of(RollbackModule, work, capsys, **AWS)
    assert result["msg"].startswith("What came instead of an answer of AWS cannot be read (Unable to parse response")
    assert "such as a proxy or a portal" in result["msg"]


def test_one_part_that_breaks_leaves_the_others(capsys):
    def work(module):
        module.finish(
            changed=False,
            before={},
            after={},
            reason="",
            parts=[module.measuring(lambda: missing(module)), module.measuring(lambda: 1)],
        )

    (none, why), well = answer_of(RollbackModule, work, capsys, **AWS)["parts"]
    assert (none, well) == (None, [1, None])
    assert "KeyError: 'endpoint'" in why


def test_it_says_where_and_what_was_called(capsys, monkeypatch):
    def work(module):
        client = module.aws("rds")
        monkeypatch.setattr("botocore.parsers.QueryParser.parse", lambda *_: 1 / 0)
        client.meta.events.register("before-send", html)
        RdsGateway(client).instance("db")

    result = answer_of(RollbackModule, work, capsys, **AWS)
    assert "ZeroDivisionError" in result["msg"]
    assert "() of module_utils/_aws/rds.py, while calling DescribeDBInstances." in result["msg"]


def test_botocore_still_raises_what_we_take_for_a_page():
    client = boto3.client("rds", "eu-west-3", aws_access_key_id="a", aws_secret_access_key="b")
    client.meta.events.register("before-send", html)
    with pytest.raises(ResponseParserError):
        client.describe_db_instances()
