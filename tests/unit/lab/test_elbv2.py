# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lab's Application Load Balancer: its API as boto3 sees it, its traffic as a browser sees it."""

from __future__ import annotations

import datetime
import http.server
import socket
import threading
import time
from collections import Counter

import pytest
import requests
from botocore.exceptions import ClientError

NOBODY = "arn:aws:elasticloadbalancing:eu-west-3:123456789012:targetgroup/none/0123456789abcdef"


class Application(http.server.BaseHTTPRequestHandler):
    """A target: answers with what it was asked. Its server's `status` and `delay` (seconds) can be changed."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        """Answer, slowly when asked to."""
        time.sleep(self.server.delay if not self.path.startswith("/health") else self.server.health_delay)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/break":
            self.close_connection = True
            return
        self.send_response(self.server.status if self.path.startswith("/health") else 200)
        for name, value in (
            ("Set-Cookie", "a=1; Path=/"),
            ("Set-Cookie", "b=2; Path=/"),
            ("X-Target", self.server.name),
        ):
            self.send_header(name, value)
        seen = (
            f"{self.command} {self.path} {self.headers.get('Cookie')} {self.headers.get('X-Forwarded-For')} ".encode()
            + body
        )
        self.send_header("Content-Length", str(len(seen)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(seen)

    do_POST = do_PUT = do_HEAD = do_GET  # noqa: N815 - names that http.server wants

    def log_message(self, *_arguments):
        """Nothing."""


class World:
    """A load balancer with one target group, and targets."""

    def __init__(self, lab):
        self.lab = lab.lab
        self.elb = lab.client("elbv2")
        network = lab.client("ec2")
        self.vpc = network.describe_vpcs()["Vpcs"][0]["VpcId"]
        subnets = [subnet["SubnetId"] for subnet in network.describe_subnets()["Subnets"]]
        self.balancer = self.elb.create_load_balancer(Name="spymeo", Subnets=subnets)["LoadBalancers"][0][
            "LoadBalancerArn"
        ]
        self.group = self.new_group("app")
        self.servers: list[http.server.ThreadingHTTPServer] = []

    def new_group(self, name: str, **settings) -> str:
        """Create a target group that checks /health; returns its ARN."""
        given = {"Protocol": "HTTP", "Port": 8080, "VpcId": self.vpc, "TargetType": "ip", "HealthCheckPath": "/health"}
        given |= {
            "HealthCheckTimeoutSeconds": 2,
            "HealthCheckIntervalSeconds": 5,
            "HealthyThresholdCount": 2,
            "UnhealthyThresholdCount": 2,
        }
        return self.elb.create_target_group(Name=name, **(given | settings))["TargetGroups"][0]["TargetGroupArn"]

    def listen(self, **action) -> str:
        """Open a listener that forwards to the group; returns the URL."""
        actions = [{"Type": "forward", **(action or {"TargetGroupArn": self.group})}]
        created = self.elb.create_listener(
            LoadBalancerArn=self.balancer, Protocol="HTTP", Port=80, DefaultActions=actions
        )
        self.listener = created["Listeners"][0]["ListenerArn"]
        return f"http://127.0.0.1:{self.lab.elbv2.port_of(self.listener)}"

    def start(self, name: str, group: str | None = None):
        """Start a target and register it."""
        server = http.server.ThreadingHTTPServer((self.lab.addresses.new(), 8080), Application)
        server.name, server.status, server.delay, server.health_delay = name, 200, 0.0, 0.0
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        self.servers.append(server)
        self.elb.register_targets(TargetGroupArn=group or self.group, Targets=[{"Id": server.server_address[0]}])
        return server

    def health(self, server, group: str | None = None) -> dict:
        """TargetHealth of a target."""
        target = {"Id": server.server_address[0]}
        answer = self.elb.describe_target_health(TargetGroupArn=group or self.group, Targets=[target])
        return answer["TargetHealthDescriptions"][0]["TargetHealth"]

    def wait(self, server, state: str, group: str | None = None) -> dict:
        """Wait until a target is in a state."""
        deadline = time.monotonic() + 6
        while (health := self.health(server, group))["State"] != state:
            assert time.monotonic() < deadline, health
            time.sleep(0.02)
        return health


@pytest.fixture(name="world")
def _world(lab):
    world = World(lab)
    yield world
    for server in world.servers:
        server.shutdown()
        server.server_close()


def refusal(call, **arguments) -> str:
    """The code of the error that a call ends in."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"]


