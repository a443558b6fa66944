# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scenarios as modules take them from their options, and what came of them as results and lines for a person. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import PASSED, overall
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.scenario import (
    check_variables,
    read_scenarios,
)

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.http import Scenario, StepOutcome

BASE_URL = re.compile(r"https?://[^/\s?#@]+(/[^\s?#@]*)?")
NOT_A_URL = "it is not an http or https URL without user and query"
NO_HTTP = "none"  # in place of a URL: the application has no HTTP


def scenarios_of(params: Mapping[str, Any]) -> tuple[tuple[Scenario, ...], dict[str, Any]]:
    """The Scenarios, and what ``${name}`` stands for, out of a module's options.

    :raises RollbackError: a scenario, a variable or the URL cannot be used.
    """
    if not BASE_URL.fullmatch(params["base_url"]):
        raise BadInput("base_url", params["base_url"], NOT_A_URL)
    check_variables(params["variables"])
    values = dict(params["variables"])
    if params["run_id"]:
        values["run_id"] = params["run_id"]
    return read_scenarios(params["scenarios"], values, params["lines"]), values


def requests_of(scenarios: Iterable[Scenario]) -> list[str]:
    """One line for each request, in the order of each scenario."""
    return ["%s: %s %s" % (scenario.name, step.method, step.path) for scenario in scenarios for step in scenario.steps]


def scenario_results(scenarios: Iterable[Scenario], outcomes: Iterable[Sequence[StepOutcome]]) -> list[dict[str, Any]]:
    """What came of each scenario, in JSON types.

    :param outcomes: list of list of StepOutcome, in the order of the scenarios.
    """
    return [_result(*pair) for pair in zip(scenarios, outcomes)]


def _result(scenario: Scenario, outcomes: Sequence[StepOutcome]) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [
        dict(
            name=outcome.step.name,
            method=outcome.step.method,
            path=outcome.step.path,
            verdict=outcome.verdict,
            reason=outcome.reason,
            status=outcome.status,
            seconds=None if outcome.seconds is None else round(outcome.seconds, 3),
        )
        for outcome in outcomes
    ]
    verdict = overall(step["verdict"] for step in steps if step["verdict"])
    return dict(
        name=scenario.name, verdict=verdict, steps=steps, left_behind=[item.left for item in outcomes if item.left]
    )


def leftovers(results: Iterable[Mapping[str, Any]]) -> list[str]:
    """What scenarios may have left in the application's data, one line each (list of str)."""
    return ["%s: %s" % (result["name"], line) for result in results for line in result["left_behind"]]


def evidence(results: Iterable[Mapping[str, Any]]) -> list[str]:
    """One line for each step that was sent and did not pass."""
    return ["%s, %s" % (result["name"], line) for result in results for line in evidence_of(result)]


def evidence_of(result: Mapping[str, Any]) -> list[str]:
    """The same of one scenario, without its name."""
    return [
        "%s: %s: %s" % (step["name"], step["verdict"], step["reason"])
        for step in result["steps"]
        if step["verdict"] not in (None, PASSED)
    ]
