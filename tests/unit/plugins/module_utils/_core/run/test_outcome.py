# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a play has come to: DONE is earned, and what was changed is what the journal tells."""

from __future__ import annotations

import itertools
from dataclasses import replace

import hypothesis.strategies as st
import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.run import (
    COMPLETE,
    FAILED,
    FINISH,
    PURPOSES,
    UNDO,
    UNFENCE,
    UNVERIFIED,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.outcome import outcome_report
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.outcome import (
    CHECKED,
    DONE,
    MADE,
    NOT_COMPLETE,
    NOT_MADE,
    NOT_VERIFIED,
    UNKNOWN,
    UNTOUCHED,
    RunObservation,
    fate,
    merged,
    outcome_of,
)
from hypothesis import given


def lines_of(outcome, message, around):
    return outcome_report(outcome, message, around).text()


def call(operation="UpdateService", outcome="ok"):
    return {"service": "ecs", "operation": operation, "of": {"service": "app"}, "outcome": outcome}


AROUND = {
    "details": ["CODE      app: app:2 -> app:1"],
    "base_url": "https://app.spymeo.fr",
    "up": ["app: 2 of 2 tasks run, app:1"],
    "fence": "",
    "undo": "ansible-playbook undo.yml",
    "again": "ansible-playbook again",
    "go_on": "ansible-playbook again -e rollback_run_id=rb-1",
    "verify": "ansible-playbook verify.yml",
    "holds": [],
    "store": "",
    "at_work": "",
    "contacts": {"dba": "#dba"},
}
GOOD = RunObservation("rb-1", "Roll back", False, (call(),), verdict="passed", deployed=True)


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        ("ok", MADE),
        ("unknown", UNKNOWN),
        ("not sent", NOT_MADE),
        ("AccessDenied", NOT_MADE),
        ("ThrottlingException", NOT_MADE),
        ("InternalFailure", UNKNOWN),
        ("ServiceUnavailable", UNKNOWN),
        ("500", UNKNOWN),
        ("503", UNKNOWN),
    ],
)
def test_a_call_was_made_or_not_or_nobody_knows(outcome, expected):
    assert fate(outcome) == expected


@pytest.mark.parametrize(
    ("seen", "state", "ok", "recorded", "words"),
    [
        (GOOD, DONE, True, COMPLETE, "every check has passed"),
        (replace(GOOD, calls=()), DONE, True, COMPLETE, "every check has passed"),
        (
            replace(GOOD, check=True, verdict="", calls=()),
            CHECKED,
            True,
            FAILED,
            "the checks that follow were not made",
        ),
        (replace(GOOD, verdict=""), NOT_VERIFIED, False, UNVERIFIED, "no check was made"),
        (replace(GOOD, verdict="failed", reason="health"), NOT_VERIFIED, False, UNVERIFIED, "not verified: health"),
        (
            replace(GOOD, verdict="inconclusive", reason="x.", failed_at="Say the verdict"),
            NOT_VERIFIED,
            False,
            UNVERIFIED,
            "not verified: x.",
        ),
        (
            replace(GOOD, failed_at="Mark"),
            NOT_COMPLETE,
            False,
            COMPLETE,
            "every check has passed. Only this task is missing",
        ),
        (
            replace(GOOD, failed_at="Deploy", verdict="", deployed=False),
            NOT_COMPLETE,
            False,
            FAILED,
            "The rollback is not complete",
        ),
        (
            replace(GOOD, failed_at="Take the lock", verdict="", deployed=False, calls=()),
            UNTOUCHED,
            False,
            FAILED,
            "Nothing was changed",
        ),
        (
            replace(GOOD, failed_at="Restore", verdict="", deployed=False, calls=(call(outcome="AccessDenied"),)),
            UNTOUCHED,
            False,
            FAILED,
            "Nothing was changed",
        ),
        (
            replace(GOOD, failed_at="Restore", verdict="", deployed=False, calls=(call(outcome="unknown"),)),
            NOT_COMPLETE,
            False,
            FAILED,
            "It is not known whether anything was changed",
        ),
        (
            replace(GOOD, failed_at="Restore", verdict="", deployed=False, calls=(), read=False),
            NOT_COMPLETE,
            False,
            FAILED,
            "The journal of the run cannot be read",
        ),
        (replace(GOOD, purpose="checkpoint", verdict=""), DONE, True, COMPLETE, "its last task has ended well"),
        (
            replace(GOOD, purpose="undo", failed_at="Deploy", verdict="", deployed=False),
            NOT_COMPLETE,
            False,
            FAILED,
            "The undo is not complete",
        ),
        (
            replace(GOOD, purpose="checkpoint", failed_at="Wait", verdict="", deployed=False),
            NOT_COMPLETE,
            False,
            FAILED,
            "there is no release point",
        ),
    ],
)
def test_what_it_has_come_to(seen, state, ok, recorded, words):
    outcome = outcome_of(seen)
    assert (outcome.state, outcome.ok, outcome.recorded) == (state, ok, recorded)
    assert words in outcome.reason