def test_what_does_not_exist_is_refused_with_awss_codes(world):
    elb = world.elb
    assert refusal(elb.describe_target_health, TargetGroupArn=NOBODY) == "TargetGroupNotFound"
    assert refusal(elb.describe_target_groups, Names=["none"]) == "TargetGroupNotFound"
    assert refusal(elb.describe_load_balancers, Names=["none"]) == "LoadBalancerNotFound"
    assert refusal(elb.describe_listeners, ListenerArns=["none"]) == "ListenerNotFound"
    assert refusal(elb.register_targets, TargetGroupArn=NOBODY, Targets=[{"Id": "127.0.0.1"}]) == "TargetGroupNotFound"
    assert refusal(elb.register_targets, TargetGroupArn=world.group, Targets=[{"Id": "10.0.0.1"}]) == "InvalidTarget"
    assert refusal(elb.create_load_balancer, Name="x", Subnets=["subnet-none"]) == "SubnetNotFound"
    assert refusal(elb.describe_tags, ResourceArns=[NOBODY]) == "TargetGroupNotFound"


def test_the_same_group_again_is_the_same_and_another_of_its_name_is_refused(world):
    assert world.new_group("app") == world.group
    with pytest.raises(ClientError, match="DuplicateTargetGroupName"):
        world.new_group("app", HealthCheckPath="/other")
    with pytest.raises(ClientError, match="ValidationError"):
        world.new_group("slow", HealthCheckTimeoutSeconds=5, HealthCheckIntervalSeconds=5)


def test_a_target_of_a_group_that_no_listener_uses_is_unused(world):
    server = world.start("one")
    assert world.health(server)["Reason"] == "Target.NotInUse"
    world.listen()
    assert world.wait(server, "healthy") == {"State": "healthy"}
    world.elb.delete_listener(ListenerArn=world.listener)
    assert world.health(server)["State"] == "unused"


def test_target_health_goes_from_initial_to_healthy_to_draining_to_gone(world):
    world.listen()
    server = world.start("one")
    assert world.health(server) == {
        "State": "initial",
        "Reason": "Elb.RegistrationInProgress",
        "Description": "Target registration is in progress",
    }
    world.wait(server, "healthy")
    world.elb.deregister_targets(TargetGroupArn=world.group, Targets=[{"Id": server.server_address[0]}])
    assert world.health(server)["Reason"] == "Target.DeregistrationInProgress"
    assert world.wait(server, "unused")["Reason"] == "Target.NotRegistered"
    assert world.lab.elbv2.health(world.group, server.server_address[0], 8080) is None
    assert world.elb.describe_target_health(TargetGroupArn=world.group)["TargetHealthDescriptions"] == []
    assert (
        refusal(world.elb.deregister_targets, TargetGroupArn=world.group, Targets=[{"Id": server.server_address[0]}])
        == "InvalidTarget"
    )


def test_unhealthy_targets_say_why_and_come_back(world):
    world.listen()
    server = world.start("one")
    world.wait(server, "healthy")
    server.status = 500
    health = world.wait(server, "unhealthy")
    assert (health["Reason"], health["Description"]) == (
        "Target.ResponseCodeMismatch",
        "Health checks failed with these codes: [500]",
    )
    server.status = 200
    world.wait(server, "healthy")


