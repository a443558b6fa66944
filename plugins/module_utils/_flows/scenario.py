# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a scenario is gone through: step by step, to the first that does not pass, and then only what cleans up."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.http import NoAnswer, StepOutcome
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import INCONCLUSIVE, PASSED
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.expect import answer_verdict, mask
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.scenario import (
    UNIQUE,
    fill,
    fill_path,
    is_maskable,
    used_by,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.test_data import GONE, with_left

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.http import Answer, Scenario, ScenarioStep
    from ansible_collections.spymeo.rollback.plugins.module_utils._io.http import ScenarioSession

SIDE_BY_SIDE = 8
# What parsers and libraries raise of what they were not made for, Unicode's and recursion's errors among them.
_SURPRISES = (ArithmeticError, AttributeError, LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError)


def go_through_all(
    scenarios: Iterable[Scenario],
    open_session: Callable[[], ScenarioSession],
    values: Mapping[str, Any],
    secrets: Collection[str],
) -> list[list[StepOutcome]]:
    """The outcomes of each scenario (list of list of StepOutcome). Scenarios run side by side, each with a session of its own.

    :param open_session: callable without arguments that gives an object with ``send``.
    :param values: what ``${name}`` stands for.
    :param secrets: values that no reason may show.
    """
    with ThreadPoolExecutor(max_workers=SIDE_BY_SIDE) as pool:
        started = [pool.submit(go_through, scenario, open_session(), values, secrets) for scenario in scenarios]
        return [each.result() for each in started]


def go_through(
    scenario: Scenario, session: ScenarioSession, values: Mapping[str, Any], secrets: Iterable[str]
) -> list[StepOutcome]:
    """The StepOutcome of each step of one scenario. What was captured is masked in reasons, as secrets are: it may be a session.

    A scenario whose test data were not seen to be removed says so (``StepOutcome.left``).
    """
    values, secrets = {UNIQUE: uuid4().hex[:8], **values}, list(secrets)
    outcomes, stopped = [], False
    for step in scenario.steps:
        missing = sorted(used_by(step) - set(values))
        if stopped and not step.always:
            outcomes.append(StepOutcome(step, None, "a step before it did not pass"))
        elif step.unless in values:
            outcomes.append(StepOutcome(step, None, "%s is captured already" % step.unless))
        elif missing:
            outcomes.append(StepOutcome(step, None, "nothing captured %s" % ", ".join(missing)))
        else:
            outcome = taken(step, session, values, secrets)
            values.update(outcome.captured)
            secrets += [value for value in outcome.captured.values() if is_maskable(value)]
            stopped = stopped or outcome.verdict != PASSED
            outcomes.append(_once_more(outcome, session, values, secrets) if _is_lost(outcome) else outcome)
    return with_left(outcomes, values, secrets)


def _is_lost(outcome: StepOutcome) -> bool:
    """Whether nobody knows if something was removed. A DELETE may be sent twice (RFC 9110, 9.2.2)."""
    step = outcome.step
    return (
        step.always and step.method == "DELETE" and outcome.reached and outcome.status is None and not outcome.removed
    )


def _once_more(
    outcome: StepOutcome, session: ScenarioSession, values: Mapping[str, Any], secrets: Collection[str]
) -> StepOutcome:
    """The same StepOutcome, with what a second request has shown of what the first was to remove."""
    again = taken(outcome.step, session, values, secrets)
    gone = again.removed or again.status in GONE
    told = "what it was to remove is gone" if gone else again.reason
    return replace(outcome, removed=gone, reason="%s; asked once more: %s" % (outcome.reason, told))


def taken(
    step: ScenarioStep, session: ScenarioSession, values: Mapping[str, Any], secrets: Collection[str]
) -> StepOutcome:
    """The StepOutcome of a step, whatever goes wrong with it: what an answer does to a parser or a library must not lose the other checks."""
    try:
        return _take(step, session, values, secrets)
    except _SURPRISES as error:
        return StepOutcome(step, INCONCLUSIVE, "it could not be judged (%s)" % type(error).__name__, reached=True)


def _take(
    step: ScenarioStep, session: ScenarioSession, values: Mapping[str, Any], secrets: Collection[str]
) -> StepOutcome:
    """Send a step as often as it asks, to the first time that it does not pass."""
    expect = replace(step.expect, json=fill(step.expect.json, values), text=_as_text(step.expect.text, values))
    path = fill_path(step.path, values)
    headers = {name: str(value) for name, value in fill(step.headers, values).items()}
    count, verdict = 0, PASSED
    while count < step.times and verdict == PASSED:
        sent = datetime.now(timezone.utc)
        answer = session.send(step.method, path, headers, fill(step.json, values), fill(step.form, values))
        verdict, reason, captured = answer_verdict(expect, step.capture, answer, optional=bool(step.unless))
        count += 1
    if step.times > 1:
        reason = "time %d of %d: %s" % (count, step.times, reason)
    reason = mask(reason, [*secrets, *filter(is_maskable, captured.values())])
    if isinstance(answer, NoAnswer):
        return StepOutcome(step, verdict, reason, sent=sent, reached=answer.connected)
    if step.unless and verdict == PASSED and step.unless not in captured:
        reason += ": there is nothing to clean up"
    removed = step.always and not step.unless and verdict == PASSED
    reached = not _by_the_balancer(answer)
    return StepOutcome(
        step, verdict, reason, answer.status, answer.seconds, captured, sent, reached=reached, removed=removed
    )


def _by_the_balancer(answer: Answer) -> bool:
    """Whether a load balancer had no target to send the request to ("Troubleshoot your Application Load Balancers", HTTP 503)."""
    server = next((value for name, value in answer.headers if name.lower() == "server"), "")
    return answer.status == 503 and server.startswith("awselb/")


def _as_text(text: str | None, values: Mapping[str, Any]) -> str | None:
    return None if text is None else str(fill(text, values))
