# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a service and its target groups are set to for one deployment, so that it is over soon, and what they get back. Pure.

What was set before is remembered in tags of the service, written before anything is set, so that whoever comes after a death puts it back.
A setting is a text here, as tags take it (letters, digits and ``+-=._:/@``): ``100``, ``y``, ``no``, ``100/DEFERRED``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.names import TAG_FAST

AS_CONFIGURED, FAST = "as_configured", "fast"

INTERVAL, PASSES, DRAIN = 5, 2, 10  # seconds between two health checks, checks in a row, seconds of draining
LONGEST_ANSWER = 6  # seconds: where a health check waits no longer for an answer, INTERVAL - 1 are taken to be enough; the defaults are 5 and 6
MOST_FAILURES = 10  # UnhealthyThresholdCount
NO_EARLY, EARLY = "no", "100/DEFERRED"

# The names of settings in a tag → those of AWS.
OF_SERVICE = {
    "min": "minimumHealthyPercent",
    "max": "maximumPercent",
    "early": "earlySuccessCriteria",
    "breaker": "deploymentCircuitBreaker",
    "grace": "healthCheckGracePeriodSeconds",
}
OF_GROUP = {
    "interval": "HealthCheckIntervalSeconds",
    "timeout": "HealthCheckTimeoutSeconds",
    "healthy": "HealthyThresholdCount",
    "unhealthy": "UnhealthyThresholdCount",
    "delay": "deregistration_delay.timeout_seconds",
}
_FORM = re.compile(r"\S+(?: [a-z]+=[A-Za-z0-9/]+(?::[A-Za-z0-9/]+)+)+\Z")


@dataclass(frozen=True)
class Was:
    """What one setting was ``before``, and what runs have set it to since (``ours``). Anything else somebody else has set."""

    before: str
    ours: tuple[str, ...]


@dataclass(frozen=True)
class RecordedSettings:
    """What a run has written down of one place, the service or a target group: setting → Was."""

    run_id: str
    was: dict[str, Was] = field(hash=False)

    @property
    def text(self) -> str:
        """As the value of a tag."""
        told = ["%s=%s" % (name, ":".join((item.before, *item.ours))) for name, item in self.was.items()]
        return " ".join([self.run_id, *told])

    @classmethod
    def parse(cls, text: str) -> RecordedSettings | None:
        """The RecordedSettings of a tag's value, None when it is not one of ours."""
        if not _FORM.match(text):
            return None
        run_id, *told = text.split(" ")
        values = {name: value.split(":") for name, _is, value in (item.partition("=") for item in told)}
        return cls(run_id, {name: Was(value[0], tuple(value[1:])) for name, value in values.items()})


def memories(tags: Iterable[tuple[str, str]], service_arn: str) -> dict[str, RecordedSettings]:
    """The RecordedSettings of each place that tags of a service tell: ``""`` is the service itself, others are target groups' ARNs.

    :param tags: (key, value) of the tags that begin with TAG_FAST.
    """
    _arn, partition, _ecs, region, account, _rest = service_arn.split(":", 5)
    found = {}
    for key, value in tags:
        group = key[len(TAG_FAST) + 1 :]
        arn = "arn:%s:elasticloadbalancing:%s:%s:targetgroup/%s" % (partition, region, account, group) if group else ""
        memory = RecordedSettings.parse(value)
        if memory:
            found[arn] = memory
    return found


def key_of(place: str) -> str:
    """The key of the tag that remembers a place."""
    return "%s:%s" % (TAG_FAST, place.partition(":targetgroup/")[2]) if place else TAG_FAST


def settings_of(configuration: dict[str, Any], grace: int | None) -> dict[str, str]:
    """The settings of a service.

    :param configuration: DeploymentConfiguration (botocore), as DescribeServices answers.
    :param grace: healthCheckGracePeriodSeconds, or None.
    """
    early, breaker = configuration.get("earlySuccessCriteria", {}), configuration.get("deploymentCircuitBreaker", {})
    on = early.get("enable")
    found = {
        "early": "%s/%s" % (early["healthyPercent"], early["sourceServiceRevisionCleanup"]) if on else NO_EARLY,
        "breaker": "y" if breaker.get("enable") else "n",
        "grace": str(grace or 0),
    }
    percents = {name: configuration.get(OF_SERVICE[name]) for name in ("min", "max")}
    return {**{name: str(value) for name, value in percents.items() if value is not None}, **found}