def test_a_target_that_nobody_answers_for_fails_its_checks(world):
    world.listen()
    server = world.start("one")
    server.shutdown()
    server.server_close()
    assert world.wait(server, "unhealthy")["Reason"] == "Target.FailedHealthChecks"


def test_a_target_that_answers_too_late_times_out(world):
    world.listen()
    server = world.start("one")
    server.health_delay = 2.5
    assert world.wait(server, "unhealthy")["Reason"] == "Target.Timeout"


def test_a_changed_health_check_is_used_from_then_on(world):
    world.listen()
    server = world.start("one")
    server.status = 204
    world.wait(server, "unhealthy")
    world.elb.modify_target_group(TargetGroupArn=world.group, Matcher={"HttpCode": "200,202-204"})
    world.wait(server, "healthy")


def test_a_changed_interval_of_health_checks_is_kept(world):
    """Twenty times as long, it keeps a target from being healthy in a time in which it would be several times over."""
    world.listen()
    world.elb.modify_target_group(TargetGroupArn=world.group, HealthCheckIntervalSeconds=100)
    world.start("slow")
    time.sleep(world.lab.durations.health_check_interval * 10)
    found = world.elb.describe_target_health(TargetGroupArn=world.group)["TargetHealthDescriptions"]
    assert [each["TargetHealth"]["State"] for each in found] == ["initial"]


def test_requests_go_round_robin_to_healthy_targets_only(world):
    url = world.listen()
    good, other, sick = world.start("good"), world.start("other"), world.start("sick")
    sick.status = 500
    for server, state in ((good, "healthy"), (other, "healthy"), (sick, "unhealthy")):
        world.wait(server, state)
    assert Counter(requests.get(url).headers["X-Target"] for _ in range(10)) == {"good": 5, "other": 5}


def test_draining_targets_get_no_new_request(world):
    url = world.listen()
    old, new = world.start("old"), world.start("new")
    world.wait(old, "healthy")
    world.wait(new, "healthy")
    world.lab.elbv2.deregister(world.group, old.server_address[0], 8080)
    assert {requests.get(url).headers["X-Target"] for _ in range(4)} == {"new"}


def test_a_request_under_way_ends_although_its_target_drains(world):
    url = world.listen()
    server = world.start("one")
    world.wait(server, "healthy")
    server.delay = 0.4
    answers: list[int] = []
    request = threading.Thread(target=lambda: answers.append(requests.get(url).status_code))
    request.start()
    time.sleep(0.1)
    world.lab.elbv2.deregister(world.group, server.server_address[0], 8080)
    request.join()
    assert answers == [200]


def test_fails_open_over_all_targets_when_none_is_healthy(world):
    url = world.listen()
    one, two = world.start("one"), world.start("two")
    one.status = two.status = 500
    world.wait(one, "unhealthy")
    world.wait(two, "unhealthy")
    assert {requests.get(url).headers["X-Target"] for _ in range(4)} == {"one", "two"}


def test_503_without_targets_502_when_a_target_breaks(world):
    url = world.listen()
    answer = requests.get(url)
    assert (answer.status_code, answer.headers["Server"]) == (503, "awselb/2.0")
    server = world.start("one")
    world.wait(server, "healthy")
    assert requests.get(f"{url}/break").status_code == 502
    server.shutdown()
    server.server_close()
    assert requests.get(url).status_code == 502


def test_504_when_a_target_is_silent_longer_than_the_idle_timeout(world):
    url = world.listen()
    server = world.start("one")
    world.wait(server, "healthy")
    server.delay = 1.5
    attributes = [{"Key": "idle_timeout.timeout_seconds", "Value": "1"}]
    world.elb.modify_load_balancer_attributes(LoadBalancerArn=world.balancer, Attributes=attributes)
    assert requests.get(url).status_code == 504


