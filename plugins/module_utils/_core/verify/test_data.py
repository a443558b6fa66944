# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a scenario may have left in the application's data, so that it never stays silently. Pure.

Test data are what a step sends that is of this run alone: what refers to ``${unique}`` or ``${run_id}`` in a request that may write. They are
gone when that was seen: a step that cleans up has passed, or one that looks for them has found nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.redact import without_secrets
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import PASSED
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.expect import mask
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.scenario import (
    UNIQUE,
    fill,
    references,
    used_by,
)

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.http import ScenarioStep, StepOutcome

OURS = {UNIQUE, "run_id"}
WRITES = ("POST", "PUT", "PATCH")
GONE = (404, 410)
TOLD = 3  # fields


def with_left(
    outcomes: Sequence[StepOutcome], values: Mapping[str, Any], secrets: Collection[str]
) -> list[StepOutcome]:
    """The StepOutcomes of a scenario, each with what it may have left behind.

    :param values: what ``${name}`` stands for, captured values included.
    :param secrets: values that are not shown.
    """
    return [
        replace(outcome, left=_left_line(outcome, values, secrets))
        if _stays(outcome, outcomes[place + 1 :])
        else outcome
        for place, outcome in enumerate(outcomes)
    ]


def _stays(outcome: StepOutcome, later: Sequence[StepOutcome]) -> bool:
    """Whether a step may have made something that was not seen to be gone."""
    step = outcome.step
    if step.method not in WRITES or outcome.verdict is None or not outcome.reached or step.always:
        return False
    status = outcome.status or 0
    if not references([step.json, step.form, step.path]) & OURS or 400 <= status < 500:
        return False
    if all(400 <= expected < 500 for expected in step.expect.status) and not 200 <= status < 400:
        return False  # it is made to be refused, and was not taken
    return not any(_shows_gone(step, other) for other in later)


def _shows_gone(made: ScenarioStep, later: StepOutcome) -> bool:
    """Whether a later step shows that what ``made`` (ScenarioStep) has made is not there any more."""
    if later.step.unless:
        found_nothing = later.verdict == PASSED and later.step.unless not in later.captured
        return later.step.unless in made.capture and found_nothing
    about = not made.capture or bool(used_by(later.step) & set(made.capture))
    return about and later.removed


def _left_line(outcome: StepOutcome, values: Mapping[str, Any], secrets: Collection[str]) -> str:
    step = outcome.step
    fields = ", ".join(_fields(step, values)) or "sent by this run"
    why = "its answer was lost" if outcome.status is None else "it was answered with %d" % outcome.status
    text = "%s %s, %s: %s, and nothing has shown that it is removed. Look for it, and remove it." % (
        step.method, step.path, fields, why,
    )  # fmt: skip
    return mask(text, secrets, longest=None)


def _fields(step: ScenarioStep, values: Mapping[str, Any]) -> list[str]:
    """What is of this run alone in a request, but for what is called like a secret."""
    found = []
    for name, value in _leaves("", step.json if step.json is not None else step.form or {}):
        shown = "%s %s" % (name, fill(value, values))
        if references(value) & OURS and without_secrets("%s=%s" % (name, "x")) == "%s=%s" % (name, "x"):
            found.append(shown)
    return found[:TOLD]


def _leaves(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """(dotted name, text) of each text in a body."""
    if isinstance(value, str):
        yield name, value
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in pairs:
        yield from _leaves("%s.%s" % (name, key) if name else str(key), item)