EVERYTHING = st.builds(
    RunObservation,
    run_id=st.just("rb-1"),
    kind=st.just("Roll back"),
    check=st.booleans(),
    calls=st.lists(st.builds(call, outcome=st.sampled_from(["ok", "unknown", "AccessDenied", "not sent", "500"]))).map(
        tuple
    ),
    read=st.booleans(),
    verdict=st.sampled_from(["", "passed", "failed", "inconclusive"]),
    reason=st.text(max_size=5),
    purpose=st.sampled_from(PURPOSES),
    deployed=st.booleans(),
    failed_at=st.sampled_from(["", "Deploy"]),
    resumed=st.booleans(),
)


@given(EVERYTHING)
def test_done_is_said_of_what_was_proven_in_this_play_and_of_nothing_else(seen):
    outcome = outcome_of(seen)
    lines = lines_of(outcome, "why" if seen.failed_at else "", AROUND)
    proven = not seen.failed_at and not seen.check and (seen.verdict == "passed" or not seen.proves)
    assert (outcome.state == DONE) == lines[0].startswith(("DONE", "ENDED", "NOTHING")) == proven
    assert lines[0].startswith("DONE") == (outcome.state == DONE and seen.verdict == "passed")
    assert outcome.ok == (proven or (seen.check and not seen.failed_at))
    assert not any("every check has passed" in line for line in lines if seen.verdict != "passed" and seen.proves)


@given(EVERYTHING)
def test_nothing_was_changed_is_said_where_the_journal_says_so_and_nowhere_else(seen):
    outcome = outcome_of(seen)
    fates = {fate(item["outcome"]) for item in seen.calls}
    said = any("Nothing was changed" in line for line in lines_of(outcome, "why", AROUND))
    assert not said or (seen.read and not fates & {MADE, UNKNOWN})
    assert said or not (seen.failed_at and seen.read and not fates & {MADE, UNKNOWN} and outcome.state == UNTOUCHED)


def test_what_tasks_tell_is_added_where_the_journal_lacks_it():
    first, second = call("CreateDBSnapshot"), call("UpdateService")
    assert merged([first, second], [first, second]) == [first, second]
    assert merged([first], [first, second]) == [first, second]
    assert merged([first, first], [first]) == [first, first]
    assert merged(None, [first, first]) == [first, first]
    assert merged([{**first, "number": 1, "told": "x"}], [first]) == [first]


def test_both_clocks_are_told_and_what_comes_later_with_its_command():
    seen = replace(GOOD, later=("DB instance a: a window (it is backing-up)",))
    outcome = replace(outcome_of(seen), served=31.4, seconds=80.0)
    lines = lines_of(outcome, "", {**AROUND, "finish": "ansible-playbook finish.yml"})
    assert "SERVED    after 0:31 (minutes:seconds): all traffic was on healthy tasks" in lines
    assert "FINISHED  after 1:20, but for what is said under LATER" in lines
    at = lines.index("LATER     DB instance a: a window (it is backing-up)")
    assert lines[at + 2].strip() == "ansible-playbook finish.yml"
    failed = lines_of(
        replace(outcome_of(replace(seen, failed_at="Wait")), served=31.4), "broke", {**AROUND, "finish": "f"}
    )
    assert [line for line in failed if line.startswith(("SERVED", "FINISHED"))] == [
        line for line in lines if line.startswith("SERVED")
    ]


