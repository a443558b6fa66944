# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a fast deployment sets, and that everything has back what it had, wherever runs died and whatever people set meanwhile."""

from __future__ import annotations

import contextlib
import dataclasses

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release import fast_deployment as fast
from hypothesis import given
from hypothesis import strategies as st

RUN = "rb-20261122-031500"
SERVICE = "arn:aws:ecs:eu-west-3:123456789012:service/production/app"
GROUP = "arn:aws:elasticloadbalancing:eu-west-3:123456789012:targetgroup/app/0123456789abcdef"
DEFAULTS = {"interval": "30", "timeout": "5", "healthy": "5", "unhealthy": "2", "delay": "300"}
CONFIGURED = {"min": "100", "max": "200", "early": "no", "breaker": "n", "grace": "0"}


@pytest.mark.parametrize(
    ("group", "wanted"),
    [
        ({}, {"interval": "5", "timeout": "4", "healthy": "2", "unhealthy": "10", "delay": "10"}),
        ({"timeout": "6"}, {"interval": "5", "timeout": "4", "healthy": "2", "unhealthy": "10", "delay": "10"}),
        # whoever is given longer than usual to answer keeps it
        ({"timeout": "10"}, {"interval": "11", "healthy": "2", "unhealthy": "6", "delay": "10"}),
        ({"timeout": "29"}, {"healthy": "2", "delay": "10"}),
        ({"interval": "10", "unhealthy": "3"}, {"interval": "5", "timeout": "4", "healthy": "2", "unhealthy": "6", "delay": "10"}),
        # what is quicker already stays
        ({"interval": "5", "timeout": "2", "healthy": "2", "delay": "0"}, {}),
    ],
)  # fmt: skip
def test_a_target_group_is_asked_more_often_and_is_as_patient_as_before(group, wanted):
    assert fast.wanted_of_group({**DEFAULTS, **group}) == wanted


SETTINGS = st.fixed_dictionaries(
    {
        "interval": st.integers(5, 300),
        "healthy": st.integers(2, 10),
        "unhealthy": st.integers(2, 10),
        "delay": st.integers(0, 3600),
        "share": st.integers(0, 100),
    }
)


@given(SETTINGS)
def test_what_is_set_of_a_target_group_is_what_aws_takes_and_never_slower(given_group):
    timeout = 2 + (given_group["interval"] - 3) * given_group.pop("share") // 100
    before = {name: str(value) for name, value in {**given_group, "timeout": timeout}.items()}
    after = {name: int(value) for name, value in {**before, **fast.wanted_of_group(before)}.items()}
    assert 5 <= after["interval"] <= int(before["interval"])
    assert 2 <= after["timeout"] < after["interval"]
    assert (2 <= after["healthy"] <= 10, 2 <= after["unhealthy"] <= 10) == (True, True)
    assert after["delay"] <= int(before["delay"])
    if timeout > 6:
        assert after["timeout"] == timeout
    patience = int(before["interval"]) * int(before["unhealthy"])
    assert after["interval"] * after["unhealthy"] >= min(patience, 10 * after["interval"])


@pytest.mark.parametrize(
    ("service", "healthy", "room", "wanted"),
    [
        ({}, False, True, {"grace": "60", "breaker": "y", "early": "100/DEFERRED", "min": "0"}),
        ({}, True, True, {"grace": "60", "breaker": "y", "early": "100/DEFERRED"}),
        ({"min": "0", "max": "100"}, True, True, {"grace": "60", "breaker": "y", "early": "100/DEFERRED", "min": "100", "max": "200"}),
        # without room for more, new tasks may have to wait for the end of old ones
        ({"min": "50", "max": "100"}, True, False, {"grace": "60", "breaker": "y", "early": "100/DEFERRED"}),
        ({"min": "50", "max": "100"}, False, False, {"grace": "60", "breaker": "y", "early": "100/DEFERRED", "min": "0", "max": "200"}),
        ({"max": "300", "breaker": "y", "early": "50/BLOCKING", "grace": "120"}, True, True, {"early": "100/DEFERRED"}),
    ],
)  # fmt: skip
def test_no_task_that_is_well_goes_before_a_new_one_is(service, healthy, room, wanted):
    assert fast.wanted_of_service({**CONFIGURED, **service}, [DEFAULTS], True, healthy, room, True) == wanted


