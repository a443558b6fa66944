# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A wait takes no time here: the clock is ours."""

from __future__ import annotations

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError, TimedOut
from ansible_collections.spymeo.rollback.plugins.module_utils._core.outcome import Failed, Pending, Ready
from ansible_collections.spymeo.rollback.plugins.module_utils._io.control_process import Player
from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import (
    Clock,
    late_is_fine,
    once_answered,
    pause,
    wait_for,
)


class Time:
    """A clock that runs only when somebody sleeps."""

    def __init__(self):
        self.seconds = 0.0
        self.clock = Clock(lambda: self.seconds, self.sleep)

    def sleep(self, seconds):
        self.seconds += seconds


def looks(*answers):
    rest = list(answers)
    return lambda: rest.pop(0) if len(rest) > 1 else rest[0]


def test_returns_when_it_is_ready():
    time = Time()
    assert wait_for("it", looks(Pending(0, 1, "a"), Ready("b")), 60, time.clock) == Ready("b")
    assert time.seconds == 0.5


def test_fails_at_the_first_certain_sign_with_the_evidence():
    with pytest.raises(RollbackError, match="it failed: broken") as failed:
        wait_for("it", looks(Failed("broken")), 60, Time().clock, evidence=lambda: ["event"])
    assert failed.value.evidence == ["event"]


@pytest.mark.parametrize("timeout", [0, 1, 7, 61, 3600])
def test_honours_the_deadline_to_the_second(timeout):
    time = Time()
    with pytest.raises(TimedOut, match="1 of 2"):
        wait_for("it", looks(Pending(1, 2, "1 of 2")), timeout, time.clock)
    assert time.seconds == pytest.approx(timeout)


def test_looks_often_again_once_the_next_step_was_asked_for():
    time, pauses = Time(), []
    clock = Clock(time.clock.now, lambda seconds: (pauses.append(seconds), time.sleep(seconds)))
    waiting, asked = Pending(0, 1, "restoring"), Pending(0, 1, "RDS has been asked to set it", fresh=True)
    wait_for("it", looks(*[waiting] * 200, asked, Pending(0, 1, "modifying"), Ready()), 3600, clock)
    assert pauses[-3] > 2
    assert pauses[-2:] == [0.5, 0.5]


def test_tells_how_far_it_is():
    told = []
    wait_for(
        "it",
        looks(Pending(1, 2, "half"), Ready()),
        60,
        Time().clock,
        tell=lambda answer, elapsed: told.append((answer.done, elapsed)),
    )
    assert told == [(1, 0.0)]


@pytest.mark.parametrize(
    ("elapsed", "remaining", "seconds"),
    [(0, 100, 0.5), (100, 100, 2.0), (1000, 1000, 5.0), (1000, 3, 3), (1, 0.2, 0.2), (0, 0, 0)],
)
def test_looks_often_at_first_and_seldom_later(elapsed, remaining, seconds):
    assert pause(elapsed, remaining) == pytest.approx(seconds)


class Away(Exception):
    """An error of botocore's, as far as a wait looks at it."""


Away.__module__, Away.__name__ = "botocore.exceptions", "EndpointConnectionError"


def acting(*steps):
    """A look that raises the errors and returns the answers, one after the other; the last one for ever."""
    answers = looks(*steps)

    def look():
        answer = answers()
        if isinstance(answer, Exception):
            raise answer
        return answer

    return look


def test_goes_on_while_aws_is_away_and_says_since_when():
    told = []
    answer = wait_for(
        "it",
        acting(Pending(1, 2, "half"), *[Away("no route")] * 3, Pending(1, 2, "half"), Away("again"), Ready()),
        60,
        Time().clock,
        tell=lambda answer, elapsed: told.append((answer.done, answer.detail, elapsed)),
    )
    assert answer == Ready()
    assert told[0] == (1, "half", 0)
    assert told[1:4] == [(1, "AWS has not answered since 0:00 (no route)", 0.5 * look) for look in (1, 2, 3)]
    assert told[5][1] == "AWS has not answered since 0:02 (again)"


@pytest.mark.parametrize("first", [[], [Pending(1, 2, "1 of 2 run")]])
def test_at_the_deadline_it_says_the_last_state_and_that_aws_was_away(first):
    time = Time()
    with pytest.raises(TimedOut) as late:
        wait_for("it", acting(*first, Away("no route")), 30, time.clock, evidence=lambda: 1 / 0)
    state = "1 of 2 run; " if first else ""
    assert late.value.message == f"it was not done after 30 s: {state}AWS has not answered since 0:00 (no route)."
    assert (late.value.absent, late.value.evidence) == ("no route", [])
    assert time.seconds == pytest.approx(30)


def test_a_late_wait_whose_aws_has_come_back_is_not_absent():
    with pytest.raises(TimedOut, match="half") as late:
        wait_for("it", acting(Away("no route"), Pending(1, 2, "half")), 5, Time().clock)
    assert late.value.absent == ""


@pytest.mark.parametrize("error", [RollbackError("no"), KeyError("x"), ConnectionError("Python's own")])
def test_what_is_certain_ends_it_at_once(error):
    time = Time()
    with pytest.raises(type(error)):
        wait_for("it", acting(Pending(0, 1, "a"), error), 60, time.clock)
    assert time.seconds == 0.5


def test_evidence_that_cannot_be_read_hides_nothing():
    with pytest.raises(RollbackError, match="it failed: broken") as failed:
        wait_for("it", looks(Failed("broken")), 60, Time().clock, evidence=acting(Away("no route")))
    assert failed.value.evidence == ["what AWS tells about it could not be read: no route"]


def test_late_is_fine_but_not_where_aws_was_away():
    with late_is_fine():
        wait_for("it", looks(Pending(0, 1, "a")), 1, Time().clock)
    with pytest.raises(TimedOut), late_is_fine():
        wait_for("it", acting(Away("no route")), 1, Time().clock)


def test_a_question_waits_for_its_answer():
    answers = [Away("no route"), "here"]

    def ask():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert once_answered("it", ask, 10, Time().clock) == "here"
    with pytest.raises(TimedOut, match="no route"):
        once_answered("it", acting(Away("no route")), 10, Time().clock)


def test_a_pending_of_absence_is_told_from_one_that_aws_has_told():
    told = []
    wait_for(
        "it", acting(Pending(0, 1, "a"), Away("b"), Ready()), 9, Time().clock, tell=lambda p, _s: told.append(p.away)
    )
    assert told == [False, True]


def test_nobody_waits_for_a_play_that_has_died(monkeypatch):
    monkeypatch.setattr(Player, "gone", lambda _self: True)
    looks = []
    with pytest.raises(RollbackError, match="has died, so nobody waits for it any more"):
        wait_for(
            "it", lambda: looks.append(1) or Pending(0, 1, "creating"), 7200, Clock(lambda: 0.0, lambda _seconds: None)
        )
    assert len(looks) == 1