@pytest.mark.parametrize("resumed", [True, False])
@pytest.mark.parametrize("verdict", ["passed", ""])
def test_a_call_of_which_nobody_knows_is_told_however_well_it_ended(resumed, verdict):
    seen = replace(
        GOOD,
        calls=(call(), call("TagResource", "unknown")),
        verdict=verdict,
        purpose="rollback" if verdict else "unfence",
    )
    lines = told(seen, "", resumed=resumed)
    assert lines[0].startswith("DONE" if verdict else "ENDED")
    assert [line[:10].strip() for line in lines if "TagResource" in line] == ["UNKNOWN"]
    assert any(line.startswith("MADE") for line in lines) == bool(resumed and verdict)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_check_promises_nothing_that_would_be_refused(purpose):
    check = replace(
        GOOD, purpose=purpose, check=True, verdict="", calls=(), until="run rb-0 is gone on with, or given up"
    )
    ways = [{"words": "Go on:", "command": "full"}, {"words": "Or give it up:", "command": "code"}]
    lines = told(check, "", ways=ways)
    assert lines[0].endswith("; without --check, this is refused until run rb-0 is gone on with, or given up")
    assert lines[1:] == ["NEXT      Go on:", "          full", "NEXT      Or give it up:", "          code"]
    assert "plan above" not in lines[0]
    (line,) = told(replace(check, until=""), "")
    assert ("plan above is what is done" in line) == (purpose in ("rollback", "undo"))
    assert ("checks that follow" in line) == (purpose in ("rollback", "undo"))
    assert "refused" not in line


@pytest.mark.parametrize("state", [{}, {"check": True}, {"calls": ()}, {"failed_at": "Set"}])
@pytest.mark.parametrize("command", ["ansible-playbook full.yml -e rollback_run_id=rb-0", ""])
def test_a_finish_names_the_unfinished_run_beside_it(state, command):
    finish = replace(GOOD, purpose="finish", verdict="", **state)
    lines = told(finish, "", unfinished_run={"id": "rb-0", "kind": "Roll back", "command": command})
    (at,) = (number for number, line in enumerate(lines) if line.startswith("RUNS"))
    assert lines[at].startswith("RUNS      run rb-0 (Roll back) was not finished, and this has left it as it is.")
    assert (lines[at + 1].strip() == command) if command else "-e rollback_run_id=rb-0" in lines[at]
    assert not any(line.startswith("RUNS") for line in told(finish, "", unfinished_run={}))


def test_a_finish_is_complete_when_all_was_compared_and_says_that_nobody_feels_what_is_left():
    finish = replace(GOOD, purpose="finish", verdict="")
    assert outcome_of(finish).reason == "every setting was compared, and is as it is to be"
    assert "nobody who uses it feels that" in outcome_of(replace(finish, failed_at="All of it")).reason


def told(seen, message="it broke", **around):
    return lines_of(outcome_of(seen), message, {**AROUND, **around})


@pytest.mark.parametrize(
    ("calls", "word"), [((), "NOTHING   there was nothing to change;"), ((call(),), "ENDED     run rb-1 is complete;")]
)
def test_what_proves_nothing_has_another_word_than_done(calls, word):
    lines = told(RunObservation("rb-1", "Unfence", False, calls, purpose=UNFENCE), message="")
    assert lines[0] == word + " whether the application works was not checked"
    assert "          ansible-playbook verify.yml" in lines


@pytest.mark.parametrize("deployed", [True, False])
def test_a_failed_undo_offers_the_way_back_to_what_worked(deployed):
    failed = replace(GOOD, purpose=UNDO, failed_at="Deploy", verdict="failed" if deployed else "", deployed=deployed)
    lines = told(failed, back="ansible-playbook undo.yml -e rollback_undo_run=rb-1")
    next_ = [number for number, line in enumerate(lines) if line.startswith("NEXT")]
    words = "go back to what ran before this undo; that gives the undo up:"
    at = next(number for number in next_ if words in lines[number].lower())
    assert lines[at + 1] == "          ansible-playbook undo.yml -e rollback_undo_run=rb-1"
    assert (at == next_[0]) == (not deployed)  # what did not come up is not the first thing to try again
    assert not any(
        words in line.lower() for line in told(replace(failed, verdict="", calls=(), deployed=False), back="x")
    )


def test_a_failed_undo_that_leads_nowhere_is_looked_at_and_not_undone():
    failed = replace(GOOD, purpose=UNDO, failed_at="Deploy", verdict="", deployed=False)
    lines = told(failed, nowhere="ansible-playbook triage.yml")
    first = next(number for number, line in enumerate(lines) if line.startswith("NEXT"))
    assert lines[first].endswith("undoing it leads nowhere. Look what does:")
    assert lines[first + 1] == "          ansible-playbook triage.yml"
    assert any("once what is said above is fixed" in line for line in lines)
    untouched = told(replace(failed, calls=()), nowhere="ansible-playbook triage.yml")
    assert not any("leads nowhere" in line for line in untouched)