def test_what_ecs_has_stages_of_its_own_for_and_what_botocore_does_not_know_stays():
    assert fast.wanted_of_service(CONFIGURED, [DEFAULTS], False, False, True, True) == {"grace": "60"}
    assert "early" not in fast.wanted_of_service(CONFIGURED, [], True, False, True, False)
    without = {name: value for name, value in CONFIGURED.items() if name not in ("min", "max")}
    assert fast.wanted_of_service(without, [], True, True, True, True) == {"breaker": "y", "early": "100/DEFERRED"}


CONFIGURATION = {
    "minimumHealthyPercent": 100,
    "maximumPercent": 200,
    "deploymentCircuitBreaker": {"enable": False, "rollback": True, "resetOnHealthyTask": True},
    "alarms": {"enable": True, "rollback": True, "alarmNames": ["5xx"]},
    "strategy": "ROLLING",
}


def test_a_configuration_keeps_whatever_is_not_changed_and_comes_back_as_it_was():
    changed = fast.configuration_with(CONFIGURATION, {"min": "0", "early": "100/DEFERRED", "breaker": "y"})
    assert changed["alarms"] == CONFIGURATION["alarms"]
    assert changed["deploymentCircuitBreaker"] == {"enable": True, "rollback": True, "resetOnHealthyTask": True}
    assert changed["earlySuccessCriteria"] == {
        "enable": True,
        "healthyPercent": 100,
        "sourceServiceRevisionCleanup": "DEFERRED",
    }
    assert fast.settings_of(changed, None) == {"min": "0", "max": "200", "early": "100/DEFERRED", "breaker": "y", "grace": "0"}  # fmt: skip
    back = fast.configuration_with(changed, {"min": "100", "early": "no", "breaker": "n"})
    assert back == {**CONFIGURATION, "earlySuccessCriteria": {"enable": False}}
    assert fast.settings_of(back, 0) == fast.settings_of(CONFIGURATION, None)


def test_a_memory_is_read_again_as_it_was_written_and_names_its_place():
    memory = fast.RecordedSettings(
        RUN, {"early": fast.Was("no", ("100/DEFERRED",)), "min": fast.Was("100", ("0", "100"))}
    )
    assert memory.text == f"{RUN} early=no:100/DEFERRED min=100:0:100"
    tags = ((fast.key_of(""), memory.text), (fast.key_of(GROUP), f"{RUN} delay=300:10"))
    assert fast.memories(tags, SERVICE) == {
        "": memory,
        GROUP: fast.RecordedSettings(RUN, {"delay": fast.Was("300", ("10",))}),
    }
    assert len(fast.key_of(GROUP)) <= 128


@pytest.mark.parametrize("text", ["", "x", RUN, f"{RUN} min", f"{RUN} min=100", f"{RUN} min=100:0 ; rm", "min=100:0"])
def test_what_somebody_else_wrote_is_not_believed(text):
    assert fast.RecordedSettings.parse(text) is None


@dataclasses.dataclass
class Place:
    """A place in AWS, its settings one call each here, and the tag that remembers it; a run may die before each write."""

    now: dict
    tag: str = ""
    touched: dict = dataclasses.field(default_factory=dict)  # what people have set last, of what they have set
    left: int = 99

    def write(self, change):
        if not self.left:
            raise InterruptedError
        self.left -= 1
        change()

    def quicken(self, wanted):
        memory = fast.RecordedSettings.parse(self.tag)
        before = fast.originals(self.now, memory)
        wanted = {name: value for name, value in wanted.items() if value != before[name]}
        remembered = fast.to_remember(self.now, memory, wanted, RUN)
        if remembered is None:
            return
        if remembered.text != self.tag:
            self.write(lambda: setattr(self, "tag", remembered.text))
        for name, value in fast.to_set(self.now, memory, wanted).items():
            self.write(lambda name=name, value=value: self.now.update({name: value}))

    def put_back(self):
        memory = fast.RecordedSettings.parse(self.tag)
        if memory is None:
            return
        for name, value in fast.to_put_back(self.now, memory)[0].items():
            self.write(lambda name=name, value=value: self.now.update({name: value}))
        self.write(lambda: setattr(self, "tag", ""))

    def play(self, act, deaths):
        self.left = deaths
        with contextlib.suppress(InterruptedError):
            act()
        self.left = 99


VALUE = st.integers(0, 3).map(str)
PLAYS = st.lists(
    st.tuples(
        st.sampled_from(["quicken", "put back", "person"]),
        st.dictionaries(st.sampled_from("ab"), VALUE, min_size=1),
        st.integers(0, 5),
    ),
    max_size=7,
)


