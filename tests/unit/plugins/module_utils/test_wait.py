# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A wait takes no time here: the clock is ours."""

from __future__ import annotations

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._errors import RollbackError, TimedOut
from ansible_collections.spymeo.rollback.plugins.module_utils._readiness import Failed, Pending, Ready
from ansible_collections.spymeo.rollback.plugins.module_utils._wait import Clock, pause, wait_for


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
