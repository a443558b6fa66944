# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What one early look does not see: flapping, a release that dies later, worse traffic; and sign-ups whose answers are lost.

One lab serves all tests. Between it and verify.yml stands a front that a test can have lose or spoil answers.
"""

from __future__ import annotations

import datetime
import http.server
import json
import re
import shlex
import threading

import pytest
import requests
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.cloudwatch import CloudwatchGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ecs import EcsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.elbv2 import ElbGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._core.deleted_definition import NOT_REGISTERED
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.services import observe_services
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.traffic import verdict_of_traffic

from spymeo_world import world

from .test_verify import sign_ups

HOPS = ("connection", "transfer-encoding", "content-length", "keep-alive")


class Front(http.server.ThreadingHTTPServer):
    """Passes requests on. `spoil(method, path, number)` says what becomes of the n-th answer to it: "", "lost" or a status."""

    daemon_threads = True

    def __init__(self, upstream: str):
        super().__init__(("127.0.0.1", 0), Passing)
        self.upstream, self.counts, self.turn = upstream, {}, threading.Lock()
        self.spoil = lambda method, path, number: ""
        self.url = f"http://127.0.0.1:{self.server_port}"

    def number(self, key: str) -> int:
        """How often this was asked, this time included."""
        with self.turn:
            self.counts[key] = self.counts.get(key, 0) + 1
            return self.counts[key]


class Passing(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_arguments):
        """Nothing."""

    def do_GET(self):
        """Ask the application, and hand its answer on, or not."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in (*HOPS, "host")}
        answer = requests.request(
            self.command, self.server.upstream + self.path, data=body, headers=headers, timeout=20
        )
        fate = self.server.spoil(self.command, self.path, self.server.number(f"{self.command} {self.path}"))
        if fate == "lost":
            self.close_connection = True
            return
        self.send_response(fate or answer.status_code)
        for name, value in answer.headers.items():
            if name.lower() not in (*HOPS, "content-encoding"):
                self.send_header(name, value)
        content = b"" if fate else answer.content
        if answer.status_code != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_DELETE = do_GET  # noqa: N815 - names that http.server wants


@pytest.fixture(name="front")
def _front(shared_production):
    front = Front(shared_production.state["base_url"])
    threading.Thread(target=front.serve_forever, args=(0.02,), daemon=True).start()
    yield front
    front.shutdown()
    front.server_close()


def verify(production, **variables):
    return production.play("verify", "-e", json.dumps(variables))


def test_flapping_that_three_requests_in_a_row_do_not_see_is_a_failure(shared_production, front):
    calm = verify(shared_production, rollback_base_url=front.url)
    assert calm.code == 0, calm.output
    assert "CHECK     passed: watch (for 1 second, 10 of 10 health requests passed" in calm.output
    front.counts.clear()
    front.spoil = lambda method, path, number: (
        502 if path == world.HEALTH_PATH and number % 4 == 0 and number > 4 else ""
    )
    flapping = verify(shared_production, rollback_base_url=front.url, verify_watch={"seconds": 3, "interval": 0.2})
    assert flapping.code == 2, flapping.output
    assert "failed: watch" in flapping.output
    assert "health requests failed (1 may): time" not in flapping.output
    assert "status 502 instead of 200" in flapping.output
    assert "PASSED    health, database, administration" in flapping.output


LOST = "POST /api/practitioners"


@pytest.mark.parametrize(
    ("spoilt", "left"),
    [
        ({LOST: "lost"}, False),
        ({LOST: 502}, False),
        ({LOST: "lost", "POST /api/practitioners/login": "lost"}, True),
        ({"DELETE": "lost"}, False),
        ({"DELETE": 500}, True),
    ],
    ids=["lost", "spoilt", "not found again", "removal lost", "not removed"],
)
def test_a_sign_up_is_removed_or_told_with_what_to_remove(shared_production, front, spoilt, left):
    before = sign_ups(shared_production)

    def spoil(method, path, number):
        if method == "DELETE" and number == 1:  # it may be sent again
            return spoilt.get(method, "")
        return spoilt.get(f"{method} {path}", "")

    front.spoil = spoil
    played = verify(shared_production, rollback_base_url=front.url)
    assert played.code == 2, played.output
    assert "failed: practitioner sign-up" in played.output
    told = [line for line in played.output.splitlines() if line.startswith("LEFT  ")]
    assert bool(told) is left, played.output
    # An application that answers 500 to a removal that it has made is told, too: nothing has shown that it is gone.
    there = sign_ups(shared_production) - before
    assert there == (1 if left and "DELETE" not in spoilt else 0)
    if told:
        assert "email verify+rb-" in told[0]
        assert "password" not in told[0]


