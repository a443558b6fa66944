# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""verify.yml and triage.yml against a task that logs what real applications log, one story on one lab.

Each line is told apart in tests/unit/plugins/module_utils/_core/logs; here it goes the whole way, through CloudWatch Logs.
"""

from __future__ import annotations

import itertools
import json
import re
import time

import log_lines
from spymeo_world import world

CASES = [*log_lines.given(), *log_lines.own()]
COUNTED = re.compile(r"(\d+) errors? of (\d+) kinds? in \d+ streams?")
A_CALL = 2_000  # events
INFO = '{"level":"info","msg":"request"}'
EEK = [f"EEK nobody knows what {number} says" for number in range(400)]


class Log:
    """The log stream of a task that runs."""

    def __init__(self, production):
        arns = production.aws("ecs").list_tasks(cluster=world.CLUSTER, serviceName=world.SERVICE)["taskArns"]
        running = {arn.rpartition("/")[2] for arn in arns}
        streams = production.aws("logs").describe_log_streams(logGroupName=world.LOG_GROUP)["logStreams"]
        self._logs = production.aws("logs")
        self._name = next(
            item["logStreamName"] for item in streams if item["logStreamName"].rpartition("/")[2] in running
        )

    def write(self, lines):
        """Events of one time stay together, whatever the application logs beside."""
        now = int(time.time() * 1000)
        for start in range(0, len(lines), A_CALL):
            events = [{"timestamp": now, "message": line or " "} for line in lines[start : start + A_CALL]]
            self._logs.put_log_events(logGroupName=world.LOG_GROUP, logStreamName=self._name, logEvents=events)
        time.sleep(0.5)  # the lab's log_ingestion


def verify(production, **variables):
    return production.play("verify", "-e", json.dumps(variables))


def lines_of(is_error):
    return list(itertools.chain(*(lines for _name, lines, wanted in CASES if wanted is is_error)))


def test_logs_are_judged_by_what_they_say(shared_production):
    log = Log(shared_production)
    log.write([*lines_of(is_error=False), *[INFO] * 100])
    innocent = verify(shared_production)
    assert innocent.code == 0, innocent.output

    hidden = verify(shared_production, rollback_log_groups=[])
    assert (
        "spymeo-app/app (it logs to /ecs/spymeo-app, which is not in rollback_log_groups) cannot be read"
        in hidden.output
    )
    declared = verify(shared_production, rollback_log_groups=[], rollback_log_elsewhere=[world.SERVICE])
    assert declared.code == 0, declared.output
    assert "there is nothing to read: spymeo-app/app, as rollback_log_elsewhere says" in declared.output

    log.write(EEK)
    unclear = verify(shared_production)
    assert unclear.code != 0
    assert "inconclusive: logs" in unclear.output
    assert "have no level that could be read, like: EEK nobody knows what" in unclear.output.replace("\n", " ")
    assert "verify_log_patterns" in unclear.output
    doubtful = shared_production.play("triage")
    assert "NONE (confidence: high)" not in doubtful.output
    assert "verify_log_patterns" in doubtful.output
    ignored = verify(shared_production, verify_log_ignore=["^EEK"])
    assert ignored.code == 0, ignored.output
    pattern = verify(shared_production, verify_log_patterns=["^EEK nobody knows what 17 "])
    assert "logs, failed: 1 time: EEK nobody knows what <n> says" in pattern.output

    log.write(list(itertools.chain(*([*lines, INFO] for _name, lines, wanted in CASES if wanted))))
    failed = verify(shared_production, verify_log_ignore=["^EEK"])
    errors, kinds = map(int, COUNTED.search(failed.output).groups())
    cases = sum(wanted for _name, _lines, wanted in CASES)
    assert failed.code != 0
    assert "failed: logs" in failed.output
    assert errors >= cases * 0.98, failed.output
    assert kinds > cases * 0.6
    triage = shared_production.play("triage", "-e", json.dumps({"verify_log_ignore": ["^EEK"]}))
    assert re.search(r"\d+ errors of \d+ kinds in the logs", triage.output), triage.output