def wanted_of_group(group: Mapping[str, str]) -> dict[str, str]:
    """What a target group is set to, of the settings that it has.

    Whoever was given a minute to answer is given as long: with more frequent checks, more of them may fail.
    """
    now = {name: int(value) for name, value in group.items()}
    wanted = {"healthy": min(now["healthy"], PASSES), "delay": min(now["delay"], DRAIN)}
    timeout = now["timeout"] if now["timeout"] > LONGEST_ANSWER else min(now["timeout"], INTERVAL - 1)
    interval = max(INTERVAL, timeout + 1)
    if interval < now["interval"]:
        patience = math.ceil(now["interval"] * now["unhealthy"] / interval)
        wanted.update(interval=interval, timeout=timeout, unhealthy=max(now["unhealthy"], min(MOST_FAILURES, patience)))
    return {name: str(value) for name, value in wanted.items() if value != now[name]}


def wanted_of_service(
    service: Mapping[str, str],
    groups: Sequence[Mapping[str, str]],
    rolling: bool,
    healthy: bool,
    room: bool,
    early: bool,
) -> dict[str, str]:
    """What a service is set to, of the settings that it has.

    :param service: its settings. ``groups``: those of each of its target groups (list), as they were before.
    :param rolling: whether its strategy is ROLLING; for the others ECS has stages of their own.
    :param healthy: whether a task of it is well, or may be: then no task goes before a new one is well.
    :param room: whether there is room for twice as many tasks, as on Fargate. Elsewhere new tasks may have to wait for the end of old ones.
    :param early: whether this botocore knows early success.
    """
    shorter = [group for group in groups if "interval" in wanted_of_group(group)]
    patience = max((int(group["interval"]) * int(group["unhealthy"]) for group in shorter), default=0)
    wanted = {"grace": str(max(int(service["grace"]), patience))}
    if rolling:
        wanted["breaker"] = "y"
        wanted.update({"early": EARLY} if early else {})
        if "min" in service and "max" in service and (room or not healthy):
            wanted.update(min="100" if healthy else "0", max=str(max(200, int(service["max"]))))
    return {name: value for name, value in wanted.items() if value != service[name]}


def originals(now: Mapping[str, str], memory: RecordedSettings | None) -> dict[str, str]:
    """Settings as they were before runs have set some: what of ``now`` is ours is what the RecordedSettings (or None) has of before."""
    was = memory.was if memory else {}
    return {name: was[name].before if name in was and value in was[name].ours else value for name, value in now.items()}


def to_remember(
    now: Mapping[str, str], memory: RecordedSettings | None, wanted: Mapping[str, str], run_id: str
) -> RecordedSettings | None:
    """The RecordedSettings to write before ``wanted`` is set (None when there is nothing to remember). What an earlier one has is kept: it may be set still."""
    before, was = originals(now, memory), dict(memory.was) if memory else {}
    for name, value in wanted.items():
        old = was.get(name)
        kept = old.ours if old and old.before == before[name] else ()
        if value != before[name]:
            was[name] = Was(before[name], tuple(dict.fromkeys((*kept, value))))
    return RecordedSettings(run_id, was) if was else None


def to_set(now: Mapping[str, str], memory: RecordedSettings | None, wanted: Mapping[str, str]) -> dict[str, str]:
    """What is still to be set: what is wanted, and what an earlier try has set that is not wanted any more gets back what it was."""
    target = {**originals(now, memory), **wanted}
    return {name: target[name] for name in now if target[name] != now[name]}


