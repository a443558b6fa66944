# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A full rollback that is killed at each of its writing calls, one after the other, and gone on with each time: it ends as one that
nobody disturbed. SIGKILL for ansible-playbook and all that it has started, as AWX cancels a job: no rescue, no always."""

from __future__ import annotations

import pytest

from loopback_aws.interruption import AFTER, BEFORE, DROPPED, UNHEARD
from spymeo_world import cli
from spymeo_world.killing import journal, play, production

from .conftest import bring_up, take_down

CALLS = [
    "RestoreDBInstanceFromDBSnapshot",
    "UpdateSecretVersionStage",  # the other secret
    "TagResource",  # what the service is to get back
    "UpdateService",  # to 0 tasks, because nothing serves
    "CreateDBSnapshot",
    "AddTagsToResource",  # since when the restored instance is in service
    "PutSecretValue",  # the version that only the next deployment reads
    "RegisterTaskDefinition",
    "UpdateService",
    "UntagResource",
    "UpdateSecretVersionStage",  # the version is pinned,
    "UpdateSecretVersionStage",  # becomes current,
    "UpdateSecretVersionStage",  # and is pending no longer
    "AddTagsToResource",  # until when the failed instance was; after a death the task that comes last writes it
]
RUN = "kill-1"
ROLLBACK = ["rollback_full", "-e", f"rollback_run_id={RUN}"]


@pytest.fixture(scope="module")
def undisturbed():
    """The writing calls of a run that nobody kills, and what production comes to."""
    lab = bring_up()
    lab.accident("full")
    code, output, _at = play(lab.state, *ROLLBACK)
    assert code == 0, output
    assert [(call, told) for call, told in journal(lab.state, RUN) if call != "setval"] == [
        (call, "ok") for call in CALLS
    ]
    yield production(lab.state)
    take_down(lab)


@pytest.fixture
def broken():
    """Release 2 has done its harm."""
    lab = bring_up()
    lab.accident("full")
    yield lab.state
    take_down(lab)


@pytest.mark.parametrize("when", [BEFORE, AFTER, UNHEARD])
def test_killed_at_each_writing_call_it_ends_as_if_undisturbed(broken, undisturbed, when):
    for call in CALLS:
        code, output, at = play(broken, *ROLLBACK, when=when, operation=call)
        assert (code, at) == (-9, [call]), output
    code, output, _at = play(broken, *ROLLBACK)
    assert code == 0, output
    assert production(broken) == undisturbed


def test_replies_that_are_lost_change_nothing_about_the_end(broken, undisturbed):
    """The process lives, and botocore asks again by itself."""
    for number, call in enumerate(CALLS[1:]):
        # The first one's second try comes before the second one. The fence looks instead of trying again.
        again = CALLS[1 : number + 1].count(call) if call != "UpdateService" else 0
        cli.control(broken, "interrupt", when=DROPPED, operation=call, call=1 + again)
    code, output, at = play(broken, *ROLLBACK, when=DROPPED, operation=CALLS[0])
    assert (code, at) == (0, CALLS), output
    assert production(broken) == undisturbed
