# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A service stands at 0 tasks, and gets back what it had, wherever a run died in between."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.fence import Fence
from ansible_collections.spymeo.rollback.plugins.module_utils._core.outcome import Failed, Pending, Ready
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.fence import (
    ALL,
    broken,
    lift_line,
    next_to_fence,
    next_to_lift,
    recounted,
    tasks_back,
)
from hypothesis import given
from hypothesis import strategies as st

from .test_service_health import OLD, seen, service, tasks

RUN = "rb-20261122-031500"
NOTHING = (False, False, False)
FLAGS = st.tuples(st.booleans(), st.booleans(), st.booleans())
FENCES = st.builds(Fence, st.just(RUN), st.integers(1, 5000), st.none() | FLAGS)


@given(FENCES)
def test_what_is_remembered_is_read_again_as_it_was(fence):
    assert Fence.parse(fence.text) == fence
    assert len(fence.text) <= 256


@pytest.mark.parametrize(
    "text", ["", "x", f"{RUN} desired=0 suspended=none", f"{RUN} desired=2", "desired=2 suspended=none"]
)
def test_what_somebody_else_wrote_is_not_believed(text):
    assert Fence.parse(text) is None


@dataclasses.dataclass
class Model:
    """A service in AWS: each step is one writing call; its tasks follow the desired count. Scaling that is not suspended
    brings a service back to its minimum, which is what it had."""

    had: int
    suspended: tuple[bool, bool, bool] | None
    desired: int = 0
    running: int = 0
    tag: str = ""
    calls: int = 0

    def __post_init__(self):
        self.desired = self.running = self.had

    def view(self):
        return Fence.parse(self.tag), self.desired, self.suspended, self.running

    def settle(self):
        if self.suspended is not None and not self.suspended[1] and self.desired < self.had:
            self.desired = self.had
        self.running = self.desired

    def take(self, step, to):
        fence = Fence.parse(self.tag)
        if step == "tag":
            self.tag = Fence(RUN, self.desired, self.suspended).text
        elif step == "remember":
            self.tag = Fence(RUN, self.desired, self.suspended if fence is None else fence.suspended).text
        elif step == "suspend":
            self.suspended = ALL
        elif step == "resume":
            self.suspended = fence.suspended
        elif step == "scale":
            self.desired = 0 if to == "fence" else fence.desired
        elif step == "untag":
            self.tag = ""
        self.calls += step != "wait"
        self.settle()

    def go(self, to, most=99):
        """Take at most so many steps; whether the end was reached."""
        for _ in range(most):
            step = (next_to_fence if to == "fence" else next_to_lift)(*self.view())
            if step is None:
                return True
            self.take(step, to)
        return False


@given(
    st.integers(1, 50),
    st.none() | FLAGS,
    st.lists(st.tuples(st.sampled_from(["fence", "lift"]), st.integers(0, 4)), max_size=6),
)
def test_a_run_that_dies_anywhere_is_ended_by_the_next_one(had, suspended, deaths):
    service = Model(had, suspended)
    for to, steps in deaths:
        service.go(to, steps)
    assert service.go("fence")
    assert (service.desired, service.running) == (0, 0)
    assert service.go("lift")
    assert (service.desired, service.running, service.suspended, service.tag) == (had, had, suspended, "")


@pytest.mark.parametrize(("suspended", "calls"), [(None, 2), (NOTHING, 3), (ALL, 2)])
def test_nothing_is_written_twice(suspended, calls):
    service = Model(3, suspended)
    assert service.go("fence")
    assert service.calls == calls
    assert service.go("fence")
    assert service.calls == calls


def test_what_bears_no_mark_is_left_alone():
    service = Model(3, NOTHING)
    assert service.go("lift")
    assert (service.calls, service.desired) == (0, 3)


@given(st.integers(1, 50), st.none() | FLAGS, st.lists(st.integers(50, 99), min_size=1, max_size=4))
def test_the_count_that_somebody_has_set_last_is_what_a_service_gets_back(had, suspended, counts):
    service = Model(had, suspended)
    assert service.go("fence")
    for count in counts:
        service.desired = service.running = count
        assert service.go("fence")
        assert (service.desired, service.running) == (0, 0)
    assert service.go("lift")
    assert (service.desired, service.suspended, service.tag) == (counts[-1], suspended, "")


@given(st.integers(1, 50), st.integers(1, 50))
def test_one_that_somebody_has_scaled_meanwhile_is_lifted_as_it_is(had, count):
    service = Model(had, None)
    assert service.go("fence")
    service.desired = service.running = count
    assert service.go("lift")
    assert (service.desired, service.tag) == (count, "")


