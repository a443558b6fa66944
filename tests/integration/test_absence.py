# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The network is away in the middle: waits go on until it is back, a call that was never sent is sent then, and planning fails fast."""

from __future__ import annotations

import json
import re
import time

import pytest

from spymeo_world import killing, world

from .held import held
from .proxy import Proxy

RUN = "kill-away"
AWAY = 20  # seconds, many times what botocore's own tries span


@pytest.fixture(scope="module", name="lab")
def _lab(slow_production):
    return slow_production


@pytest.fixture
def proxy(lab):
    between = Proxy(lab.state["endpoint_url"])
    yield between
    between.close()


@pytest.fixture
def behind(lab, proxy):
    """The lab as it is reached through the proxy."""
    return dict(lab.state, endpoint_url=proxy.url)


def test_a_full_rollback_rides_out_two_absences(lab, proxy, behind):
    lab.accident("full")
    process = killing.start(behind, "rollback_full", "-e", f"rollback_run_id={RUN}", "-e", "rollback_lease=60")
    printed, gone = [], {"restore": AWAY, "deployment": 5}
    for line in process.stdout:
        printed.append(line)
        for what in [what for what in gone if line.startswith(f"WAIT      {what}")]:
            proxy.be_away(gone.pop(what))
    output = "".join(printed)
    assert process.wait() == 0, output
    assert gone == {}
    assert re.search(r"WAIT      restore .*: AWS has not answered since 0:\d\d \(.*\)", output), output
    assert {outcome for _call, outcome in killing.journal(lab.state, RUN)} == {"ok"}
    assert "DONE" in output


def test_a_call_that_was_never_sent_is_sent_when_the_network_is_back(lab, proxy, tmp_path):
    name = f"{world.DB_INSTANCE}-never-sent"
    options = {"db_instance": world.DB_INSTANCE, "snapshot": name, "run_id": RUN, "run": held(tmp_path / "held", RUN)}
    command = ["ansible", "localhost", "-m", "spymeo.rollback.rds_snapshot", "-a", json.dumps(options)]
    proxy.be_away_after("DescribeDBSnapshots", 6)
    began = time.monotonic()
    done = lab.run([*command, "--tree", str(tmp_path / "tree")], AWS_ENDPOINT_URL=proxy.url, AWS_URL=proxy.url)
    result = json.loads((tmp_path / "tree/localhost").read_text())
    assert time.monotonic() - began > 6
    assert result["changed"], done.output
    assert [(call["operation"], call["outcome"]) for call in result["calls"]] == [("CreateDBSnapshot", "ok")]
    assert done.written == ["rds CreateDBSnapshot"]


def test_where_nothing_was_changed_yet_an_unreachable_endpoint_is_told_at_once(lab, proxy):
    proxy.be_away(300)
    began = time.monotonic()
    played = lab.play("rollback_code", AWS_ENDPOINT_URL=proxy.url)
    assert (played.code != 0, played.written) == (True, [])
    assert time.monotonic() - began < 60
    assert "cannot be reached" in " ".join(played.output.split())