@given(st.fixed_dictionaries({"a": VALUE, "b": VALUE}), PLAYS)
def test_everything_has_back_what_it_had_wherever_runs_died(before, plays):
    """People use values of their own here (``p1``), so that theirs are told from ours."""
    place = Place(dict(before))
    expected = dict(before)
    for act, values, deaths in plays:
        if act == "quicken":
            place.play(lambda values=values: place.quicken(values), deaths)
        elif act == "put back":
            place.play(place.put_back, deaths)
        else:
            own = {name: "p%s" % value for name, value in values.items()}
            place.now.update(own)
            expected.update(own)
    place.put_back()
    assert (place.now, place.tag) == (expected, "")


@given(st.fixed_dictionaries({"a": VALUE, "b": VALUE}), st.dictionaries(st.sampled_from("ab"), VALUE, min_size=1))
def test_what_is_set_is_set_once_and_put_back_once(before, wanted):
    place = Place(dict(before))
    place.quicken(wanted)
    assert place.now == {**before, **wanted}
    place.left = 0  # from here on nobody may write
    place.quicken(wanted)
    place.left = 99
    place.put_back()
    assert place.now == before
    place.left = 0
    place.put_back()


def test_what_somebody_has_set_meanwhile_stays_and_is_told():
    memory = fast.RecordedSettings(RUN, {"delay": fast.Was("300", ("10",)), "interval": fast.Was("30", ("5",))})
    assert fast.to_put_back({"delay": "120", "interval": "5"}, memory) == ({"interval": "30"}, {"delay": "120"})
    assert fast.to_put_back({"delay": "300", "interval": "30"}, memory) == ({}, {})


OURS = fast.RecordedSettings(RUN, {"delay": fast.Was("300", ("10",)), "interval": fast.Was("30", ("5",))})
OWN = fast.RecordedSettings(RUN, {"min": fast.Was("100", ("0",))})


@pytest.mark.parametrize(
    ("now", "read", "told", "stays"),
    [
        (
            {GROUP: {"delay": "10", "interval": "5"}, "": {"min": "0"}},
            True,
            ["delay.timeout_seconds 300", "IntervalSeconds 30", "minimumHealthyPercent 100"],
            [],
        ),
        (
            {GROUP: {"delay": "10", "interval": "7"}, "": {"min": "0"}},
            True,
            ["delay.timeout_seconds 300", "minimumHealthyPercent 100"],
            ["HealthCheckIntervalSeconds of target group %s to 7" % GROUP],
        ),
        (
            {GROUP: {"delay": "10", "interval": "30"}, "": {"min": "50"}},
            True,
            ["delay.timeout_seconds 300"],
            ["minimumHealthyPercent of the service to 50"],
        ),
        ({GROUP: {"delay": "300", "interval": "30"}, "": {"min": "100"}}, True, ["nothing of it is left"], []),
        ({"": {"min": "0"}}, True, ["minimumHealthyPercent 100"], []),  # the target group is gone
        ({"": {"min": "100"}}, False, ["delay.timeout_seconds 300", "IntervalSeconds 30"], []),  # it could not be read
    ],
)
def test_what_is_said_to_be_put_back_is_what_is_put_back(now, read, told, stays):
    line, others = fast.plan_back("app", {GROUP: OURS, "": OWN}, now, read)
    settings = ("delay.timeout_seconds 300", "IntervalSeconds 30", "minimumHealthyPercent 100", "nothing of it is left")
    assert [text for text in settings if text in line] == told
    assert [text for text in stays if text not in "".join(others)] == []
    assert len(others) == len(stays)


def test_the_texts_name_settings_as_aws_does():
    assert fast.describe_change(GROUP, {"delay": "10"}, {"delay": "300"}, {"delay": "42"}) == (
        "target group app: deregistration_delay.timeout_seconds 10 (then 42, which somebody has set)"
    )
    assert "timeout_seconds 10 (before: 300)" in fast.describe_change(
        GROUP, {"delay": "10"}, {"delay": "300"}, left=True
    )
    assert fast.describe_change(GROUP, {"delay": "10"}, {"delay": "300"}) == (
        "target group app: deregistration_delay.timeout_seconds 10 (then 300 again)"
    )
    assert (
        fast.describe_change("", {"min": "0"}, {"min": "100"})
        == "the service: minimumHealthyPercent 0 (then 100 again)"
    )
    assert (
        fast.describe_settings("", {"min": "100", "early": "no"})
        == "the service: minimumHealthyPercent 100, earlySuccessCriteria no"
    )