def test_passes_method_path_query_body_and_cookies_both_ways(world):
    url = world.listen()
    world.wait(world.start("one"), "healthy")
    answer = requests.post(f"{url}/sign-up%20now?a=1&b=%2F", data="rpps=12", headers={"Cookie": "session=x"})
    assert answer.text == "POST /sign-up%20now?a=1&b=%2F session=x 127.0.0.1 rpps=12"
    assert answer.raw.headers.getlist("Set-Cookie") == ["a=1; Path=/", "b=2; Path=/"]
    assert answer.raw.headers.getlist("Date") == [answer.headers["Date"]]
    chunked = requests.put(url, data=(part for part in (b"one ", b"two")), headers={"X-Forwarded-For": "192.0.2.7"})
    assert chunked.text == "PUT / None 192.0.2.7, 127.0.0.1 one two"
    assert (requests.head(url).status_code, requests.head(url).text) == (200, "")


def test_weights_divide_the_traffic_and_can_be_shifted(world):
    blue, green = world.new_group("blue"), world.new_group("green")
    split = [{"TargetGroupArn": blue, "Weight": 3}, {"TargetGroupArn": green, "Weight": 1}]
    url = world.listen(ForwardConfig={"TargetGroups": split})
    for name, group in (("blue", blue), ("green", green)):
        world.wait(world.start(name, group), "healthy", group)
    assert Counter(requests.get(url).headers["X-Target"] for _ in range(8)) == {"blue": 6, "green": 2}
    shifted = [{"TargetGroupArn": blue, "Weight": 0}, {"TargetGroupArn": green, "Weight": 1}]
    world.elb.modify_listener(
        ListenerArn=world.listener, DefaultActions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": shifted}}]
    )
    assert {requests.get(url).headers["X-Target"] for _ in range(4)} == {"green"}
    rule = world.elb.describe_rules(ListenerArn=world.listener)["Rules"][0]
    assert rule["IsDefault"]
    assert [group["Weight"] for group in rule["Actions"][0]["ForwardConfig"]["TargetGroups"]] == [0, 1]


def test_a_group_is_told_with_its_load_balancer_and_cannot_be_deleted_while_in_use(world):
    assert world.elb.describe_target_groups(TargetGroupArns=[world.group])["TargetGroups"][0]["LoadBalancerArns"] == []
    world.listen()
    shown = world.elb.describe_target_groups(LoadBalancerArn=world.balancer)["TargetGroups"][0]
    assert (shown["TargetGroupArn"], shown["LoadBalancerArns"]) == (world.group, [world.balancer])
    assert refusal(world.elb.delete_target_group, TargetGroupArn=world.group) == "ResourceInUse"
    world.elb.delete_load_balancer(LoadBalancerArn=world.balancer)
    world.elb.delete_target_group(TargetGroupArn=world.group)
    assert world.elb.describe_target_groups()["TargetGroups"] == []


def test_a_listener_opens_the_port_it_names_and_gives_it_back(world):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    actions = [{"Type": "forward", "TargetGroupArn": world.group}]
    listener = world.elb.create_listener(
        LoadBalancerArn=world.balancer, Protocol="HTTP", Port=port, DefaultActions=actions
    )["Listeners"][0]
    assert requests.get(f"http://127.0.0.1:{port}").status_code == 503
    again = {"LoadBalancerArn": world.balancer, "Protocol": "HTTP", "Port": port, "DefaultActions": actions}
    assert refusal(world.elb.create_listener, **again) == "DuplicateListener"
    world.elb.delete_listener(ListenerArn=listener["ListenerArn"])
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_the_deregistration_delay_is_an_attribute(world):
    def change(key, value):
        return world.elb.modify_target_group_attributes(
            TargetGroupArn=world.group, Attributes=[{"Key": key, "Value": value}]
        )

    change("deregistration_delay.timeout_seconds", "30")
    shown = world.elb.describe_target_group_attributes(TargetGroupArn=world.group)["Attributes"]
    assert {"Key": "deregistration_delay.timeout_seconds", "Value": "30"} in shown
    for key, value in (("none", "1"), ("deregistration_delay.timeout_seconds", "soon"), ("stickiness.enabled", "true")):
        with pytest.raises(ClientError, match=r"ValidationError|InvalidConfigurationRequest"):
            change(key, value)