def test_what_has_no_http_and_no_logs_is_proven_by_the_rest(shared_production):
    played = verify(
        shared_production,
        rollback_base_url="none",
        rollback_log_groups=[],
        rollback_log_elsewhere=[world.SERVICE],
        verify_scenarios=[],
        rollback_health_path="",
    )
    assert played.code == 0, played.output
    assert "VERIFIED  spymeo-app: all 5 checks have passed" in played.output
    assert "CHECK     passed: watch (for 1 second, no task has ended by itself" in played.output
    assert "NOTE      no request was sent" in played.output
    assert "there is nothing to read: spymeo-app/app, as rollback_log_elsewhere says" in played.output


def traffic(production, ago: float):
    """The verdict over the users' traffic since some minutes ago."""
    ecs, elb = EcsGateway(production.aws("ecs"), world.CLUSTER), ElbGateway(production.aws("elbv2"))
    now = datetime.datetime.now(datetime.UTC)
    looks = observe_services(ecs, [world.SERVICE], elb)
    since = now - datetime.timedelta(minutes=ago)
    return verdict_of_traffic(elb, lambda: CloudwatchGateway(production.aws("cloudwatch")), looks, since, None, now)


def test_the_users_traffic_is_compared_with_the_hour_before(shared_production):
    group = shared_production.state["target_group_arn"]
    users = lambda **sent: shared_production.control("traffic", target_group=group, **sent)  # noqa: E731
    assert traffic(shared_production, 5)[0] is None
    users(first=65, last=6, requests=90, errors=1)
    users(first=5, last=1, requests=90, errors=1)
    assert traffic(shared_production, 5)[0] == "passed"
    shared_production.control("age_tasks", minutes=7)
    alike = verify(shared_production)
    assert alike.code == 0, alike.output
    assert re.search(r"CHECK     passed: traffic \(\d minutes are like the \d+ before: 1\.\d % of 5xx", alike.output)
    users(first=5, last=1, requests=90, errors=60)
    verdict, reason, _evidence = traffic(shared_production, 5)
    assert verdict == "failed"
    assert "of the requests are answered with 5xx, and 1.1 % in the hour before" in reason
    worse = verify(shared_production)
    assert worse.code == 2, worse.output
    assert "failed: traffic" in worse.output
    assert re.search(
        r"\d\d\.\d % of the requests are answered with 5xx, and 1\.1 % in the hour before", worse.output
    ), worse.output
    assert "PASSED    health, database, administration" in worse.output
    not_asked = verify(shared_production, verify_watch={"seconds": 1, "interval": 0.2, "metrics": False})
    assert not_asked.code == 0, not_asked.output


def test_a_release_that_dies_some_time_after_its_start_is_no_success(shared_production):
    """Last, because it leaves another release behind. As it dies after 12 s here, one does after 25 s with the default of 30."""
    ecs = shared_production.aws("ecs")
    definition = ecs.describe_task_definition(taskDefinition="spymeo-app:1")["taskDefinition"]
    for key in NOT_REGISTERED:
        definition.pop(key, None)
    dies = f"timeout -s KILL 12 {shlex.join(world.command('serve'))}; echo 'Error: the lease is over'; exit 1"
    definition["containerDefinitions"][0]["command"] = ["sh", "-c", dies]
    arn = ecs.register_task_definition(**definition)["taskDefinition"]["taskDefinitionArn"].rpartition("/")[2]
    shared_production.forget_runs()
    watch = json.dumps({"rollback_task_definition": arn, "verify_watch": 20})
    played = shared_production.play("rollback_code", "-e", watch)
    assert played.code == 2, played.output
    assert "DONE  " not in played.output
    assert "a task of spymeo-app has ended: task" in played.output
    assert "failed: watch" in played.output