def to_put_back(now: Mapping[str, str], memory: RecordedSettings) -> tuple[dict[str, str], dict[str, str]]:
    """(what is to be set so that a place has back what it had, what somebody else has set meanwhile and so stays: setting → text)."""
    back, others = {}, {}
    for name, item in memory.was.items():
        if name in now and now[name] in item.ours and now[name] != item.before:
            back[name] = item.before
        elif name in now and now[name] != item.before:
            others[name] = now[name]
    return back, others


def configuration_with(configuration: dict[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    """A whole DeploymentConfiguration with some settings. It is given whole, since AWS does not say what becomes of what is left out.

    :param values: of ``settings_of``; ``grace`` is none of it.
    """
    changed = dict(configuration)
    for name, value in values.items():
        if name in ("min", "max"):
            changed[OF_SERVICE[name]] = int(value)
        elif name == "breaker":
            breaker = {"rollback": False, **configuration.get("deploymentCircuitBreaker", {})}
            changed["deploymentCircuitBreaker"] = {**breaker, "enable": value == "y"}
        elif name == "early":
            percent, _slash, cleanup = value.partition("/")
            on = {
                "enable": True,
                "healthyPercent": int(percent) if cleanup else 0,
                "sourceServiceRevisionCleanup": cleanup,
            }
            changed["earlySuccessCriteria"] = on if cleanup else {"enable": False}
    return changed


def describe_change(
    place: str,
    values: Mapping[str, str],
    before: Mapping[str, str],
    stays: Mapping[str, str] | None = None,
    left: bool = False,
) -> str:
    """What of a place is set, and what it gets back, in one line for people.

    :param stays: setting → text, for what somebody else has set meanwhile.
    :param left: whether it has not got it back.
    """
    names = OF_GROUP if place else OF_SERVICE
    after = {name: "before: %s" % before[name] if left else "then %s again" % before[name] for name in values}
    after.update({name: "then %s, which somebody has set" % value for name, value in (stays or {}).items()})
    changes = ["%s %s (%s)" % (names[name], value, after[name]) for name, value in values.items()]
    return "%s: %s" % (_where(place), ", ".join(changes))


def plan_back(
    name: str, memories: Mapping[str, RecordedSettings], now: Mapping[str, Mapping[str, str]], read: bool = True
) -> tuple[str, list[str]]:
    """(what is put back of a service, in one sentence; what somebody else has set meanwhile and so stays, one sentence each).

    :param name: of the service.
    :param memories: place → RecordedSettings, at least one.
    :param now: place → its settings now.
    :param read: whether all of them could be read. Where not, what is not there counts as it was set; else it is gone.
    """
    runs, back, others = ", ".join(sorted({item.run_id for item in memories.values()})), {}, []
    for place, memory in memories.items():
        set_by_us = {setting: item.before for setting, item in memory.was.items()}
        unread: tuple[dict[str, str], dict[str, str]] = ({} if read else set_by_us, {})
        back[place], stays = to_put_back(now[place], memory) if place in now else unread
        others += [stays_line(name, place, *item) for item in stays.items()]
    told_back = "; ".join(describe_settings(place, values) for place, values in back.items() if values)
    if told_back:
        return "put back what run %s has set for its deployment of %s: %s" % (runs, name, told_back), others
    return "forget what run %s had set for its deployment of %s: nothing of it is left" % (runs, name), others


def stays_line(name: str, place: str, setting: str, value: str) -> str:
    """That somebody else has set a setting of a service or of its target group meanwhile, for people."""
    names, where = (OF_GROUP, "target group %s" % place) if place else (OF_SERVICE, "the service")
    return "%s: somebody has set %s of %s to %s meanwhile, and it stays" % (name, names[setting], where, value)


def describe_settings(place: str, values: Mapping[str, str]) -> str:
    """Settings of a place, in one line for people."""
    names = OF_GROUP if place else OF_SERVICE
    return "%s: %s" % (_where(place), ", ".join("%s %s" % (names[name], value) for name, value in values.items()))


def _where(place: str) -> str:
    return "target group %s" % place.split("/")[1] if place else "the service"