def test_tags_of_balancers_and_groups(world):
    world.elb.add_tags(ResourceArns=[world.balancer, world.group], Tags=[{"Key": "run", "Value": "7"}])
    described = world.elb.describe_tags(ResourceArns=[world.balancer, world.group])["TagDescriptions"]
    assert [each["Tags"] for each in described] == [[{"Key": "run", "Value": "7"}]] * 2


def test_stock_waiters_and_pages(world):
    world.elb.get_waiter("load_balancer_available").wait(LoadBalancerArns=[world.balancer])
    world.listen()
    server = world.start("one")
    waiter = world.elb.get_waiter("target_in_service")
    waiter.wait(TargetGroupArn=world.group, Targets=[{"Id": server.server_address[0]}], WaiterConfig={"Delay": 1})
    world.new_group("other")
    pages = world.elb.get_paginator("describe_target_groups").paginate(PaginationConfig={"PageSize": 1})
    assert [len(page["TargetGroups"]) for page in pages] == [1, 1]


def metrics(world, statistic: str, name: str, *, of_group: bool = True) -> list[float]:
    """The values of a metric of the last hour."""
    dimensions = {"LoadBalancer": world.balancer.partition(":loadbalancer/")[2]}
    dimensions |= {"TargetGroup": world.group.rpartition(":")[2]} if of_group else {}
    metric = {
        "Namespace": "AWS/ApplicationELB",
        "MetricName": name,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
    }
    query = {"Id": "a", "MetricStat": {"Metric": metric, "Period": 60, "Stat": statistic}}
    now = world.lab.now()
    answer = world.cloudwatch.get_metric_data(
        MetricDataQueries=[query], StartTime=now - datetime.timedelta(hours=1), EndTime=now
    )
    return answer["MetricDataResults"][0]["Values"]


def test_what_was_forwarded_can_be_read_as_metrics_when_the_minute_is_over(world, lab, monkeypatch):
    world.cloudwatch = lab.client("cloudwatch")
    url, server = world.listen(), world.start("a")
    world.wait(server, "healthy")
    for path in ("/", "/", "/break"):
        requests.get(url + path, timeout=5)
    assert metrics(world, "Sum", "RequestCount") == []
    later = world.lab.now() + datetime.timedelta(minutes=2)
    monkeypatch.setattr(world.lab, "now", lambda: later)
    assert sum(metrics(world, "Sum", "RequestCount")) == 3
    assert sum(metrics(world, "SampleCount", "TargetResponseTime")) == 2
    assert 0 < metrics(world, "p90", "TargetResponseTime")[0] < 5
    assert sum(metrics(world, "Sum", "HTTPCode_Target_2XX_Count")) == 2
    assert metrics(world, "Sum", "HTTPCode_Target_5XX_Count") == []
    assert metrics(world, "Sum", "HTTPCode_ELB_5XX_Count") == []  # it is of no target group
    assert sum(metrics(world, "Sum", "HTTPCode_ELB_5XX_Count", of_group=False)) == 1
    assert refusal(metrics, world=world, statistic="p101", name="RequestCount") == "ValidationError"


def test_what_users_have_sent_before_can_be_told(world, lab):
    world.cloudwatch = lab.client("cloudwatch")
    world.listen()
    world.lab.cloudwatch.controls()["traffic"](world.group, first=9, last=5, requests=100, errors=3, seconds=0.5)
    assert metrics(world, "Sum", "RequestCount") == [100.0] * 5
    assert metrics(world, "Sum", "HTTPCode_Target_5XX_Count") == [3.0] * 5
    assert metrics(world, "p90", "TargetResponseTime")[0] == pytest.approx(0.5, rel=0.2)