FENCED = Fence(RUN, 2, None)


@pytest.mark.parametrize(
    ("desired", "stood", "started", "words"),
    [
        (0, True, (), None),
        (0, False, ("(service app) has started 2 tasks: a b.",), None),  # those of before
        (2, False, (), None),  # a run that died before it had scaled, or after its deployment
        (2, True, (), "its desired count was set to 2 since"),
        (5, True, (), "its desired count was set to 5 since"),
        (5, False, (), "its desired count was set to 5 since"),
        (1, False, (), "its desired count was set to 1 since"),
        (0, True, ("(service app) has started 5 tasks: a.",), "tasks were started since"),
    ],
)
def test_a_fence_that_somebody_breaks_is_told_and_nothing_that_was_not_seen(desired, stood, started, words):
    told = broken("app", FENCED, desired, stood, started)
    assert (told is None) == (words is None), told
    assert words is None or (words in told and RUN in told)
    assert not told or ("app stood at 0" in told) == stood, "only what was seen to stand is said to have stood"


@pytest.mark.parametrize(
    ("fence", "desired", "words"),
    [
        (None, 2, ["stays as it is (desired count 2)", "it bears no mark of a run"]),
        (
            None,
            0,
            [
                "stays at 0 tasks",
                "is not known here",
            ],
        ),
        (FENCED, 0, ["desired count 0 -> 2", f"the mark of run {RUN} is taken away"]),
    ],
)
def test_of_a_fence_only_what_is_proven_is_said(fence, desired, words):
    told = lift_line("app", fence, desired, None, desired)
    assert [text for text in words if text not in told] == []
    assert "no run has brought" not in told


@pytest.mark.parametrize(
    ("planned", "found", "named"),
    [
        ({"app": 2}, {"app": 2}, []),
        ({"app": 2}, {"app": 5}, ["app had a desired count of 2"]),
        ({"app": 2, "b": 1}, {"b": 3, "app": 1}, ["app had a desired count of 2", "b had a desired count of 1"]),
        ({}, {"app": 5}, []),  # an older record has no counts
        ({"gone": 2}, {"app": 5}, []),
    ],
)
def test_a_count_that_was_changed_before_the_fence_is_told_with_what_is_given_back(planned, found, named):
    told = recounted(planned, found)
    assert [line.partition(" when ")[0].partition(", ")[0] for line in told] == named
    assert all(f"It gets back the {found[line.split()[0]]}" in line for line in told)


ILL = {"states": ("unhealthy", "initial")}
ALONE = {"of": service(balancers=()), "health": ()}
SHARED = {"running": tasks(OLD, OLD, address=False)}  # the address of their host


@pytest.mark.parametrize(
    ("look", "numbers", "answer", "words"),
    [
        ({}, (0, 0, 0), Ready, "all traffic is on its 2 tasks"),
        ({}, (2, 2, 60), Ready, "all traffic"),
        (ILL, (0, 0, 60), Pending, "0 of 2 tasks are healthy targets"),
        ({"of": service(running=1), "running": tasks(OLD)}, (0, 0, 0), Pending, "1 of 2 tasks run"),
        (
            ILL,
            (3, 0, 0),
            Failed,
            "3 tasks of app:1 on app ended since they are wanted again, so it will not come up, and nobody is served",
        ),
        ({"of": service(running=0), "running": ()}, (0, 3, 0), Failed, "and nobody is served"),
        ({"states": ("healthy", "initial")}, (3, 0, 0), Failed, "so it will not come up"),
        ({"of": service(desired=20, running=0), "running": ()}, (9, 9, 0), Pending, "0 of 20"),
        (
            {"of": service(running=1, state="FAILED"), "running": tasks(OLD)},
            (0, 0, 0),
            Failed,
            "ECS has given up deploying app:1 to app",
        ),
        ({"of": service(state="FAILED")}, (0, 0, 0), Ready, "all traffic"),  # of another time
        (ALONE, (0, 0, 4.9), Pending, "they are watched for 5 s"),
        (ALONE, (0, 0, 5), Ready, "2 of 2 tasks run app:1"),
        (SHARED, (0, 0, 4.9), Pending, "they are watched for 5 s"),
        (SHARED, (0, 0, 5), Ready, "2 of 2 tasks run app:1"),
    ],
)
def test_tasks_that_are_wanted_again_serve_or_are_sure_not_to(look, numbers, answer, words):
    """That two of two run for a moment is no end."""
    found = tasks_back(seen(**look), *numbers)
    assert isinstance(found, answer), found
    assert words in (found.reason if answer is Failed else found.detail)
