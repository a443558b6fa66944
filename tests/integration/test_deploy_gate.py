# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The gate for pipelines without Ansible asks S3 with the real AWS CLI, and the examples of pipelines are played step by step."""

from __future__ import annotations

import contextlib
import http.server
import shutil
import socket
import socketserver
import subprocess
import threading
import time

import pytest
import yaml
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.hold import lifted, placed
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.store import as_json, key_of

from hostile import ATTACK
from loopback_aws.lab import REGION

from .conftest import BIN, CLIENTS, ROOT

GATE = ROOT / "extensions/ci/deploy-gate"
BUCKET = "spymeo-gate"
HOLD = f"s3://{BUCKET}/runs/lab/spymeo-lab/hold"
KEY = HOLD.removeprefix(f"s3://{BUCKET}/")
FREE, HELD, CANNOT_TELL = 0, 1, 2
STANDING = placed("anne@laptop", "2026-11-28 22:00:00 UTC", "run rb-1 (full)", "rb-1")
LIFTED = lifted(STANDING, "bob", "2026-11-28 23:00:00 UTC")
DENIED = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>Access Denied\x1b[2J</Message></Error>"


@pytest.fixture(scope="module")
def lab(shared_production):
    """A production with an empty store in S3."""
    shared_production.aws("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    return shared_production


def record(lab, text):
    """Have this text recorded, or nothing; bytes, or what is stored as JSON."""
    s3 = lab.aws("s3")
    if text is None:
        s3.delete_object(Bucket=BUCKET, Key=KEY)
    else:
        s3.put_object(Bucket=BUCKET, Key=KEY, Body=text if isinstance(text, bytes) else as_json(text).encode())


def environment(lab, **more):
    """What a pipeline's shell has: the AWS CLI is one that a newcomer need not have."""
    known = lab.environment(SPYMEO_LAB_STORE=f"s3://{BUCKET}/runs", ANSIBLE_COLLECTIONS_PATH=str(ROOT / "collections"))
    return {**known, "PATH": f"{BIN}:{CLIENTS}:{known['PATH']}", "DEPLOY_GATE_TIMEOUT": "60", "HOLD": HOLD, **more}


def ask(lab, where=HOLD, **more):
    """(exit code, what was printed) of the gate."""
    done = subprocess.run(
        ["sh", GATE, where], env=environment(lab, **more), capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("text", "answer", "words"),
    [
        (LIFTED, FREE, "no hold stands"),
        ({"standing": False}, FREE, "no hold stands"),
        (STANDING, HELD, "anne@laptop holds deployments back since 2026-11-28 22:00:00 UTC: run rb-1 (full)"),
        (placed("x", "y", '","standing":false,"z":"'), HELD, "DO NOT DEPLOY"),
        (placed(ATTACK, "now", ATTACK), HELD, "DO NOT DEPLOY"),
        (b"", CANNOT_TELL, "the record is empty"),
        (as_json(LIFTED).encode()[:-20], CANNOT_TELL, "was cut"),
        (b"<html>please log in</html>", CANNOT_TELL, "is not what this collection writes"),
        (None, CANNOT_TELL, "nothing has ever been recorded"),
    ],
)
def test_what_is_recorded_decides(lab, text, answer, words):
    record(lab, text)
    code, output = ask(lab)
    assert code == answer, output
    assert words in output
    assert "\x1b" not in output
    assert all(line.startswith("deploy-gate: ") for line in output.splitlines()), output


@pytest.mark.parametrize(
    ("where", "words"),
    [
        (f"s3://{BUCKET}/run/lab/spymeo-lab/hold", "nothing has ever been recorded"),
        ("s3://spymeo-nowhere/runs/lab/spymeo-lab/hold", "there is no bucket spymeo-nowhere"),
    ],
)
def test_a_mistyped_place_never_opens(lab, where, words):
    record(lab, LIFTED)
    code, output = ask(lab, where)
    assert (code, words in output) == (CANNOT_TELL, True), output


class Denying(http.server.BaseHTTPRequestHandler):
    """S3 as it answers whoever may not ask."""

    def do_GET(self):
        self.send_response(403)
        self.send_header("Content-Length", str(len(DENIED)))
        self.end_headers()
        self.wfile.write(DENIED)

    def log_message(self, *_arguments):
        """Say nothing: the default writes to standard error."""


class Silent(socketserver.BaseRequestHandler):
    """A server that takes a request and never answers."""

    def handle(self):
        time.sleep(30)


@contextlib.contextmanager
def serving(handler):
    """The URL of a server on this machine."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads, server.block_on_close = True, False
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield "http://127.0.0.1:%d" % server.server_address[1]
        server.shutdown()


def test_a_refusal_never_opens_and_is_told(lab):
    with serving(Denying) as url:
        code, output = ask(lab, AWS_ENDPOINT_URL=url)
    assert code == CANNOT_TELL
    assert "AWS denies reading" in output
    assert "\x1b" not in output


def test_silence_never_opens(lab):
    began = time.monotonic()
    with serving(Silent) as url:
        code, output = ask(lab, AWS_ENDPOINT_URL=url, DEPLOY_GATE_TIMEOUT="3")
    assert (code, "no answer came within 3 s" in output) == (CANNOT_TELL, True), output
    assert time.monotonic() - began < 20


def test_no_network_and_no_credentials_never_open(lab):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound, not listening
        code, output = ask(lab, AWS_ENDPOINT_URL="http://127.0.0.1:%d" % closed.getsockname()[1], AWS_MAX_ATTEMPTS="1")
    assert (code, "Could not connect" in output) == (CANNOT_TELL, True), output
    nobody = {
        "AWS_ACCESS_KEY_ID": "",
        "AWS_SECRET_ACCESS_KEY": "",
        "AWS_EC2_METADATA_DISABLED": "true",
        "HOME": "/nowhere",
    }
    code, output = ask(lab, **nobody)
    assert code == CANNOT_TELL, output


def github_steps():
    """The shell of each step of the example for GitHub Actions, and the variables that it sets, but for HOLD."""
    (job,) = yaml.safe_load((ROOT / "extensions/ci/github-actions.yml").read_text())["jobs"].values()
    assert job["env"]["RELEASE"] == "${{ github.ref_name }}"
    return [step["run"] for step in job["steps"] if "run" in step], {"RELEASE": "v2.0.0"}, ".github/deploy-gate"


def gitlab_steps():
    """The same of GitLab's, where CI_COMMIT_TAG is set by GitLab."""
    job = yaml.safe_load((ROOT / "extensions/ci/gitlab-ci.yml").read_text())["deploy"]
    return job["script"], {"CI_COMMIT_TAG": "v2.0.0"}, "ci/deploy-gate"


PIPELINES = {"github": github_steps, "gitlab": gitlab_steps}


@pytest.fixture(params=PIPELINES)
def pipeline(request, tmp_path):
    """Plays an example in a repository that has the gate and a program that deploys; gives the exit code and the output."""
    steps, variables, gate = PIPELINES[request.param]()
    (tmp_path / gate).parent.mkdir()
    shutil.copy(GATE, tmp_path / gate)
    shutil.copytree(ROOT / "lab/app/migrations", tmp_path / "prisma/migrations")
    (tmp_path / "deploy").write_text('#!/bin/sh\necho "$1" > deployed\n')
    (tmp_path / "deploy").chmod(0o755)

    def play(lab, **more):
        told = ""
        for step in steps:
            known = environment(lab, INVENTORY=str(ROOT / "inventories/lab"), **variables, **more)
            done = subprocess.run(
                ["bash", "-eo", "pipefail", "-c", step],
                env=known,
                cwd=tmp_path,
                capture_output=True,
                text=True,
                check=False,
            )
            told += done.stdout + done.stderr
            if done.returncode:
                return done.returncode, told
        return 0, told

    return play


def test_a_pipeline_makes_a_release_point_and_deploys(lab, pipeline, tmp_path):
    record(lab, LIFTED)
    code, output = pipeline(lab)
    assert code == 0, output
    assert "release point" in output
    assert output.count("no hold stands") == 2
    assert (tmp_path / "deployed").read_text() == "v2.0.0\n"


@pytest.mark.parametrize(("text", "answer"), [(STANDING, HELD), (None, CANNOT_TELL)])
def test_a_pipeline_stops_before_anything_is_done(lab, pipeline, tmp_path, text, answer):
    record(lab, text)
    assert pipeline(lab)[0] == answer
    assert not (tmp_path / "deployed").exists()


def test_a_rollback_that_begins_meanwhile_stops_a_pipeline_right_before_it_deploys(lab, pipeline, tmp_path):
    record(lab, LIFTED)
    (tmp_path / "standing").write_text(as_json(STANDING))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/ansible-playbook").write_text(f"#!/bin/sh\naws s3 cp {tmp_path}/standing {HOLD}\n")
    (tmp_path / "bin/ansible-playbook").chmod(0o755)
    code, output = pipeline(lab, PATH=f"{tmp_path}/bin:{environment(lab)['PATH']}")
    assert code == HELD, output
    assert "no hold stands" in output
    assert "DO NOT DEPLOY" in output
    assert not (tmp_path / "deployed").exists()


def test_the_examples_ask_where_the_inventory_of_production_records():
    variables = yaml.safe_load((ROOT / "inventories/production/group_vars/all/main.yml").read_text())
    (host,) = yaml.safe_load((ROOT / "inventories/production/hosts.yml").read_text())["all"]["hosts"]
    place = f"{variables['rollback_store']}/{key_of(variables['rollback_environment'], host)}/hold"
    (job,) = yaml.safe_load((ROOT / "extensions/ci/github-actions.yml").read_text())["jobs"].values()
    gitlab = yaml.safe_load((ROOT / "extensions/ci/gitlab-ci.yml").read_text())
    assert (job["env"]["HOLD"], gitlab["variables"]["HOLD"]) == (place, place)
