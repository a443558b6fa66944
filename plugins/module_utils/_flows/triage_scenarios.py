# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plays HTTP scenarios for triage: each that is right, and without writing where nothing may be written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._aws.secretsmanager import SecretsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.triage import AWS_ERRORS
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.evidence import HttpSeen, StepSeen
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.scenario import (
    check_variables,
    read_scenarios,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.scenario_result import (
    leftovers,
    scenario_results,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.credentials import (
    check_secrets,
    read_secrets,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.scenario import go_through_all

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.http import Scenario
    from ansible_collections.spymeo.rollback.plugins.module_utils._io.http import ScenarioSession

READS = ("GET", "HEAD", "OPTIONS")


def kept_in(
    secretsmanager: Callable[[], Any], named: Mapping[str, Mapping[str, str]]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """(values, left out): variables that are kept in Secrets Manager, and why some could not be read.

    :param secretsmanager: callable that gives a boto3 client.
    :param named: variable → mapping with ``secret`` and perhaps ``key``.
    """
    values: dict[str, str] = {}
    left_out: list[str] = []
    for name, item in named.items():
        try:
            check_secrets({name: item})
            values.update(read_secrets(SecretsGateway(secretsmanager()), {name: item}))
        except RollbackError as error:
            left_out.append(" ".join([error.message, *error.evidence]))
        except AWS_ERRORS as error:
            left_out.append("the secret of ${%s} could not be read (%s)" % (name, type(error).__name__))
    return values, tuple(left_out)


def usable(
    given: Iterable[Any], variables: Mapping[str, str], may_write: bool
) -> tuple[list[Scenario], dict[str, str], tuple[str, ...]]:
    """(Scenarios, values, left out): a scenario or a variable with a mistake keeps no other from being played.

    :param given: scenarios (list of dict) as the inventory has them.
    :param variables: what ``${name}`` stands for (dict).
    :param may_write: whether scenarios with other requests than GET, HEAD and OPTIONS are played.
    :return: ``left out`` are sentences, one a scenario.
    """
    values = {name: value for name, value in variables.items() if _is_usable(name, value)}
    right, left_out = [], []
    for item in given:
        try:
            (scenario,) = read_scenarios([item], values)
        except RollbackError as error:
            left_out.append(" ".join([error.message.split(".")[0] + ":", *error.evidence]))
            continue
        writing = [step for step in scenario.steps if step.method not in READS]
        if writing and not may_write:
            left_out.append("%s: it sends %s, and nothing may be written" % (scenario.name, writing[0].method))
        else:
            right.append(scenario)
    return right, values, tuple(left_out)


def _is_usable(name: str, value: str) -> bool:
    try:
        check_variables({name: value})
    except RollbackError:
        return False
    return True


def play(
    scenarios: Sequence[Scenario],
    open_session: Callable[[], ScenarioSession],
    values: Mapping[str, str],
    secrets: Sequence[str],
    left_out: tuple[str, ...],
    slow_after: float,
) -> HttpSeen:
    """The HttpSeen.

    :param open_session: callable that gives a ScenarioSession.
    :param secrets: values that no reason may show.
    """
    outcomes = go_through_all(scenarios, open_session, values, secrets)
    steps = tuple(
        StepSeen(
            scenario=scenario.name,
            step=outcome.step.name,
            method=outcome.step.method,
            path=outcome.step.path,
            verdict=outcome.verdict or "",
            status=outcome.status,
            seconds=None if outcome.seconds is None else round(outcome.seconds, 3),
            reason=outcome.reason,
            cleans_up=outcome.step.always,
        )
        for scenario, seen in zip(scenarios, outcomes)
        for outcome in seen
    )
    left = tuple(leftovers(scenario_results(scenarios, outcomes)))
    return HttpSeen(steps, left_out, slow_after, left)
