# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ansible-playbook is ended by a signal: the terminal has the command that goes on, and pasted, it does. And a run that verifies for longer
than its lease is alive for others."""

from __future__ import annotations

import shlex
import signal
import time

import pytest

from loopback_aws.lab import REGION
from spymeo_world import killing

from .conftest import bring_up, take_down


@pytest.fixture
def slow():
    """A production whose restores take 5 s."""
    lab = bring_up("--set", "restore=5")
    yield lab
    take_down(lab)


@pytest.fixture(scope="module", name="lab")
def _lab(shared_production):
    return shared_production


def until(process, words):
    """What a play prints until a line begins so."""
    printed = []
    for line in process.stdout:
        printed.append(line)
        if line.startswith(words):
            break
    return "".join(printed)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, -15), (signal.SIGHUP, -1), (signal.SIGINT, 99)], ids=lambda value: str(value)
)
def test_what_goes_on_is_printed_and_exit_codes_are_ansibles_own(slow, number, code):
    run_id = f"kill-signal-{number}"
    process = killing.start(
        slow.state, "rollback_database", "-e", f"rollback_run_id={run_id}", "-e", "rollback_fence=none"
    )
    printed = until(process, "WAIT      restore")
    process.send_signal(number)
    printed += process.stdout.read()
    assert process.wait() == code, printed
    assert f"STOPPED   by {number.name} during the task '" in printed
    assert f"run {run_id} of spymeo-lab has not ended." in printed
    (command,) = [line.removeprefix("NEXT      ") for line in printed.splitlines() if line.startswith("NEXT      ")]
    assert command == (
        "ansible-playbook playbooks/rollback_database.yml -i inventories/lab "
        f"-e rollback_lease=2 -e rollback_fence=none -e rollback_run_id={run_id}"
    )
    played = slow.run(shlex.split(command))
    assert played.code == 0, played.output


def test_before_a_run_has_its_lock_it_says_so(lab):
    lab.forget_runs()
    process = killing.start(lab.state, "rollback_code")
    printed = until(process, "TASK [spymeo.rollback.code")
    process.send_signal(signal.SIGTERM)
    printed += process.stdout.read()
    assert process.wait() == -15, printed
    assert "It had not taken its lock, so it has changed nothing." in printed


def test_a_playbook_without_a_run_ends_without_a_word_of_one(lab):
    process = killing.start(lab.state, "verify", "-e", "rollback_e2e_command='sleep 20'")
    printed = until(process, "WAIT      end-to-end tests")
    process.send_signal(signal.SIGTERM)
    printed += process.stdout.read()
    assert process.wait() == -15
    assert "STOPPED" not in printed


@pytest.fixture(params=["directory", "bucket"])
def verifying(request):
    """A code rollback whose tests from end to end last longer than its lease of 2 s; the lab, the play, and where it is remembered."""
    lab, store = bring_up(), []
    if request.param == "bucket":
        configuration = {"LocationConstraint": REGION}
        lab.aws("s3").create_bucket(Bucket="spymeo-rollback", CreateBucketConfiguration=configuration)
        store = ["-e", "rollback_store=s3://spymeo-rollback/runs"]
    lab.accident("login-broken")
    process = killing.start(lab.state, "rollback_code", "-e", "rollback_e2e_command='sleep 20'", *store)
    yield lab, process, store
    process.kill()
    process.communicate()
    take_down(lab)


def test_a_run_that_verifies_for_longer_than_its_lease_is_alive_for_others(verifying):
    lab, process, store = verifying
    printed = until(process, "WAIT      end-to-end tests")
    time.sleep(4)
    second = lab.play("rollback_code", "-e", "rollback_lease=2", *store)
    told = " ".join(second.output.split())
    assert second.code != 0
    assert "is at work, and renews its lease" in told
    assert "was not finished" not in told
    assert [call for call in second.written if not call.startswith("s3 ")] == []
    printed += process.stdout.read()
    assert process.wait() == 0, printed
    assert "DONE" in printed