def test_what_earlier_plays_of_a_run_have_made_is_told_at_its_end():
    whole = replace(GOOD, calls=(call("PutSecretValue"), call()))
    assert told(whole, "", resumed=True)[1:3] == ["MADE      ecs PutSecretValue app", "MADE      ecs UpdateService app"]
    assert not any(line.startswith("MADE") for line in told(whole, ""))


def test_a_failure_says_what_was_made_what_runs_and_what_is_next():
    lines = told(
        replace(GOOD, failed_at="Deploy", verdict="", deployed=False),
        "it broke\n  - here",
        holds=[("ada holds", "ansible-playbook hold.yml")],
    )
    assert lines == [
        "FAILED    at: Deploy",
        "          it broke",
        "            - here",
        "          The rollback is not complete. What was done stays as it is; nothing was deleted. Do not leave it like this.",
        "MADE      ecs UpdateService app",
        "NOW       app: 2 of 2 tasks run, app:1",
        "NEXT      Unless said otherwise above, go on where it stopped:",
        "          ansible-playbook again -e rollback_run_id=rb-1",
        "CODE      app: app:2 -> app:1",
        "UNDO      ansible-playbook undo.yml",
        "HOLD      ada holds",
        "          when deployments may go on: ansible-playbook hold.yml",
        "CALL      dba: #dba",
    ]


def test_a_failed_check_leads_to_checking_again_and_calls_nobody_twice():
    lines = told(replace(GOOD, verdict="failed", reason="health", failed_at="Say the verdict"), "CALL      dba: #dba")
    assert lines[-3:] == ["          ansible-playbook verify.yml", *lines[-2:]]
    assert sum("CALL" in line for line in lines) == 1


def test_without_a_call_the_same_command_is_next_and_whoever_was_quicker_is_told():
    lines = told(
        replace(GOOD, failed_at="Plan", verdict="", calls=(), deployed=False), at_work="Run rb-0 of bob is at work"
    )
    assert "That may be why: Run rb-0 of bob is at work" in lines[2]
    assert lines[-3:-1] == ["          ansible-playbook again", "CODE      app: app:2 -> app:1"]


def test_a_standing_fence_is_told_with_its_way_out():
    lines = told(replace(GOOD, failed_at="Restore", verdict="", deployed=False), fence="ansible-playbook unfence.yml")
    place = lines.index("          ansible-playbook unfence.yml")
    assert lines[place - 1].startswith("FENCE     the services stand at 0 tasks: nobody is served")


def test_every_call_is_told_and_the_same_one_once():
    calls = (*itertools.repeat(call(), 40), *(call("Tag%d" % number) for number in range(30)))
    lines = told(replace(GOOD, calls=calls, failed_at="Deploy", verdict="", deployed=False))
    made = [line for line in lines if line.startswith("MADE")]
    assert made[0] == "MADE      ecs UpdateService app (40 times)"
    assert len(made) == 31


def test_who_holds_deployments_back_is_told_each_with_its_own_command():
    lines = told(GOOD, "", holds=[("ada holds", "release ada"), ("bob holds", "release bob")])
    assert lines[-4:] == [
        "HOLD      ada holds",
        "          when deployments may go on: release ada",
        "HOLD      bob holds",
        "          when deployments may go on: release bob",
    ]


def test_users_may_have_been_served_before_a_play_that_goes_on_has_seen_it():
    lines = lines_of(replace(outcome_of(GOOD), served=65.0, seconds=70.0), "", {**AROUND, "at_latest": True})
    assert "SERVED    at the latest after 1:05 (minutes:seconds): all traffic was on healthy tasks" in lines


def test_a_store_that_failed_is_told_beside_what_is_known():
    assert "RUNS      no space left" in told(GOOD, "", store="no space left")


@pytest.mark.parametrize(
    ("idle", "closes", "words"),
    [
        (False, (), "what is said above is finished, and nothing else"),
        (False, ("rb-1",), "what is said above is finished, and nothing else"),
        (True, ("rb-1", "rb-2"), "nothing is left to be set, and that is written down for run rb-1, rb-2"),
        (True, (), "nothing happens: there is nothing to finish"),
    ],
)
def test_a_check_of_a_finish_speaks_of_what_stands_above_only_where_something_does(idle, closes, words):
    seen = replace(GOOD, purpose=FINISH, check=True, verdict="", calls=(), idle=idle, closes=closes)
    assert outcome_of(seen).reason == "nothing was changed; without --check, " + words
    refused = outcome_of(replace(seen, until="the lease has ended")).reason
    assert refused == "nothing was changed; without --check, this is refused until the lease has ended"
